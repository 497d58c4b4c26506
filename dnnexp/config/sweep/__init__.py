"""Sweeps: from one file, or from configs and arguments, to jobs that are all valid."""

from dnnexp.config.sweep.jobs import Job, key_of
from dnnexp.config.sweep.plan import Plan, plan
from dnnexp.config.sweep.spec import COLUMNS, Contour, Metric, SweepConfig

__all__ = ["COLUMNS", "Contour", "Job", "Metric", "Plan", "SweepConfig", "key_of", "plan"]
