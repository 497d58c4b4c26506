"""Optimizers and schedules."""

from hypothesis import strategies as st

from dnnexp.core.optimizers.descent import Nesterov
from dnnexp.core.optimizers.signs import Rprop
from dnnexp.core.schedules import Constant, Piecewise, SchedulePiece
from tests.config.strategies.hints import Trees, hinted, rule, trees


@rule(Nesterov)
def undamped(cls: type, every: bool) -> Trees:
    return hinted(cls, every, {"dampening": st.just(0)})


@rule(Rprop)
def unscheduled(cls: type, every: bool) -> Trees:
    constant = hinted(Constant, instead={"warmup": st.just(0)}).map(lambda tree: {"name": "constant"} | tree)
    steps = {"smallest_step": st.floats(1e-9, 1e-3), "largest_step": st.floats(1, 100)}
    return hinted(cls, every, {"schedule": st.just("constant") | constant} | steps)


@rule(Piecewise)
def ascending(cls: type, every: bool) -> Trees:
    pieces = st.lists(trees(SchedulePiece), min_size=1, max_size=3, unique_by=lambda piece: piece["at"])
    return hinted(cls, every, {"pieces": pieces.map(lambda items: sorted(items, key=lambda p: p["at"]))})
