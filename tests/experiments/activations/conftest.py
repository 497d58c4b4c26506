"""Small configs of `activations`, what they measure, and their runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dnnexp import experiments
from dnnexp.core.initializers import He, Initializer, LayerInitializer
from dnnexp.core.inputs import NormalInput
from dnnexp.core.streams import Streams
from dnnexp.experiments.activations.config import ActivationsConfig, Widths
from dnnexp.experiments.activations.measure import Measured, measure
from dnnexp.experiments.base import Result, RunContext
from dnnexp.registry import Labelled, find

activations = experiments.find("activations")


def initializers(*items: Initializer | LayerInitializer) -> tuple[Labelled[LayerInitializer], ...]:
    """Labelled by the names of their weights."""
    layered = [item if isinstance(item, LayerInitializer) else LayerInitializer(item) for item in items]
    return tuple(Labelled(item.weights.name, item) for item in layered)


def configured(**changes: Any) -> ActivationsConfig:
    """ReLU with He in 3 layers of 20 units, 10 samples, but for the changes.

    `layers` are the network's widths, `activations` names, `initializers` parts.
    """
    names = changes.pop("activations", ("relu",))
    chosen = [
        name if isinstance(name, Labelled) else Labelled(name, find("activation", name)()) for name in names
    ]
    defaults: dict[str, Any] = {
        "network": Widths(tuple(changes.pop("layers", (20,) * 4))),
        "input": NormalInput(samples=changes.pop("samples", 10)),
        "activations": tuple(chosen),
        "initializers": initializers(*changes.pop("initializers", (He(),))),
    }
    return ActivationsConfig(**defaults | changes)


def ran(config: ActivationsConfig | None = None, seed: int = 1, **changes: Any) -> Result:
    """The run of a config, or of the small one with changes; its metrics are strict JSON."""
    result = activations.run(config or configured(**changes), RunContext(Streams(seed)))
    json.dumps(result.metrics, allow_nan=False)
    return result


def measured(config: ActivationsConfig | None = None, seed: int = 1, **changes: Any) -> Measured:
    """The statistics of the first case's networks."""
    config = config or configured(**changes)
    streams, widths = Streams(seed), config.network.unrolled
    x = config.input.draw(streams("input"), widths[0])
    with np.errstate(all="ignore"):
        return measure(config, next(iter(config.cases)), widths, x, streams, bins=False)[0]


@pytest.fixture(scope="session")
def configure() -> Callable[..., ActivationsConfig]:
    return configured


@pytest.fixture(scope="session")
def run() -> Callable[..., Result]:
    return ran


@pytest.fixture(scope="session")
def measure_first() -> Callable[..., Measured]:
    return measured
