"""Runs of optax's rules and schedules."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from tests.core.recorded.cases import Case, Factors
from tests.core.recorded.problems import STEPS, Floats, Run, gradient

jax.config.update("jax_enable_x64", True)

FIELDS = {
    "trace": "velocity",
    "sum_of_squares": "total",
    "e_g": "mean_square",
    "e_x": "mean_square_step",
    "mu": "mean",
    "nu": "mean_square",
    "nu_max": "largest",
    "prev_updates": "gradient",
    "step_sizes": "size",
}
"""What optax calls a field of a state, and what dnnexp does."""


def run(case: Case, noise: Floats) -> Callable[[Floats, Floats], Run]:
    """From a start, and what points are multiplied by where gradients are taken, to the run."""
    rule = case.call()

    # optax has the runs first: a norm is that of one run
    def step(carried: Any, at: Any) -> Any:
        (x, state), (nudge, disturbance) = carried, at
        slope = gradient(nudge * x, disturbance, jnp.stack)
        moved, state = jax.vmap(rule.update)(slope.T, state, x.T)
        x = optax.apply_updates(x, moved.T)
        return (x, state), (x, slope, state)

    def loop(start: Any, nudge: Any) -> Any:
        return jax.lax.scan(step, (start, jax.vmap(rule.init)(start.T)), (nudge, noise))[1]

    compiled = jax.jit(loop)

    def from_start(start: Floats, nudge: Floats) -> Run:
        points, gradients, state = compiled(start, nudge)
        states = _named(state)
        if "momentum_decay" in case.part:
            states["product"] = case.call.named.get("b1", 0.9) ** np.arange(1, STEPS + 1)
        return Run(np.concatenate([start[None], points]), np.asarray(gradients), states)

    return from_start


def _named(state: Any) -> dict[str, Floats]:
    """What dnnexp has a field for, of all the states in a chain; `(STEPS, 3, 3)`, runs last."""
    found: dict[str, Floats] = {}
    for name, value in zip(getattr(state, "_fields", [""] * len(state)), state, strict=True):
        if name in FIELDS:
            found[FIELDS[name]] = np.asarray(value).transpose(0, 2, 1)
        elif isinstance(value, tuple):
            found |= _named(value)
    return found


def factors(case: Factors, steps: int) -> Floats:
    """The factors of the steps from 0 to `steps` − 1."""
    schedule = case.call()
    return np.array([float(schedule(jnp.asarray(k))) for k in range(steps)])
