"""Forward and reverse mode agree to 1e-12 of each tensor's largest entry, whatever the network.

One tangent a parameter and one pass back add the same products in another order. Over n terms that differs by
about √n u, some 1e-15; twenty layers and sums of 300 units leave two digits of the tolerance.
"""

import zlib
from itertools import pairwise

import numpy as np
import pytest

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.losses import Loss
from dnnexp.core.mean_field import activation_moments
from dnnexp.core.network import Network
from dnnexp.core.parameter_derivatives import forward_derivatives
from dnnexp.core.problem import Problem
from tests.core.conftest import label

TOLERANCE = 1e-12
