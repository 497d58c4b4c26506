"""Networks and their initializers, and the config of `gradcheck`."""

from hypothesis import strategies as st

from dnnexp.config.shapes import hints
from dnnexp.core.activations import Activation
from dnnexp.core.initializers import LayerInitializer, Normal, Uniform
from dnnexp.experiments.gradcheck.config import METHODS, CheckedNetwork, GradcheckConfig, StepSweep
from dnnexp.registry import parts
from tests.config.strategies.hints import Trees, hinted, part_trees, rule, trees


@rule(Normal)
def one_scale(cls: type, every: bool) -> Trees:
    """Not even `every` can mean both."""
    scales = {"std", "variance"}

    def with_one(scale: str) -> Trees:
        made = trees(hints(cls)[scale]).filter(lambda value: value is not None)
        return hinted(cls, every, {scale: made}, asked={scale}, left=scales - {scale})

    return st.sampled_from(sorted(scales)).flatmap(with_one)


@rule(Uniform)
def interval(cls: type, every: bool) -> Trees:
    def below(high: float) -> Trees:
        low = trees(hints(cls)["low"]).filter(lambda low: low < high)
        return hinted(cls, every, {"low": low, "high": st.just(high)})

    return trees(hints(cls)["high"]).filter(lambda high: high > -1e300).flatmap(below)


@rule(LayerInitializer)
def biases_of_any_shape(cls: type, every: bool) -> Trees:
    allowed = [part_trees(part) for part in parts("initializer").values() if not part.only_matrices]
    return hinted(cls, every, {"biases": st.one_of(allowed)})


@rule(CheckedNetwork)
def one_activation_each(cls: type, every: bool) -> Trees:
    def network(layers: list[int]) -> Trees:
        size = len(layers) - 1
        listed = st.lists(trees(Activation), min_size=size, max_size=size)
        return hinted(cls, every, {"layers": st.just(layers), "activation": trees(Activation) | listed})

    return trees(hints(cls)["layers"]).flatmap(network)


@rule(StepSweep)
def ordered(cls: type, every: bool) -> Trees:
    def around(middle: float) -> Trees:
        ends = {
            "low": trees(hints(cls)["low"]).filter(lambda low: low < middle),
            "high": trees(hints(cls)["high"]).filter(lambda high: high >= middle),
        }
        return hinted(cls, every, ends, asked=ends)

    return st.floats(1e-20, 1e-3).flatmap(around)


@rule(GradcheckConfig)
def distinct(cls: type, every: bool) -> Trees:
    return hinted(cls, every, {"methods": st.lists(st.sampled_from(METHODS), min_size=2, unique=True)})
