"""The figures of a result as a run writes them."""

from collections.abc import Iterator

from dnnexp import figures
from dnnexp.experiments import find
from dnnexp.experiments.base import Result


def render(experiment: str, result: Result) -> Iterator[tuple[str, bytes]]:
    """File name and content of every figure of an experiment's result."""
    return figures.render(lambda: find(experiment).figures(result))
