"""Optimizers compared on one objective or on a suite of them, all from the same starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dnnexp.experiments.experiment import Experiment, Headline, register_experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

    from dnnexp.experiments.base import Outline, Result, RunContext
    from dnnexp.experiments.optimize.config import OptimizeConfig


@register_experiment("optimize")
class Optimize(Experiment):
    """Compare optimizers from shared starts."""

    @property
    def config_class(self) -> type[OptimizeConfig]:
        from dnnexp.experiments.optimize.config import OptimizeConfig

        return OptimizeConfig

    def run(self, config: OptimizeConfig, context: RunContext) -> Result:
        from dnnexp.experiments.optimize.run import run

        return run(config, context)

    def outline(self, config: OptimizeConfig) -> Outline:
        from dnnexp.experiments.optimize.outlines import outline

        return outline(config)

    def shrink(self, config: OptimizeConfig) -> OptimizeConfig:
        from dnnexp.experiments.optimize.config import shrink

        return shrink(config)

    def estimate(self, config: OptimizeConfig) -> str:
        from dnnexp.experiments.optimize.config import estimate

        return estimate(config)

    def figures(self, result: Result) -> Iterator[tuple[str, Figure | bytes]]:
        from dnnexp.experiments.optimize.figures import figures

        return figures(result)

    def tables(self, result: Result) -> list[RenderableType]:
        from dnnexp.experiments.optimize.summary import tables

        return tables(result)

    def headlines(self, configs: Sequence[Mapping[str, Any]]) -> Sequence[Headline]:
        """Final values; of a suite of objectives, the areas under the optimizers' ECDF."""
        from dnnexp.experiments.headlines import common_labels, each_or_one, key, label_of

        labels = common_labels(tuple(map(label_of, config["optimizers"])) for config in configs)
        if all(config["objectives"] for config in configs):
            paths = [f"ecdf{key(label)}" for label in labels]
            return each_or_one(paths, Headline("max(ecdf[each] for each in ecdf)", "ecdf"))
        paths = [f"optimizers{key(label)}.final_value.median" for label in labels]
        smallest = (
            "min(optimizers[each].final_value.median for each in optimizers"
            " if 2 * optimizers[each].diverged < optimizers[each].runs)"  # the others have no finite median
        )
        return each_or_one(paths, Headline(smallest, "final_value"))

    def compare(
        self, labels: Sequence[str], metrics: Sequence[Any], arrays: Sequence[Mapping[str, Any]]
    ) -> Figure:
        from dnnexp.experiments.optimize.figures.comparison import comparison

        return comparison(labels, metrics, arrays)
