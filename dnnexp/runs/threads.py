"""The threads of BLAS; imported before numpy is."""

import os

THREAD_VARIABLES = (
    *("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    "VECLIB_MAXIMUM_THREADS",  # of Apple's Accelerate
)


def one_blas_thread(always: bool = False) -> None:
    """Keep BLAS to one thread, unless the environment says otherwise; call it before numpy is imported.

    Results then do not depend on how many cores a machine has; what dnnexp does on all cores, it splits
    up itself.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = "1" if always else os.environ.get(name, "1")
