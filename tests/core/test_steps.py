"""What is done around and within a rule that no library has, against loops written out from the papers.

Every loop is in Python's floats, on f = ½ (x² + 10 y²) from (3, −2), and yields the points after the start.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from dnnexp.core.arrays import Floats
from dnnexp.core.objectives import Quadratic
from dnnexp.core.optimizers import (
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    RAdam,
    RMSprop,
)
from dnnexp.core.schedules import Cosine, Exponential, Step
from dnnexp.core.stepping import Recording, descend, steady

STEPS = 60
START = (3.0, -2.0)
CURVATURES = (1.0, 10.0)
Points = Iterator[tuple[float, float]]
Loop = Callable[[], Points]


def slope(x: list[float]) -> list[float]:
    return [curvature * coordinate for curvature, coordinate in zip(CURVATURES, x, strict=True)]


def path(rule: Optimizer) -> Floats:
    """The points of all steps, `(STEPS + 1, 2)`."""
    quadratic = Quadratic(2, 10.0)
    recording = Recording(np.arange(STEPS + 1), np.array([]), keep_points=True)
    start = np.array(START)[:, None]
    point = descend(rule, quadratic.value, steady(quadratic.gradient), start, recording).point
    assert point is not None
    return point[:, :, 0]


def adamw_of_the_paper() -> Points:
    """Loshchilov and Hutter 2019, algorithm 2, with η_t of a cosine: η_t (α m̂/(√v̂ + ε) + λ x)."""
    x, m, v = list(START), [0.0, 0.0], [0.0, 0.0]
    for t in range(1, STEPS + 1):
        multiplier = 0.1 + 0.9 * (1 + math.cos(math.pi * (t - 1) / STEPS)) / 2
        g = slope(x)
        for i in range(2):
            m[i] = 0.9 * m[i] + 0.1 * g[i]
            v[i] = 0.99 * v[i] + 0.01 * g[i] ** 2
            m_hat, v_hat = m[i] / (1 - 0.9**t), v[i] / (1 - 0.99**t)
            x[i] -= multiplier * (0.1 * m_hat / (math.sqrt(v_hat) + 1e-3) + 0.05 * x[i])
        yield x[0], x[1]


def adam_without_correction() -> Points:
    """Kingma and Ba 2015, algorithm 1, with m and v for m̂ and v̂."""
    x, m, v = list(START), [0.0, 0.0], [0.0, 0.0]
    for _ in range(STEPS):
        g = slope(x)
        for i in range(2):
            m[i] = 0.8 * m[i] + 0.2 * g[i]
            v[i] = 0.95 * v[i] + 0.05 * g[i] ** 2
            x[i] -= 0.02 * m[i] / (math.sqrt(v[i]) + 1e-3)
        yield x[0], x[1]


def radam_of_the_paper() -> Points:
    """Liu et al. 2020, algorithm 2: rectified from ρ_t > 4 on; with β₂ = 0.9, ρ_5 is 4.6."""
    x, m, v, longest = list(START), [0.0, 0.0], [0.0, 0.0], 2 / (1 - 0.9) - 1
    for t in range(1, STEPS + 1):
        g, length = slope(x), longest - 2 * t * 0.9**t / (1 - 0.9**t)
        for i in range(2):
            m[i] = 0.8 * m[i] + 0.2 * g[i]
            v[i] = 0.9 * v[i] + 0.1 * g[i] ** 2
            m_hat = m[i] / (1 - 0.8**t)
            if length > 4:
                rise = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
                x[i] -= 0.02 * math.sqrt(rise) * m_hat / (math.sqrt(v[i] / (1 - 0.9**t)) + 1e-3)
            else:
                x[i] -= 0.02 * m_hat
        yield x[0], x[1]


def decayed_look_ahead() -> Points:
    """Sutskever et al. 2013, eq. 3-4, of f + λ/2 ‖x‖²: both gradients at x + μ v."""
    x, v = list(START), [0.0, 0.0]
    for _ in range(STEPS):
        ahead = [x[i] + 0.8 * v[i] for i in range(2)]
        g = slope(ahead)
        for i in range(2):
            v[i] = 0.8 * v[i] - 0.03 * (g[i] + 0.5 * ahead[i])
            x[i] += v[i]
        yield x[0], x[1]


def scheduled_look_ahead() -> Points:
    """The same without decay, the learning rate of the step outside the velocity."""
    x, v = list(START), [0.0, 0.0]
    for k in range(STEPS):
        rate = 0.05 * 0.5 ** (k // 20)
        g = slope([x[i] - rate * 0.8 * v[i] for i in range(2)])
        for i in range(2):
            v[i] = 0.8 * v[i] + g[i]
            x[i] -= rate * v[i]
        yield x[0], x[1]


def damped_and_scheduled() -> Points:
    """v ← μ v − η_k (1−τ) g, with τ = 0 in the first step; η falls to a hundredth."""
    x, v = list(START), [0.0, 0.0]
    for k in range(STEPS):
        rate, g = 0.05 * 0.01 ** (k / STEPS), slope(x)
        for i in range(2):
            v[i] = 0.8 * v[i] - rate * (1.0 if k == 0 else 0.7) * g[i]
            x[i] += v[i]
        yield x[0], x[1]


def clipped_then_decayed() -> Points:
    """Coordinates to ±5, what remains to the norm 4, and then λ x, which nothing clips."""
    x = list(START)
    for _ in range(STEPS):
        g = [max(-5.0, min(5.0, component)) for component in slope(x)]
        shrink = min(1.0, 4.0 / math.hypot(*g)) if any(g) else 1.0
        x = [x[i] - 0.05 * (shrink * g[i] + 0.3 * x[i]) for i in range(2)]
        yield x[0], x[1]


def clipped_and_decoupled() -> Points:
    """Decoupled decay is of x before the step, at the rate of the step."""
    x = list(START)
    for k in range(STEPS):
        rate, g = 0.05 * 0.01 ** (k / STEPS), slope(x)
        shrink = min(1.0, 4.0 / math.hypot(*g)) if any(g) else 1.0
        x = [x[i] - rate * shrink * g[i] - rate * 0.3 * x[i] for i in range(2)]
        yield x[0], x[1]


def warmed_up() -> Points:
    """From a quarter of the rate in 10 steps, then half a cosine over the other 50."""
    x = list(START)
    for k in range(STEPS):
        if k < 10:
            factor = 0.25 + 0.75 * k / 10
        else:
            factor = (1 + math.cos(math.pi * (k - 10) / (STEPS - 10))) / 2
        g = slope(x)
        x = [x[i] - 0.05 * factor * g[i] for i in range(2)]
        yield x[0], x[1]


def centred_by_the_norm() -> Points:
    """Graves 2013, eq. 38-40, with ‖g‖² − ‖m‖² for all coordinates, and ε inside the root."""
    x, mean, square = list(START), [0.0, 0.0], 0.0
    for _ in range(STEPS):
        g = slope(x)
        square = 0.9 * square + 0.1 * (g[0] ** 2 + g[1] ** 2)
        mean = [0.9 * mean[i] + 0.1 * g[i] for i in range(2)]
        root = math.sqrt(square - (mean[0] ** 2 + mean[1] ** 2) + 1e-2)
        x = [x[i] - 0.02 * g[i] / root for i in range(2)]
        yield x[0], x[1]


CASES: list[tuple[Optimizer, Loop]] = [
    (
        AdamW(0.1, beta2=0.99, epsilon=1e-3, weight_decay=0.05, decay_scale="schedule", schedule=Cosine(0.1)),
        adamw_of_the_paper,
    ),
    (Adam(0.02, 0.8, 0.95, 1e-3, bias_correction=False), adam_without_correction),
    (RAdam(0.02, 0.8, 0.9, 1e-3, threshold=4.0, epsilon_after="corrected"), radam_of_the_paper),
    (Nesterov(0.03, 0.8, weight_decay=0.5), decayed_look_ahead),
    (Nesterov(0.05, 0.8, velocity="raw", schedule=Step(20, 0.5)), scheduled_look_ahead),
    (Momentum(0.05, 0.8, dampening=0.3, schedule=Exponential(0.01)), damped_and_scheduled),
    (GradientDescent(0.05, weight_decay=0.3, clip_value=5.0, clip_norm=4.0), clipped_then_decayed),
    (
        GradientDescent(0.05, weight_decay=0.3, decay="decoupled", clip_norm=4.0, schedule=Exponential(0.01)),
        clipped_and_decoupled,
    ),
    (GradientDescent(0.05, schedule=Cosine(warmup=10, warmup_start=0.25)), warmed_up),
    (
        RMSprop(0.02, 0.9, 1e-2, accumulator="norm", centered=True, epsilon_place="inside"),
        centred_by_the_norm,
    ),
]


@pytest.mark.parametrize(("rule", "loop"), [pytest.param(*case, id=case[1].__name__) for case in CASES])
def test_every_point_is_that_of_the_loop(rule: Optimizer, loop: Loop) -> None:
    """Some thousand roundings: the runs are 60 steps long and do not amplify them."""
    np.testing.assert_allclose(path(rule), [START, *loop()], rtol=0, atol=1e-12)


def test_the_rewritten_form_walks_over_the_look_ahead_points() -> None:
    """Bengio, Boulanger-Lewandowski and Pascanu 2013, eq. 7: x + μ v of one form is x of the other."""
    x = path(Nesterov(0.03, 0.8))
    ahead = x[1:] + 0.8 * np.diff(x, axis=0)
    np.testing.assert_allclose(path(Nesterov(0.03, 0.8, form="rewritten"))[1:], ahead, rtol=0, atol=1e-13)
