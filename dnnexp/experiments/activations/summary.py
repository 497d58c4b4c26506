"""The tables of `activations`: verdicts with their evidence, and the outputs of the layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dnnexp.experiments.base import Result
from dnnexp.experiments.tables import Titled, table
from dnnexp.text import counted, number

_LAYERS = (5, 4, 3, 2)
"""Numbers of layers that the table of outputs tries to show."""
_LIMITS_TITLE = (
    "theory of very deep networks (χ₁: growth of squared gradients per layer; q*, c*: fixed points\n"
    "of the variance of z and of the correlation of two inputs; ξ: layers until they are reached)"
)


def tables(result: Result) -> list[RenderableType]:
    """Verdicts, standard deviations of some layers' outputs, other depths and widths, notes."""
    config, cases = result.config, result.metrics["cases"]
    networks = "" if config.seeds == 1 else f", medians of {config.seeds} networks"
    title = f"{config.name}: {counted(len(cases), 'case')}, {counted(config.depth, 'layer')}{networks}"
    found: list[RenderableType] = [Titled(title, [_verdicts(cases)])]
    outputs = [_outputs(result, layers) for layers in _LAYERS]
    found.append(Titled("standard deviation of the outputs (in brackets: theory)", outputs))
    if any(case["theory"]["q_star"] is not None for case in cases.values()):
        found.append(Titled(_LIMITS_TITLE, [_limits(cases)]))
    if config.shapes:
        title = "other depths and widths (q: mean square of z; in brackets: theory)"
        found.append(Titled(title, [_scaling(cases)]))
    return [
        *found,
        *(Text(line, style="yellow" if line.startswith("warning") else "dim") for line in _notes(result)),
    ]


def _verdicts(cases: Any) -> Table:
    made = table("case")
    made.add_column("verdict")
    made.add_column("evidence", overflow="fold")
    for case, found in cases.items():
        name, evidence = found["verdict"]["name"], found["verdict"]["evidence"]
        made.add_row(case, Text(name, style="green" if name == "healthy" else "red"), evidence)
    return made


def _outputs(result: Result, columns: int) -> Table:
    """A row for each case, with at most `columns` evenly chosen layers."""
    depth = result.config.depth
    shown = np.unique(np.linspace(0, depth - 1, min(depth, columns)).round().astype(int))
    made = table("case", *(f"layer {level + 1}" for level in shown))
    for case, found in result.metrics["cases"].items():
        theory = found["theory"]["output_std"]
        made.add_row(case, *(_layer(found["layers"][level], theory[level]) for level in shown))
    return made


def _layer(layer: Any, theory: float | None) -> str:
    post = layer["post"]
    if post["min"] is not None and post["min"] == post["max"]:
        return f"all {number(post['mean'])}"
    shares = {
        "sat": layer["saturated_fraction"],
        "0": layer["zero_fraction"],
        "dead": layer["dead_fraction"],
    }
    notes = [f"{share:.0%} {name}" for name, share in shares.items() if share and share >= 0.005]
    expected = [] if theory is None else [f"({number(theory)})"]
    return "\n".join([number(post["std"]), *expected, *notes])


def _limits(cases: Any) -> Table:
    """The fixed points and depth scales of the cases that have some."""
    names = {"sigma_w2": "σ_w²", "sigma_b2": "σ_b²", "q_star": "q*", "chi_1": "χ₁", "c_star": "c*"}
    names |= {"xi_q": "ξ_q", "xi_c": "ξ_c"}
    made = table("case", *names.values())
    for case, found in cases.items():
        if found["theory"]["q_star"] is not None:
            made.add_row(case, *(number(found["theory"][name]) for name in names))
    return made


def _scaling(cases: Any) -> Table:
    """A row for every network of `depths` and `widths`."""
    made = table("case", "depth", "width", "q, last layer", "scatter of |z|²", "verdict")
    for case, found in cases.items():
        for place, entry in enumerate(found["scaling"]):
            last, theory = entry["layers"][-1], entry["theory"]
            made.add_row(
                "" if place else case,
                str(entry["depth"]),
                str(entry["width"]),
                _beside(last["pre"]["mean_square"], theory["q"][-1]),
                _beside(last["norm_scatter"], theory["norm_scatter"][-1]),
                entry["verdict"]["name"],
            )
    return made


def _beside(measured: float | None, theory: float | None) -> str:
    return number(measured) + ("" if theory is None else f" ({number(theory)})")


def _notes(result: Result) -> Iterator[str]:
    config, cases = result.config, result.metrics["cases"]
    samples = config.input.rows
    if samples == 1:
        yield (
            "one sample: dead units, constant outputs, the signal and correlations need several samples "
            "and are not reported"
        )
    else:
        yield f"sat: saturated; 0: exactly 0; dead: units that are 0 for all {samples:,} samples"
    if samples > 1 and result.metrics["input"]["sample_std"] == 0:
        yield "warning: the input is the same for every sample, and so are all outputs"
    for case, found in cases.items():
        weights = config.cases[case][1].item.weights
        if weights.needs_activation and abs((found["theory"]["chi_1"] or 0.0) - 1) > 1e-6:
            yield f"{case}: its critical point is repelling: the signal of this input moves away from it"
    yield "signal: the standard deviation of an output over samples, the part that depends on the input"
    for initializer in config.initializers:
        if initializer.item.weights.needs_data:
            yield f"{initializer.label}: weights are scaled to this input, for which there is no theory"
    scatter = {case: found["theory"]["norm_scatter"][-1] for case, found in cases.items()}
    largest = max(scatter, key=lambda case: scatter[case] or 0.0)
    if config.seeds == 1 and (spread := scatter[largest]):
        yield (
            f"one network each: in the last layer, |z|² of one input varies by {spread:.0%} between networks "
            f"({largest}, theory); `seeds=50` shows the band"
        )
