"""Data sets: drawn, bundled with scikit-learn, or the user's own."""

from dnnexp.core.data import bundled, files, synthetic
from dnnexp.core.data.base import Data, DataError, Shape, Split, Table, standardized

__all__ = ["Data", "DataError", "Shape", "Split", "Table", "bundled", "files", "standardized", "synthetic"]
