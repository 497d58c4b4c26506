"""Mean-field theory of a case, layer by layer and in the limit of great depth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from dnnexp.core import mean_field
from dnnexp.core.activations import Activation, Identity, LeakyReLU, ReLU
from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import LayerInitializer
from dnnexp.core.losses import Linear, Loss
from dnnexp.core.mean_field import Limit, Propagation
from dnnexp.core.mean_field.variance import LARGEST_VARIANCE
from dnnexp.experiments.activations.statistics import correlation
from dnnexp.experiments.base import Metrics, finite

LAYERS = ("q", "output_mean", "output_std", "saturated", "gradient_growth", "correlation", "norm_scatter")
"""The keys with one number per layer."""
_MAX_QUADRATURE_ERROR = 1e-9
"""The largest accepted relative error of quadrature."""
_MAX_SETTLED_Q = 1e6
"""A larger q counts as diverging."""
_MAX_TURNS_2D, _MAX_TURNS = 30, 500
"""Turns of φ within six standard deviations that quadrature in two and in one dimension can handle."""
_MAP_POINTS = 41
_STRATA = 16
_DIAGRAM_SHAPE = (48, 32)


@dataclass(frozen=True)
class Theory:
    """Theory of a case in networks of some widths.

    Attributes:
        activation: the activation of all layers.
        sigma_w2: σ_w² of each layer, `(L,)`.
        sigma_b2: σ_b² of each layer, `(L,)`.
        mean_square: the mean square of the input.
        limit: the limit of great depth.
        layers: the numbers of each layer, `(L,)`, by the names of `LAYERS`; NaN if they do not exist.
        curves: the curves beside the measured statistics, `(L,)`, by their names.
    """

    activation: Activation
    sigma_w2: Floats
    sigma_b2: Floats
    mean_square: float
    limit: Limit
    layers: dict[str, Floats]
    curves: dict[str, Floats]

    @property
    def metrics(self) -> Metrics:
        """The metrics; σ_w² and σ_b² are null if they differ between layers."""
        common = {"sigma_w2": _common(self.sigma_w2), "sigma_b2": _common(self.sigma_b2)}
        layers = {name: [finite(value) for value in values] for name, values in self.layers.items()}
        return {**common, **layers, **self.limit._asdict()}

    def arrays(self, loss: Loss | None) -> dict[str, Floats]:
        """`theory.<statistic>`, `(L,)` each.

        Gradients are known for a loss whose ∂E/∂y does not depend on the output; gradients by weights only
        for a random direction, whose parts for the samples of a batch are independent.
        """
        unknown = {"gradient.weights"} if not isinstance(loss, Linear) else set()
        unknown |= {"gradient.pre"} if loss is None or loss.follows_output else set()
        return {f"theory.{name}": values for name, values in self.curves.items() if name not in unknown}

    def correlation_map(self) -> dict[str, Floats]:
        """c ↦ c′ as `map.c`, `map.next`, in a network of great depth, at q*.

        Without a q*, the last layer's q is used. The map is empty if q diverges or φ oscillates too much.
        """
        c, q = np.linspace(-1, 1, _MAP_POINTS), self.limit.q_star or float(self.layers["q"][-1])
        if q > _MAX_SETTLED_Q or _turns(self.activation, q) > _MAX_TURNS_2D:
            return {}
        following = mean_field.correlation_map(self.activation, c, q, self.sigma_w2[-1], self.sigma_b2[-1])
        return {"map.c": c, "map.next": following}


def no_theory(depth: int) -> Metrics:
    """The metrics of a case without theory."""
    layers: Metrics = {name: [None] * depth for name in LAYERS}
    return {"sigma_w2": None, "sigma_b2": None} | layers | dict.fromkeys(Limit._fields)


def theory(
    activation: Activation, initializer: LayerInitializer, widths: tuple[int, ...], x: Floats
) -> Theory | None:
    """Theory of an activation with an initializer, for the samples of an input `(batch, n_0)`.

    None if the parameters are not independent with mean 0, or if quadrature fails. Averages are over the
    samples, whose mean squares may differ; the correlation is that of two inputs of the average mean square.
    """
    found = [initializer.variances(activation, *fans) for fans in pairwise(widths)]
    pairs = [pair for pair in found if pair is not None and all(map(math.isfinite, pair))]
    squares, shares = _strata(x)
    depth, mean_square = len(widths) - 1, float(squares @ shares)
    if len(pairs) < depth or not math.isfinite(mean_square):
        return None
    w, b = (list(values) for values in zip(*pairs, strict=True))
    if (turns := _turns(activation, w[0] * mean_square + b[0])) > _MAX_TURNS:
        return None
    p = mean_field.propagation(activation, w, b, squares, depth, shares)
    averaged = mean_field.square(activation, np.minimum(p.q, LARGEST_VARIANCE))
    if np.any(averaged.error > _MAX_QUADRATURE_ERROR * averaged.value):
        return None
    averages, curves = _averages(activation, p, squares, shares)
    nothing = np.full(depth, np.nan)
    c = nothing
    if len(x) > 1 and turns <= _MAX_TURNS_2D:
        cosine = correlation(x[: len(x) - len(x) % 2])
        q = mean_field.layer_variances([activation] * depth, w, b, mean_square)
        c = mean_field.layer_correlations([activation] * depth, w, b, q, mean_square, cosine)
    is_free = all(w) and not any(b) and initializer.weights.has_independent_entries
    scatter = _norm_scatter(activation, widths) if is_free else nothing
    layers = averages | {"correlation": c, "norm_scatter": scatter}
    ratio = np.sqrt(widths[-1] / np.array(widths[1:]))
    curves = curves | {"correlation": c, "gradient.pre": ratio * curves["gradient.pre"]}
    curves["gradient.weights"] = ratio * curves["gradient.weights"]
    return Theory(activation, p.sigma_w2, p.sigma_b2, mean_square, p.limit, layers, curves)


def _averages(
    activation: Activation, p: Propagation, squares: Floats, shares: Floats
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Averages of arrays `(L, strata)` over the samples, `(L,)` each: for metrics, and for figures.

    In figures, gradients are root mean squares relative to the last layer's. The squared gradient by the
    weights is, for a sample, |δ|² times the |a|² of the incoming signal.
    """
    q = np.where(p.q < LARGEST_VARIANCE, p.q, np.inf) @ shares
    known = np.where(np.isfinite(q), 1.0, np.nan)  # beyond, averages were taken at the largest q
    mean = known * (p.output_mean @ shares)
    outputs = p.output_mean**2 + p.output_std**2
    std = np.sqrt(p.output_std**2 @ shares + (p.output_mean - mean[:, None]) ** 2 @ shares)
    saturated = mean_field.saturated_probability(activation, np.minimum(p.q, LARGEST_VARIANCE))
    shared = np.full(len(q), np.nan) if saturated is None else known * (saturated @ shares)
    last = mean_field.chi_1(activation, np.minimum(p.q[-1], LARGEST_VARIANCE), 1.0)
    by_pre = p.gradient_growth * last
    by_weights = by_pre * np.concatenate([squares[None], outputs[:-1]])
    growth, weights = by_pre @ shares, by_weights @ shares
    numbers = {"q": q, "output_mean": mean, "output_std": std, "saturated": shared}
    drawn = {"pre.mean_square": q, "post.std": std, "saturated_fraction": shared}
    return (
        numbers | {"gradient_growth": growth / growth[-1]},
        drawn
        | {
            "gradient.pre": np.sqrt(growth / growth[-1]),
            "gradient.weights": np.sqrt(weights / weights[-1]),
        },
    )


def _turns(activation: Activation, q: float) -> int:
    """The number of turns of φ within ± 6 √q; quadrature of rapid waves would take very long."""
    u = 6 * math.sqrt(min(q, LARGEST_VARIANCE)) * np.linspace(-1, 1, 8 * _MAX_TURNS + 1)
    slopes = np.sign(activation.df(u))
    return int(np.count_nonzero(slopes[1:] * slopes[:-1] < 0))


def _strata(x: Floats) -> tuple[Floats, Floats]:
    """The samples' means of x², ascending, in groups of nearly one size: the groups' means and shares."""
    means = np.sort(np.square(x).mean(axis=1))
    few = 1 if np.ptp(means) <= 1e-9 * means[-1] else min(_STRATA, len(means))
    groups = np.array_split(means, few)
    return np.array([group.mean() for group in groups]), np.array([len(g) / len(means) for g in groups])


def _norm_scatter(activation: Activation, widths: tuple[int, ...]) -> Floats:
    """The relative standard deviation of |z|² over networks without biases; NaN unless φ is a rectifier."""
    slope, depth = _negative_slope(activation), len(widths) - 1
    if slope is None:
        return np.full(depth, np.nan)
    layers = [widths[1 : number + 1] for number in range(1, depth + 1)]
    return np.sqrt([mean_field.pre_activation_norm_variance(some, slope) for some in layers])


def phase_diagram(activation: Activation, theories: list[Theory]) -> dict[str, Any]:
    """χ₁ and q* around the variances of some cases: the arrays of a `mean_field.PhaseDiagram`."""
    w = [float(t.sigma_w2[-1]) for t in theories]
    b = [float(t.sigma_b2[-1]) for t in theories]
    lowest = min([value for value in b if value > 0], default=0.1)
    columns = np.geomspace(
        min([0.2, *(v / 3 for v in w if v > 0)]), max(8.0, *(3 * v for v in w)), _DIAGRAM_SHAPE[0]
    )
    rows = np.geomspace(min(1e-2, lowest / 3), max(1.0, *(3 * v for v in b)), _DIAGRAM_SHAPE[1])
    mean_square = theories[0].mean_square
    return mean_field.phase_diagram(activation, columns, np.append(0.0, rows), mean_square)._asdict()


def _negative_slope(activation: Activation) -> float | None:
    """α of φ(u) = max(u, α u); None for any other activation."""
    if isinstance(activation, LeakyReLU):
        return activation.slope
    return {ReLU: 0.0, Identity: 1.0}.get(type(activation))


def _common(values: Floats) -> float | None:
    """The value that all layers share, or None."""
    return finite(values[0]) if np.ptp(values) <= 1e-12 * values[0] else None
