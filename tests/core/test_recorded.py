"""The rules and schedules against what PyTorch and optax do, recorded by `recorded/record.py`.

Every case has three problems, one a column: Rosenbrock, an ill-conditioned quadratic, and that with noise in
its gradient.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dnnexp.config.schema import read
from dnnexp.core.arrays import Array, Floats
from dnnexp.core.differentiation import Function
from dnnexp.core.objectives import Quadratic, Rosenbrock
from dnnexp.core.optimizers import Optimizer
from dnnexp.core.schedules import Schedule
from dnnexp.core.stepping import Recording, RuleStep, descend, steady
from dnnexp.registry import parts

HERE = Path(__file__).parent / "recorded"
DOCUMENT = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))
CASES, FACTORS = (
    [pytest.param(case, id=case["label"]) for case in DOCUMENT[k]] for k in ("cases", "factors")
)
KEPT, SINGLE = DOCUMENT["kept_steps"], DOCUMENT["single_steps"]
STEPS = KEPT[-1]
Arrays = Mapping[str, Floats]


@pytest.fixture(scope="module")
def arrays() -> Iterator[Arrays]:
    """The recorded numbers, under `<label>/<what>`."""
    with np.load(HERE / "runs.npz") as found:
        yield found


@dataclass(frozen=True)
class HasOptimizer:
    optimizer: Optimizer


@dataclass(frozen=True)
class HasSchedule:
    schedule: Schedule


def optimizer_of(case: Mapping[str, Any]) -> Optimizer:
    """As a config would have it."""
    found, complaints = read(HasOptimizer, {"optimizer": case["part"]})
    assert found is not None, complaints
    return found.optimizer


class Problems:
    """The gradients of the three, each from the objective of that name."""

    def __init__(self, noise: Floats) -> None:
        self._noise = noise
        self._rosenbrock, self._quadratic = Rosenbrock(3), Quadratic(3, DOCUMENT["condition_number"])

    def __call__(self, x: Array, step: int) -> Array:
        gradient = self._quadratic.gradient(x)
        gradient[:, :1] = self._rosenbrock.gradient(x[:, :1])
        gradient[:, 2] += self._noise[step - 1]
        return gradient


@pytest.mark.parametrize("case", CASES)
def test_trajectories(case: dict[str, Any], arrays: Arrays) -> None:
    """1000 steps, or as many as the library repeats itself to 1e-10 when a rounding is changed.

    1e-9 of the largest coordinate leaves room for as many roundings as there are steps. The absolute term is
    for runs that get so near 0 that digits are lost to underflow.
    """
    point = arrays[f"{case['label']}/point"]
    recording = Recording(np.array(KEPT), np.array([]), keep_points=True)
    trajectory = descend(
        optimizer_of(case), lambda x: x[0], Problems(arrays["noise"]), arrays["start"], recording
    )
    assert trajectory.point is not None
    apart = np.abs(trajectory.point - point).max(axis=1)
    allowed = 1e-9 * np.abs(point).max(axis=1) + 1e-290
    for column, problem in enumerate(DOCUMENT["problems"]):
        compared = np.array(KEPT) <= case["horizon"][problem]
        wrong = np.flatnonzero(compared & ~(apart[:, column] <= allowed[:, column]))
        assert wrong.size == 0, f"{case['call']} on {problem}: apart from step {KEPT[wrong[0]]} on"


@pytest.mark.parametrize("case", CASES)
def test_single_steps(case: dict[str, Any], arrays: Arrays) -> None:
    """From the library's own states and gradients, all along its run.

    Some roundings of a displacement, among them those of a learning rate that was multiplied up over the
    steps before: 1e-12 of the longest coordinate; and those of the two points.
    """
    rule, label = optimizer_of(case), case["label"]
    point, gradient = arrays[f"{label}/point"], arrays[f"{label}/gradient"]
    for index, step in enumerate(SINGLE):
        before, after = point[KEPT.index(step)], point[KEPT.index(step + 1)]
        take = RuleStep(rule, steady(constant(gradient[index])), STEPS)
        taken, _ = take(before, state_at(index, rule, label, arrays), step + 1)
        allowed = 1e-12 * np.abs(after - before).max(axis=0)
        allowed = allowed + 2 * np.finfo(np.float64).eps * np.maximum(np.abs(before), np.abs(after))
        assert (np.abs(taken - after) <= allowed).all(), f"{case['call']}: step {step + 1}"


def constant(gradient: Floats) -> Function:
    """The same gradient wherever it is asked for."""
    return lambda x: gradient


def state_at(index: int, rule: Optimizer, label: str, arrays: Arrays) -> Any:
    """The state of the rule that the library had after one of the `SINGLE` steps."""
    state = rule.init(arrays["start"])
    if state is None:
        return None
    used = [name for name, value in state._asdict().items() if value is not None]
    return state._replace(**{name: arrays[f"{label}/state/{name}"][index] for name in used})


@pytest.mark.parametrize("case", FACTORS)
def test_factors(case: dict[str, Any], arrays: Arrays) -> None:
    """To 1e-12 of the learning rate: PyTorch multiplies up its factors, one rounding a step."""
    recorded = arrays[f"{case['label']}/factors"]
    found, complaints = read(HasSchedule, {"schedule": case["part"]})
    assert found is not None, complaints
    factors = [found.schedule.at(k, len(recorded)) for k in range(len(recorded))]
    np.testing.assert_allclose(factors, recorded, rtol=1e-12, atol=1e-12, err_msg=case["call"])


def built_in(kind: str) -> set[str]:
    """The names of a kind's parts, less what tests of plugins may have registered."""
    return {name for name, cls in parts(kind).items() if cls.__module__.startswith("dnnexp.")}


def test_every_optimizer_is_recorded() -> None:
    """All that there are have a counterpart in PyTorch or optax."""
    assert {case["part"]["name"] for case in DOCUMENT["cases"]} == built_in("optimizer")


def test_every_schedule_is_recorded() -> None:
    """By itself, or, where a library has it within a rule only, in a run."""
    within = {case["part"]["schedule"]["name"] for case in DOCUMENT["cases"] if "schedule" in case["part"]}
    assert within | {case["part"]["name"] for case in DOCUMENT["factors"]} == built_in("schedule")
