"""The shape of the metrics."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from dnnexp.experiments.base import Outline
from dnnexp.experiments.gradcheck.config import GradcheckConfig, ordered, part_methods
from dnnexp.experiments.gradcheck.products import second_order_methods
from dnnexp.experiments.gradcheck.sweep import directional_methods
from dnnexp.experiments.gradcheck.targets import NetworkTarget


class Row(NamedTuple):
    """A tensor of the metrics: its name, how many indices an entry has, the methods that are compared."""

    tensor: str
    indices: int
    methods: tuple[str, ...]


def rows(config: GradcheckConfig) -> list[Row]:
    """All tensors that a run compares, in the order of the metrics."""
    if not isinstance(config.target, NetworkTarget):
        return [
            Row(tensor.name, tensor.indices, tuple(part_methods(config, tensor.takes_complex)))
            for tensor in config.target.tensors
        ]
    methods, found = tuple(ordered(config.methods)), []
    names = {f"{kind}{level}": 2 if kind == "W" else 1 for level in levels(config) for kind in "Wb"}
    for tensor, indices in names.items():
        found.append(Row(tensor, indices if config.directions is None else 1, methods))
    found.append(Row("dy/dx", 3 if config.directions is None else 1, methods))
    exact = ("backward", "forward")
    if config.adjoint_directions and set(exact) <= set(methods):
        found.append(Row("uJv", 1, exact))
    second = second_order_methods(config)
    if second:
        found += [Row(f"Hv.{tensor}", indices + 1, second) for tensor, indices in names.items()]
        found.append(Row("uHv", 1, ("forward", "transposed")))
    if slopes := directional_methods(config):
        found.append(Row("directional", 1, slopes))
    return found


def levels(config: GradcheckConfig) -> range:
    """The numbers of the layers."""
    return range(1, config.built.depth + 1)


def outline(config: GradcheckConfig) -> Outline:
    """The shape of the metrics."""
    found = [(row, "-".join(pair)) for row in rows(config) for pair in combinations(row.methods, 2)]
    depth = config.built.depth if isinstance(config.target, NetworkTarget) else 0
    kinks = {"checked": int, "crossed": int, "excluded": int, "layers": [int] * depth}
    order = {"observed": float, "expected": float}
    sweep = {"central": float, "complex": float}
    coverage = {"entries": int, "compared": int, "miss_probability": float, "error": float}
    return {
        "passed": bool,
        "verdict": str,
        "checks": [_check(row, pair) for row, pair in found],
        "agreement": dict.fromkeys((pair for _, pair in found), bool),
        "culprit": str,
        "diagnosis": {"tensor": str, "layer": float, "fault": str, "evidence": str},
        "kinks": kinks,
        "rechecked": int,
        "coverage": coverage | {"fewest_points": float, "most_points": float},
        "findings": object,
        "tolerance": str,
        "order": order | {"central4": order, "taylor": order},
        "step_sweep": {
            "default_step": float,
            "best_step": float,
            "best_error": float,
            "errors": {repr(float(h)): sweep for h in config.step_sweep.steps()},
        },
    }


def _check(row: Row, pair: str) -> Outline:
    return {
        "tensor": str,
        "pair": str,
        "passed": bool,
        "max_abs_error": float,
        "max_rel_error": float,
        "worst": {"index": [int] * row.indices, "left": float, "right": float},
        "bound_ratio": float,
        "compared": int,
        "excluded": int,
        "unresolved": bool,
    }
