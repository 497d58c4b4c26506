"""The config of `optimize`: starts that fit every objective, tuning that fits every optimizer."""

import math
from collections.abc import Sequence
from typing import Any, get_args

from annotated_types import Ge, Gt, Le
from hypothesis import strategies as st

from dnnexp.config.shapes import hints
from dnnexp.core.differentiation import Analytic, GradientMethod
from dnnexp.core.objectives import Objective
from dnnexp.core.optimizers import Optimizer
from dnnexp.experiments.optimize.config import OptimizeConfig, Record
from dnnexp.experiments.optimize.starts import Starts, UniformStarts
from dnnexp.experiments.optimize.tuning import Tune, TuningRange
from dnnexp.registry import checks
from tests.config.strategies.hints import (
    Tree,
    Trees,
    built,
    hinted,
    labelled,
    numbers,
    part_trees,
    rule,
    trees,
)
from tests.config.strategies.objectives import boxes, objective_trees, planar_trees

_LISTED = 30
"""The largest dimension whose points are written out."""
_LARGE = 1000
"""Of more coordinates, few are drawn and none recorded: they must fit in memory."""


@rule(OptimizeConfig)
@st.composite
def config(draw: st.DrawFn, cls: type, every: bool) -> Tree:
    problem = draw(_problems())
    written = problem.get("objectives") or [problem.get("objective", "valley")]
    objectives = [built(Objective, tree) for tree in written]
    optimizers = draw(trees(hints(cls)["optimizers"]))
    rules = [built(Optimizer, tree) for tree in optimizers]
    tune = draw(st.none() | _tunings(rules, _is_large(objectives)))
    record = draw(_records(_is_large(objectives)))
    is_flat = "objectives" not in problem and objectives[0].dimension == 2
    is_drawn = is_flat and record.get("points", "auto") is not False
    is_costly = any(one.is_costly for one in objectives)
    instead = {
        "gradient": part_trees(Analytic) if is_costly else trees(GradientMethod),
        "starts": _starts(objectives, tune is not None),
        "record": st.just(record),
        "targets": st.lists(numbers(False, [Gt(0)]), min_size=1, max_size=3, unique=True),
        "optimizers": st.just(optimizers),
        "tune": st.just(tune),
        "animate": st.booleans() if is_drawn else st.just(False),
    }
    asked = {"record"} if tune is None else {"record", "tune"}
    return problem | draw(hinted(cls, every, instead, asked=asked, left={"objective", "objectives"}))


def _problems() -> Trees:
    """An objective, or several; the default may be given too, or be left out."""
    one = objective_trees().map(lambda tree: {"objective": tree})
    several = [
        st.lists(of, min_size=1, max_size=3).map(labelled) for of in (objective_trees(), planar_trees())
    ]
    suite = st.one_of(several).map(lambda trees: {"objectives": trees})
    beside = st.one_of(several).map(lambda trees: {"objectives": trees, "objective": "valley"})
    return st.one_of(one, one, suite, beside, st.just({}))


def _is_large(objectives: Sequence[Objective]) -> bool:
    return any(one.dimension > _LARGE for one in objectives)


def _records(is_large: bool) -> Trees:
    return hinted(Record, instead={"points": st.just(False)}, asked={"points"}) if is_large else trees(Record)


def _starts(objectives: Sequence[Objective], is_tuned: bool) -> Trees:
    """In one way at least; points, and bounds as lists, only where the objectives have one dimension."""
    dimensions = {one.dimension for one in objectives}
    listed = min(dimensions) if len(dimensions) == 1 and min(dimensions) <= _LISTED else None
    count = st.just(1) if _is_large(objectives) else st.integers(1, 20)
    ways = {"uniform": boxes(UniformStarts, False, listed, {"count": count})}
    if listed is not None:
        point = st.lists(numbers(False, (Ge(-1e300), Le(1e300))), min_size=listed, max_size=listed)
        ways["points"] = st.lists(point, min_size=1, max_size=3)
    if all(one.draws for one in objectives):
        ways["own"] = count
    needed = ["uniform"] if is_tuned and "own" not in ways else sorted(ways)
    left = {"points", "own"} - set(ways)
    return st.sampled_from(needed).flatmap(lambda way: hinted(Starts, False, ways, asked={way}, left=left))


@st.composite
def _tunings(draw: st.DrawFn, rules: Sequence[Optimizer], is_large: bool) -> Tree:
    """Ranges within the bounds of all rules, one at least for each; as many trials as make a grid."""
    shared = set[str].intersection(*map(_tunable, rules))
    others = set[str].union(*map(_tunable, rules)) - set[str].union(*map(_untunable, rules))
    first = draw(st.sampled_from(sorted(shared)))
    more = st.lists(st.sampled_from(sorted(others - {first})), max_size=2, unique=True)
    names = [first, *draw(more)]
    sides = {len(_tunable(one) & set(names)) for one in rules}
    grid, random = (
        {"method": st.just("grid"), "trials": st.sampled_from([2, 3]).map(lambda n: n ** math.lcm(*sides))},
        {"method": st.just("random"), "trials": st.integers(2, 50)},
    )
    instead = draw(st.sampled_from([grid, random])) | {
        "space": st.tuples(*(_ranges(name, rules) for name in names)).map(list),
        "starts": st.just(1) if is_large else st.integers(1, 20),
    }
    return draw(hinted(Tune, False, instead, asked={"method", "starts"}))


def _tunable(one: Optimizer) -> set[str]:
    """The real hyperparameters, less those that a rule of the class binds to others."""
    bound = {name for rule in checks(type(one)) for name in rule.fields}
    return {name for name in hints(type(one)) if isinstance(getattr(one, name), float)} - bound


def _untunable(one: Optimizer) -> set[str]:
    return set(hints(type(one))) - _tunable(one)


def _ranges(name: str, rules: Sequence[Optimizer]) -> Trees:
    """Within the bounds of every rule that has the hyperparameter."""
    bounds = [bound for one in rules for bound in _bounds(hints(type(one)).get(name))]

    def spaced(spacing: str) -> Trees:
        least: Any = Gt(0) if spacing == "log" else Ge(0)
        ends = st.lists(numbers(False, [*bounds, least, Le(1e100)]), min_size=2, max_size=2, unique=True)
        return ends.flatmap(lambda ends: between(min(ends), max(ends), spacing))

    def between(low: float, high: float, spacing: str) -> Trees:
        instead = {"hyperparameter": name, "low": low, "high": high, "spacing": spacing}
        asked = {"spacing"} if spacing == "linear" else set[str]()
        return hinted(
            TuningRange, False, {key: st.just(value) for key, value in instead.items()}, asked=asked
        )

    return st.sampled_from(["log", "linear"]).flatmap(spaced)


def _bounds(hint: Any) -> list[Any]:
    """The constraints in a hint, those of a union's members included."""
    return [*getattr(hint, "__metadata__", ()), *(c for arg in get_args(hint) for c in _bounds(arg))]
