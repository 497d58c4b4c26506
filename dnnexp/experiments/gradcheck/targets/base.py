"""What can be checked: a network, or functions that come with their derivatives."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from dnnexp.core.streams import Streams
from dnnexp.experiments.gradcheck.cases import Case
from dnnexp.experiments.gradcheck.findings import Finding
from dnnexp.registry import NAME_PATTERN, Part, Problem, register


class Tensor(NamedTuple):
    """A derivative in the metrics.

    Attributes:
        name: what it is called.
        indices: how many indices an entry has; the first is the point's.
        takes_complex: whether the complex step is among its methods.
    """

    name: str
    indices: int
    takes_complex: bool = True


class Target(Part, ABC):
    """Base of the targets. `name:value` in a config stands for the field `subject` with that value."""

    kind = "target"
    subject: ClassVar[str | None] = None

    @abstractmethod
    def cases(self, streams: Streams) -> tuple[Case, ...]:
        """The functions to check and the points to check them at, drawn from the streams."""

    def complaints(self, streams: Streams) -> Iterator[Problem]:
        """What is wrong with its fields, tried with the streams of the run."""
        del streams
        yield from ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is known of it beside its cases."""
        return ()

    @property
    @abstractmethod
    def tensors(self) -> tuple[Tensor, ...]:
        """The derivatives, in the order of the cases."""


@register("network")
@dataclass(frozen=True)
class NetworkTarget(Target):
    """Network: the config's network, by every parameter and every input."""

    def cases(self, streams: Streams) -> tuple[Case, ...]:
        """None: a network is measured layer by layer."""
        return ()

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """None beside those of its layers."""
        return ()


def name_of(target: Any) -> str:
    """A run's name for a target in a config: `function:mine.f` gives `function-mine-f`; '' if none fits."""
    if not isinstance(target, dict):
        name = re.sub("[^A-Za-z0-9_-]+", "-", str(target)).strip("-")[:100]
        return name if re.fullmatch(NAME_PATTERN, name) else ""
    kind = target.get("name")
    subject = target.get(kind, "") if isinstance(kind, str) else ""  # the field of the kind's own name
    return name_of(f"{kind}:{subject.get('name', '') if isinstance(subject, dict) else subject}")
