"""Theory against what is measured: means over many wide networks, for every registered activation.

Theory is the limit of large widths. Up to layer 2 its means are exact at any width, because z¹ is normal for
a given input. Beyond, the squares q of a network scatter about theirs with a relative variance of at most
κ / n in each layer, κ = E[φ⁴] / E[φ²]² − 1, 5 for the rectifier and less for the others; the mean of a smooth
statistic f(q) is then off by ½ q² f″ κ / n. With |q² f″| ≤ 2 f that is 5 f / n: of f itself where it has a
scale, of 1 for shares and correlations. `ALLOWANCE` is that 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import He, LayerInitializer, LeCun, Normal
from dnnexp.core.inputs import NormalInput, PairsInput
from dnnexp.core.losses import Linear
from dnnexp.core.streams import Streams
from dnnexp.experiments.activations.config import ActivationsConfig
from dnnexp.experiments.activations.measure import Measured
from dnnexp.experiments.activations.metrics import norm_scatter
from dnnexp.experiments.activations.theory import Theory, theory
from dnnexp.registry import Labelled, parts

Configure = Callable[..., ActivationsConfig]
Measure = Callable[..., Measured]
ALLOWANCE = 5
SAMPLES = 20
MEASURED = {
    "q": "pre.mean_square",
    "output_mean": "post.mean",
    "output_std": "post.std",
    "saturated": "saturated_fraction",
    "correlation": "correlation",
}
ACTIVATIONS = [cls() for cls in parts("activation").values()]
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda part: part.name)
INITIALIZER = LayerInitializer(LeCun(gain=math.sqrt(1.5)), Normal(variance=0.1))


def expected(config: ActivationsConfig) -> Theory:
    """Theory of the first case, for the input of the networks that are measured."""
    widths = config.network.unrolled
    x = config.input.draw(Streams(1)("input"), widths[0])
    activation, initializer = next(iter(config.cases.values()))
    found = theory(activation, initializer.item, widths, x)
    assert found is not None
    return found


def compared(config: ActivationsConfig, measured: Measured) -> Iterator[tuple[str, Floats, Floats, Floats]]:
    """A statistic's name, its values `(runs, L)`, its theory and the scale of its allowance, `(L,)` each."""
    found = expected(config)
    layers = found.layers
    rms = np.sqrt(layers["output_mean"] ** 2 + layers["output_std"] ** 2)
    scales = {"q": layers["q"], "output_mean": rms, "output_std": layers["output_std"]}
    for name, key in MEASURED.items():
        if not np.isnan(layers[name]).all():
            yield name, measured[key], layers[name], scales.get(name, np.ones_like(rms))


def compare(config: ActivationsConfig, measured: Measured) -> None:
    """Theory is between the 5 and the 95 % of networks, and the mean of networks next to it.

    A share is told to one value in so many; a rare one has at least the error of the binomial law.
    """
    width, runs = config.network.unrolled[-1], config.seeds
    for name, values, predicted, scale in compared(config, measured):
        is_share = name == "saturated"
        resolution = is_share / (width * SAMPLES)
        low, high = np.quantile(values, [0.05, 0.95], axis=0)
        assert ((low - resolution <= predicted) & (predicted <= high + resolution)).all(), name
        error = values.std(axis=0, ddof=1) / math.sqrt(runs)
        if is_share:
            error = np.maximum(error, np.sqrt(predicted / (width * runs)))
        slack = 5 * error + ALLOWANCE / width * scale
        assert (np.abs(values.mean(axis=0) - predicted) <= slack).all(), name


def compare_growth(config: ActivationsConfig, measured: Measured, side: str) -> None:
    """Of squared gradients, the ratio of means; its error is that of g_l − ratio · g_L."""
    width, runs = config.network.unrolled[-1], config.seeds
    predicted = expected(config).curves[f"gradient.{side}"] ** 2
    squares = measured[f"gradient.{side}.mean_square"]
    low, high = np.quantile(squares / squares[:, -1:], [0.05, 0.95], axis=0)
    assert ((low <= predicted * (1 + 1e-12)) & (predicted * (1 - 1e-12) <= high)).all()
    excess = (squares - predicted * squares[:, -1:]) / squares[:, -1].mean()
    error = excess.std(axis=0, ddof=1) / math.sqrt(runs)
    assert (np.abs(excess.mean(axis=0)) <= 5 * error + ALLOWANCE / width * predicted).all()


# --- Means over networks -----------------------------------------------------------------------------------


def networks(
    configure: Configure, activation: Activation, width: int, seeds: int, **changes: Any
) -> ActivationsConfig:
    """Three layers, fed with pairs at 60 degrees."""
    defaults: dict[str, Any] = {
        "layers": (width,) * 4,
        "seeds": seeds,
        "input": PairsInput(angle=60.0, samples=SAMPLES),
        "activations": (Labelled(activation.name, activation),),
        "initializers": (INITIALIZER,),
        "loss": Linear(),
    }
    return configure(**defaults | changes)


QUICK, MANY = (120, 30), (500, 200)
"""Width, and number of networks."""
sizes = pytest.mark.parametrize(
    ("width", "seeds"),
    [pytest.param(*QUICK, id="quick"), pytest.param(*MANY, id="many", marks=pytest.mark.slow)],
)


@every_activation
@sizes
def test_means_over_networks(
    configure: Configure, measure_first: Measure, activation: Activation, width: int, seeds: int
) -> None:
    config = networks(configure, activation, width, seeds)
    measured = measure_first(config)
    compare(config, measured)
    compare_growth(config, measured, "pre")


@every_activation
@sizes
def test_gradients_by_weights(
    configure: Configure, measure_first: Measure, activation: Activation, width: int, seeds: int
) -> None:
    """Of one sample: the parts of several are independent over random directions, but all networks share one.

    So means over networks of a batch are off by about √(2 / width) where samples put out nearly the same.
    """
    config = networks(configure, activation, width, seeds, input=NormalInput(samples=1))
    compare_growth(config, measure_first(config), "weights")


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_means_for_samples_of_unequal_size(configure: Configure, measure_first: Measure, name: str) -> None:
    """Of three features: their mean squares are χ² with 3 degrees of freedom."""
    (activation,) = (part for part in ACTIVATIONS if part.name == name)
    layers = (3, 200, 200, 200)
    config = networks(configure, activation, 200, 40, layers=layers, input=NormalInput(samples=SAMPLES))
    measured = measure_first(config) | {"correlation": np.full((40, 3), np.nan)}
    for statistic, values, predicted, scale in compared(config, measured):
        if statistic != "correlation":  # is told for two of the average size
            error = values.std(axis=0, ddof=1) / math.sqrt(40)
            slack = 5 * error + ALLOWANCE / 200 * scale
            assert (np.abs(values.mean(axis=0) - predicted) <= slack).all(), statistic
    squares = measured["gradient.pre.mean_square"].mean(axis=0)
    growth = expected(config).layers["gradient_growth"]
    assert squares / squares[-1] == pytest.approx(growth, rel=0.15)


def test_gradients_in_layers_of_unequal_width(configure: Configure, measure_first: Measure) -> None:
    """What is drawn is a root mean square over units: of more units each has a smaller part."""
    (relu,) = (part for part in ACTIVATIONS if part.name == "relu")
    layers, seeds = (60, 150, 50, 200, 100), 100
    config = networks(configure, relu, 100, seeds, layers=layers, initializers=(He(),))
    measured, curves = measure_first(config), expected(config).curves
    for side in ("pre", "weights"):
        squares = measured[f"gradient.{side}.mean_square"]
        ratios = squares.mean(axis=0) / squares[:, -1].mean()
        error = (squares / squares[:, -1:]).std(axis=0, ddof=1) / math.sqrt(seeds)
        assert (np.abs(ratios - curves[f"gradient.{side}"] ** 2) <= 5 * error + ALLOWANCE / 50 * ratios).all()


# --- Norms over networks -----------------------------------------------------------------------------------


def sampled_scatter(slope: float, width: int, depth: int, networks: int, repeats: int) -> Floats:
    """Of |z^L|² over so many networks, `(repeats,)`, by its law: a product of independent factors.

    |z^{l+1}|² / |z^l|² is Σ φ(g)² over the mean, times χ²: of k positive g ~ N(0, 1) and n − k negative ones.
    """
    stream = np.random.default_rng(0)
    shape = (repeats, networks)
    squares = stream.chisquare(width, shape)
    for _ in range(depth - 1):
        k = stream.binomial(width, 0.5, shape)
        positive, negative = stream.gamma(k / 2), stream.gamma((width - k) / 2)
        squares *= positive + slope**2 * negative
    found: Floats = squares.std(axis=1) / squares.mean(axis=1)
    return found


@pytest.mark.parametrize(("name", "slope"), [("relu", 0.0), ("leaky_relu", 0.01), ("identity", 1.0)])
def test_norm_scatter_over_networks(
    configure: Configure, measure_first: Measure, name: str, slope: float
) -> None:
    """Within what 400 networks tell of it: between the 1 and the 99 % of 500 such samples.

    The tails are so heavy that most samples show less scatter than there is: theory is above their median,
    and their mean square over its square comes to it as samples grow.
    """
    config = configure(
        layers=(30,) * 6, activations=(name,), initializers=(He(),), seeds=400, loss=None, samples=2
    )
    measured, predicted = measure_first(config), expected(config).layers["norm_scatter"]
    for level, value in enumerate(norm_scatter(measured), start=1):
        samples = sampled_scatter(slope, 30, level, 400, 500)
        low, high = np.quantile(samples, [0.01, 0.99])
        assert value is not None
        assert low <= value <= high
        assert low <= predicted[level - 1] <= high
    many = sampled_scatter(slope, 30, 5, 100_000, 4).mean()
    assert predicted[-1] == pytest.approx(many, rel=0.03)
