"""A function of your own, checked: Rosenbrock's, with its gradient and with one that has a slip in it.

    dnnexp gradcheck --plugin configs/plugins/rosenbrock.py target=function:rosenbrock.rosen
    dnnexp gradcheck --plugin configs/plugins/rosenbrock.py target=function:rosenbrock.rosen_wrong

The first passes; the second ends with exit code 1 and names the wrong entry.
"""

import numpy as np

rosen_points = [[-1.2, 1.0], [0.3, -0.7], [1.5, 2.0]]
rosen_wrong_points = rosen_points


def rosen(x):
    """(1 − x₀)² + 100 (x₁ − x₀²)²."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def rosen_gradient(x):
    """By x₀ and x₁."""
    bend = x[1] - x[0] ** 2
    return np.array([-2 * (1 - x[0]) - 400 * x[0] * bend, 200 * bend])


def rosen_wrong(x):
    """The same function."""
    return rosen(x)


def rosen_wrong_gradient(x):
    """By x₀ and x₁; the inner derivative of x₀² has lost its factor of 2."""
    bend = x[1] - x[0] ** 2
    return np.array([-2 * (1 - x[0]) - 200 * x[0] * bend, 200 * bend])
