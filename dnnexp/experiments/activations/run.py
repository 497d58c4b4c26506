"""The steps of a run of `activations`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.streams import Streams
from dnnexp.experiments.activations.config import ActivationsConfig
from dnnexp.experiments.activations.measure import measure
from dnnexp.experiments.activations.metrics import of_case
from dnnexp.experiments.activations.theory import Theory, phase_diagram, theory
from dnnexp.experiments.base import Metrics, Result, RunContext, Work, finite

BANDS = (
    *("pre.mean_square", "post.mean_square", "post.std", "sample_std", "correlation", "effective_rank"),
    *("zero_fraction", "saturated_fraction", "dead_fraction"),
    *("gradient.pre.mean_square", "gradient.weights.mean_square", "gradient.norm_ratio"),
)
"""The statistics of every network that `arrays.npz` keeps, each `(runs, L)`."""
SCALED = (
    "pre.mean_square",
    "post.mean_square",
    "sample_std",
    "correlation",
    "effective_rank",
    "gradient.pre.mean_square",
)
"""The statistics that it keeps for networks of other depths and widths."""


def run(config: ActivationsConfig, context: RunContext) -> Result:
    """Send one input through the networks of every case, and a gradient back.

    Weights are drawn by initializer label, so all activations see the same weights.
    """
    x = config.input.draw(context.streams("input"), config.network.layers[0])
    metrics: Metrics = {"input": _described(x), "cases": {}}
    arrays: dict[str, Any] = {}
    theories: dict[str, Theory | None] = {}
    networks = (config.network.unrolled, *config.shapes)
    with np.errstate(all="ignore"):
        for place, case in enumerate(config.cases):
            found = []
            for step, widths in enumerate(networks, start=1):
                found.append(_case(config, case, widths, x, context.streams, is_main=step == 1))
                total = len(networks) * len(config.cases)
                context.progress(Work("cases", place * len(networks) + step, total))
            metrics["cases"][case], more, theories[case] = found[0]
            arrays |= more
            if (expected := theories[case]) and len(x) > 1:
                arrays |= {f"{case}.{name}": values for name, values in expected.correlation_map().items()}
            if config.shapes:
                metrics["cases"][case]["scaling"] = [
                    {"width": widths[1], "depth": len(widths) - 1} | entry
                    for widths, (entry, *_) in zip(config.shapes, found[1:], strict=True)
                ]
                arrays |= _scaling(case, [entry[1] for entry in found[1:]])
        arrays |= _diagrams(config, theories)
    return Result(config, metrics, arrays)


def _described(x: Floats) -> Metrics:
    """The size of the input, and how much it varies between samples."""
    with np.errstate(all="ignore"):
        return {
            "samples": len(x),
            "mean_square": finite(np.square(x).mean()),
            "sample_std": finite(np.sqrt(x.var(axis=0).mean())),
        }


def _case(
    config: ActivationsConfig, case: str, widths: tuple[int, ...], x: Floats, streams: Streams, is_main: bool
) -> tuple[Metrics, dict[str, Any], Theory | None]:
    """Metrics, arrays and theory of a case in networks of these widths."""
    activation, initializer = config.cases[case]
    measured, arrays = measure(config, case, widths, x, streams, is_main)
    expected = theory(activation, initializer.item, widths, x)
    arrays |= {f"{case}.{name}": measured[name] for name in BANDS if name in measured}
    if expected:
        arrays |= {f"{case}.{name}": values for name, values in expected.arrays(config.loss).items()}
    return of_case(config, widths, measured, expected), arrays, expected


def _scaling(case: str, arrays: list[dict[str, Any]]) -> dict[str, Any]:
    """The statistics of the networks of all shapes: `<case>.scaling.<shape>.<name>`."""
    return {
        key.replace(case, f"{case}.scaling.{number}", 1): values
        for number, found in enumerate(arrays, start=1)
        for key, values in found.items()
        if key.removeprefix(f"{case}.") in SCALED or key.startswith(f"{case}.theory.")
    }


def _diagrams(config: ActivationsConfig, theories: dict[str, Theory | None]) -> dict[str, Any]:
    """Phase diagrams of the activations that have a case with theory: `_phase.<activation>.<array>`."""
    arrays: dict[str, Any] = {}
    for activation in config.activations:
        labels = [f"{activation.label}/{initializer.label}" for initializer in config.initializers]
        if known := [found for label in labels if (found := theories[label])]:
            diagram = phase_diagram(activation.item, known)
            arrays |= {f"_phase.{activation.label}.{name}": values for name, values in diagram.items()}
    return arrays
