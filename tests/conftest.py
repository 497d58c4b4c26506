"""Settings of all tests: one BLAS thread a worker, and Hypothesis draws the same examples every time."""

from hypothesis import settings

from dnnexp.runs.threads import one_blas_thread

one_blas_thread()

settings.register_profile("suite", derandomize=True, database=None, deadline=None)
settings.register_profile("nightly", derandomize=False, print_blob=True, deadline=None)
settings.load_profile("suite")  # `--hypothesis-profile nightly` draws at random
