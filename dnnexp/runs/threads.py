"""The number of BLAS threads; import this module before numpy."""

import os

THREAD_VARIABLES = (
    *("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    "VECLIB_MAXIMUM_THREADS",  # of Apple's Accelerate
)


def one_blas_thread(always: bool = False) -> None:
    """Limit BLAS to one thread, unless the environment sets a number; call this before numpy is imported.

    Results then do not depend on the number of cores. Work that uses several cores is split by dnnexp itself.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = "1" if always else os.environ.get(name, "1")
