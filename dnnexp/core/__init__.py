"""The numerics: update rules, objectives, networks, differentiation.

Importing this package enters every built-in part into the registry.
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
