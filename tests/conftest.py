"""One BLAS thread a worker, as the commands have: several would wait for one another."""

from dnnexp.runs.threads import one_blas_thread

one_blas_thread()
