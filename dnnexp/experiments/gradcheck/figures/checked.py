"""A tensor as the figures show it: its checks, the pair that is shown, and the map of its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnexp.experiments.base import Metrics, Result
from dnnexp.experiments.gradcheck.checks import has_bounds, limit, ratio
from dnnexp.experiments.gradcheck.figures.scale import short
from dnnexp.experiments.gradcheck.figures.words import indexed
from dnnexp.experiments.gradcheck.maps import shown_pair
from dnnexp.figures.style import ALARM, INK
from dnnexp.text import number


@dataclass(frozen=True)
class Checked:
    """A tensor and its checks by pair.

    Attributes:
        result: the run.
        name: of the tensor.
        checks: by pair.
    """

    result: Result
    name: str
    checks: dict[str, Metrics]

    @property
    def pair(self) -> tuple[str, str]:
        """The pair that is shown."""
        found = shown_pair(self.name, self.result.metrics)
        assert found is not None  # it has checks
        return found

    @property
    def shown(self) -> Metrics:
        """The check of that pair."""
        left, right = self.pair
        return self.checks.get(f"{left}-{right}") or self.checks[f"{right}-{left}"]

    @property
    def passed(self) -> bool:
        """Whether all pairs agree."""
        return all(entry["passed"] for entry in self.checks.values())

    @property
    def is_wrong(self) -> bool:
        """Whether a pair differs by more than is allowed; nothing is where no verdict is given."""
        if self.result.metrics["verdict"] != "wrong":
            return False
        found = self.checks.values()
        return any(not entry["passed"] and shown_ratio(self.result, entry) > 1 for entry in found)

    @property
    def mark(self) -> str:
        """What stands before its name: ✗ if it is wrong, ? if it did not pass for another reason."""
        return "✗ " if self.is_wrong else "" if self.passed else "? "

    @property
    def style(self) -> dict[str, Any]:
        """Of its name."""
        if self.passed:
            return {"color": INK}
        return {"color": ALARM if self.is_wrong else INK, "fontweight": "bold"}

    @property
    def worst_pair(self) -> str:
        """The pair with the largest error, of what is allowed; among those that fail, if any do."""
        failing = [pair for pair, entry in self.checks.items() if not entry["passed"]]
        return max(failing or self.checks, key=lambda pair: shown_ratio(self.result, self.checks[pair]))

    @property
    def ratios(self) -> Any:
        """The map of |a − b| over what is allowed; at most 1 where rounding explains it."""
        error = np.asarray(self.result.arrays[f"error_map.{self.name}"], np.float64)
        tolerances, own = self.result.config.tolerances, self.result.arrays.get(f"ratio_map.{self.name}")
        allowed = limit(tolerances, self.pair)
        if allowed is None:
            none = np.where(error == 0, 0.0, np.where(np.isnan(error), np.nan, np.inf))
            found = np.asarray(none if own is None else own, np.float64)
        else:
            found = error / allowed
            if own is not None and has_bounds(tolerances, self.pair):
                found = np.fmax(found, own)
        return np.minimum(found, 1) if self.shown["unresolved"] else found

    @property
    def size(self) -> str:
        """Its largest relative error, after ~ where differences do not resolve it; '' if not finite."""
        error = self.shown["max_rel_error"]
        if error is None:
            return ""
        return ("~" if self.shown["unresolved"] else "") + short(error, 1)

    @property
    def numbers(self) -> list[str]:
        """The worst index, and below it what either method has there."""
        worst = self.shown["worst"]
        sides = zip(self.shown["pair"].split("-"), (worst["left"], worst["right"]), strict=True)
        return [indexed(self.name, worst["index"]), *(f"{method} {_told(value)}" for method, value in sides)]


def all_checked(result: Result) -> dict[str, Checked]:
    """The tensors in the order of the metrics."""
    found: dict[str, dict[str, Metrics]] = {}
    for entry in result.metrics["checks"]:
        found.setdefault(entry["tensor"], {})[entry["pair"]] = entry
    return {name: Checked(result, name, checks) for name, checks in found.items()}


def shown_ratio(result: Result, entry: Metrics) -> float:
    """The error of a check over what is allowed, at most 1 where rounding explains it; NaN: all left out."""
    value = ratio(result.config.tolerances, entry)
    if not entry["compared"] and value <= 1:
        return np.nan
    return min(value, 1.0) if entry["unresolved"] else value


def told_ratio(result: Result, entry: Metrics) -> str:
    """The same in words."""
    value = ratio(result.config.tolerances, entry)
    if not entry["compared"] and value <= 1:
        return "left out"
    return "round-off" if entry["unresolved"] and value > 1 else short(value)


def _told(value: float | None) -> str:
    return number(value) if value is None else f"{value:.6g}"
