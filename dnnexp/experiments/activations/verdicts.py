"""The verdict on a case, and its evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dnnexp.experiments.activations.config import ActivationsConfig
from dnnexp.experiments.base import Metrics

NAMES = ("healthy", "exploding", "constant", "symmetric", "dead", "saturated", "vanishing")


def verdict(config: ActivationsConfig, widths: tuple[int, ...], layers: list[Any]) -> Metrics:
    """The first problem of the layers' medians, causes before their effects, with its evidence.

    The evidence has the number and the threshold, and names the other problems.
    """
    found: dict[str, str] = {}
    for problem, evidence in _problems(config, widths, layers):
        found.setdefault(problem, evidence)
    if not found:
        return {"name": "healthy", "evidence": _health(config, widths, layers)}
    (name, evidence), *others = found.items()
    also = f"; also {', '.join(other for other, _ in others)}" if others else ""
    return {"name": name, "evidence": f"{evidence}{also}"}


def _problems(
    config: ActivationsConfig, widths: tuple[int, ...], layers: list[Any]
) -> Iterator[tuple[str, str]]:
    limits = config.thresholds
    for number, layer in enumerate(layers, start=1):
        if layer["pre"]["max"] is None or layer["post"]["mean_square"] is None:
            yield "exploding", f"layer {number} overflows"
            return
    yield from _sameness(config, widths, layers)
    for name, limit in (("dead", limits.dead), ("saturated", limits.saturated)):
        shares = [layer[f"{name}_fraction"] or 0.0 for layer in layers]
        if (worst := max(shares)) > limit:
            what = "units of layer {} are dead" if name == "dead" else "outputs of layer {} are saturated"
            place = what.format(shares.index(worst) + 1)
            yield name, f"{worst:.1%} of the {place} (at most {limit:.0%})"
    factors, depth = _factors(widths, layers), len(layers)
    for what, (start, end) in {"signal": (1, depth), "gradient": (depth, 1)}.items():
        factor = factors.get(what, 1.0)
        evidence = f"the {what} of layer {end} is {factor:.3g} times layer {start}'s"
        if factor > limits.exploding:
            yield "exploding", f"{evidence} (at most {limits.exploding:g})"
        if factor < limits.vanishing:
            yield "vanishing", f"{evidence} (at least {limits.vanishing:g})"


def _sameness(
    config: ActivationsConfig, widths: tuple[int, ...], layers: list[Any]
) -> Iterator[tuple[str, str]]:
    """Layers whose outputs are the same for all samples, or the same from all units."""
    for number, layer in enumerate(layers, start=1):
        within = config.same * math.sqrt(layer["post"]["mean_square"])
        if layer["sample_std"] is not None and layer["sample_std"] <= within:
            value = layer["post"]["mean"]
            is_one = layer["post"]["min"] == layer["post"]["max"]
            what = f"puts out {value:.3g} only" if is_one else "puts out the same for every sample"
            yield "constant", f"layer {number} {what}"
        if widths[number] > 1 and layer["unit_std"] <= within:
            yield "symmetric", f"all {widths[number]} units of layer {number} are the same"


def _factors(widths: tuple[int, ...], layers: list[Any]) -> dict[str, float]:
    """The change of the signal from the first layer to the last, and of gradients backward."""
    first, last = layers[0], layers[-1]
    factors = {}
    if first["sample_std"]:
        factors["signal"] = last["sample_std"] / first["sample_std"]
    elif first["sample_std"] is None and first["pre"]["mean_square"]:  # one sample: its size
        square = last["pre"]["mean_square"]
        factors["signal"] = math.inf if square is None else math.sqrt(square / first["pre"]["mean_square"])
    if "gradient" in first:
        squares = [layer["gradient"]["pre"]["mean_square"] for layer in (first, last)]
        if squares[0] is None and squares[1] is not None:
            factors["gradient"] = math.inf
        elif squares == [0.0, 0.0]:
            factors["gradient"] = 0.0
        elif squares[0] is not None and squares[1]:
            factors["gradient"] = math.sqrt(squares[0] * widths[1] / (squares[1] * widths[-1]))
    return factors


def _health(config: ActivationsConfig, widths: tuple[int, ...], layers: list[Any]) -> str:
    limits, factors = config.thresholds, _factors(widths, layers)
    told = ", ".join(f"the {what} x {factor:.3g}" for what, factor in factors.items())
    return f"{told or 'no complaint'} ({limits.vanishing:g} to {limits.exploding:g})"
