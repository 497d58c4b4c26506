"""Records PyTorch's Hessian-vector products, for `tests/core/test_second_order.py`, which does not need it.

Run from the top of the repository, in an environment of its own:

    pip install torch
    python -m tests.core.recorded.hessians

It writes `hessians.json` beside itself: networks with one activation throughout, what they are given,
and H v by two passes back.
"""

import json
import platform
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

WIDTHS = [3, 4, 3, 2]
BATCH = 3
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "gelu": F.gelu,
    "mish": F.mish,
    "elu": F.elu,
    "relu": F.relu,
}
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "squared_error": lambda y, t: F.mse_loss(y, t, reduction="sum") / 2,
    "linear": lambda y, t: (t * y).sum(),
    "softmax_cross_entropy": lambda y, t: F.cross_entropy(y, t, reduction="sum"),
}


def main() -> None:
    """Record everything, a line a case."""
    torch.manual_seed(0)
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    head = f'{{"versions": {json.dumps(versions)},\n"widths": {json.dumps(WIDTHS)},\n"cases": [\n'
    cases = ",\n".join(json.dumps(recorded(*names)) for names in product(ACTIVATIONS, LOSSES))
    (Path(__file__).parent / "hessians.json").write_text(f"{head}{cases}\n]}}\n", encoding="utf-8")


def recorded(activation: str, loss: str) -> dict[str, Any]:
    """One network at normal numbers, in double precision; parameters layer by layer, weights first."""
    count = sum(n_out * (n_in + 1) for n_in, n_out in pairwise(WIDTHS))
    parameters, v = torch.randn(2, count, dtype=torch.float64)
    x = torch.randn(BATCH, WIDTHS[0], dtype=torch.float64)
    t = torch.softmax(torch.randn(BATCH, WIDTHS[-1], dtype=torch.float64), dim=1)

    def value(theta: Any) -> Any:
        a, start = x, 0
        for n_in, n_out in pairwise(WIDTHS):
            middle, end = start + n_out * n_in, start + n_out * (n_in + 1)
            z = F.linear(a, theta[start:middle].reshape(n_out, n_in), theta[middle:end])
            a, start = ACTIVATIONS[activation](z), end
        return LOSSES[loss](a, t)

    _, found = torch.autograd.functional.hvp(value, parameters, v)
    given = {"parameters": parameters, "x": x, "t": t, "v": v, "product": found}
    return {"activation": activation, "loss": loss} | {name: a.tolist() for name, a in given.items()}


if __name__ == "__main__":
    main()
