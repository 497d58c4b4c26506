"""Theory of a case: known numbers, averages over unequal samples, where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from dnnexp.core.activations import Activation, Identity, LeakyReLU, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import (
    LSUV,
    Constant,
    Critical,
    Glorot,
    He,
    IdentityMatrix,
    Initializer,
    LayerInitializer,
    LeCun,
    Normal,
    Sparse,
    Uniform,
)
from dnnexp.core.inputs import PairsInput
from dnnexp.core.losses import Linear, SoftmaxCrossEntropy, SquaredError
from dnnexp.core.mean_field import propagation
from dnnexp.experiments.activations.config import ActivationsConfig
from dnnexp.experiments.activations.theory import Theory, no_theory, phase_diagram, theory
from dnnexp.experiments.base import Result

Configure = Callable[..., ActivationsConfig]
Run = Callable[..., Result]
GAIN = 5 / 3


def unit_inputs(width: int = 20, angle: float = 60.0) -> Floats:
    """With mean square 1."""
    return PairsInput(angle=angle, samples=10).draw(np.random.default_rng(0), width)


def told(
    activation: Activation,
    initializer: Initializer | LayerInitializer,
    depth: int = 5,
    x: Floats | None = None,
) -> Theory:
    item = initializer if isinstance(initializer, LayerInitializer) else LayerInitializer(initializer)
    found = theory(activation, item, (20,) * (depth + 1), unit_inputs() if x is None else x)
    assert found is not None
    return found


def gaussian(g: Callable[[float], float]) -> float:
    """E[g(z)] by QUADPACK."""
    density = 1 / math.sqrt(2 * math.pi)
    value: float = quad(lambda z: g(z) * density * math.exp(-z * z / 2), -12, 12, epsabs=1e-13, limit=500)[0]
    return value


def squared_slope(q: float) -> float:
    """E[tanh′(√q z)²]."""
    return gaussian(lambda z: math.cosh(math.sqrt(q) * z) ** -4)


# --- Known numbers -----------------------------------------------------------------------------------------


def test_variances_of_tanh_layers() -> None:
    found = told(Tanh(), LeCun()).layers["q"]
    np.testing.assert_allclose(found, [1, 0.394294, 0.236450, 0.166656, 0.127905], atol=6e-7)
    q = [1.0]
    while len(q) < 5:
        q.append(gaussian(lambda z: math.tanh(math.sqrt(q[-1]) * z) ** 2))
    np.testing.assert_allclose(found, q, 1e-10)


def test_the_limit_of_tanh_layers_with_gain_five_thirds() -> None:
    limit = told(Tanh(), LeCun(gain=GAIN)).limit
    assert limit.q_star == pytest.approx(1.178480, abs=6e-7)
    assert limit.chi_1 == pytest.approx(1.209831, abs=6e-7)
    root = math.sqrt(limit.q_star or math.nan)
    assert GAIN**2 * gaussian(lambda z: math.tanh(root * z) ** 2) == pytest.approx(root**2, rel=1e-10)
    assert limit.chi_1 == pytest.approx(GAIN**2 * squared_slope(root**2), rel=1e-10)


def test_deep_layers_are_those_of_the_limit() -> None:
    """Whether an output is above 0.97 hangs on z > artanh 0.97 alone."""
    found = told(Tanh(), LeCun(gain=GAIN), depth=80)
    assert found.layers["output_std"][-1] == pytest.approx(0.651347, abs=6e-7)
    assert found.layers["output_mean"][-1] == pytest.approx(0, abs=1e-12)
    assert found.layers["saturated"][-1] == pytest.approx(0.053935, abs=6e-7)
    root = math.sqrt(found.layers["q"][-1])
    assert found.layers["saturated"][-1] == pytest.approx(math.erfc(math.atanh(0.97) / root / math.sqrt(2)))
    assert found.limit.chi_1
    growth = found.layers["gradient_growth"]
    np.testing.assert_allclose(growth[40:79] / growth[41:80], found.limit.chi_1, 1e-6)


def test_the_rectifier_with_he_keeps_variances_and_gradients() -> None:
    found = told(ReLU(), He(), x=3 * unit_inputs())
    np.testing.assert_allclose(found.layers["q"], 18, 1e-12)
    np.testing.assert_allclose(found.layers["output_mean"], math.sqrt(18 / (2 * math.pi)), 1e-12)
    np.testing.assert_allclose(found.layers["output_std"], math.sqrt(9 - 9 / math.pi), 1e-12)
    np.testing.assert_allclose(found.layers["gradient_growth"], 1, 1e-12)
    assert np.isnan(found.layers["saturated"]).all()


@pytest.mark.parametrize("angle", [0.0, 45.0, 120.0])
def test_the_rectifier_brings_inputs_together(angle: float) -> None:
    """By the arc-cosine kernel: Cho and Saul, "Kernel methods for deep learning", NIPS 2009."""
    c = [math.cos(math.radians(angle))]
    while len(c) < 5:
        turn = math.acos(min(1, c[-1]))
        c.append((math.sin(turn) + (math.pi - turn) * c[-1]) / math.pi)
    found = told(ReLU(), He(), x=unit_inputs(angle=angle)).layers["correlation"]
    np.testing.assert_allclose(found, c, atol=1e-7)


def test_critical_weights_are_critical() -> None:
    for biases in (0.0, 0.05):
        found = told(Tanh(), LayerInitializer(Critical(), Normal(variance=biases)))
        assert found.limit.chi_1 == pytest.approx(1, abs=1e-6)
    found = told(Tanh(), LayerInitializer(Critical(0.5), Critical(0.5)))
    assert found.limit.q_star == pytest.approx(0.5, rel=1e-9)
    assert found.limit.chi_1 == pytest.approx(1, rel=1e-9)


# --- Norms over networks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("activation", "kappa"), [(ReLU(), 6.0), (Identity(), 3.0), (LeakyReLU(0.5), 4.08)])
def test_norm_scatter_of_rectifiers(activation: Activation, kappa: float) -> None:
    """(1 + 2/n) (1 + (κ − 1)/n)^(l−1) − 1, κ = 6 (1 + α⁴) / (1 + α²)²."""
    found = told(activation, He()).layers["norm_scatter"]
    expected = [math.sqrt((1 + 2 / 20) * (1 + (kappa - 1) / 20) ** level - 1) for level in range(5)]
    np.testing.assert_allclose(found, expected, 1e-12)


def test_norm_scatter_of_layers_of_unequal_width() -> None:
    """By the widths of the layers before, and of the layer itself; the input's does not count."""
    found = theory(ReLU(), LayerInitializer(He()), (20, 5, 40, 10), unit_inputs())
    assert found is not None
    expected = [2 / 5, (1 + 5 / 5) * (1 + 2 / 40) - 1, (1 + 5 / 5) * (1 + 5 / 40) * (1 + 2 / 10) - 1]
    np.testing.assert_allclose(found.layers["norm_scatter"], np.sqrt(expected), 1e-12)


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [(Tanh(), LayerInitializer(He())), (ReLU(), LayerInitializer(He(), Normal(std=0.1)))],
    ids=["no rectifier", "biases"],
)
def test_no_norm_scatter(activation: Activation, initializer: LayerInitializer) -> None:
    assert np.isnan(told(activation, initializer).layers["norm_scatter"]).all()


# --- Samples of unequal size -------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", [Tanh(), Sigmoid(), ReLU()], ids=lambda part: part.name)
def test_theory_of_samples_is_the_average_of_theirs(activation: Activation) -> None:
    """Of means, and of mean squares about the common mean; as few samples as these are not grouped."""
    initializer = LayerInitializer(LeCun(gain=1.3), Normal(std=0.4))
    x = unit_inputs() * np.geomspace(0.1, 10, 10)[:, None]
    whole = told(activation, initializer, x=x)
    single = [told(activation, initializer, x=row[None]) for row in x]
    layers = {key: np.array([one.layers[key] for one in single]) for key in whole.layers}
    for key in ("q", "output_mean", "saturated"):
        np.testing.assert_allclose(whole.layers[key], layers[key].mean(axis=0), 1e-12, 1e-15, err_msg=key)
    squares = (layers["output_std"] ** 2 + layers["output_mean"] ** 2).mean(axis=0)
    spread = np.sqrt(squares - layers["output_mean"].mean(axis=0) ** 2)
    np.testing.assert_allclose(whole.layers["output_std"], spread, 1e-9)


def test_gradients_of_samples_add_up() -> None:
    """|∂E/∂z|² of each begins with E[φ′²] of its own last layer; by weights it counts with its |a|²."""
    x = unit_inputs() * np.geomspace(0.1, 10, 10)[:, None]
    whole, depth = told(Tanh(), LeCun(gain=2.0), x=x), 5
    by_pre, by_weights = np.zeros(depth), np.zeros(depth)
    for row in x:
        one = told(Tanh(), LeCun(gain=2.0), x=row[None]).layers
        squares = one["gradient_growth"] * squared_slope(one["q"][-1])
        by_pre += squares
        by_weights += squares * np.array([np.square(row).mean(), *(one["output_std"] ** 2)[:-1]])
    np.testing.assert_allclose(whole.layers["gradient_growth"], by_pre / by_pre[-1], 1e-8)
    np.testing.assert_allclose(whole.curves["gradient.weights"] ** 2, by_weights / by_weights[-1], 1e-8)


def test_many_samples_are_grouped_by_size() -> None:
    """In 16 groups: the error is the spread within one, a small part of that of all."""
    x = np.random.default_rng(0).standard_normal((400, 5))
    whole = told(Tanh(), LeCun(gain=2.0), x=x).layers
    single = propagation(Tanh(), 4.0, 0.0, np.square(x).mean(axis=1), 5)
    np.testing.assert_allclose(whole["q"], single.q.mean(axis=1), 2e-3)
    spread = np.sqrt(np.square(single.output_std).mean(axis=1))  # the means are 0
    np.testing.assert_allclose(whole["output_std"], spread, 2e-3)


def test_one_sample_has_no_correlation() -> None:
    assert np.isnan(told(Tanh(), LeCun(), x=unit_inputs()[:1]).layers["correlation"]).all()


# --- Where there is none -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "initializer",
    [
        LayerInitializer(IdentityMatrix()),
        LayerInitializer(Sparse()),
        LayerInitializer(Constant(0.1)),
        LayerInitializer(LSUV()),
        LayerInitializer(Uniform(0.0, 1.0)),
        LayerInitializer(He(), Constant(0.1)),
        LayerInitializer(Normal(std=1e200)),
    ],
    ids=lambda item: f"{item.weights.name}-{item.biases.name}",
)
def test_no_theory_of_parameters_with_a_mean_or_without_a_variance(
    run: Run, initializer: LayerInitializer
) -> None:
    assert theory(Tanh(), initializer, (20,) * 4, unit_inputs()) is None
    case = run(initializers=(initializer,)).metrics["cases"][f"relu/{initializer.weights.name}"]
    assert case["theory"] == no_theory(3)
    values = [
        value for item in case["theory"].values() for value in (item if isinstance(item, list) else [item])
    ]
    assert set(values) == {None}


def test_layers_that_differ_have_no_common_variance_and_no_limit(run: Run) -> None:
    changes: dict[str, Any] = {"activations": ("tanh",), "initializers": (Glorot(),)}
    unequal = run(layers=(20, 30, 10, 10), **changes).metrics["cases"]["tanh/glorot"]["theory"]
    assert unequal["sigma_w2"] is None
    assert unequal["sigma_b2"] == 0
    assert [unequal[key] for key in ("q_star", "chi_1", "c_star", "xi_c")] == [None] * 4
    assert None not in unequal["q"]
    equal = run(layers=(20, 20, 20), **changes).metrics["cases"]["tanh/glorot"]["theory"]
    assert equal["sigma_w2"] == pytest.approx(1)
    assert equal["q_star"] == 0


def test_a_variance_that_diverges_is_told_as_far_as_it_goes() -> None:
    found = told(ReLU(), LeCun(gain=100.0), depth=12).metrics
    ratios = [b / a for a, b in zip(found["q"], found["q"][1:], strict=False) if b is not None]
    assert ratios == pytest.approx([5000] * len(ratios))
    assert found["q"][-1] is None
    assert found["q_star"] is None


# --- What is drawn -----------------------------------------------------------------------------------------


def test_gradients_by_weights_are_known_for_a_random_direction_only() -> None:
    found = told(Tanh(), LeCun())
    assert "theory.gradient.weights" in found.arrays(Linear())
    for loss in (None, SquaredError(), SoftmaxCrossEntropy()):
        assert "theory.gradient.weights" not in found.arrays(loss)
    for loss, is_known in ((None, False), (SquaredError(), False), (SoftmaxCrossEntropy(), True)):
        assert ("theory.gradient.pre" in found.arrays(loss)) is is_known


def test_the_correlation_map_is_that_of_great_depth() -> None:
    found = told(Tanh(), LayerInitializer(LeCun(gain=GAIN), Normal(std=0.3)))
    arrays = found.correlation_map()
    c, following = arrays["map.c"], arrays["map.next"]
    assert (c[0], c[-1], following[-1]) == (-1, 1, pytest.approx(1))
    assert found.limit.c_star is not None
    assert np.interp(found.limit.c_star, c, following) == pytest.approx(found.limit.c_star, abs=2e-3)


def test_the_phase_diagram_has_the_cases_inside() -> None:
    initializers = [LayerInitializer(LeCun(gain=gain), Normal(std=0.3)) for gain in (0.5, 3.0)]
    theories = [told(Tanh(), item) for item in initializers]
    diagram = phase_diagram(Tanh(), theories)
    w, b = diagram["sigma_w2"], diagram["sigma_b2"]
    for item in theories:
        assert w.min() < item.sigma_w2[0] < w.max()
        assert b.min() < item.sigma_b2[0] < b.max()
    assert diagram["chi_1"].shape == (len(b), len(w))
