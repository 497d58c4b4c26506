"""Initializers: how weights and biases are drawn.

A layer's weights have shape `(n_out, n_in)`; its fan-in is n_in, its fan-out n_out, and the same two
numbers serve its biases, `(n_out,)`.
"""

# in the order in which they are listed: without fans, with fans, those of a matrix as a whole, of data
# isort: off
from dnnexp.core.initializers.base import Initializer
from dnnexp.core.initializers.unscaled import Constant, Normal, TruncatedNormal, Uniform, Zeros
from dnnexp.core.initializers.scaled import Distribution, Glorot, He, LeCun
from dnnexp.core.initializers.critical import Critical
from dnnexp.core.initializers.matrices import IdentityMatrix, Orthogonal, Sparse
from dnnexp.core.initializers.lsuv import LSUV
from dnnexp.core.initializers.layer import LayerInitializer

__all__ = [
    "LSUV",
    "Constant",
    "Critical",
    "Distribution",
    "Glorot",
    "He",
    "IdentityMatrix",
    "Initializer",
    "LayerInitializer",
    "LeCun",
    "Normal",
    "Orthogonal",
    "Sparse",
    "TruncatedNormal",
    "Uniform",
    "Zeros",
]
