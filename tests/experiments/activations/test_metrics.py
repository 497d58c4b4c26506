"""Metrics: medians over networks, strict JSON, in the shape that the outline announces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dnnexp.core.initializers import LSUV, Constant, He, LayerInitializer, Normal, Zeros
from dnnexp.core.losses import SquaredError
from dnnexp.experiments import find
from dnnexp.experiments.activations.config import ActivationsConfig
from dnnexp.experiments.activations.measure import GRADIENT, LAYER, SCATTER, Measured
from dnnexp.experiments.activations.metrics import layers, medians, norm_scatter
from dnnexp.experiments.base import Result

activations = find("activations")

Configure = Callable[..., ActivationsConfig]
Measure = Callable[..., Measured]
Run = Callable[..., Result]
CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no loss": {"loss": None},
    "squared error": {"loss": SquaredError()},
    "depths": {"depths": (1, 4)},
    "depths and widths": {"depths": (2, 3), "widths": (5, 9), "seeds": 3},
    "widths": {"widths": (5, 9), "loss": None},
    "one sample": {"samples": 1, "seeds": 2},
    "one unit": {"layers": (1, 1)},
    "single precision": {"dtype": "float32", "seeds": 3},
    "no theory": {"initializers": (Constant(0.5), LSUV()), "activations": ("tanh", "identity")},
    "unequal layers": {"layers": (4, 9, 2, 7)},
    "zeros": {"initializers": (Zeros(),), "activations": ("relu", "sigmoid")},
    "overflow": {"initializers": (Normal(std=1e200),), "depths": (3,)},
}


def shape(tree: Any) -> Any:
    """Mappings and lists as they are; of a value its type, of null that of a number."""
    if isinstance(tree, dict):
        return {key: shape(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [shape(item) for item in tree]
    if isinstance(tree, type):
        return tree
    return float if tree is None else type(tree)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_outline_is_the_shape_of_the_metrics(configure: Configure, run: Run, name: str) -> None:
    config = configure(**CONFIGS[name])
    assert shape(run(config).metrics) == shape(activations.outline(config))


def test_keys_of_a_layer(run: Run) -> None:
    layer = run().metrics["cases"]["relu/he"]["layers"][0]
    distribution = ["mean", "std", "skew", "kurtosis", "mean_square"]
    distribution += ["min", "q05", "q25", "median", "q75", "q95", "max"]
    assert list(layer["pre"]) == list(layer["post"]) == distribution
    assert set(layer) == {
        *("pre", "post", "zero_fraction", "saturated_fraction", "dead_fraction", "sample_std", "unit_std"),
        *("effective_rank", "correlation", "gradient", "norm_scatter"),
    }
    assert set(layer["gradient"]) == {"pre", "post", "weights", "norm_ratio"}


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_metrics_are_medians_over_networks(run: Run, measure_first: Measure, seeds: int) -> None:
    found = measure_first(seeds=seeds)
    told = run(seeds=seeds).metrics["cases"]["relu/he"]["layers"]
    for name in (*LAYER, *GRADIENT):
        for level, layer in enumerate(told):
            for key in name.split("."):
                layer = layer[key]
            expected = np.median(found[name][:, level])
            assert layer == (None if np.isnan(expected) else pytest.approx(expected, rel=1e-14)), name


def test_the_median_of_an_even_number_of_networks_beside_one_that_is_not_finite() -> None:
    """NaN counts as the greatest: of four, the mean of the second and the third."""
    values = np.array([[1.0, np.nan, np.nan], [np.nan, 3.0, np.nan], [2.0, 1.0, 0.0], [5.0, -np.inf, np.inf]])
    assert medians(values) == [3.5, 2.0, None]


def test_zero_has_no_sign() -> None:
    assert str(medians(np.array([[-0.0]]))) == "[0.0]"


@pytest.mark.parametrize("seeds", [2, 7])
def test_norm_scatter_is_relative_to_the_mean(measure_first: Measure, seeds: int) -> None:
    """Of |z|² of the first sample: its entries' mean square is as good."""
    found = measure_first(seeds=seeds)
    squares = found[SCATTER]
    expected = np.sqrt((squares**2).mean(axis=0) - squares.mean(axis=0) ** 2) / squares.mean(axis=0)
    assert norm_scatter(found) == pytest.approx(expected, rel=1e-12)


def test_a_single_network_has_no_norm_scatter(measure_first: Measure) -> None:
    assert [layer["norm_scatter"] for layer in layers(measure_first())] == [None] * 3


def test_arrays_keep_every_network(run: Run, measure_first: Measure) -> None:
    changes: dict[str, Any] = {
        "seeds": 4,
        "depths": (2, 5),
        "initializers": (LayerInitializer(He(), Normal(std=1.0)),),
    }
    arrays = run(**changes).arrays
    found = measure_first(**changes)
    for name in ("pre.mean_square", "sample_std", "gradient.weights.mean_square", "dead_fraction"):
        np.testing.assert_array_equal(arrays[f"relu/he.{name}"], found[name])
    assert arrays["relu/he.scaling.1.pre.mean_square"].shape == (4, 2)
    assert arrays["relu/he.scaling.2.pre.mean_square"].shape == (4, 5)
    assert arrays["relu/he.1.pre.counts"].sum() == 4 * 10 * 20
    assert not [key for key in arrays if "scaling" in key and key.endswith("counts")]


def test_histograms_are_of_the_first_block(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dnnexp.experiments.activations.config._BLOCK_OUTPUTS", 3 * 20 * 20)
    arrays = run(seeds=7).arrays
    assert {
        int(arrays[f"relu/he.{n}.{side}.counts"].sum()) for n in (1, 2, 3) for side in ("pre", "post")
    } == {3 * 10 * 20}
