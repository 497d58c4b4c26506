"""What the verdict of a run is about, and what its metrics say where nothing is compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dnnexp import registry
from dnnexp.core.activations import Identity, ReLU, Tanh
from dnnexp.core.initializers import LayerInitializer, Normal, Zeros
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Event, RunContext, Work
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt, verdict
from dnnexp.experiments.gradcheck.config import CheckedNetwork, GradcheckConfig, StepSweep, Tolerances
from dnnexp.experiments.gradcheck.sentences import headline, points
from dnnexp.experiments.gradcheck.targets import FunctionTarget
from tests.experiments.user_plugins import enter

gradcheck = find("gradcheck")


@pytest.fixture
def _no_plugins() -> Any:
    yield
    registry.forget_plugins()


def run(config: GradcheckConfig, progress: Callable[[Event], None] = lambda event: None) -> Any:
    return gradcheck.run(config, RunContext(Streams(0), progress)).metrics


def network(std: float, activation: Any, **changes: Any) -> GradcheckConfig:
    weights = LayerInitializer(weights=Normal(std=std), biases=Zeros())
    sweep = StepSweep(per_decade=1, directions=1)
    built = CheckedNetwork(layers=(3, 4, 4, 2), activation=activation)
    return GradcheckConfig(network=built, initializer=weights, step_sweep=sweep, **changes)


@pytest.mark.parametrize(
    ("std", "activation", "where"),
    [(1e160, Identity(), "z2[0, 0]"), (1e160, ReLU(), "z2["), (1e60, Identity(), "the loss")],
)
def test_what_overflows_first_is_the_verdict(std: float, activation: Any, where: str) -> None:
    """Backward and forward mode, both not finite, were said to disagree about W3."""
    metrics = run(network(std, activation))
    assert (metrics["passed"], metrics["verdict"], metrics["diagnosis"]) == (False, "inconclusive", None)
    finding = headline(metrics)
    assert finding is not None
    assert (finding["kind"], finding["where"][: len(where)]) == ("non_finite", where)
    assert not all(entry["passed"] for entry in metrics["checks"])


def test_a_finite_network_has_no_headline() -> None:
    metrics = run(network(0.5, Tanh()))
    assert (metrics["verdict"], headline(metrics)) == ("correct", None)
    assert points(metrics["coverage"]) == ""


def test_where_nothing_is_compared_there_is_no_error() -> None:
    """max_rel_error was 0.0 of a tensor all of whose entries were left out: a claim about it held."""
    values = {"forward": np.ones(3), "central": np.full(3, 2.0)}
    tensor = Derivatives("b1", values, np.full(3, 1e-14), {"central": Doubt(crossed=True)})
    (entry,) = verdict(Tolerances(), [tensor]).metrics["checks"]
    assert (entry["compared"], entry["excluded"], entry["passed"]) == (0, 3, False)
    assert (entry["max_abs_error"], entry["max_rel_error"]) == (None, None)
    assert verdict(Tolerances(), [tensor]).metrics["verdict"] == "inconclusive"


@pytest.mark.usefixtures("_no_plugins")
@pytest.mark.parametrize(("dimension", "fraction"), [(2, 1.0), (20, 1.0), (20, 0.2)])
def test_evaluations_of_a_users_function_are_told_as_they_are_made(dimension: int, fraction: float) -> None:
    """A slow function ran for minutes without a word."""
    mine: Any = enter(
        """
        calls = 0
        def f(x):
            global calls
            calls += 1
            return float(np.sum(np.sin(x)))
        def f_grad(x):
            global calls
            calls += 1
            return np.cos(x)
        """
    )
    config = GradcheckConfig(target=FunctionTarget("mine.f", dimension=dimension), fraction=fraction)
    told: list[Work] = []

    def keep(event: Event) -> None:
        if isinstance(event, Work) and event.stage == "evaluations":
            told.append(event)

    mine.calls = 0
    metrics = run(config, keep)
    assert metrics["verdict"] == "correct"
    assert points(metrics["coverage"]) == "at 3 points"
    assert len(told) > 1000
    assert [event.done for event in told] == sorted(event.done for event in told)
    total = told[-1].total or 0
    assert told[-1].done == pytest.approx(mine.calls, rel=0.05)  # the first calls tell how it is called
    assert total == pytest.approx(told[-1].done, rel=0.1)
