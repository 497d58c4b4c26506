"""The metrics of a case: medians over networks."""

from __future__ import annotations

from dnnexp.core.arrays import Floats
from dnnexp.experiments.activations.config import ActivationsConfig
from dnnexp.experiments.activations.measure import GRADIENT, LAYER, SCATTER, Measured
from dnnexp.experiments.activations.theory import Theory, no_theory
from dnnexp.experiments.activations.verdicts import verdict
from dnnexp.experiments.base import Metrics, Outline, finite, quantile


def of_case(
    config: ActivationsConfig, widths: tuple[int, ...], measured: Measured, theory: Theory | None
) -> Metrics:
    """Medians of the layers, theory and verdict of a case in networks of these widths."""
    found = layers(measured)
    return {
        "layers": found,
        "theory": theory.metrics if theory else no_theory(len(widths) - 1),
        "verdict": verdict(config, widths, found),
    }


def outline(config: ActivationsConfig) -> Outline:
    """The shape of the metrics."""
    case: Outline = _outline_of_case(config, config.network.unrolled)
    if config.shapes:
        scaling = [
            {"width": int, "depth": int, **_outline_of_case(config, widths)} for widths in config.shapes
        ]
        case["scaling"] = scaling
    described = {"samples": int, "mean_square": float, "sample_std": float}
    return {"input": described, "cases": dict.fromkeys(config.cases, case)}


def _outline_of_case(config: ActivationsConfig, widths: tuple[int, ...]) -> Outline:
    names = dict.fromkeys((*LAYER, *(GRADIENT if config.loss else ())), float)
    depth = len(widths) - 1
    shapes = {
        name: [float] * depth if isinstance(value, list) else float
        for name, value in no_theory(depth).items()
    }
    return {
        "layers": [_nested(names) | {"norm_scatter": float}] * depth,
        "theory": shapes,
        "verdict": {"name": str, "evidence": str},
    }


def medians(values: Floats) -> list[float | None]:
    """The medians over networks of `(runs, K)`; None if not finite."""
    return [finite(value + 0.0) for value in quantile(values.T, [0.5])[0]]  # no -0.0


def layers(measured: Measured) -> list[Metrics]:
    """The medians of every layer, as in `metrics.json`."""
    columns = {name: medians(values) for name, values in measured.items()}
    scatter = norm_scatter(measured)
    depth = len(scatter)
    found = [_nested({name: column[i] for name, column in columns.items()}) for i in range(depth)]
    return [layer | {"norm_scatter": value} for layer, value in zip(found, scatter, strict=True)]


def norm_scatter(measured: Measured) -> list[float | None]:
    """The relative standard deviation of |z|² of the first sample over networks; None for a single one."""
    squares = measured[SCATTER]
    if len(squares) == 1:
        return [None] * squares.shape[1]
    return [finite(value) for value in squares.std(axis=0) / squares.mean(axis=0)]


def _nested(flat: Metrics) -> Metrics:
    """`{"pre.mean": 1}` as `{"pre": {"mean": 1}}`, without `SCATTER`."""
    tree: Metrics = {}
    for name, value in flat.items():
        if name != SCATTER:
            *path, leaf = name.split(".")
            place = tree
            for key in path:
                place = place.setdefault(key, {})
            place[leaf] = value
    return tree
