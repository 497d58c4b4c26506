"""Records PyTorch's activations, for `tests/core/activations/test_recorded.py`, which does not need it.

Run from the top of the repository, in an environment of its own:

    pip install torch
    python -m tests.core.recorded.activations

It writes `activations.json` beside itself: at every point the value, and two derivatives by autograd. At a
kink those are what PyTorch chose.
"""

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from tests.core.recorded.cases import Call, Part, part

# the kinks, their surroundings, and both tails
POINTS = [-100.0, -40.0, -20.0, -8.0, -6.0, -4.0, -3.0, -2.0, -1.25, -1.0, -0.5, -1e-3]
POINTS += [0.0, 1e-3, 0.5, 1.0, 1.25, 2.0, 3.0, 4.0, 6.0, 8.0, 20.0, 40.0, 100.0]


@dataclass(frozen=True)
class Case:
    """A function as PyTorch has it, and as dnnexp has it.

    `tolerance` is relative to the argument, or to 1 where that is larger, which PyTorch has its roundings of
    where it subtracts in the tails: a few, unless PyTorch has fewer digits.
    """

    call: Call
    part: Part
    tolerance: float = 1e-15
    twice: bool = True
    """Whether PyTorch differentiates it twice, by the same formula."""


CASES = [
    Case(Call(torch.sigmoid), part("sigmoid")),
    Case(Call(torch.tanh), part("tanh")),
    Case(Call(F.softsign), part("softsign")),
    Case(Call(torch.special.erf), part("erf")),
    Case(Call(F.relu), part("relu")),
    Case(Call(F.leaky_relu), part("leaky_relu")),
    Case(Call(F.leaky_relu, negative_slope=0.2), part("leaky_relu", slope=0.2)),
    Case(Call(F.relu6), part("relu6")),
    Case(Call(F.elu), part("elu")),
    Case(Call(F.elu, alpha=0.7), part("elu", alpha=0.7)),
    Case(Call(F.selu), part("selu")),
    Case(Call(F.celu), part("celu")),
    Case(Call(F.celu, alpha=2.5), part("celu", alpha=2.5)),
    # by default PyTorch gives up the formula at β z = 20, there already in the second derivative
    Case(Call(F.softplus), part("softplus"), twice=False),
    Case(Call(F.softplus, beta=3.0, threshold=300.0), part("softplus", beta=3.0)),
    Case(Call(F.silu), part("silu")),
    Case(Call(F.gelu), part("gelu")),
    Case(Call(F.gelu, approximate="tanh"), part("gelu", form="tanh")),
    Case(Call(F.mish), part("mish")),
    # its slope is 1/6 in single precision, whatever that of z
    Case(Call(F.hardsigmoid), part("hard_sigmoid"), tolerance=1e-8, twice=False),
    Case(Call(F.hardtanh), part("hard_tanh")),
    Case(Call(F.hardswish), part("hard_swish")),
    Case(Call(torch.clone), part("identity")),
    Case(Call(torch.sin), part("sine")),
]
"""What PyTorch has, with its defaults and with other parameters."""


def main() -> None:
    """Record everything, a line a case."""
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    head = f'{{"versions": {json.dumps(versions)},\n"points": {json.dumps(POINTS)},\n"cases": [\n'
    cases = ",\n".join(json.dumps(recorded(case)) for case in CASES)
    (Path(__file__).parent / "activations.json").write_text(f"{head}{cases}\n]}}\n", encoding="utf-8")


def recorded(case: Case) -> dict[str, Any]:
    """Values and derivatives of one function, in double precision; of a straight line, no second ones."""
    z = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    f = case.call(z)
    (df,) = torch.autograd.grad(f.sum(), z, retain_graph=True)
    (again,) = torch.autograd.grad(f.sum(), z, create_graph=True)  # by other formulas
    d2f = torch.zeros_like(z)
    if case.twice and again.requires_grad:
        (d2f,) = torch.autograd.grad(again.sum(), z)
    told = {"call": str(case.call), "part": case.part, "tolerance": case.tolerance}
    return told | {"f": f.tolist(), "df": df.tolist(), "d2f": d2f.tolist() if case.twice else None}


if __name__ == "__main__":
    main()
