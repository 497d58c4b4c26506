"""All 50 500 parameters by central differences, against torch.autograd.gradcheck in slow mode, in turn.

Run: OPENBLAS_NUM_THREADS=1 python benchmarks/gradcheck_torch.py [ROUNDS]. Of both and for each batch it
prints the median and the median ratio. Both have two threads: PyTorch in its kernels, dnnexp over blocks of
parameters. PyTorch is no dependency of the project: pip install torch (the build for CPUs will do).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np

from dnnexp.core.activations import Sigmoid
from dnnexp.core.initializers import Glorot, LayerInitializer, Normal
from dnnexp.core.losses import SquaredError
from dnnexp.core.network import Network
from dnnexp.core.parameter_derivatives import central_derivatives
from dnnexp.core.problem import Problem

try:
    import torch
except ImportError:
    sys.exit("This benchmark needs PyTorch: pip install torch")

WIDTHS, BATCHES, ROUNDS, THREADS = (100,) * 6, (8, 1), 5, 2
STEP, ABSOLUTE, RELATIVE = 1e-6, 1e-5, 1e-3  # gradcheck's defaults


def ours(problem: Problem) -> bool:
    """Backward, central differences, and the comparison, as gradcheck has it."""
    numeric = central_derivatives(problem, STEP).value
    analytic = problem.network.gradient(problem.parameters, problem.x, problem.t, problem.loss)
    return np.allclose(analytic, numeric, rtol=RELATIVE, atol=ABSOLUTE)


def theirs(problem: Problem) -> bool:
    layers = problem.network.layers(problem.parameters)
    tensors = [torch.tensor(part, requires_grad=True) for layer in layers for part in layer]
    x, t = torch.tensor(problem.x), torch.tensor(problem.t)

    def loss(*parameters: Any) -> Any:
        a = x
        for weights, biases in zip(parameters[::2], parameters[1::2], strict=True):
            a = torch.sigmoid(torch.nn.functional.linear(a, weights, biases))
        return ((a - t) ** 2).sum() / 2

    return bool(
        torch.autograd.gradcheck(loss, tensors, eps=STEP, atol=ABSOLUTE, rtol=RELATIVE, fast_mode=False)
    )


def problem_of(batch: int) -> Problem:
    generators = np.random.default_rng(0).spawn(4)
    network = Network(WIDTHS, (Sigmoid(),) * (len(WIDTHS) - 1))
    x, t = (generator.standard_normal((batch, WIDTHS[0])) for generator in generators[:2])
    initializer = LayerInitializer(Glorot(), Normal(std=0.1))
    return Problem(network, network.draw(initializer, generators[2], generators[3]), x, t, SquaredError())


def seconds(check: Callable[[Problem], bool], problem: Problem) -> float:
    begin = time.perf_counter()
    if not check(problem):
        sys.exit(f"{check.__name__}: the gradients disagree")
    return time.perf_counter() - begin


def main() -> None:
    torch.set_num_threads(THREADS)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    for batch in BATCHES:
        problem = problem_of(batch)
        pairs = [(seconds(ours, problem), seconds(theirs, problem)) for _ in range(rounds)]
        a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(
            f"batch {batch}, {problem.network.parameter_count} parameters: dnnexp {a:.2f} s, "
            f"gradcheck {b:.2f} s, {ratio:.1f} times as fast",
            flush=True,
        )


if __name__ == "__main__":
    with patch("os.cpu_count", return_value=THREADS):
        main()
