"""The small data sets that scikit-learn carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

import numpy as np

from dnnexp.core.data.base import Data, DataError, Shape, Table, one_hot
from dnnexp.registry import Problem, check, register


@lru_cache(maxsize=4)
def _loaded(name: str) -> Table:
    """A data set of sklearn.datasets, which is imported only now."""
    if find_spec("sklearn") is None:
        raise DataError(f"{name} needs scikit-learn: pip install 'dnnexp[data]'")
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    names = tuple(map(str, bunch.target_names))
    return Table(np.asarray(bunch.data, dtype=np.float64), one_hot(bunch.target, len(names)), names)


@dataclass(frozen=True)
class Bundled(Data):
    """Base of scikit-learn's data sets."""

    @check("standardize")
    @staticmethod
    def installed(standardize: bool) -> Iterator[Problem]:
        """scikit-learn is there."""
        del standardize
        if find_spec("sklearn") is None:
            yield (), "needs scikit-learn: pip install 'dnnexp[data]'"

    def shape(self) -> Shape:
        """That of the table."""
        return _loaded(self.name).shape

    def table(self, generator: np.random.Generator) -> Table:
        """All rows, in scikit-learn's order."""
        del generator
        return _loaded(self.name)


@register("digits")
@dataclass(frozen=True)
class Digits(Bundled):
    """Digits: 1797 images of 8 x 8 pixels, 10 classes (Alpaydin and Kaynak 1998), through scikit-learn."""


@register("iris")
@dataclass(frozen=True)
class Iris(Bundled):
    """Iris: 150 flowers, 4 lengths, 3 classes (Fisher 1936), through scikit-learn."""


@register("breast_cancer")
@dataclass(frozen=True)
class BreastCancer(Bundled):
    """Breast cancer: 569 tumours, 30 measures, 2 classes (Wolberg et al. 1995), through scikit-learn."""
