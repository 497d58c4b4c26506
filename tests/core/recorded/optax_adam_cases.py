"""Adam and its relatives in optax, each with its defaults, unusual hyperparameters, and a schedule."""

import optax

from tests.core.recorded.cases import Call, Case, part
from tests.core.recorded.optax_cases import scheduled
from tests.core.recorded.problems import STEPS

CASES = [
    Case("adam-default", Call(optax.adam, learning_rate=1e-3), part("adam")),
    Case(
        "adam-unusual",
        Call(
            optax.chain,
            Call(optax.clip_by_global_norm, 20.0),
            Call(optax.add_decayed_weights, 0.2),
            Call(optax.adam, learning_rate=0.02, b1=0.8, b2=0.95, eps=1e-3, eps_root=0.1),
        ),
        part(
            "adam",
            learning_rate=0.02,
            beta1=0.8,
            beta2=0.95,
            epsilon=1e-3,
            epsilon_root=0.1,
            weight_decay=0.2,
            clip_norm=20.0,
        ),
    ),
    Case(
        "adam-scheduled",
        Call(
            optax.adam, learning_rate=Call(scheduled, optax.warmup_cosine_decay_schedule, 0.0, 0.1, 50, STEPS)
        ),
        part("adam", learning_rate=0.1, schedule=part("cosine", warmup=50)),
    ),
    Case("adamw-default", Call(optax.adamw, learning_rate=1e-3), part("adamw", weight_decay=1e-4)),
    Case(
        "adamw-unusual",
        Call(optax.adamw, learning_rate=0.03, b1=0.7, b2=0.97, eps=0.2, eps_root=1e-2, weight_decay=0.3),
        part(
            "adamw",
            learning_rate=0.03,
            beta1=0.7,
            beta2=0.97,
            epsilon=0.2,
            epsilon_root=1e-2,
            weight_decay=0.3,
        ),
    ),
    Case(
        "adamw-scheduled",
        Call(
            optax.adamw,
            learning_rate=Call(scheduled, optax.polynomial_schedule, 0.05, 0.01, 1.5, STEPS),
            weight_decay=0.2,
        ),
        part("adamw", learning_rate=0.05, weight_decay=0.2, schedule=part("polynomial", power=1.5, end=0.2)),
    ),
    Case(
        "amsgrad-default",
        Call(optax.amsgrad, learning_rate=1e-3),
        part("amsgrad", maximum_of="corrected"),
    ),
    Case(
        "amsgrad-unusual",
        Call(
            optax.amsgrad,
            learning_rate=0.1,
            b1=0.6,
            b2=0.9,
            eps=0.1,
            eps_root=0.1,
            bias_correction_mu=False,
            bias_correction_nu=False,
        ),
        part(
            "amsgrad",
            learning_rate=0.1,
            beta1=0.6,
            beta2=0.9,
            epsilon=0.1,
            epsilon_root=0.1,
            bias_correction=False,
        ),
    ),
    Case(
        "amsgrad-scheduled",
        Call(optax.amsgrad, learning_rate=Call(scheduled, optax.linear_schedule, 0.2, 0.0, STEPS)),
        part("amsgrad", learning_rate=0.2, maximum_of="corrected", schedule=part("polynomial")),
    ),
    Case(
        "nadam-default",
        Call(optax.adam, learning_rate=2e-3, nesterov=True),
        part("nadam", momentum_decay=None),
    ),
    Case(
        "nadam-unusual",
        Call(
            optax.adamw,
            learning_rate=0.02,
            b1=0.7,
            b2=0.95,
            eps=0.1,
            eps_root=0.1,
            weight_decay=0.3,
            nesterov=True,
        ),
        part(
            "nadam",
            learning_rate=0.02,
            momentum_decay=None,
            beta1=0.7,
            beta2=0.95,
            epsilon=0.1,
            epsilon_root=0.1,
            weight_decay=0.3,
            decay="decoupled",
        ),
    ),
    Case(
        "nadam-scheduled",
        Call(
            optax.adam,
            learning_rate=Call(scheduled, optax.exponential_decay, 0.1, 500, 0.1, end_value=0.01),
            nesterov=True,
        ),
        part(
            "nadam",
            learning_rate=0.1,
            momentum_decay=None,
            schedule=part("exponential", end=0.1, steps=500),
        ),
    ),
    # before it rectifies, its steps are those of the plain mean: no larger than these problems bear
    Case("radam-default", Call(optax.radam, learning_rate=1e-3), part("radam", epsilon_after="corrected")),
    Case(
        "radam-unusual",
        Call(
            optax.chain,
            Call(optax.clip_by_global_norm, 5.0),
            Call(optax.radam, learning_rate=0.02, b1=0.8, b2=0.95, eps=0.1, eps_root=0.1, threshold=8.0),
        ),
        part(
            "radam",
            learning_rate=0.02,
            clip_norm=5.0,
            beta1=0.8,
            beta2=0.95,
            epsilon=0.1,
            epsilon_root=0.1,
            threshold=8.0,
            epsilon_after="corrected",
        ),
    ),
    Case(
        "radam-scheduled",
        Call(
            optax.radam,
            learning_rate=Call(scheduled, optax.cosine_decay_schedule, 2e-3, STEPS, alpha=0.1),
            b2=0.99,
        ),
        part(
            "radam",
            learning_rate=2e-3,
            beta2=0.99,
            epsilon_after="corrected",
            schedule=part("cosine", end=0.1),
        ),
    ),
    Case("adamax-default", Call(optax.adamax, learning_rate=2e-3), part("adamax")),
    Case(
        "adamax-unusual",
        Call(optax.adamaxw, learning_rate=0.02, b1=0.6, b2=0.9, eps=0.3, weight_decay=0.4),
        part(
            "adamax",
            learning_rate=0.02,
            beta1=0.6,
            beta2=0.9,
            epsilon=0.3,
            weight_decay=0.4,
            decay="decoupled",
        ),
    ),
    Case(
        "adamax-scheduled",
        Call(optax.adamax, learning_rate=Call(scheduled, optax.piecewise_constant_schedule, 0.1, {500: 0.2})),
        part("adamax", learning_rate=0.1, schedule=part("piecewise", pieces=[{"at": 500, "factor": 0.2}])),
    ),
]
