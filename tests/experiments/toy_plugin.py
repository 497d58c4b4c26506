"""A small experiment as a plugin brings it: is the mean of some draws below a limit?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure

from dnnexp.experiments import Experiment, Headline, JUnitCase, register_experiment
from dnnexp.experiments.base import Expectation, ExperimentConfig, Result, RunContext, Work
from dnnexp.registry import Count


@dataclass(frozen=True, kw_only=True)
class ToyConfig(ExperimentConfig):
    """The mean of `draws` uniform numbers, and the limit that it must stay below."""

    experiment: Literal["toy"] = "toy"
    draws: Count = 100
    limit: float = 1.0
    expect: tuple[Expectation, ...] = ()


@register_experiment("toy")
class Toy(Experiment):
    """Compare the mean of some draws with a limit."""

    config_class = ToyConfig

    def run(self, config: ToyConfig, context: RunContext) -> Result:
        draws = context.streams("draws").uniform(size=config.draws)
        context.progress(Work("draws", config.draws, config.draws))
        passed = bool(draws.mean() < config.limit)
        metrics = {"passed": passed, "mean": float(draws.mean()), "limit": config.limit}
        return Result(config, metrics, {"sum.value": np.cumsum(draws)}, passed=passed)

    def outline(self, config: ToyConfig) -> Any:
        return {"passed": bool, "mean": float, "limit": float}

    def shrink(self, config: ToyConfig) -> ToyConfig:
        return replace(config, draws=3)

    def estimate(self, config: ToyConfig) -> str:
        return f"{config.draws} draws"

    def figures(self, result: Result) -> Iterator[tuple[str, Figure]]:
        figure = Figure()
        figure.add_subplot().plot(result.arrays["sum.value"])
        yield "sums", figure

    def tables(self, result: Result) -> list[str]:
        return [f"the mean is {result.metrics['mean']:.3f}"]

    def refusal(self, result: Result) -> list[str]:
        return [f"the mean is not below {result.config.limit}", f"it is {result.metrics['mean']:.3f}"]

    def headlines(self, configs: Sequence[Mapping[str, Any]]) -> list[Headline]:
        return [Headline("mean")]

    def compare(
        self, labels: Sequence[str], metrics: Sequence[Any], arrays: Sequence[Mapping[str, Any]]
    ) -> Figure:
        figure = Figure()
        figure.add_subplot().bar(labels, [run["mean"] for run in metrics])
        return figure

    def junit_cases(self, result: Result) -> Iterator[JUnitCase]:
        if result.passed:
            yield JUnitCase("limit")
        else:
            why, details = self.refusal(result)
            yield JUnitCase("limit", "failed", why, details, type="wrong")
