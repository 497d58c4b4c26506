"""What is wrong with a case: each name reached by a small run, and the order among them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dnnexp.core.initializers import Constant, Glorot, He, LayerInitializer, LeCun, Normal, Uniform, Zeros
from dnnexp.core.streams import Streams
from dnnexp.experiments.activations.config import ActivationsConfig, Thresholds
from dnnexp.experiments.activations.measure import measure
from dnnexp.experiments.activations.metrics import of_case
from dnnexp.experiments.activations.verdicts import NAMES, verdict
from dnnexp.experiments.base import Result

Configure = Callable[..., ActivationsConfig]
Run = Callable[..., Result]
NEGATIVE = LayerInitializer(He(), Constant(-3.0))


def found(config: ActivationsConfig, seed: int = 1) -> tuple[str, str]:
    """Name and evidence of the only case."""
    widths, streams = config.network.unrolled, Streams(seed)
    (case,) = config.cases
    x = config.input.draw(streams("input"), widths[0])
    with np.errstate(all="ignore"):
        measured, _ = measure(config, case, widths, x, streams, bins=False)
    told = of_case(config, widths, measured, None)["verdict"]
    return told["name"], told["evidence"]


# configs, the verdict, and what its evidence says
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "healthy": (
        {"layers": (50,) * 6},
        "healthy",
        r"the signal x \S+, the gradient x \S+ \(0.01 to 100\)",
    ),
    "no gradient": ({"loss": None}, "healthy", r"the signal x \S+ \(0.01 to 100\)"),
    "growing signal": (
        {"layers": (20,) * 7, "initializers": (LeCun(gain=6.0),)},
        "exploding",
        r"the signal of layer 6 is \S+ times layer 1's \(at most 100\)",
    ),
    "growing gradient": (
        {"layers": (50,) * 31, "activations": ("tanh",), "initializers": (LeCun(gain=2.5),)},
        "exploding",
        r"the gradient of layer 1 is \S+ times layer 30's \(at most 100\)",
    ),
    "overflow": ({"initializers": (Normal(std=1e200),)}, "exploding", "layer 1 overflows"),
    "overflow in single precision": (
        {"layers": (20,) * 9, "initializers": (Uniform(0.0, 1e6),), "dtype": "float32"},
        "exploding",
        r"layer [4-8] overflows",
    ),
    "zeros": (
        {"initializers": (Zeros(),)},
        "constant",
        "layer 1 puts out 0 only; also symmetric, dead, vanishing",
    ),
    "zeros of the sigmoid": (
        {"initializers": (Zeros(),), "activations": ("sigmoid",)},
        "constant",
        "layer 1 puts out 0.5 only; also symmetric, vanishing",
    ),
    "biases only": (
        {"initializers": (LayerInitializer(Zeros(), Normal(std=1.0)),), "activations": ("tanh",)},
        "constant",
        "layer 1 puts out the same for every sample; also vanishing",
    ),
    "equal weights": (
        {"initializers": (Constant(0.1),), "activations": ("tanh",)},
        "symmetric",
        "all 20 units of layer 1 are the same",
    ),
    "negative biases": (
        {"initializers": (NEGATIVE,), "layers": (100, 100)},
        "dead",
        r"[67]\d\.\d% of the units of layer 1 are dead \(at most 50%\)",
    ),
    "large weights": (
        {"layers": (100,) * 4, "activations": ("tanh",), "initializers": (Normal(std=1.0),)},
        "saturated",
        r"8\d\.\d% of the outputs of layer 1 are saturated \(at most 50%\)",
    ),
    "sigmoids": (
        {"layers": (50,) * 8, "activations": ("sigmoid",), "initializers": (Glorot(),)},
        "vanishing",
        r"the signal of layer 7 is \S+ times layer 1's \(at least 0.01\)",
    ),
    "shrinking gradient of one sample": (
        {"layers": (50,) * 8, "activations": ("sigmoid",), "initializers": (Glorot(),), "samples": 1},
        "vanishing",
        r"the gradient of layer 1 is \S+ times layer 7's \(at least 0.01\)",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_verdicts(configure: Configure, case: str) -> None:
    changes, name, evidence = CASES[case]
    told = found(configure(**changes))
    assert told[0] == name
    assert re.fullmatch(evidence, told[1]), told[1]


def test_every_name_is_reached() -> None:
    assert {name for _, name, _ in CASES.values()} == set(NAMES)


@pytest.mark.parametrize(
    ("case", "thresholds", "name"),
    [
        ("negative biases", Thresholds(dead=0.9), "healthy"),
        ("large weights", Thresholds(saturated=0.95), "healthy"),
        ("growing signal", Thresholds(exploding=1e9), "healthy"),
        ("growing gradient", Thresholds(exploding=1e9), "healthy"),
        ("sigmoids", Thresholds(vanishing=1e-9), "healthy"),
        ("healthy", Thresholds(dead=0.0), "dead"),
        ("healthy", Thresholds(exploding=1.01, vanishing=0.99), "vanishing"),
        ("healthy", Thresholds(same=0.9), "constant"),
    ],
)
def test_thresholds_decide(configure: Configure, case: str, thresholds: Thresholds, name: str) -> None:
    changes = CASES[case][0] | {"samples": 5 if thresholds.dead == 0 else 10}
    told = found(configure(thresholds=thresholds, **changes))
    assert told[0] == name, told


def test_the_evidence_has_the_number_and_the_threshold(run: Run) -> None:
    """As the metrics have them."""
    result = run(thresholds=Thresholds(vanishing=0.25), **CASES["sigmoids"][0])
    (case,) = result.metrics["cases"].values()
    factor = case["layers"][-1]["sample_std"] / case["layers"][0]["sample_std"]
    assert f"is {factor:.2g} times layer 1's (at least 0.25)" in case["verdict"]["evidence"]


def test_single_precision_tells_nothing_within_its_rounding(configure: Configure) -> None:
    """Samples that differ by a ten millionth of their size."""
    biased = LayerInitializer(LeCun(gain=1e-7), Normal(std=1.0))
    changes: dict[str, Any] = {"initializers": (biased,), "activations": ("tanh",), "layers": (20, 20)}
    assert found(configure(dtype="float32", **changes))[0] == "constant"
    assert found(configure(dtype="float64", **changes))[0] == "healthy"


@pytest.mark.parametrize("layers", [(5, 1), (5, 1, 1)])
def test_a_layer_of_one_unit_is_not_symmetric(configure: Configure, layers: Any) -> None:
    assert found(configure(layers=layers, activations=("tanh",), loss=None))[0] == "healthy"


def test_verdicts_are_of_medians_over_networks(run: Run) -> None:
    """Of narrow rectifiers most are dead at the end, but not all."""
    result = run(seeds=101, layers=(2,) * 16, samples=10, loss=None)
    assert result.metrics["cases"]["relu/he"]["verdict"]["name"] == "constant"
    dead = result.arrays["relu/he.dead_fraction"][:, -1] == 1
    assert 50 < dead.sum() < 101


# --- Order -------------------------------------------------------------------------------------------------


def layer(**changes: Any) -> dict[str, Any]:
    """A healthy layer of 20 units, but for the changes."""
    return {
        "pre": {"mean_square": 1.0, "max": 3.0},
        "post": {"mean_square": 1.0, "mean": 0.5, "min": 0.0, "max": 2.0},
        "dead_fraction": 0.0,
        "saturated_fraction": 0.0,
        "sample_std": 1.0,
        "unit_std": 1.0,
        "gradient": {"pre": {"mean_square": 1.0}},
    } | changes


WRONGS: dict[str, dict[str, Any]] = {
    "constant": {"sample_std": 0.0},
    "symmetric": {"unit_std": 0.0},
    "dead": {"dead_fraction": 0.6},
    "saturated": {"saturated_fraction": 0.7},
}


def judged(configure: Configure, *layers: dict[str, Any], **changes: Any) -> tuple[str, str]:
    told = verdict(configure(**changes), (20,) * (len(layers) + 1), list(layers))
    return told["name"], told["evidence"]


@pytest.mark.parametrize("first", range(4))
def test_the_cause_comes_before_its_effects(configure: Configure, first: int) -> None:
    """The rest is named in the same order, and a name once."""
    names = list(WRONGS)[first:]
    start = layer(gradient={"pre": {"mean_square": 1e-8}})
    name, evidence = judged(configure, start, *(layer(**WRONGS[name]) for name in names * 2), layer())
    assert name == names[0]
    assert evidence.endswith(f"; also {', '.join([*names[1:], 'vanishing'])}")


def test_shares_come_after_sameness_in_any_layer(configure: Configure) -> None:
    wrongs = [layer(**WRONGS[name]) for name in ("saturated", "dead", "symmetric", "constant")]
    told = judged(configure, *wrongs)
    assert told == (
        "symmetric",
        "all 20 units of layer 3 are the same; also constant, dead, saturated, vanishing",
    )


def test_nothing_else_is_told_of_what_is_not_finite(configure: Configure) -> None:
    broken = layer(post={"mean_square": None}, sample_std=None, unit_std=None)
    told = judged(configure, layer(**WRONGS["dead"]), broken)
    assert told == ("exploding", "layer 2 overflows")


def test_the_first_layer_and_the_worst_share_are_named(configure: Configure) -> None:
    constant = judged(configure, layer(), layer(sample_std=0.0), layer(sample_std=0.0))
    assert constant[1].startswith("layer 2 puts out the same for every sample")
    shares = [layer(dead_fraction=share) for share in (0.6, 0.9, 0.9, 0.7)]
    assert judged(configure, *shares) == ("dead", "90.0% of the units of layer 2 are dead (at most 50%)")


def test_gradients_that_overflow_on_the_way_explode(configure: Configure) -> None:
    overflown = layer(gradient={"pre": {"mean_square": None}})
    name, evidence = judged(configure, overflown, layer())
    assert (name, "inf times" in evidence) == ("exploding", True)


def test_gradients_are_measured_by_their_norms(configure: Configure) -> None:
    """A tenth of the units with ten times the mean square have the same norm."""
    first, last = (layer(gradient={"pre": {"mean_square": square}}) for square in (1e5, 1.0))
    told = verdict(configure(), (20, 2, 200), [first, last])
    assert told == {
        "name": "healthy",
        "evidence": "the signal x 1, the gradient x 31.6 (0.01 to 100)",
    }


def test_the_first_complaint_of_a_name_counts(configure: Configure) -> None:
    """A later layer that is constant, but of one unit and so not symmetric, changes nothing."""
    found = judged(configure, layer(sample_std=0.0, unit_std=0.0), layer(sample_std=0.0))
    assert found[0] == "constant"
    assert found[1].endswith("; also symmetric")


def test_one_sample_is_judged_by_its_size(configure: Configure) -> None:
    last = layer(pre={"mean_square": 1e6, "max": 3e3}, sample_std=None)
    name, evidence = judged(configure, layer(sample_std=None), last)
    assert (name, evidence) == ("exploding", "the signal of layer 2 is 1e+03 times layer 1's (at most 100)")
