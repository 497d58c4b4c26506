"""Rules of optax, each with its defaults, with unusual hyperparameters, and with a schedule."""

from typing import Any

import jax.numpy as jnp
import optax

from tests.core.recorded.cases import Call, Case, part
from tests.core.recorded.problems import STEPS


def scheduled(schedule: Any, *values: Any, **named: Any) -> Any:
    """A schedule that computes in double precision, which optax leaves where it counts in 32-bit integers."""
    made = schedule(*values, **named)
    return lambda count: made(jnp.asarray(count, jnp.float64))


def prompt_rprop(**named: Any) -> optax.GradientTransformation:
    """Rprop without the delay.

    optax (0.2.8) hands out the update of the step before, as its pull request 1725 says; the one of this
    step is in its state.
    """
    init, update = optax.rprop(**named)

    def prompt(updates: Any, state: Any, params: Any = None) -> Any:
        state = update(updates, state, params)[1]
        return -state[0].prev_updates, state

    return optax.GradientTransformation(init, prompt)


def scaled_momentum(rate: Any, decay: float, nesterov: bool = False) -> optax.GradientTransformation:
    """The learning rate inside the velocity."""
    return optax.chain(optax.scale_by_learning_rate(rate), optax.trace(decay, nesterov))


CASES = [
    Case("sgd-default", Call(optax.sgd, learning_rate=1e-3), part("gradient_descent")),
    Case(
        "sgd-unusual",
        Call(
            optax.chain,
            Call(optax.clip, 100.0),
            Call(optax.clip_by_global_norm, 50.0),
            Call(optax.add_decayed_weights, 0.3),
            Call(optax.sgd, learning_rate=2e-3),
        ),
        part("gradient_descent", learning_rate=2e-3, clip_value=100.0, clip_norm=50.0, weight_decay=0.3),
    ),
    Case(
        "sgd-scheduled",
        Call(optax.sgd, learning_rate=Call(scheduled, optax.exponential_decay, 1e-3, STEPS, 0.2)),
        part("gradient_descent", schedule=part("exponential", end=0.2)),
    ),
    Case(
        "momentum-default",
        Call(optax.sgd, learning_rate=1e-3, momentum=0.9),
        part("momentum", velocity="raw"),
    ),
    Case(
        "momentum-scaled",
        Call(scaled_momentum, rate=Call(scheduled, optax.polynomial_schedule, 2e-3, 2e-4, 2, 800), decay=0.8),
        part(
            "momentum",
            learning_rate=2e-3,
            momentum=0.8,
            schedule=part("polynomial", power=2.0, end=0.1, steps=800),
        ),
    ),
    Case(
        "momentum-scheduled",
        Call(
            optax.sgd,
            learning_rate=Call(scheduled, optax.exponential_decay, 1e-3, 200, 0.5, staircase=True),
            momentum=0.95,
        ),
        part("momentum", velocity="raw", momentum=0.95, schedule=part("step", every=200, gamma=0.5)),
    ),
    Case(
        "nesterov-default",
        Call(optax.sgd, learning_rate=1e-3, momentum=0.9, nesterov=True),
        part("nesterov", velocity="raw", form="rewritten"),
    ),
    Case(
        "nesterov-scaled",
        Call(
            scaled_momentum,
            rate=Call(scheduled, optax.cosine_decay_schedule, 1e-3, STEPS, alpha=0.05),
            decay=0.9,
            nesterov=True,
        ),
        part("nesterov", form="rewritten", schedule=part("cosine", end=0.05)),
    ),
    Case(
        "nesterov-scheduled",
        Call(
            optax.chain,
            Call(optax.clip_by_global_norm, 100.0),
            Call(
                optax.sgd,
                learning_rate=Call(scheduled, optax.piecewise_constant_schedule, 1e-3, {300: 0.5, 700: 0.2}),
                momentum=0.95,
                nesterov=True,
            ),
        ),
        part(
            "nesterov",
            velocity="raw",
            form="rewritten",
            momentum=0.95,
            clip_norm=100.0,
            schedule=part("piecewise", pieces=[{"at": 300, "factor": 0.5}, {"at": 700, "factor": 0.1}]),
        ),
    ),
    Case(
        "adagrad-default",
        Call(optax.adagrad, learning_rate=0.1),
        part("adagrad", learning_rate=0.1, initial_accumulator=0.1, epsilon=1e-7, epsilon_place="inside"),
    ),
    Case(
        "adagrad-unusual",
        Call(
            optax.chain,
            Call(optax.clip, 20.0),
            Call(optax.adagrad, learning_rate=0.4, initial_accumulator_value=3.0, eps=0.2),
        ),
        part(
            "adagrad",
            learning_rate=0.4,
            initial_accumulator=3.0,
            epsilon=0.2,
            epsilon_place="inside",
            clip_value=20.0,
        ),
    ),
    Case(
        "adagrad-scheduled",
        Call(optax.adagrad, learning_rate=Call(scheduled, optax.cosine_decay_schedule, 0.5, STEPS)),
        part(
            "adagrad",
            learning_rate=0.5,
            initial_accumulator=0.1,
            epsilon=1e-7,
            epsilon_place="inside",
            schedule=part("cosine"),
        ),
    ),
    Case(
        "rmsprop-default",
        Call(optax.rmsprop, learning_rate=0.01),
        part("rmsprop", epsilon_place="inside"),
    ),
    Case(
        "rmsprop-unusual",
        Call(optax.rmsprop, learning_rate=4e-3, decay=0.95, eps=0.1, eps_in_sqrt=False, momentum=0.7),
        part("rmsprop", learning_rate=4e-3, beta=0.95, epsilon=0.1, momentum=0.7, velocity="scaled"),
    ),
    Case(
        "rmsprop-centered",
        Call(optax.rmsprop, learning_rate=3e-3, decay=0.9, eps=1e-3, centered=True),
        part("rmsprop", learning_rate=3e-3, epsilon=1e-3, epsilon_place="inside", centered=True),
    ),
    Case(
        "rmsprop-scheduled",
        Call(
            optax.rmsprop,
            learning_rate=Call(
                scheduled, optax.warmup_cosine_decay_schedule, 1e-3, 1e-2, 100, STEPS, end_value=1e-4
            ),
            eps=1e-2,
            centered=True,
            momentum=0.5,
        ),
        part(
            "rmsprop",
            epsilon=1e-2,
            epsilon_place="inside",
            centered=True,
            momentum=0.5,
            velocity="scaled",
            schedule=part("cosine", end=0.01, warmup=100, warmup_start=0.1),
        ),
    ),
    Case("adadelta-default", Call(optax.adadelta, learning_rate=1.0), part("adadelta")),
    Case(
        "adadelta-unusual",
        Call(optax.adadelta, learning_rate=0.8, rho=0.8, eps=1e-3, weight_decay=0.2),
        part("adadelta", learning_rate=0.8, beta=0.8, epsilon=1e-3, weight_decay=0.2),
    ),
    Case(
        "adadelta-scheduled",
        Call(
            optax.adadelta,
            learning_rate=Call(scheduled, optax.exponential_decay, 1.0, 250, 0.6, staircase=True),
            eps=1e-4,
        ),
        part("adadelta", epsilon=1e-4, schedule=part("step", every=250, gamma=0.6)),
    ),
    Case("lion-default", Call(optax.lion, learning_rate=1e-4), part("lion", weight_decay=1e-3)),
    Case(
        "lion-unusual",
        Call(optax.lion, learning_rate=1e-2, b1=0.7, b2=0.9, weight_decay=0.3),
        part("lion", learning_rate=1e-2, beta1=0.7, beta2=0.9, weight_decay=0.3),
    ),
    Case(
        "lion-scheduled",
        Call(
            optax.lion,
            learning_rate=Call(scheduled, optax.cosine_decay_schedule, 2e-2, STEPS),
            weight_decay=0.0,
        ),
        part("lion", learning_rate=2e-2, schedule=part("cosine")),
    ),
    Case("rprop-default", Call(prompt_rprop, learning_rate=1e-2), part("rprop")),
    Case(
        "rprop-unusual",
        Call(
            prompt_rprop,
            learning_rate=0.23,
            eta_minus=0.4,
            eta_plus=1.5,
            min_step_size=1e-3,
            max_step_size=0.3,
        ),
        part("rprop", learning_rate=0.23, shrink=0.4, grow=1.5, smallest_step=1e-3, largest_step=0.3),
    ),
]
