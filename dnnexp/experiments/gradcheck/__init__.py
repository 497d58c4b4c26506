"""Derivatives, each computed by several methods and compared entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dnnexp.experiments.experiment import (
    Experiment,
    Headline,
    JUnitCase,
    ReferenceChange,
    register_experiment,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

    from dnnexp.experiments.base import Outline, Result, RunContext
    from dnnexp.experiments.gradcheck.config import GradcheckConfig


@register_experiment("gradcheck")
class Gradcheck(Experiment):
    """Check derivatives, each by several methods."""

    @property
    def config_class(self) -> type[GradcheckConfig]:
        from dnnexp.experiments.gradcheck.config import GradcheckConfig

        return GradcheckConfig

    def run(self, config: GradcheckConfig, context: RunContext) -> Result:
        from dnnexp.experiments.gradcheck.run import run

        return run(config, context)

    def outline(self, config: GradcheckConfig) -> Outline:
        from dnnexp.experiments.gradcheck.outline import outline

        return outline(config)

    def shrink(self, config: GradcheckConfig) -> GradcheckConfig:
        from dnnexp.experiments.gradcheck.work import shrink

        return shrink(config)

    def estimate(self, config: GradcheckConfig) -> str:
        from dnnexp.experiments.gradcheck.work import estimate

        return estimate(config)

    def figures(self, result: Result) -> Iterator[tuple[str, Figure]]:
        from dnnexp.experiments.gradcheck.figures import figures

        return figures(result)

    def tables(self, result: Result) -> list[RenderableType]:
        from dnnexp.experiments.gradcheck.summary import tables

        return tables(result)

    def refusal(self, result: Result) -> list[RenderableType]:
        from dnnexp.experiments.gradcheck.summary import verdict

        return verdict(result)

    def headlines(self, configs: Sequence[Mapping[str, Any]]) -> list[Headline]:
        """The largest relative error."""
        return [Headline("max(check.max_rel_error for check in checks)", "max_rel_error")]

    def compare(
        self, labels: Sequence[str], metrics: Sequence[Any], arrays: Sequence[Mapping[str, Any]]
    ) -> Figure:
        from dnnexp.experiments.gradcheck.figures.comparison import comparison

        return comparison(labels, metrics)

    def junit_cases(self, result: Result) -> Iterator[JUnitCase]:
        from dnnexp.experiments.gradcheck.junit import cases

        return cases(result)

    def reference_change(self, overrides: Mapping[str, Any]) -> ReferenceChange | None:
        """A `target` in place of the reference's network names the run and resets the network's keys."""
        if "target" not in overrides:
            return None
        from dnnexp.experiments.gradcheck.targets.base import name_of

        name = name_of(overrides["target"])
        if name == "network":
            return None
        reset = ("expect", "network", "initializer", "loss", "batch", "methods")
        return ReferenceChange("target", name or None, reset)
