"""Runs of PyTorch's optimizers and learning-rate schedulers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from tests.core.recorded.cases import Case, Factors
from tests.core.recorded.problems import STEPS, Floats, Run, gradient

FIELDS = {
    "momentum_buffer": "velocity",
    "sum": "total",
    "square_avg": "mean_square",
    "grad_avg": "mean",
    "acc_delta": "mean_square_step",
    "exp_avg": "mean",
    "exp_avg_sq": "mean_square",
    "max_exp_avg_sq": "largest",
    "mu_product": "product",
    "exp_inf": "mean_square",
    "prev": "gradient",
    "step_size": "size",
}
"""What PyTorch calls a field of a state, and what dnnexp does."""

torch.set_default_dtype(torch.float64)  # in which NAdam keeps the product of its momenta


def run(case: Case, noise: Floats) -> Callable[[Floats, Floats], Run]:
    """From a start, and what points are multiplied by where gradients are taken, to the run."""
    return lambda start, nudge: _run(case, noise, start, nudge)


def _run(case: Case, noise: Floats, start: Floats, nudge: Floats) -> Run:
    x = torch.tensor(start, requires_grad=True)
    optimizer = case.call([x])
    scheduler = case.schedule(optimizer) if case.schedule else None
    points, gradients, states = [start], [], []
    for k in range(STEPS):
        gradients.append(gradient(nudge[k] * points[-1], noise[k], np.stack))
        x.grad = torch.tensor(gradients[-1])
        if case.clip:
            case.clip([x])
        optimizer.step()
        if scheduler:
            scheduler.step()
        points.append(x.detach().numpy().copy())
        states.append(_state(optimizer.state[x]))
    named = {name: np.array([state[name] for state in states]) for name in states[0]}
    return Run(np.array(points), np.array(gradients), named)


def _state(found: dict[str, Any]) -> dict[str, Floats]:
    """A copy of what dnnexp has a field for."""
    return {
        FIELDS[name]: np.array(value) for name, value in found.items() if name in FIELDS and value is not None
    }


def factors(case: Factors, steps: int) -> Floats:
    """The learning rate at the steps from 0 to `steps` − 1, where it is 1 by itself."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler, found = case.call(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(found)
