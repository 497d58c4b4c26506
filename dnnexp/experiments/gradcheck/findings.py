"""What is wrong with a function itself, whatever its derivatives are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "non_deterministic",
    "stale_state",
    "mutates_input",
    "aliased_result",
    "reshaped_gradient",
    "single_precision",
    "non_finite",
    "slope_at_kink",
]


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        kind: what is wrong.
        where: the function, tensor or point.
        evidence: the numbers that show it.
    """

    kind: Kind
    where: str
    evidence: str

    @property
    def blocks(self) -> bool:
        """Whether the check cannot pass: the others leave derivatives that can be judged."""
        return self.kind not in ("single_precision", "aliased_result", "reshaped_gradient")
