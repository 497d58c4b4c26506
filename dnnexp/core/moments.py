"""What a linear rule does to a quadratic, exactly: the mean value at every step, under noise and a schedule.

On f = ½ Σ λᵢ xᵢ², with gradients λᵢ xᵢ + σ ξ whose noise ξ has mean 0, variance 1 and is drawn anew at
every step, a rule that is linear in x and its velocity v maps z = (x, v) along every eigenvector to
M z + σ b ξ. The second moments S = E[z zᵀ] then go to M S Mᵀ + σ² b bᵀ, whatever the distribution of ξ.
(The noisy quadratic model of Zhang et al., "Which algorithmic choices matter at which batch sizes?", 2019.)
"""

from __future__ import annotations

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.optimizers import Optimizer, replaced


def mean_values(
    rule: Optimizer, curvatures: Floats, squares: Floats, std: float, steps: Integers
) -> Floats | None:
    """E[f] = ½ Σ λᵢ E[xᵢ²] after the given steps, `(K,)`; not finite where it overflows.

    Args:
        rule: with its schedule over all steps.
        curvatures: the eigenvalues λ of the Hessian, `(d,)`.
        squares: E[xᵢ²] of the starts along each eigenvector, `(d,)`.
        std: σ, of the noise on each coordinate of the gradient.
        steps: ascending, `(K,)`.

    Returns:
        None for a rule that is not linear.
    """
    if rule.iteration_matrix(1.0) is None:
        return None
    last = int(steps[-1])
    moments = np.zeros((len(curvatures), *_parts(rule)[0].shape))
    moments[:, 0, 0] = squares
    found, wanted = np.empty(len(steps)), {int(step): place for place, step in enumerate(steps)}
    with np.errstate(all="ignore"):
        for step in range(last + 1):
            if step:
                keep, kick = _parts(_of_step(rule, step, last))
                matrix = keep + curvatures[:, None, None] * kick  # M, (d, n, n)
                noise = std * kick[:, 0]  # σ b: the gradient of an x of 1 is λ
                moments = matrix @ moments @ matrix.swapaxes(1, 2) + np.outer(noise, noise)
            if step in wanted:
                found[wanted[step]] = np.sum(curvatures * moments[:, 0, 0]) / 2
    return found


def _parts(rule: Optimizer) -> tuple[Floats, Floats]:
    """A and B of the iteration matrix M(λ) = A + λ B: a linear rule is linear in the gradient, too."""
    keep, whole = rule.iteration_matrix(0.0), rule.iteration_matrix(1.0)
    assert keep is not None
    assert whole is not None
    return keep, whole - keep


def _of_step(rule: Optimizer, step: int, last: int) -> Optimizer:
    """The rule as it is at a step, from 1: at its scheduled rate, and undamped at the first."""
    if not rule.schedule.is_constant:
        rule = rule.scaled(rule.schedule.at(step - 1, last))
    if step == 1 and getattr(rule, "dampening", None):
        rule = replaced(rule, dampening=0.0)
    return rule
