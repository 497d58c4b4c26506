"""The numerics: update rules, objectives, networks, differentiation.

Importing this package registers every built-in part.
"""

from dnnexp.core import (
    activations,
    data,
    differentiation,
    faults,
    initializers,
    inputs,
    losses,
    mean_field,
    moments,
    network,
    objectives,
    optimizers,
    parameter_derivatives,
    schedules,
    stepping,
)

__all__ = [
    "activations",
    "data",
    "differentiation",
    "faults",
    "initializers",
    "inputs",
    "losses",
    "mean_field",
    "moments",
    "network",
    "objectives",
    "optimizers",
    "parameter_derivatives",
    "schedules",
    "stepping",
]
