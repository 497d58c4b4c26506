"""What each layer puts out, against the reference's table and against closed forms."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dnnexp.config.load import load
from dnnexp.config.shipped import reference
from dnnexp.core.initializers import Normal
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Result, RunContext, Work

activations = find("activations")

SEEDS = range(5)


def run(seed: int) -> Result:
    config = replace(load("activations", reference("activations")), seed=seed)
    return activations.run(config, RunContext(Streams(seed)))


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return [run(seed) for seed in SEEDS]


def layers(result: Result, case: str) -> list[Any]:
    found: list[Any] = result.metrics["cases"][case]["layers"]
    return found


# The reference's medians over 20 seeds: case, layer, statistic, value, and the factor within which a single
# network may lie. A statistic over a layer of 100 units scatters by about 1/sqrt(2 * 100) = 7 % from layer
# to layer, and a ReLU network's scale is a product over layers, so it scatters by a factor near 2.
TABLE: list[tuple[str, int, str, str, float, float]] = [
    ("sigmoid/std_1", 1, "pre", "std", 10.05, 1.05),
    ("sigmoid/std_1", 1, "post", "std", 0.459, 1.05),
    ("sigmoid/std_1", 3, "pre", "std", 6.55, 1.25),
    ("sigmoid/std_1", 5, "pre", "std", 6.71, 1.25),
    ("sigmoid/std_0p1", 1, "pre", "std", 1.005, 1.05),
    ("sigmoid/std_0p1", 1, "post", "std", 0.2085, 1.05),
    ("sigmoid/std_0p1", 3, "pre", "std", 0.507, 1.35),
    ("sigmoid/std_0p1", 3, "post", "std", 0.120, 1.35),
    ("sigmoid/std_0p1", 5, "pre", "std", 0.535, 1.35),
    ("sigmoid/std_0p1", 5, "post", "std", 0.126, 1.35),
    ("sigmoid/std_0p01", 1, "pre", "std", 0.1005, 1.05),
    ("sigmoid/std_0p01", 1, "post", "std", 0.0251, 1.05),
    ("sigmoid/std_0p01", 3, "pre", "std", 0.050, 1.4),
    ("sigmoid/std_0p01", 3, "post", "std", 0.0125, 1.4),
    ("sigmoid/std_0p01", 5, "pre", "std", 0.052, 1.4),
    ("sigmoid/std_0p01", 5, "post", "std", 0.0131, 1.4),
    ("relu/std_1", 1, "post", "std", 5.89, 1.1),
    ("relu/std_1", 3, "post", "std", 292.0, 1.6),
    ("relu/std_1", 5, "post", "std", 1.47e4, 2.0),
    ("relu/std_0p1", 1, "post", "std", 0.589, 1.1),
    ("relu/std_0p1", 3, "post", "std", 0.307, 1.6),
    ("relu/std_0p1", 5, "post", "std", 0.173, 2.0),
    ("relu/std_0p01", 1, "post", "std", 0.0589, 1.1),
    ("relu/std_0p01", 3, "post", "std", 0.0058, 1.4),
    ("relu/std_0p01", 5, "post", "std", 0.0058, 1.4),
]


@pytest.mark.parametrize(("case", "layer", "side", "name", "value", "factor"), TABLE)
def test_spread_of_the_reference_table(
    results: list[Result], case: str, layer: int, side: str, name: str, value: float, factor: float
) -> None:
    found = [layers(result, case)[layer - 1][side][name] for result in results]
    assert all(value / factor < x < value * factor for x in found), found


# Fractions of the reference's table, with the width of their scatter over networks of 100 units
@pytest.mark.parametrize(
    ("case", "layer", "name", "value", "width"),
    [
        ("sigmoid/std_1", 1, "saturated_fraction", 0.65, 0.03),
        ("sigmoid/std_1", 3, "saturated_fraction", 0.49, 0.12),
        ("sigmoid/std_1", 5, "saturated_fraction", 0.50, 0.12),
        ("relu/std_1", 1, "zero_fraction", 0.50, 0.05),
        ("relu/std_0p1", 1, "zero_fraction", 0.50, 0.05),
        ("relu/std_0p01", 1, "zero_fraction", 0.50, 0.05),
        ("relu/std_0p01", 3, "dead_fraction", 0.43, 0.2),
        ("relu/std_0p01", 5, "dead_fraction", 0.50, 0.2),
    ],
)
def test_fractions_of_the_reference_table(
    results: list[Result], case: str, layer: int, name: str, value: float, width: float
) -> None:
    found = [layers(result, case)[layer - 1][name] for result in results]
    assert all(abs(x - value) < width for x in found), found


def test_zero_parameters_give_a_constant(results: list[Result]) -> None:
    for case, value in (("sigmoid/zeros", 0.5), ("relu/zeros", 0.0)):
        for layer in layers(results[0], case):
            post = layer["post"]
            assert post["std"] == 0
            assert {post[name] for name in ("min", "q05", "median", "q95", "max", "mean")} == {value}
    assert all(layer["dead_fraction"] == 1 for layer in layers(results[0], "relu/zeros"))


def test_histograms_count_every_value(results: list[Result]) -> None:
    arrays = results[0].arrays
    counts = [key for key in arrays if key.endswith(".post.counts")]
    assert len(counts) == 40
    for key in [key for key in arrays if key.endswith(".counts")]:
        edges = arrays[key.replace(".counts", ".edges")]
        assert arrays[key].sum() == 100_000
        assert np.all(np.diff(edges) > 0)


def test_activations_share_the_weights(results: list[Result]) -> None:
    for label in ("std_1", "std_0p1", "std_0p01"):
        first = layers(results[0], f"sigmoid/{label}")[0]["pre"]
        assert first == layers(results[0], f"relu/{label}")[0]["pre"]


def test_an_initializer_more_changes_no_other_case() -> None:
    config = load("activations", reference("activations"))
    fewer = replace(config, initializers=config.initializers[2:], activations=config.activations[1:])
    small = activations.run(fewer, RunContext(Streams(0))).metrics["cases"]
    whole = activations.run(config, RunContext(Streams(0))).metrics["cases"]
    assert small == {case: whole[case] for case in small}


def test_statistics_of_one_layer_against_closed_forms() -> None:
    # one input that is all ones in effect: z is N(0, std_w^2 * |x|^2 + std_b^2) over units
    config = load("activations", reference("activations"))
    result = activations.run(config, RunContext(Streams(3)))
    x = config.input.draw(Streams(3)("input"), 100)
    expected = math.sqrt(0.01 * np.mean(np.sum(x**2, axis=1)) + 0.01)
    found = layers(result, "sigmoid/std_0p1")[0]["pre"]["std"]
    # a variance estimated from 100 units has a relative sd of sqrt(2/100), its root half of that
    assert found == pytest.approx(expected, rel=4 * math.sqrt(2 / 100) / 2)


def test_outline_has_the_shape_of_the_metrics(results: list[Result]) -> None:
    outline = activations.outline(results[0].config)
    assert shape(results[0].metrics) == shape(outline)


def shape(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: shape(value) for key, value in tree.items()}
    return [shape(item) for item in tree] if isinstance(tree, list) else "leaf"


def test_overflow_is_a_result() -> None:
    config = activations.shrink(load("activations", reference("activations")))
    item = replace(config.initializers[1].item, weights=Normal(std=1e200))
    initializer = replace(config.initializers[1], item=item)
    result = activations.run(replace(config, initializers=(initializer,)), RunContext(Streams(0)))
    last = layers(result, "relu/std_1")[-1]
    assert last["post"]["std"] is None
    assert last["post"]["max"] is None


def test_progress_counts_the_cases() -> None:
    seen: list[Any] = []
    config = activations.shrink(load("activations", reference("activations")))
    activations.run(config, RunContext(Streams(0), seen.append))
    assert seen == [Work("cases", done, 8) for done in range(1, 9)]


def test_shrinking_keeps_the_cases() -> None:
    config = load("activations", reference("activations"))
    small = activations.shrink(config)
    assert small.cases == config.cases
    assert max(small.network.layers) <= 20
    assert small.input.rows <= 50
    assert "40 histograms" in activations.estimate(config)
