"""The schedules of PyTorch and optax, for a learning rate of 1."""

import optax
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    StepLR,
)

from tests.core.recorded.cases import Call, Factors, part
from tests.core.recorded.torch_cases import warmed_up

STEPS = 200
"""How many factors are recorded of each."""

TORCH = [
    Factors(
        "LinearLR",
        Call(LinearLR, start_factor=0.2, total_iters=30),
        part("constant", warmup=30, warmup_start=0.2),
    ),
    Factors("StepLR", Call(StepLR, step_size=30, gamma=0.6), part("step", every=30, gamma=0.6)),
    Factors("ExponentialLR", Call(ExponentialLR, gamma=0.99), part("exponential", end=0.99**STEPS)),
    Factors(
        "PolynomialLR",
        Call(PolynomialLR, total_iters=150, power=1.5),
        part("polynomial", power=1.5, steps=150),
    ),
    Factors("PolynomialLR-linear", Call(PolynomialLR, total_iters=STEPS), part("polynomial")),
    Factors("CosineAnnealingLR", Call(CosineAnnealingLR, T_max=STEPS, eta_min=0.1), part("cosine", end=0.1)),
    Factors("CosineAnnealingLR-to-0", Call(CosineAnnealingLR, T_max=STEPS), part("cosine")),
    Factors(
        "OneCycleLR",
        Call(OneCycleLR, max_lr=1.0, total_steps=STEPS + 1, cycle_momentum=False),
        part("one_cycle", steps=STEPS + 1),
    ),
    Factors(
        "MultiStepLR",
        Call(MultiStepLR, milestones=[50, 120], gamma=0.1),
        part("piecewise", pieces=[{"at": 50, "factor": 0.1}, {"at": 120, "factor": 0.01}]),
    ),
    Factors(
        "LinearLR-StepLR",
        Call(warmed_up, start=0.3, steps=20, after=StepLR, step_size=50, gamma=0.5),
        part("step", every=50, gamma=0.5, warmup=20, warmup_start=0.3),
    ),
    Factors(
        "LinearLR-CosineAnnealingLR",
        Call(warmed_up, start=0.1, steps=40, after=CosineAnnealingLR, T_max=STEPS - 40),
        part("cosine", warmup=40, warmup_start=0.1),
    ),
]

OPTAX = [
    Factors(
        "warmup_constant_schedule",
        Call(optax.warmup_constant_schedule, 0.0, 1.0, 25),
        part("constant", warmup=25),
    ),
    Factors(
        "exponential_decay", Call(optax.exponential_decay, 1.0, STEPS, 0.05), part("exponential", end=0.05)
    ),
    Factors(
        "exponential_decay-end",
        Call(optax.exponential_decay, 1.0, 120, 0.05, end_value=0.05),
        part("exponential", end=0.05, steps=120),
    ),
    Factors(
        "exponential_decay-staircase",
        Call(optax.exponential_decay, 1.0, 30, 0.6, staircase=True),
        part("step", every=30, gamma=0.6),
    ),
    Factors(
        "polynomial_schedule",
        Call(optax.polynomial_schedule, 1.0, 0.3, 2.5, 160),
        part("polynomial", power=2.5, end=0.3, steps=160),
    ),
    Factors("linear_schedule", Call(optax.linear_schedule, 1.0, 0.0, STEPS), part("polynomial")),
    Factors(
        "cosine_decay_schedule",
        Call(optax.cosine_decay_schedule, 1.0, 150, alpha=0.1),
        part("cosine", end=0.1, steps=150),
    ),
    Factors(
        "warmup_cosine_decay_schedule",
        Call(optax.warmup_cosine_decay_schedule, 0.1, 1.0, 40, STEPS, end_value=0.2),
        part("cosine", end=0.2, warmup=40, warmup_start=0.1),
    ),
    Factors(
        "warmup_exponential_decay_schedule",
        Call(optax.warmup_exponential_decay_schedule, 0.0, 1.0, 40, STEPS - 40, 0.1),
        part("exponential", end=0.1, warmup=40),
    ),
    # optax ends the rise at the step 0.3 K and the fall at K, PyTorch at 0.3 K − 1 and K − 1
    Factors(
        "cosine_onecycle_schedule",
        Call(optax.cosine_onecycle_schedule, STEPS, 1.0, 0.3),
        part("one_cycle", rise=(0.3 * STEPS + 1) / (STEPS + 1), steps=STEPS + 1),
    ),
    Factors(
        "piecewise_constant_schedule",
        Call(optax.piecewise_constant_schedule, 1.0, {50: 0.5, 120: 0.2}),
        part("piecewise", pieces=[{"at": 50, "factor": 0.5}, {"at": 120, "factor": 0.1}]),
    ),
]
