"""Every registered activation, loss and objective passes the check; with a wrong derivative none does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from dnnexp import registry
from dnnexp.core.activations import ELU, Activation, HardTanh, ReLU
from dnnexp.core.arrays import Array
from dnnexp.core.losses import SquaredError
from dnnexp.core.objectives import Objective
from dnnexp.core.streams import Streams
from dnnexp.experiments.gradcheck.cases import Case
from dnnexp.experiments.gradcheck.targets import (
    ActivationTarget,
    AllTargets,
    LossTarget,
    ObjectiveTarget,
    Target,
)
from dnnexp.registry import examples
from tests.experiments.given_cases import Given, doubled, metrics_of, negated, off_in_one_coordinate, shifted

ALL: tuple[Target, ...] = AllTargets().targets
TARGETS = pytest.mark.parametrize("target", ALL, ids=[target.tensors[0].name for target in ALL])
Mistake = Callable[[Case], Case]


def test_every_part_is_a_target() -> None:
    kinds = (ActivationTarget, "activation"), (LossTarget, "loss"), (ObjectiveTarget, "objective")
    for cls, kind in kinds:
        names = [target.tensors[0].name for target in ALL if isinstance(target, cls)]
        assert names == [f"{kind}:{part.name}" for part in examples(kind)]
    assert AllTargets().tensors == tuple(tensor for target in ALL for tensor in target.tensors)


@TARGETS
def test_every_part_passes(target: Target) -> None:
    few = replace(target, points=1) if isinstance(target, ObjectiveTarget) else target
    for seed in range(2):
        metrics = metrics_of(few, seed)
        assert (metrics["passed"], metrics["verdict"]) == (True, "correct")
        assert (metrics["culprit"], metrics["diagnosis"], metrics["findings"]) == (None, None, [])
        (tensor,) = target.tensors
        assert {entry["tensor"] for entry in metrics["checks"]} == {tensor.name}
        assert {len(entry["worst"]["index"]) for entry in metrics["checks"]} == {tensor.indices}
        assert any("complex" in pair for pair in metrics["agreement"]) == tensor.takes_complex
        assert metrics["coverage"]["compared"] == metrics["coverage"]["entries"]


def spoilt(target: Target, mistake: Mistake) -> tuple[Target, bool]:
    """The target with the mistake, and whether it makes a difference."""
    (case,) = target.cases(Streams(0))
    case = replace(case, points=case.points[:, :1] if len(case.points) > 1 else case.points)
    wrong = mistake(case)
    numbers = [np.asarray(each.gradient(case.points.copy())) for each in (case, wrong)]
    size = np.abs(numbers[0]).max()
    return Given((wrong,)), bool(np.abs(numbers[0] - numbers[1]).max() > 1e-9 * size)


@pytest.mark.parametrize(
    ("mistake", "fault"),
    [(negated, "sign"), (doubled, "factor"), (off_in_one_coordinate, None), (shifted, None)],
)
@TARGETS
def test_a_wrong_derivative_of_every_part_is_caught(
    target: Target, mistake: Mistake, fault: str | None
) -> None:
    wrong, shows = spoilt(target, mistake)
    metrics = metrics_of(wrong)
    assert metrics["verdict"] == ("wrong" if shows else "correct")
    if shows:
        assert not metrics["passed"]
        assert metrics["culprit"] == "analytic"
        assert metrics["diagnosis"]["tensor"] == target.tensors[0].name
        assert fault is None or metrics["diagnosis"]["fault"] == fault
        assert all(agree == ("analytic" not in pair) for pair, agree in metrics["agreement"].items())


@dataclass(frozen=True)
class SlopeAtKink(ReLU):
    """ReLU with a slope of its own at 0."""

    slope: float = 0.0

    def df(self, z: Array) -> Array:
        """That slope at 0."""
        return np.where(z == 0, self.slope, np.asarray(super().df(z)))


@pytest.mark.parametrize(
    ("slope", "right"), [(0.0, True), (0.5, True), (1.0, True), (1.1, False), (-1, False)]
)
def test_the_slope_at_a_kink_lies_between_those_of_both_sides(slope: float, right: bool) -> None:
    metrics = metrics_of(ActivationTarget(SlopeAtKink(slope=slope)))
    assert metrics["passed"] == right
    assert metrics["verdict"] == ("correct" if right else "wrong")
    assert [(f["kind"], f["where"]) for f in metrics["findings"]] == (
        [] if right else [("slope_at_kink", "activation:relu at 0")]
    )
    assert right or f"the slope {slope:g} is not between" in metrics["findings"][0]["evidence"]


@dataclass(frozen=True)
class WrongAtKinks(Activation):
    """An activation times a scale, with a slope of its own at its kinks."""

    right: Activation
    slope: float = 7.0
    scale: float = 1.0

    @property
    def name(self) -> str:  # type: ignore[override]  # that of the other
        """The other's."""
        return self.right.name

    @property
    def kinks(self) -> tuple[float, ...]:  # type: ignore[override]  # those of the other
        """The other's."""
        return self.right.kinks

    def f(self, z: Array) -> Array:
        """The other's, scaled."""
        return self.scale * self.right.f(z)

    def df(self, z: Array) -> Array:
        """The other's, scaled, but for the kinks."""
        return self.scale * np.where(np.isin(z, self.kinks), self.slope, np.asarray(self.right.df(z)))


KINKED = [activation for activation in examples("activation") if activation.kinks]


@pytest.mark.parametrize("activation", KINKED, ids=[activation.name for activation in KINKED])
def test_a_wrong_slope_at_every_kink_of_every_activation_is_named(activation: Activation) -> None:
    metrics = metrics_of(ActivationTarget(WrongAtKinks(activation)))
    assert not metrics["passed"]
    where = [finding["where"] for finding in metrics["findings"]]
    assert where == [f"activation:{activation.name} at {kink:g}" for kink in activation.kinks]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize(("slope", "right"), [(0.0, True), (1.0, True), (1.001, False), (-0.001, False)])
def test_slopes_at_kinks_of_any_size_are_judged(scale: float, slope: float, right: bool) -> None:
    (case,) = ActivationTarget(WrongAtKinks(ReLU(), slope, scale)).cases(Streams(0))
    assert (case.findings == ()) == right


@pytest.mark.parametrize("alpha", [1e-9, 0.5, 1e3, 1e9])
def test_a_strong_curve_beside_a_kink_is_not_accused(alpha: float) -> None:
    """The slope of ELU at 0 is that of its left side, of which a difference is off by α h / 2."""
    assert metrics_of(ActivationTarget(ELU(alpha)))["findings"] == []


@dataclass(frozen=True)
class HiddenCorner(HardTanh):
    """A hard tanh that does not tell of its kinks."""

    kinks = ()


def test_a_kink_that_an_activation_hides_between_the_points_does_no_harm() -> None:
    assert metrics_of(ActivationTarget(HiddenCorner()))["verdict"] == "correct"


@pytest.mark.parametrize("kink", [0.0, 1.0])
def test_points_keep_away_from_kinks(kink: float) -> None:
    class Kinked(ReLU):
        kinks = (kink,)

    near: Activation = Kinked()
    (case,) = ActivationTarget(near).cases(Streams(0))
    assert np.abs(case.points - kink).min() > 0.02


@pytest.mark.parametrize(
    ("changes", "shape"), [({}, (20, 4)), ({"batch": 1, "width": 2, "points": 3}, (2, 3))]
)
def test_the_points_of_a_loss_have_the_size_that_is_asked_for(
    changes: dict[str, Any], shape: tuple[int, int]
) -> None:
    for loss in examples("loss"):
        (case,) = LossTarget(loss, **changes).cases(Streams(0))
        assert case.points.shape == shape
        assert np.shape(case.value(case.points)) == shape[1:]
        assert np.shape(case.gradient(case.points)) == shape


@pytest.mark.parametrize("by", [4, 0.25])
def test_a_loss_that_is_a_mean_in_its_gradient_only_is_known(by: float) -> None:
    (case,) = LossTarget(SquaredError()).cases(Streams(0))
    metrics = metrics_of(replace(case, gradient=lambda y: by * case.gradient(y)))
    assert metrics["diagnosis"]["fault"] == "batch_size"
    assert "multiplied or divided by the batch size" in metrics["diagnosis"]["evidence"]


def test_what_cannot_be_made_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was left out in silence."""
    entered = {kind: dict(parts) for kind, parts in registry._parts.items()}
    monkeypatch.setattr(registry, "_parts", entered)

    @registry.register("needy")
    @dataclass(frozen=True)
    class Needy(Objective):
        """Needy: a field that must be given."""

        factor: float
        dimension = 1

        def value(self, x: Array) -> Array:
            return self.factor * x[0] ** 2

        def gradient(self, x: Array) -> Array:
            return 2 * self.factor * x

    assert AllTargets().tensors == tuple(tensor for target in ALL for tensor in target.tensors)
    (finding,) = AllTargets().findings
    assert (finding.kind, finding.where, finding.blocks) == ("left_out", "objective:needy", False)
    assert metrics_of(ObjectiveTarget(Needy(3.0)))["verdict"] == "correct"
