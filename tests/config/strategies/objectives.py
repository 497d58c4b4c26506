"""Objectives: test functions, formulas, and losses on data."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from dnnexp.config.shapes import hints
from dnnexp.core.bounds import Bounds
from dnnexp.core.data import Data
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.objectives import MAX_INSTANCE_DIMENSION, Objective
from dnnexp.core.objectives.formula import ExpressionObjective
from dnnexp.core.objectives.instance import TestFunction
from dnnexp.core.objectives.learning import Learning
from dnnexp.core.objectives.regression import LogisticRegression
from dnnexp.registry import parts
from tests.config.strategies.hints import Tree, Trees, built, hinted, part_trees, rule, trees
from tests.config.strategies.networks import suited_initializers

_FORMULAS: list[tuple[str, list[str], list[float], float]] = [  # with a minimizer and the minimum
    ("x**2/20 + y**2", ["x", "y"], [0, -0.0], 0.0),
    ("(rate - 1)**2 - 2.5", ["rate"], [1], -2.5),
    ("abs(u) + max(v, w)**2 + max(-v, 0)", ["u", "v", "w"], [0.0, 0, 0], 0.0),
    ("sqrt(1 + a**2) - cos(b_2) * exp(-b_2**2)", ["a", "b_2"], [0, 0], 0.0),
    ("(x - pi)**2 + 1/3", ["x"], [3.141592653589793], 1 / 3),
]


def objective_trees() -> Trees:
    """Those of a single objective: as often on data, or a formula, as a test function."""
    kinds = [Learning, ExpressionObjective, TestFunction]
    grouped = [[cls for cls in parts("objective").values() if issubclass(cls, kind)] for kind in kinds]
    return st.sampled_from(grouped).flatmap(lambda group: st.one_of([part_trees(cls) for cls in group]))


def planar_trees() -> Trees:
    """Those with two coordinates, most of them."""
    classes = [cls for cls in parts("objective").values() if getattr(cls, "dimension", None) == 2]
    return st.one_of([part_trees(cls) for cls in classes])


@rule(Bounds)
def boxes(cls: type, every: bool, dimension: int | None = None, instead: Mapping[str, Trees] = {}) -> Trees:
    """Low corners below a number, high ones not; lists only where a dimension is given."""

    def corner(end: st.SearchStrategy[float]) -> Trees:
        return end if dimension is None else end | st.lists(end, min_size=dimension, max_size=dimension)

    def around(middle: float) -> Trees:
        low, high = st.floats(-1e300, middle, exclude_max=True), st.floats(middle, 1e300)
        return hinted(cls, every, {"low": corner(low), "high": corner(high), **instead})

    return st.floats(-1e299, 1e299).flatmap(around)


@rule(TestFunction)
def turnable(cls: type, every: bool) -> Trees:
    """Of any dimension; those of a large one have no instance."""
    seeds = st.integers(0, 2**63 - 1) | st.none()
    small = hinted(cls, every, {"instance": seeds})
    if every or "dimension" not in hints(cls):
        return small
    most = max(c.le for c in hints(cls)["dimension"].__metadata__ if hasattr(c, "le"))
    instead = {"dimension": st.integers(MAX_INSTANCE_DIMENSION + 1, most)}
    large = hinted(cls, every, instead, asked=instead, left={"instance"})
    return st.integers(0, 5).flatmap(lambda face: small if face else large)


@rule(ExpressionObjective)
def formula(cls: type, every: bool) -> Trees:
    def of(entry: tuple[str, list[str], list[float], float]) -> Trees:
        expression, variables, minimizer, least = entry
        box = boxes(Bounds, every, len(variables))
        instead = {
            "expression": st.just(expression),
            "variables": st.just(variables),
            "minimizer": st.just(minimizer) | st.none(),
            "minimum": st.floats(max_value=least, allow_infinity=False) | st.none(),
            "box": box if every else box | st.none(),
        }
        return hinted(cls, every, instead)

    return st.sampled_from(_FORMULAS).flatmap(of)


@rule(Learning)
@st.composite
def on_data(draw: st.DrawFn, cls: type[Any], every: bool) -> Tree:
    """With no larger a batch than there are rows to train on; loss and initializer suit data and network."""
    tree = draw(trees(Data).filter(lambda tree: cls is not LogisticRegression or _has_classes(tree)))
    data = built(Data, tree)
    left = data.shape().rows - data.held_out()
    instead = {"data": st.just(tree), "batch": st.integers(1, left) | st.none()}
    if "loss" in hints(cls):
        instead["loss"] = st.one_of(st.none(), *map(part_trees, _losses(data)))
    asked = {"batch"} if (cls.batch or 1) > left else set()  # the default does not suit
    tree = draw(hinted(cls, every, instead, asked=asked, left={"initializer"}))
    if "initializer" in hints(cls) and (every or draw(st.booleans())):
        network = built(Objective, {"name": cls.name} | tree).network
        tree["initializer"] = draw(suited_initializers(network))
    return tree


def _losses(data: Data) -> list[type[Loss]]:
    if not data.shape().has_classes:
        return [SquaredError]
    return [cls for cls in parts(Loss.kind).values() if cls.is_bounded]


def _has_classes(tree: Tree) -> bool:
    return bool(built(Data, tree).shape().has_classes)
