"""Activations: a function and its derivative side by side, element by element, real or complex.

They are stable for any finite argument, and analytic off their kinks, so that a complex step through
them gives the derivative. Where PyTorch has the function, the definition, the parameters' defaults and the
derivative at a kink are PyTorch's.
"""

# in the order in which they are listed: by family, the plain one of each first
# isort: off
from dnnexp.core.activations.base import Activation
from dnnexp.core.activations.sigmoidal import Erf, Sigmoid, Softsign, Tanh
from dnnexp.core.activations.rectifiers import LeakyReLU, ReLU, ReLU6
from dnnexp.core.activations.exponential import CELU, ELU, SELU
from dnnexp.core.activations.smooth import GELU, Mish, SiLU, Softplus
from dnnexp.core.activations.hard import HardSigmoid, HardSwish, HardTanh
from dnnexp.core.activations.plain import Identity, Sine

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "Erf",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Identity",
    "LeakyReLU",
    "Mish",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Sine",
    "Softplus",
    "Softsign",
    "Tanh",
]
