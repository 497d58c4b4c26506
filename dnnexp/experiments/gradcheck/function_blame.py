"""Diagnosis of a wrong formula: tensor, entry, both numbers, and the known mistake that explains them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.faults import proportion, ratio
from dnnexp.experiments.base import Metrics
from dnnexp.experiments.gradcheck.blame import evidence, severity
from dnnexp.experiments.gradcheck.checks import Derivatives
from dnnexp.text import counted

_TOLERANCE = 1e-5
"""Tolerance for the formula to be a multiple of the truth, relative to the tensor's largest entry."""
_WORDS = {
    "sign": "as if its sign were wrong",
    "factor": "as if a factor of 2 were wrong",
    "batch_size": "as if it were multiplied or divided by the batch size",
    "transposed": "as if it were transposed",
}


def explain(tensors: Mapping[str, Derivatives], wrong: list[Metrics]) -> Metrics:
    """The diagnosis: the worst tensor, its fault (None if none is known to do this) and evidence."""
    own = [entry for entry in wrong if entry["pair"].startswith("analytic")] or wrong
    worst = max(own, key=severity)
    tensor = tensors[worst["tensor"]]
    claimed, truth = tensor.by_method["analytic"], tensor.by_method[_trusted(tensor)]
    rated = ~tensor.crossed(tensor.doubts) & np.isfinite(truth)
    batch = tensor.shape[1] if tensor.tensor.startswith("loss:") else None
    fault = ratio(np.where(rated, claimed, 0.0), np.where(rated, truth, 0.0), batch, _TOLERANCE)
    text = evidence(worst)
    if fault in _WORDS:
        text = f"{text}; {_WORDS[fault]}"
    elif (place := _place(tensor, claimed, truth, rated)) is not None:
        text = f"{text}; {place}"
    return {"tensor": worst["tensor"], "layer": None, "fault": fault, "evidence": text}


def _trusted(tensor: Derivatives) -> str:
    return "complex" if "complex" in tensor.by_method else "richardson"


def _place(tensor: Derivatives, claimed: Any, truth: Any, rated: Any) -> str | None:
    """Where the formula differs: by a constant factor, at how many entries, in which coordinates."""
    c = proportion(np.where(rated, claimed, 0.0), np.where(rated, truth, 0.0), _TOLERANCE)
    if c is not None and abs(c - 1) > _TOLERANCE:
        return f"all entries are {c:.6g} times what they should be"
    error = np.asarray(tensor.doubts["richardson"].error)
    off = rated & ~(np.abs(claimed - tensor.by_method["richardson"]) <= 2 * tensor.bound + error)
    if not off.any():
        return None
    wrong, of = int(off.sum()), counted(int(rated.sum()), "entry", "entries")
    text = f"{wrong:,} of {of} {'is' if wrong == 1 else 'are'} wrong"
    columns = off.reshape(len(off), -1).any(axis=0)
    if columns.size > 1 and 0 < columns.sum() <= 3 and columns.sum() < columns.size:
        names = ", ".join(
            str([int(i) for i in np.unravel_index(j, off.shape[1:])]) for j in np.flatnonzero(columns)
        )
        text += f", all of coordinate {names}"
    return text + _pattern(claimed[off], truth[off])


def _pattern(claimed: Floats, truth: Floats) -> str:
    """What several wrong entries have in common: a factor, or a number that is added."""
    if claimed.size < 2:
        return ""
    c = proportion(claimed, truth, _TOLERANCE)
    if c is not None and abs(c - 1) > _TOLERANCE:
        return f", {c:.6g} times what they should be"
    difference = claimed - truth
    shift = float(np.median(difference))
    if np.abs(difference - shift).max() <= _TOLERANCE * abs(shift):
        return f", each too {'large' if shift > 0 else 'small'} by {abs(shift):.6g}"
    return ""
