"""What can be checked: a network, or functions that come with their derivatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from dnnexp.core.streams import Streams
from dnnexp.experiments.gradcheck.cases import Case
from dnnexp.experiments.gradcheck.findings import Finding
from dnnexp.registry import Part, Problem, register


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
