"""Linear theory: iteration matrices against steps, stability limits against spectral radii."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.arrays import Floats
from dnnexp.core.optimizers import Adam, GradientDescent, Momentum, Nesterov, Optimizer, replaced

RULES: list[Optimizer] = [
    GradientDescent(0.1),
    Momentum(0.1, 0.7),
    Momentum(0.1, 0.7, dampening=0.4),
    Momentum(0.1, 0.7, velocity="raw"),
    Nesterov(0.1, 0.7),
    Nesterov(0.1, 0.7, velocity="raw"),
    Nesterov(0.1, 0.7, form="rewritten"),
    Nesterov(0.1, 0.7, velocity="raw", form="rewritten"),
]


def matrix(rule: Optimizer, curvature: float) -> Floats:
    found = rule.iteration_matrix(curvature)
    assert found is not None
    return found


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_matrix_takes_the_steps_of_the_rule(rule: Optimizer) -> None:
    """From the second step on, which dampening spares; f = ½ λ x² with λ = 3."""
    x, state = np.array([[1.0]]), rule.init(np.array([[1.0]]))
    for step in range(1, 12):
        before = [x[0, 0], *(part[0, 0] for part in state or ())]
        displacement, state = rule.update(3.0 * rule.query(x, state), state, x, step)
        x = x + displacement
        if step > 1:
            after = [x[0, 0], *(part[0, 0] for part in state or ())]
            np.testing.assert_allclose(after, matrix(rule, 3.0) @ before, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("rule", RULES, ids=str)
@given(momentum=st.floats(0, 0.99), curvature=st.floats(0.01, 100))
def test_the_spectral_radius_is_1_at_the_stability_limit(
    rule: Optimizer, momentum: float, curvature: float
) -> None:
    if hasattr(rule, "momentum"):
        rule = replaced(rule, momentum=momentum)
    limit = rule.stability_limit(curvature)
    assert limit is not None

    def radius(rate: float) -> float:
        found = matrix(replaced(rule, learning_rate=rate), curvature)
        return float(np.abs(np.linalg.eigvals(found)).max())

    assert radius(limit) == pytest.approx(1, abs=1e-7)
    assert radius(1.01 * limit) > 1 > radius(0.99 * limit)


def test_rules_that_are_not_linear_have_no_theory() -> None:
    assert Adam().iteration_matrix(1.0) is None
    assert Adam().stability_limit(1.0) is None
