"""The run of `gradcheck`: measure, compare, judge."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from dnnexp.experiments.base import Metrics, Result, RunContext
from dnnexp.experiments.gradcheck import functions, network
from dnnexp.experiments.gradcheck.checks import verdict
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.findings import Finding, wrong_orders
from dnnexp.experiments.gradcheck.maps import error_maps
from dnnexp.experiments.gradcheck.measured import Measured
from dnnexp.experiments.gradcheck.targets import NetworkTarget


def run(config: GradcheckConfig, context: RunContext) -> Result:
    """Differentiate by every method, compare, and measure the error against the step."""
    with np.errstate(all="ignore"):
        target = network if isinstance(config.target, NetworkTarget) else functions
        measured = target.measure(config, context)
        findings = [*measured.findings, *wrong_orders(measured.sweep["order"])]
        sound = not any(finding.blocks for finding in findings)
        is_steady = all(finding.kind != "non_deterministic" for finding in findings)
        judged = is_steady and measured.is_defined
        found, wrong = verdict(config.tolerances, measured.tensors, sound, judged)
        diagnosis = measured.diagnose(found["culprit"], wrong) if wrong else None
    at_kink = next((finding for finding in findings if finding.kind == "slope_at_kink"), None)
    if at_kink is not None and judged and not wrong:  # no method is compared at a kink itself
        found, diagnosis = found | {"verdict": "wrong"}, _of_slope(at_kink)
    metrics = found | {"diagnosis": diagnosis} | _facts(measured, findings) | measured.sweep
    arrays = {**measured.arrays, **error_maps(measured.tensors, found)}
    return Result(config, metrics, arrays, passed=metrics["passed"])


def _of_slope(finding: Finding) -> Metrics:
    """The diagnosis of a slope that is wrong at a kink only."""
    tensor, _, kink = finding.where.partition(" at ")
    return {"tensor": tensor, "layer": None, "fault": None, "evidence": f"at {kink} {finding.evidence}"}


def _facts(measured: Measured, findings: list[Finding]) -> Metrics:
    """The metrics beside the comparison."""
    checked = sum(int(tensor.mask(tensor.compared).sum()) for tensor in measured.tensors)
    excluded = sum(int(tensor.crossed(tensor.doubts).sum()) for tensor in measured.tensors)
    kinks = {"checked": checked, "crossed": measured.kinks.crossed, "excluded": excluded}
    return {
        "kinks": kinks | {"layers": list(measured.kinks.layers)},
        "rechecked": measured.rechecked,
        "coverage": asdict(measured.coverage),
        "findings": [asdict(finding) for finding in findings],
        "tolerance": measured.tolerance,
    }
