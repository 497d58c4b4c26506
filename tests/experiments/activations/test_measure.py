"""What is measured of a case depends on its own networks only, and not on how they are computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Tanh
from dnnexp.core.initializers import LSUV, Constant, He, LayerInitializer, LeCun, Normal, Zeros
from dnnexp.core.inputs import PairsInput
from dnnexp.core.losses import Linear, SoftmaxCrossEntropy, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.streams import Streams
from dnnexp.experiments.activations import config as configs
from dnnexp.experiments.activations.config import ActivationsConfig
from dnnexp.experiments.activations.measure import GRADIENT, LAYER, SCATTER, Measured
from dnnexp.experiments.base import Result

Configure = Callable[..., ActivationsConfig]
Measure = Callable[..., Measured]
Run = Callable[..., Result]
BIASED = LayerInitializer(He(), Normal(std=0.3))


def same(one: Measured, other: Measured, names: Any = None) -> None:
    """Bit for bit."""
    for name in names or one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


# --- Networks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("initializer", [BIASED, LSUV()], ids=["he", "lsuv"])
@pytest.mark.parametrize(
    "loss", [Linear(), SquaredError(), SoftmaxCrossEntropy()], ids=lambda loss: loss.name
)
def test_statistics_are_those_of_the_networks(measure_first: Measure, initializer: Any, loss: Any) -> None:
    """Drawn, and passed through, by `Network`: of every layer the moments, and those of its gradients."""
    layers = (6, 9, 5, 7, 8)
    found = measure_first(
        layers=layers, activations=("tanh",), initializers=(initializer,), loss=loss, seeds=3
    )
    label = initializer.weights.name if isinstance(initializer, LayerInitializer) else initializer.name
    streams = Streams(1)
    x = streams("input").standard_normal((10, 6))
    network = Network(layers, (Tanh(),) * 4)
    item = initializer if isinstance(initializer, LayerInitializer) else LayerInitializer(initializer)
    for run, name in enumerate((label, f"{label}/1", f"{label}/2")):
        parameters = network.draw(item, streams("weights", name), streams("biases", name), x)
        signals = network.forward(parameters, x)
        t = loss.example_targets(streams("targets", str(run or "")), 10, 8)
        gradient = network.layers(network.gradient(parameters, x, t, loss))
        for level, layer in enumerate(network.layers(parameters)):
            z, a, w = signals.pre[level], signals.post[level + 1], gradient[level].weights
            ratio = np.linalg.norm(w) / np.linalg.norm(layer.weights)
            expected = {
                "pre.mean": z.mean(),
                "pre.std": z.std(),
                "post.mean_square": np.square(a).mean(),
                "post.q95": np.quantile(a, 0.95),
                "sample_std": np.sqrt(a.var(axis=0).mean()),
                "gradient.weights.mean_square": np.square(w).mean(),
                "gradient.weights.max": w.max(),
                "gradient.norm_ratio": ratio,
                SCATTER: np.square(z[0]).mean(),
            }
            for key, value in expected.items():
                assert found[key][run, level] == pytest.approx(value, rel=1e-10, abs=1e-12), key


@pytest.mark.parametrize("initializer", [BIASED, LSUV()], ids=["he", "lsuv"])
def test_a_single_network_is_the_first_of_several(measure_first: Measure, initializer: Any) -> None:
    one, three = (measure_first(initializers=(initializer,), seeds=seeds) for seeds in (1, 3))
    same(one, {name: values[:1] for name, values in three.items()})
    assert len({float(value) for value in three["pre.mean"][:, 0]}) == 3


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(20, 20, 20, 20), (7, 30, 2, 11, 5)], ids=["equal", "unequal"])
def test_blocks_of_any_size_give_the_same_numbers(
    measure_first: Measure, shape: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven networks at once, by three, and one by one."""
    changes = {"layers": shape, "seeds": 7, "dtype": dtype, "initializers": (BIASED,)}
    found = []
    for numbers in (2**20, 3 * 20 * 20, 1):
        monkeypatch.setattr(configs, "_BLOCK_OUTPUTS", numbers)
        found.append(measure_first(**changes))
        assert found[-1]["pre.mean"].shape == (7, len(shape) - 1)
    same(found[0], found[1])
    same(found[0], found[2])


def test_how_many_networks_are_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as put out 2**20 numbers, or have so many weights; one at least, and no more than there are."""
    assert configs.block_size((100, 100), 1000, 10**6) == 2**20 // 100_000
    assert configs.block_size((1000, 10), 5, 10**6) == 2**20 // 10_000
    assert configs.block_size((10, 10), 10, 20) == 20
    assert configs.block_size((5000, 5000), 10, 20) == 1


# --- What is asked for beside ------------------------------------------------------------------------------


def test_a_loss_changes_no_signal(measure_first: Measure) -> None:
    without, linear, squared = (
        measure_first(loss=loss, seeds=2) for loss in (None, Linear(), SquaredError())
    )
    assert set(without) == {SCATTER, *LAYER}
    assert set(linear) == set(squared) == {SCATTER, *LAYER, *GRADIENT}
    same(without, linear, without)
    same(without, squared, without)
    assert (linear["gradient.pre.std"] != squared["gradient.pre.std"]).all()


def test_cases_beside_it_change_no_case(run: Run) -> None:
    alone = run(seeds=2)
    more = run(seeds=2, activations=("tanh", "relu"), initializers=(LeCun(), He()))
    assert more.metrics["cases"]["relu/he"] == alone.metrics["cases"]["relu/he"]
    for key, values in alone.arrays.items():
        if not key.startswith("_phase"):
            np.testing.assert_array_equal(values, more.arrays[key], err_msg=key)


def test_networks_of_other_shapes_change_no_case(run: Run) -> None:
    alone, more = run(seeds=2), run(seeds=2, depths=(1, 5), widths=(8, 20))
    case = more.metrics["cases"]["relu/he"]
    scaling = case.pop("scaling")
    assert case == alone.metrics["cases"]["relu/he"]
    assert [(entry["width"], entry["depth"]) for entry in scaling] == [(8, 1), (8, 5), (20, 1), (20, 5)]
    for entry in scaling[1:3]:
        layers = (20, *[entry["width"]] * entry["depth"])
        same_network = run(seeds=2, layers=layers).metrics["cases"]["relu/he"]
        assert {key: entry[key] for key in same_network} == same_network


def test_activations_share_the_weights_of_every_network(measure_first: Measure) -> None:
    first, second = (measure_first(activations=(name,), seeds=3) for name in ("tanh", "relu"))
    assert (first["pre.std"][:, 0] == second["pre.std"][:, 0]).all()
    assert (first["pre.std"][:, 1] != second["pre.std"][:, 1]).all()


# --- Precision ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu"])
def test_single_precision_agrees_with_double(measure_first: Measure, activation: str) -> None:
    """Inputs and weights are rounded to 6e-8 of themselves, sums of 20 products to little more."""
    single, double = (
        measure_first(activations=(activation,), seeds=5, dtype=dtype, input=PairsInput(60.0, 10))
        for dtype in ("float32", "float64")
    )
    for name, values in double.items():
        prefix = name.rpartition(".")[0]
        has_scale = prefix and not name.endswith(("skew", "kurtosis", "norm_ratio"))
        scale = np.sqrt(double[f"{prefix}.mean_square"]) if has_scale else 1.0
        slack = 1e-5 * np.maximum(scale, np.abs(values))
        if not np.isnan(values).all():
            assert (np.abs(single[name] - values) <= slack).all(), name


def test_what_does_not_exist_is_not_a_number(measure_first: Measure) -> None:
    found = measure_first(samples=1, initializers=(LayerInitializer(Zeros(), Constant(1.0)),))
    for name in ("sample_std", "correlation", "dead_fraction", "saturated_fraction", "pre.skew"):
        assert np.isnan(found[name]).all(), name
