"""Faults: common mistakes in back-propagation, made on purpose and recognised from wrong derivatives.

Each fault is a registered part that replaces one step of the backward pass. In layer l it makes wrong

| fault               | gradients of      | dy/dx |
|---------------------|-------------------|-------|
| `sign`              | layers 1 … l      | yes   |
| `missing_slope`     | layers 1 … l      | yes   |
| `slope_at_output`   | layers 1 … l      | yes   |
| `transposed_weight` | layers 1 … l − 1  | yes   |
| `stale_activation`  | w^(l)             | no    |
| `missing_bias`      | b^(l)             | no    |
| `factor`            | w^(l) and b^(l)   | no    |
| `batch_size`        | all layers        | no    |
"""

# The order of import is the order in which faults are listed and suspected: those with a free number last.
# isort: off
from dnnexp.core.faults.base import Fault, LayerFault, backward, faulty_gradient, jacobian_backward
from dnnexp.core.faults.chain import MissingSlope, Sign, SlopeAtOutput, StaleActivation, TransposedWeight
from dnnexp.core.faults.scaling import BatchSize, Factor, MissingBias
from dnnexp.core.faults.diagnosis import Diagnosis, diagnose
from dnnexp.core.faults.proportion import proportion, ratio

__all__ = [
    "BatchSize",
    "Diagnosis",
    "Factor",
    "Fault",
    "LayerFault",
    "MissingBias",
    "MissingSlope",
    "Sign",
    "SlopeAtOutput",
    "StaleActivation",
    "TransposedWeight",
    "backward",
    "diagnose",
    "faulty_gradient",
    "jacobian_backward",
    "proportion",
    "ratio",
]
