"""Trees that a config file may hold, for hypothesis: all valid, the checks of the classes included.

They come from the type hints, so that a new field or part is covered at once; where a check binds fields to
one another, a rule for that class makes them.
"""

from tests.config.strategies import (  # noqa: F401 # they enter their rules
    data,
    inputs,
    networks,
    objectives,
    optimize,
    optimizers,
)
from tests.config.strategies.hints import field_trees, part_trees

__all__ = ["field_trees", "part_trees"]
