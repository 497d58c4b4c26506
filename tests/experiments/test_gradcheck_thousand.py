"""No correct network is accused, of a thousand random ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dnnexp.core.initializers import Glorot, He, LayerInitializer, LeCun, Normal
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import RunContext
from dnnexp.experiments.gradcheck.config import METHODS, CheckedNetwork, GradcheckConfig, StepSweep
from dnnexp.registry import parts

gradcheck = find("gradcheck")


def random_config(seed: int) -> GradcheckConfig:
    """Up to 20 layers of up to 40 units, any activations, loss, scale of weights, methods and mode."""
    generator = np.random.default_rng(seed)
    depth = int(generator.integers(1, 21))
    widths = tuple(int(width) for width in generator.integers(1, 41 if depth < 6 else 13, depth + 1))
    known = [cls() for cls in parts("activation").values()]
    chosen = tuple(known[i] for i in generator.integers(len(known), size=depth))
    losses = [cls() for cls in parts("loss").values()]
    scales: list[Any] = [Glorot(), He(), LeCun(), Normal(std=float(10 ** generator.uniform(-2, 0.7)))]
    order = generator.permutation(len(METHODS))[: generator.integers(2, len(METHODS) + 1)]
    modes: list[dict[str, Any]] = [{}, {}, {"fraction": 0.3}, {"directions": 3}]
    return GradcheckConfig(
        network=CheckedNetwork(widths, chosen if seed % 2 else chosen[0]),
        initializer=LayerInitializer(scales[generator.integers(len(scales))], Normal(std=0.3)),
        loss=losses[generator.integers(len(losses))],
        batch=int(generator.integers(1, 17)),
        methods=tuple(METHODS[i] for i in order),
        step_sweep=StepSweep(directions=2, per_decade=1),
        hessian_directions=int(generator.integers(3)),
        adjoint_directions=2,
        **modes[generator.integers(4)],
    )


def accusation(seed: int) -> Any:
    """What is said against a right network; None if nothing is."""
    metrics = gradcheck.run(random_config(seed), RunContext(Streams(seed))).metrics
    return None if metrics["verdict"] != "wrong" else (seed, metrics["diagnosis"])


@pytest.mark.parametrize("seed", [0, 1, 6])  # chosen to be quick
def test_no_correct_network_is_accused(seed: int) -> None:
    assert accusation(seed) is None


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_no_correct_network_of_a_thousand_is_accused(block: int) -> None:
    found = [accusation(seed) for seed in range(50 * block, 50 * block + 50)]
    assert [accused for accused in found if accused is not None] == []
