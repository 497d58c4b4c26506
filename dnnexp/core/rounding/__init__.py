"""How far rounding may move each entry of a network's derivatives, entry by entry.

Every operation errs by a known local bound: a sum of n products Σ a w by √n u Σ |a w| (Higham and Mary, "A
new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 2019; the worst case is γₙ = n u
/ (1 − n u), Higham, "Accuracy and stability of numerical algorithms", 2002, section 3.1), a function σ by a
few u of its value and of its argument. To see what those errors do to an entry, the network is run
again with each of them at λ times its bound and with a random sign; the largest change of the entry in
several such runs is its bound (Parker, Pierce and Eggert, "Monte Carlo arithmetic: how to gamble with
floating point", Computing in Science & Engineering 2000).

Propagating absolute values, |Δz| ≤ |Δa| |W|ᵀ, would give a guaranteed bound, but one that grows too fast by
about √n a layer: to a million times the error in five layers of 100 units. Random signs account for
cancellation, for the size of an entry's own terms, for a steep σ, and for the derivatives on both sides of a
nearby kink (a point where σ′ jumps). No bound holds where rounding errors outgrow the entries themselves.
"""

from dnnexp.core.rounding.arithmetic import CONFIDENCE, DRAWS
from dnnexp.core.rounding.bounds import (
    adjoint_bound,
    directional_bound,
    directional_quotient_bound,
    explain,
    gradient_bound,
    jacobian_bound,
    jacobian_quotient_bound,
    output_bound,
    quotient_bound,
)
from dnnexp.core.rounding.second import hessian_bound, hessian_form_bound

__all__ = [
    "CONFIDENCE",
    "DRAWS",
    "adjoint_bound",
    "directional_bound",
    "directional_quotient_bound",
    "explain",
    "gradient_bound",
    "hessian_bound",
    "hessian_form_bound",
    "jacobian_bound",
    "jacobian_quotient_bound",
    "output_bound",
    "quotient_bound",
]
