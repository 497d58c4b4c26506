"""Phrases that summaries and figures share: the reason of the verdict, and how much was compared."""

from __future__ import annotations

from itertools import pairwise

from dnnexp.experiments.base import Metrics
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.findings import Finding
from dnnexp.experiments.gradcheck.targets import NetworkTarget
from dnnexp.text import counted


def headline(metrics: Metrics) -> Metrics | None:
    """The finding that decides the verdict; None where methods disagree or the check passed."""
    if metrics["passed"] or not all(metrics["agreement"].values()):
        return None
    found = [finding for finding in metrics["findings"] if Finding(**finding).blocks]
    if metrics["verdict"] == "wrong":
        found.sort(key=lambda finding: finding["kind"] != "slope_at_kink")
    return next(iter(found), None)


def breaks_down(finding: Metrics | None) -> bool:
    """Whether the finding is a number that is not finite, which leaves nothing to compare."""
    return finding is not None and finding["kind"] == "non_finite"


def kind(finding: Metrics) -> str:
    """The kind of a finding, in words."""
    return "not finite" if finding["kind"] == "non_finite" else str(finding["kind"]).replace("_", " ")


def describe(finding: Metrics) -> str:
    """A finding as a sentence."""
    return f"{kind(finding)}: {finding['where']}: {finding['evidence']}"


def points(coverage: Metrics) -> str:
    """The number of points of functions; '' for networks, which are checked at one set of weights."""
    fewest, most = coverage["fewest_points"], coverage["most_points"]
    if fewest is None:
        return ""
    if fewest < most:
        return f"at {fewest:,} to {most:,} points each"
    return "at 1 point only" if most == 1 else f"at {most:,} points"


def share(config: GradcheckConfig, coverage: Metrics) -> str:
    """The share of entries compared. For a network it counts parameters: all of dy/dx is always compared."""
    compared, entries = coverage["compared"], coverage["entries"]
    if config.network is None or not isinstance(config.target, NetworkTarget):
        return f"{compared:,} of {counted(entries, 'entry', 'entries')}"
    parameters = sum(n_out * (n_in + 1) for n_in, n_out in pairwise(config.network.layers))
    return f"{compared - (entries - parameters):,} of {counted(parameters, 'parameter')}"
