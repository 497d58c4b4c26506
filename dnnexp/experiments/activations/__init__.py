"""What each layer of fresh networks does to a signal and to its gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dnnexp.experiments.experiment import Experiment, Headline, register_experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

    from dnnexp.experiments.activations.config import ActivationsConfig
    from dnnexp.experiments.base import Outline, Result, RunContext


@register_experiment("activations")
class Activations(Experiment):
    """Show what each layer of a fresh network puts out."""

    @property
    def config_class(self) -> type[ActivationsConfig]:
        from dnnexp.experiments.activations.config import ActivationsConfig

        return ActivationsConfig

    def run(self, config: ActivationsConfig, context: RunContext) -> Result:
        from dnnexp.experiments.activations.run import run

        return run(config, context)

    def outline(self, config: ActivationsConfig) -> Outline:
        from dnnexp.experiments.activations.metrics import outline

        return outline(config)

    def shrink(self, config: ActivationsConfig) -> ActivationsConfig:
        from dnnexp.experiments.activations.config import shrink

        return shrink(config)

    def estimate(self, config: ActivationsConfig) -> str:
        from dnnexp.experiments.activations.config import estimate

        return estimate(config)

    def figures(self, result: Result) -> Iterator[tuple[str, Figure]]:
        from dnnexp.experiments.activations.figures import figures

        return figures(result)

    def tables(self, result: Result) -> list[RenderableType]:
        from dnnexp.experiments.activations.summary import tables

        return tables(result)

    def headlines(self, configs: Sequence[Mapping[str, Any]]) -> Sequence[Headline]:
        """The standard deviations of the last layers' outputs."""
        from dnnexp.experiments.headlines import common_labels, each_or_one, key, label_of

        cases = common_labels(
            tuple(
                f"{label_of(activation)}/{label_of(initializer)}"
                for activation in config["activations"]
                for initializer in config["initializers"]
            )
            for config in configs
        )
        paths = [f"cases{key(case)}.layers[-1].post.std" for case in cases]
        largest = Headline("max(cases[each].layers[-1].post.std for each in cases)", "largest_std")
        return each_or_one(paths, largest)

    def compare(
        self, labels: Sequence[str], metrics: Sequence[Any], arrays: Sequence[Mapping[str, Any]]
    ) -> Figure:
        from dnnexp.experiments.activations.figures.comparison import comparison

        return comparison(labels, metrics)
