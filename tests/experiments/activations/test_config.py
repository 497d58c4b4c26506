"""The config of `activations`: what it refuses, how it is made small, how much work it announces."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dnnexp.config.dump import dump
from dnnexp.config.load import ConfigError, load
from dnnexp.config.shipped import directory, reference
from dnnexp.core.data.bundled import Digits
from dnnexp.core.initializers import Glorot, He, LeCun
from dnnexp.core.inputs import DataInput, NormalInput, PairsInput
from dnnexp.experiments import find
from dnnexp.experiments.activations import config as configs
from dnnexp.experiments.activations.config import ActivationsConfig, Widths, shapes
from dnnexp.experiments.base import Result
from dnnexp.registry import plain

activations = find("activations")

Configure = Callable[..., ActivationsConfig]
Run = Callable[..., Result]
FILES = sorted((directory() / "activations").glob("*.yaml"))
every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


# --- What is refused ---------------------------------------------------------------------------------------


def written(tmp_path: Path, **changes: str) -> Path:
    """A small config file; each change is the text of a key."""
    keys = {"network": "{layers: [10, 10]}", "activations": "[relu]", "initializers": "[he]"} | changes
    file = tmp_path / "config.yaml"
    text = "".join(f"{key}: {value}\n" for key, value in {"experiment": "activations", **keys}.items())
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "{layers: [10, 0, 10]}"}, "network.layers.1: must be at least 1, not 0"),
        ({"network": "{layers: [10]}"}, "network.layers: needs at least 2 items, 1 given"),
        ({"network": "{layers: [10, 10, 10], repeat: 5001}"}, "network.repeat: makes 10,002 layers"),
        (
            {"input": "{name: data, data: digits}"},
            "network.layers: digits has 64 features, so network.layers must begin with 64, not 10",
        ),
        (
            {"network": "{layers: [1, 10]}", "input": "pairs"},
            "network.layers: pairs at an angle of 90 degrees need two features",
        ),
        (
            {"initializers": "[he, critical]", "activations": "[relu, softplus]"},
            "initializers.1.weights: no weights are critical with biases of that variance",
        ),
        ({"depths": "[2, 3, 2]"}, "depths: holds a number twice"),
        ({"widths": "[5, 5]"}, "widths: holds a number twice"),
        ({"depths": "[10001]"}, "depths.0: must be at most 10000, not 10001"),
        ({"network": "{layers: [10, 100000, 100000]}"}, "network.layers: would need about"),
        ({"widths": "[100000]"}, "widths: would need about"),
        ({"seeds": "1000000000"}, "network.layers: would need about"),
        ({"seeds": "0"}, "seeds: must be at least 1, not 0"),
        ({"thresholds": "{dead: 1.5}"}, "thresholds.dead: must be at most 1, not 1.5"),
        ({"thresholds": "{exploding: 1}"}, "thresholds.exploding: must be greater than 1, not 1"),
        ({"thresholds": "{vanishing: 1}"}, "thresholds.vanishing: must be less than 1, not 1"),
        ({"activations": "[]"}, "activations: needs at least 1 item, 0 given"),
        ({"initializers": "[he, he]"}, "initializers.1.label: the label 'he' is taken"),
        ({"dtype": "float16"}, "dtype: must be 'float64' or 'float32', not \"float16\""),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load("activations", written(tmp_path, **changes))


def test_layers_are_written_once_and_repeated(tmp_path: Path) -> None:
    config = load("activations", written(tmp_path, network="{layers: [10, 4, 6], repeat: 3}"))
    assert config.network.unrolled == (10, 4, 6, 4, 6, 4, 6)
    assert config.depth == 6


def test_a_deep_pass_back_needs_less_memory_than_its_layers(configure: Configure) -> None:
    """A thousand layers of a quarter of a million numbers are 2 GB, and their weights as much."""
    assert configure(layers=(500,) * 1001, samples=500)
    with pytest.raises(ValueError, match="GiB are allowed"):
        configure(layers=(4000,) * 1001, samples=4000)


# --- Shapes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depths", "widths", "expected"),
    [
        ((), (), []),
        ((1, 3), (), [(9, 5), (9, 5, 5, 5)]),
        ((), (2, 4), [(9, 2, 2), (9, 4, 4)]),
        ((1, 2), (3, 4), [(9, 3), (9, 3, 3), (9, 4), (9, 4, 4)]),
    ],
)
def test_every_depth_with_every_width(depths: Any, widths: Any, expected: Any) -> None:
    """The network's own for what is not listed."""
    assert shapes(Widths((9, 5, 6)), depths, widths) == expected


# --- Made small --------------------------------------------------------------------------------------------


@every_file
def test_a_shipped_config_made_small_is_a_config(file: Path, tmp_path: Path) -> None:
    """As a file, it is read without an error, claims included, as what it was."""
    config = load("activations", file)
    small = activations.shrink(config)
    path = tmp_path / "small.yaml"
    path.write_text(dump(plain(small)), encoding="utf-8")
    assert load("activations", path) == small
    assert activations.shrink(small) == small
    assert small.cases == config.cases
    assert (small.loss, small.dtype, small.thresholds) == (config.loss, config.dtype, config.thresholds)
    assert small.seeds == min(2, config.seeds)
    assert small.input.rows <= 20
    assert small.depth == config.depth
    assert max(small.network.unrolled[1:]) <= 20
    assert [len(shape) for shape in small.shapes] == [len(shape) for shape in config.shapes]
    assert len(set(small.shapes)) == len(config.shapes)


def test_the_width_of_data_stays(configure: Configure) -> None:
    config = configure(layers=(64, 100, 100), input=DataInput(Digits(), 200))
    small = activations.shrink(config)
    assert small.network.unrolled == (64, 20, 20)
    assert small.input.rows == 20


def test_pairs_stay_pairs(configure: Configure) -> None:
    assert activations.shrink(configure(input=PairsInput(samples=500))).input.rows == 20
    assert activations.shrink(configure(input=PairsInput(samples=2))).input.rows == 2


def test_what_is_small_stays(configure: Configure) -> None:
    config = configure(depths=(2, 5), widths=(3, 9), seeds=2)
    assert activations.shrink(config) == config


# --- Announced work ----------------------------------------------------------------------------------------


def test_the_estimate_of_the_reference() -> None:
    text = activations.estimate(load("activations", reference("activations")))
    assert text.startswith("8 cases x 5 layers = 40 histograms of outputs; 1 networks each; ")


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({"loss": None}, 10 * (4 * 6 + 6 * 3)),
        ({}, 4 * 10 * (4 * 6 + 6 * 3)),
        ({"seeds": 7, "activations": ("relu", "tanh"), "loss": None}, 2 * 7 * 10 * (4 * 6 + 6 * 3)),
        ({"depths": (1,), "widths": (5,), "loss": None}, 10 * (4 * 6 + 6 * 3 + 4 * 5)),
        ({"initializers": (He(), LeCun(), Glorot())}, 3 * 4 * 10 * (4 * 6 + 6 * 3)),
    ],
)
def test_the_estimate_counts_the_products(configure: Configure, changes: Any, total: int) -> None:
    """Of 10 samples in layers of 4, 6 and 3: forth, and with a pass back forth again and back twice."""
    text = activations.estimate(configure(layers=(4, 6, 3), **changes))
    assert text.endswith(f"; {total:,} multiplications")


# --- One sample --------------------------------------------------------------------------------------------


def test_a_batch_of_one_runs(run: Run) -> None:
    for found in run(input=NormalInput(samples=1), seeds=2).metrics["cases"]["relu/he"]["layers"]:
        assert [found[name] for name in ("dead_fraction", "sample_std", "correlation")] == [None] * 3
        assert found["effective_rank"] in (None, pytest.approx(1))
        assert found["unit_std"] is not None


def test_the_threshold_of_equal_outputs_is_above_rounding(configure: Configure) -> None:
    thresholds = configs.Thresholds
    assert configure().same == 1e-12
    assert configure(dtype="float32").same == 8 * 2.0**-23
    assert configure(dtype="float32", thresholds=thresholds(same=1e-3)).same == 1e-3
    assert replace(configure(), thresholds=thresholds(same=0.0)).same == 8 * 2.0**-52
