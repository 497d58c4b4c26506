"""The targets of a gradient check."""

from dnnexp.experiments.gradcheck.targets.base import NetworkTarget, Target, Tensor
from dnnexp.experiments.gradcheck.targets.function import FunctionTarget
from dnnexp.experiments.gradcheck.targets.parts import (
    ActivationTarget,
    AllTargets,
    LossTarget,
    ObjectiveTarget,
)

__all__ = [
    "ActivationTarget",
    "AllTargets",
    "FunctionTarget",
    "LossTarget",
    "NetworkTarget",
    "ObjectiveTarget",
    "Target",
    "Tensor",
]
