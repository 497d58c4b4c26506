"""The table of `activations`."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.text import Text

from dnnexp.cli.summaries.tables import Titled, number, table
from dnnexp.experiments.base import Result

_LAYERS = 5


def tables(result: Result) -> list[RenderableType]:
    """The standard deviation of some layers' outputs, a row a case."""
    config = result.config
    depth = len(config.network.layers) - 1
    shown = np.unique(np.linspace(0, depth - 1, min(depth, _LAYERS)).round().astype(int))
    title = f"{config.name}: standard deviation of the outputs, {config.input.samples} samples"
    cases = table("case", *(f"layer {level + 1}" for level in shown))
    for case, found in result.metrics["cases"].items():
        cases.add_row(case, *(_layer(found["layers"][level]) for level in shown))
    note = "sat: saturated; 0: exactly 0; dead: units that are 0 for every sample"
    return [Titled(title, [cases]), Text(note, style="dim")]


def _layer(layer: Any) -> str:
    post = layer["post"]
    if post["min"] is not None and post["min"] == post["max"]:
        return f"all {number(post['mean'])}"
    shares = {
        "sat": layer["saturated_fraction"],
        "0": layer["zero_fraction"],
        "dead": layer["dead_fraction"],
    }
    notes = [f"{share:.0%} {name}" for name, share in shares.items() if share]
    return "\n".join([number(post["std"]), *notes])
