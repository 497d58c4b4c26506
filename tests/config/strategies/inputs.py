"""Inputs, and networks that are as wide as their input asks for."""

import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from dnnexp.config.shapes import hints
from dnnexp.core.data import Data
from dnnexp.core.inputs import DataInput, Input, NormalInput, PairsInput, UniformInput
from dnnexp.core.losses import Loss, SoftmaxCrossEntropy
from dnnexp.experiments.activations.config import ActivationsConfig
from dnnexp.registry import parts
from tests.config.strategies.hints import Tree, Trees, built, hinted, part_trees, rule, trees
from tests.config.strategies.networks import interval

rule(UniformInput)(interval)


@rule(PairsInput)
def even(cls: type, every: bool) -> Trees:
    return hinted(cls, every, {"samples": st.integers(1, 10).map(lambda pairs: 2 * pairs)})


@rule(DataInput)
@st.composite
def some_rows(draw: st.DrawFn, cls: type, every: bool) -> Tree:
    tree = draw(trees(Data))
    rows = built(Data, tree).shape().rows
    return draw(hinted(cls, every, {"data": st.just(tree), "samples": st.integers(1, rows) | st.none()}))


@rule(ActivationsConfig)
@st.composite
def wide_enough(draw: st.DrawFn, cls: type[Any], every: bool) -> Tree:
    """A first layer that the input fits, and a loss that fits the last; no depth and no width twice."""
    given = draw(part_trees(NormalInput) | trees(Input))
    network = draw(trees(hints(cls)["network"]))
    network |= {"layers": fitted(network["layers"], given)}
    sizes = st.lists(st.integers(1, 20), max_size=2, unique=True)
    losses = [cls for cls in parts(Loss.kind).values() if network["layers"][-1] > 1 or not _is_softmax(cls)]
    instead = {
        "input": st.just(given),
        "network": st.just(network),
        "depths": sizes,
        "widths": sizes,
        "loss": st.one_of(st.none(), *map(part_trees, losses)),
    }
    return draw(hinted(cls, every, instead, asked={"input"}))


def _is_softmax(cls: type[Loss]) -> bool:
    """The softmax of a single output is 1, so its loss has no gradient."""
    return issubclass(cls, SoftmaxCrossEntropy)


def fitted(layers: Sequence[int], tree: Tree) -> list[int]:
    """The widths; the first is replaced by the smallest that the input can take, if it cannot take it."""
    given: Input = built(Input, tree)
    first, *others = layers
    return [next(w for w in itertools.chain([first], itertools.count(1)) if not given.refusal(w)), *others]
