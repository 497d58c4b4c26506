"""The rules of PyTorch, each with its defaults, with unusual hyperparameters, and with a schedule."""

from typing import Any

from torch.nn.utils import clip_grad_value_
from torch.optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop, Rprop
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    SequentialLR,
    StepLR,
)

from tests.core.recorded.cases import Call, Case, part
from tests.core.recorded.problems import STEPS


def warmed_up(optimizer: Any, start: float, steps: int, after: Any, **arguments: Any) -> Any:
    """A linear warm-up, then another schedule."""
    schedules = [LinearLR(optimizer, start, total_iters=steps), after(optimizer, **arguments)]
    return SequentialLR(optimizer, schedules, milestones=[steps])


CASES = [
    Case("sgd-default", Call(SGD), part("gradient_descent")),
    Case(
        "sgd-unusual",
        Call(SGD, lr=2e-3, weight_decay=0.3),
        part("gradient_descent", learning_rate=2e-3, weight_decay=0.3, clip_value=40.0),
        clip=Call(clip_grad_value_, clip_value=40.0),
    ),
    Case(
        "sgd-scheduled",
        Call(SGD, lr=1e-3),
        part("gradient_descent", learning_rate=1e-3, schedule=part("step", every=300, gamma=0.3)),
        schedule=Call(StepLR, step_size=300, gamma=0.3),
    ),
    Case("momentum-default", Call(SGD, momentum=0.9), part("momentum", velocity="raw")),
    Case(
        "momentum-unusual",
        Call(SGD, lr=1e-3, momentum=0.95, dampening=0.3, weight_decay=0.2),
        part("momentum", velocity="raw", momentum=0.95, dampening=0.3, weight_decay=0.2),
    ),
    Case(
        "momentum-scheduled",
        Call(SGD, lr=2e-3, momentum=0.8),
        part(
            "momentum",
            velocity="raw",
            learning_rate=2e-3,
            momentum=0.8,
            schedule=part("exponential", end=0.998**STEPS),
        ),
        schedule=Call(ExponentialLR, gamma=0.998),
    ),
    Case(
        "nesterov-default",
        Call(SGD, momentum=0.9, nesterov=True),
        part("nesterov", velocity="raw", form="rewritten"),
    ),
    Case(
        "nesterov-unusual",
        Call(SGD, lr=5e-4, momentum=0.97, nesterov=True, weight_decay=0.5),
        part(
            "nesterov",
            velocity="raw",
            form="rewritten",
            learning_rate=5e-4,
            momentum=0.97,
            weight_decay=0.5,
            clip_value=100.0,
        ),
        clip=Call(clip_grad_value_, clip_value=100.0),
    ),
    Case(
        "nesterov-scheduled",
        Call(SGD, lr=1e-3, momentum=0.9, nesterov=True),
        part("nesterov", velocity="raw", form="rewritten", schedule=part("cosine", end=0.1)),
        schedule=Call(CosineAnnealingLR, T_max=STEPS, eta_min=1e-4),
    ),
    Case("adagrad-default", Call(Adagrad), part("adagrad")),
    Case(
        "adagrad-unusual",
        Call(Adagrad, lr=0.5, lr_decay=0.01, initial_accumulator_value=2.0, eps=0.1, weight_decay=0.1),
        part(
            "adagrad",
            learning_rate=0.5,
            initial_accumulator=2.0,
            epsilon=0.1,
            weight_decay=0.1,
            schedule=part("inverse_time", rate=0.01),
        ),
    ),
    Case(
        "adagrad-scheduled",
        Call(Adagrad, lr=0.3),
        part("adagrad", learning_rate=0.3, schedule=part("polynomial", power=2.0)),
        schedule=Call(PolynomialLR, total_iters=STEPS, power=2.0),
    ),
    Case("rmsprop-default", Call(RMSprop), part("rmsprop", beta=0.99)),
    Case(
        "rmsprop-unusual",
        Call(RMSprop, lr=1e-3, alpha=0.9, eps=0.3, momentum=0.8, weight_decay=0.2),
        part("rmsprop", learning_rate=1e-3, beta=0.9, epsilon=0.3, momentum=0.8, weight_decay=0.2),
    ),
    Case(
        "rmsprop-centered",
        Call(RMSprop, lr=3e-3, alpha=0.95, eps=1e-2, centered=True),
        part("rmsprop", learning_rate=3e-3, beta=0.95, epsilon=1e-2, centered=True),
    ),
    Case(
        "rmsprop-scheduled",
        Call(RMSprop, lr=1e-2, alpha=0.9, eps=0.1, momentum=0.5, centered=True),
        part(
            "rmsprop",
            learning_rate=1e-2,
            epsilon=0.1,
            momentum=0.5,
            centered=True,
            schedule=part("cosine", end=0.01, warmup=100, warmup_start=0.1),
        ),
        schedule=Call(
            warmed_up, start=0.1, steps=100, after=CosineAnnealingLR, T_max=STEPS - 100, eta_min=1e-4
        ),
    ),
    Case("adadelta-default", Call(Adadelta), part("adadelta")),
    Case(
        "adadelta-unusual",
        Call(Adadelta, lr=0.7, rho=0.95, eps=1e-3, weight_decay=0.3),
        part("adadelta", learning_rate=0.7, beta=0.95, epsilon=1e-3, weight_decay=0.3),
    ),
    Case(
        "adadelta-scheduled",
        Call(Adadelta, eps=1e-4),
        part("adadelta", epsilon=1e-4, schedule=part("polynomial", power=0.5)),
        schedule=Call(PolynomialLR, total_iters=STEPS, power=0.5),
    ),
    Case("adam-default", Call(Adam), part("adam")),
    Case(
        "adam-unusual",
        Call(Adam, lr=0.02, betas=(0.7, 0.95), eps=0.5, weight_decay=0.3),
        part(
            "adam", learning_rate=0.02, beta1=0.7, beta2=0.95, epsilon=0.5, weight_decay=0.3, clip_value=50.0
        ),
        clip=Call(clip_grad_value_, clip_value=50.0),
    ),
    Case(
        "adam-scheduled",
        Call(Adam, lr=0.1),
        part("adam", learning_rate=0.1, schedule=part("one_cycle")),
        schedule=Call(OneCycleLR, max_lr=0.1, total_steps=STEPS, cycle_momentum=False),
    ),
    Case("adamw-default", Call(AdamW), part("adamw")),
    Case(
        "adamw-unusual",
        Call(AdamW, lr=0.02, betas=(0.8, 0.98), eps=1e-2, weight_decay=0.4),
        part("adamw", learning_rate=0.02, beta1=0.8, beta2=0.98, epsilon=1e-2, weight_decay=0.4),
    ),
    Case(
        "adamw-scheduled",
        Call(AdamW, lr=0.1, weight_decay=0.1),
        part("adamw", learning_rate=0.1, weight_decay=0.1, schedule=part("cosine")),
        schedule=Call(CosineAnnealingLR, T_max=STEPS),
    ),
    Case("amsgrad-default", Call(Adam, amsgrad=True), part("amsgrad")),
    Case(
        "amsgrad-unusual",
        Call(AdamW, lr=0.1, betas=(0.5, 0.9), eps=0.2, weight_decay=0.2, amsgrad=True),
        part(
            "amsgrad",
            learning_rate=0.1,
            beta1=0.5,
            beta2=0.9,
            epsilon=0.2,
            weight_decay=0.2,
            decay="decoupled",
        ),
    ),
    Case(
        "amsgrad-scheduled",
        Call(Adam, lr=0.2, weight_decay=0.1, amsgrad=True),
        part("amsgrad", learning_rate=0.2, weight_decay=0.1, schedule=part("step", every=250, gamma=0.5)),
        schedule=Call(StepLR, step_size=250, gamma=0.5),
    ),
    Case("nadam-default", Call(NAdam), part("nadam")),
    Case(
        "nadam-unusual",
        Call(NAdam, lr=0.02, betas=(0.8, 0.95), eps=0.1, momentum_decay=0.02, weight_decay=0.3),
        part(
            "nadam",
            learning_rate=0.02,
            beta1=0.8,
            beta2=0.95,
            epsilon=0.1,
            momentum_decay=0.02,
            weight_decay=0.3,
        ),
    ),
    Case(
        "nadam-decoupled",
        Call(NAdam, lr=0.03, momentum_decay=0, weight_decay=0.2, decoupled_weight_decay=True),
        part("nadam", learning_rate=0.03, momentum_decay=0.0, weight_decay=0.2, decay="decoupled"),
    ),
    Case(
        "nadam-scheduled",
        Call(NAdam, lr=0.1),
        part("nadam", learning_rate=0.1, schedule=part("one_cycle", rise=0.2, initial=10.0, final=100.0)),
        schedule=Call(
            OneCycleLR,
            max_lr=0.1,
            total_steps=STEPS,
            pct_start=0.2,
            div_factor=10.0,
            final_div_factor=100.0,
            cycle_momentum=False,
        ),
    ),
    Case("radam-default", Call(RAdam), part("radam")),
    # before it rectifies, its steps are those of the plain mean: no larger than these problems bear
    Case(
        "radam-unusual",
        Call(RAdam, lr=0.02, betas=(0.8, 0.95), eps=0.1, weight_decay=0.3),
        part(
            "radam",
            learning_rate=0.02,
            beta1=0.8,
            beta2=0.95,
            epsilon=0.1,
            weight_decay=0.3,
            clip_value=5.0,
        ),
        clip=Call(clip_grad_value_, clip_value=5.0),
    ),
    Case(
        "radam-decoupled",
        Call(RAdam, lr=2e-3, betas=(0.9, 0.99), weight_decay=0.2, decoupled_weight_decay=True),
        part("radam", learning_rate=2e-3, beta2=0.99, weight_decay=0.2, decay="decoupled"),
    ),
    Case(
        "radam-scheduled",
        Call(RAdam, lr=0.02, betas=(0.9, 0.99)),
        part(
            "radam",
            learning_rate=0.02,
            beta2=0.99,
            schedule=part("exponential", end=0.998 ** (STEPS - 50), warmup=50, warmup_start=0.02),
        ),
        schedule=Call(warmed_up, start=0.02, steps=50, after=ExponentialLR, gamma=0.998),
    ),
    Case("adamax-default", Call(Adamax), part("adamax")),
    Case(
        "adamax-unusual",
        Call(Adamax, lr=0.02, betas=(0.7, 0.95), eps=0.5, weight_decay=0.3),
        part("adamax", learning_rate=0.02, beta1=0.7, beta2=0.95, epsilon=0.5, weight_decay=0.3),
    ),
    Case(
        "adamax-scheduled",
        Call(Adamax, lr=0.1),
        part(
            "adamax",
            learning_rate=0.1,
            schedule=part("piecewise", pieces=[{"at": 200, "factor": 0.3}, {"at": 600, "factor": 0.09}]),
        ),
        schedule=Call(MultiStepLR, milestones=[200, 600], gamma=0.3),
    ),
    Case("rprop-default", Call(Rprop), part("rprop")),
    Case(
        "rprop-unusual",
        Call(Rprop, lr=0.3, etas=(0.3, 1.4), step_sizes=(1e-4, 0.5)),
        part("rprop", learning_rate=0.3, shrink=0.3, grow=1.4, smallest_step=1e-4, largest_step=0.5),
    ),
]
