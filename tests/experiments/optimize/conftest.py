"""Small configs of `optimize`, and their runs."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from dnnexp.core.optimizers import GradientDescent
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Result, RunContext
from dnnexp.experiments.optimize.config import OptimizeConfig
from dnnexp.experiments.optimize.starts import Starts, UniformStarts
from dnnexp.registry import Labelled

optimize = find("optimize")


def configured(**changes: Any) -> OptimizeConfig:
    """Gradient descent on the valley from 9 starts for 300 steps, but for the changes.

    `optimizers` and `objectives` are mappings from labels.
    """
    for name in {"optimizers", "objectives"} & set(changes):
        changes[name] = tuple(Labelled(label, item) for label, item in changes[name].items())
    defaults: dict[str, Any] = {
        "starts": Starts(uniform=UniformStarts(-2.0, 2.0, 9)),
        "steps": 300,
        "optimizers": (Labelled("descent", GradientDescent(0.4)),),
    }
    return OptimizeConfig(**defaults | changes)


def ran(config: OptimizeConfig | None = None, seed: int = 1, **changes: Any) -> Result:
    """The run of a config, or of the small one with changes; its metrics are strict JSON."""
    result = optimize.run(config or configured(**changes), RunContext(Streams(seed)))
    json.dumps(result.metrics, allow_nan=False)
    return result


@pytest.fixture(scope="session")
def configure() -> Callable[..., OptimizeConfig]:
    return configured


@pytest.fixture(scope="session")
def run() -> Callable[..., Result]:
    return ran
