"""What the recorded runs minimise: three problems in three dimensions, one a column of every array `(3, 3)`.

Written out by hand, so that the tests compare the project with something that it has no part in.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PROBLEMS = ("rosenbrock", "quadratic", "noisy_quadratic")
STEPS = 1000
START: Floats = np.array([[-1.2, 5.0, 5.0], [1.0, -3.0, -3.0], [0.8, 2.0, 2.0]])
"""One column a problem."""

CONDITION_NUMBER = 500.0
EIGENVALUES = CONDITION_NUMBER ** np.array([0.0, 0.5, 1.0])
"""Up to 500: the default learning rate 1e-3 of gradient descent is a quarter of what is stable."""

KEPT_STEPS = sorted({*range(21), *(k + j for k in range(25, STEPS, 25) for j in (0, 1)), STEPS - 1, STEPS})
"""The steps whose points are stored: the first ones, and then pairs, from a step to the next."""

SINGLE_STEPS = [1, 2, 3, 5, 10, 15, *range(50, STEPS, 75), STEPS - 1]
"""The steps whose states are stored; the point after each is in `KEPT_STEPS`."""


def noise() -> Floats:
    """What is added to the noisy gradient at every step, `(STEPS, 3)`: standard normal, to three digits."""
    return np.random.default_rng(20).standard_normal((STEPS, 3)).round(3)


def gradient(x: Any, disturbance: Any, stack: Any) -> Any:
    """Of 100 (b − a²)² + (1 − a)² + 100 (c − b²)² + (1 − b)², of ½ Σ λᵢ xᵢ², and that with a disturbance."""
    a, b, c = x[0, 0], x[1, 0], x[2, 0]
    by_a = -400 * a * (b - a * a) - 2 * (1 - a)
    by_b = -400 * b * (c - b * b) - 2 * (1 - b) + 200 * (b - a * a)
    by_c = 200 * (c - b * b)
    steep = EIGENVALUES * x[:, 1]
    noisy = EIGENVALUES * x[:, 2] + disturbance
    return stack([stack([by_a, by_b, by_c]), steep, noisy], 1)


class Run(NamedTuple):
    """What a library did: points x₀ … of all steps, the gradients at all but the last, the states from x₁ on.

    Shapes: `(STEPS + 1, 3, 3)`, `(STEPS, 3, 3)`; each field of the state, under the name that dnnexp has for
    it, `(STEPS, 3, 3)` or `(STEPS,)`.
    """

    points: Floats
    gradients: Floats
    states: dict[str, Floats]
