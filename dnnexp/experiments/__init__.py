"""The experiments: config and random streams in, Result out.

Each is one object in one package; a command asks that object and knows no experiment by name.
"""

from dnnexp.experiments.experiment import (
    Experiment,
    Headline,
    JUnitCase,
    ReferenceChange,
    find,
    names,
    register_experiment,
)

__all__ = [
    "Experiment",
    "Headline",
    "JUnitCase",
    "ReferenceChange",
    "find",
    "names",
    "register_experiment",
]
