"""Which method is wrong, where to look first, and which known fault explains it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.faults import diagnose
from dnnexp.core.problem import Problem
from dnnexp.experiments.base import Metrics
from dnnexp.experiments.gradcheck.config import DIFFERENCES, TRUSTED


def culprit(methods: tuple[str, ...], disagreeing: set[str]) -> str | None:
    """The one method without which all pairs agree; None where there is none, or two methods only."""
    if len(methods) < 3 or not disagreeing:
        return None
    alone = [method for method in methods if all(method in pair.split("-") for pair in disagreeing)]
    return alone[0] if len(alone) == 1 else None


def explain(
    problem: Problem,
    gradients: Mapping[str, Floats],
    jacobians: Mapping[str, Floats],
    accused: str | None,
    wrong: list[Metrics],
) -> Metrics:
    """The diagnosis: tensor, layer, fault (None if none is known to do this) and evidence.

    The accused is held to be the backward pass where only two methods disagree.
    """
    last = _place(wrong, accused)
    found = None
    if accused in ("backward", None) and "backward" in gradients:
        trusted = next(method for method in TRUSTED if method in gradients)
        tolerance = {"tolerance": 1e-5} if trusted in DIFFERENCES else {}
        found = diagnose(
            problem, gradients["backward"], jacobians.get("backward"), gradients[trusted], **tolerance
        )
    return {
        "tensor": last["tensor"],
        "layer": _layer(last["tensor"]) if found is None else found.layer,
        "fault": None if found is None else found.fault,
        "evidence": evidence(last) if found is None else f"{evidence(last)}; {found.evidence}",
    }


def _place(wrong: list[Metrics], accused: str | None) -> Metrics:
    """The check to look at: a fault in a layer spoils the layers before it, so the last one is named."""
    its = [entry for entry in wrong if accused in entry["pair"].split("-")] or wrong
    return max(its, key=lambda entry: (_layer(entry["tensor"]) or 0, severity(entry)))


def evidence(entry: Metrics) -> str:
    """The worst entry of a check, with both numbers."""
    worst, (left, right) = entry["worst"], entry["pair"].split("-")
    index = ", ".join(map(str, worst["index"]))
    sides = f"{_shown(worst['left'])} by {left} and {_shown(worst['right'])} by {right}"
    return f"{entry['tensor']}[{index}] is {sides}"


def _layer(tensor: str) -> int | None:
    """3 of W3, b3, Hv.W3, Hv.b3; None of what is of no single layer."""
    found = re.fullmatch(r"(?:Hv\.)?[Wb](\d+)", tensor)
    return int(found[1]) if found else None


def severity(entry: Metrics) -> float:
    """The relative error of a check; infinite where a number is not finite, 0 where nothing is compared."""
    error = entry["max_rel_error"] if entry["compared"] else 0.0
    return np.inf if error is None else error


def _shown(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.12g}"
