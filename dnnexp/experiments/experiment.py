"""An experiment as one object: all that a command needs to know of it.

This module imports the standard library only, so that `dnnexp --help` can list the experiments at once.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

    from dnnexp.experiments.base import Outline, Result, RunContext

E = TypeVar("E", bound="type[Experiment]")

_NAME_PATTERN = "[a-z][a-z0-9_]*"
_RESERVED_NAMES = {"sweep", "list", "runs", "schema", "init", "report", "confirm", "rulecheck"}
"""The commands that are not experiments."""


class Headline(NamedTuple):
    """A number that a sweep shows where it names no metrics: an expression over the metrics of a run."""

    expression: str
    label: str | None = None


class ReferenceChange(NamedTuple):
    """The changes that overriding a key of the reference config entails.

    Attributes:
        key: the overridden key.
        name: another name for the run, if it gets one.
        reset: the keys that go back to their defaults.
    """

    key: str
    name: str | None
    reset: tuple[str, ...]


@dataclass(frozen=True)
class JUnitCase:
    """Something that an experiment judged by itself, as a test case of a JUnit report.

    Attributes:
        name: the name of the case.
        outcome: `passed`, `failed`, or `skipped` for a warning that fails nothing.
        message: one line on why it did not pass.
        details: more lines.
        type: the kind of failure.
    """

    name: str
    outcome: str = "passed"
    message: str = ""
    details: str = ""
    type: str = ""


class Experiment(ABC):
    """Base class of experiments: a config class, a computation, and how its results are shown and judged.

    A subclass is registered with `register_experiment`. The first line of its docstring is the help text of
    its command. Methods import what they need when they are called.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def config_class(self) -> type[Any]:
        """The frozen dataclass of its configs, derived from `ExperimentConfig`."""

    @abstractmethod
    def run(self, config: Any, context: RunContext) -> Result:
        """Run the experiment: a pure function of the config and the random streams."""

    @abstractmethod
    def outline(self, config: Any) -> Outline:
        """The shape of the metrics that `run` returns for this config."""

    def shrink(self, config: Any) -> Any:
        """The same experiment, small enough for a second or two (`--smoke`)."""
        return config

    def estimate(self, config: Any) -> str:
        """The amount of work in words, for `--dry-run`."""
        return f"one run of {self.name}"

    def figures(self, result: Result) -> Iterable[tuple[str, Figure | bytes]]:
        """The figures of a result: a name without ending and a figure, or a file name and its content."""
        return ()

    def tables(self, result: Result) -> Sequence[RenderableType]:
        """The summary of a result, for a terminal of 80 columns."""
        return ()

    def refusal(self, result: Result) -> Sequence[RenderableType]:
        """Why `result.passed` is False: the verdict first, then its details, most telling first."""
        return [f"the verdict of {self.name} is no"]

    def headlines(self, configs: Sequence[Mapping[str, Any]]) -> Sequence[Headline]:
        """The numbers that a sweep of these configs (as plain trees) shows where it names no metrics."""
        return ()

    def compare(
        self, labels: Sequence[str], metrics: Sequence[Any], arrays: Sequence[Mapping[str, Any]]
    ) -> Figure | None:
        """The results of several runs in one figure; None if there is nothing to draw."""
        return None

    def junit_cases(self, result: Result) -> Iterable[JUnitCase]:
        """What the experiment judged by itself, beside the config's expectations."""
        return ()

    def reference_change(self, overrides: Mapping[str, Any]) -> ReferenceChange | None:
        """The changes that overriding these top-level keys of the reference config entails."""
        return None

    @property
    def help(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self) or "").partition("\n")[0]


_experiments: dict[str, Experiment] = {}


def register_experiment(name: str) -> Any:
    """Enter a class derived from `Experiment` under a name, which becomes a command.

    Raises:
        TypeError: the class is not an experiment, is abstract or has no docstring.
        ValueError: the name is taken, or is not of lower-case letters, digits and underscores.
    """

    def enter(cls: E) -> E:
        where = f"{cls.__module__}.{cls.__qualname__}"
        if not issubclass(cls, Experiment):
            raise TypeError(f"{where} must derive from Experiment")
        if missing := sorted(cls.__abstractmethods__):
            raise TypeError(f"{where} must define {', '.join(missing)}")
        if not cls.__doc__:
            raise TypeError(f"{where} needs a docstring: its first line is the help text of the command")
        if not re.fullmatch(_NAME_PATTERN, name):
            raise ValueError(f"the name {name!r} of {where} must match {_NAME_PATTERN}")
        if name in _RESERVED_NAMES or name in _experiments:
            raise ValueError(f"the name {name!r} of {where} is taken")
        cls.name = name
        _experiments[name] = cls()
        return cls

    return enter


@cache
def _load_built_in() -> None:
    """Import the packages beside this module, each of which registers an experiment."""
    package = importlib.import_module("dnnexp.experiments")
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            importlib.import_module(f"dnnexp.experiments.{module.name}")


def names() -> tuple[str, ...]:
    """The names of all experiments: the built-in ones, then those of plugins."""
    _load_built_in()
    return tuple(_experiments)


def find(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        KeyError: there is none.
    """
    _load_built_in()
    return _experiments[name]
