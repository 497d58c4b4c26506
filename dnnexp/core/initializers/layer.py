"""The two initializers of a layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from dnnexp.core.initializers.base import Initializer
from dnnexp.core.initializers.unscaled import Zeros
from dnnexp.registry import Checked, Complaint, check, parts


@dataclass(frozen=True)
class LayerInitializer(Checked):
    """How the weights and the biases of every layer are drawn. A bare part means weights, zero biases."""

    shorthand: ClassVar[str] = "weights"
    weights: Initializer
    biases: Initializer = Zeros()

    @check("biases")
    @staticmethod
    def vectors(biases: Initializer) -> Iterator[Complaint]:
        """Biases are no matrix."""
        if biases.only_matrices:
            allowed = [name for name, cls in parts(biases.kind).items() if not cls.only_matrices]
            yield ("biases",), f"{biases.name} makes weights only, no biases; allowed: {', '.join(allowed)}"
