"""Optimizers compared on one objective, all from the same starts."""

from dnnexp.experiments.optimize.config import OptimizeConfig as Config
from dnnexp.experiments.optimize.config import estimate, shrink
from dnnexp.experiments.optimize.outlines import outline
from dnnexp.experiments.optimize.run import run

__all__ = ["Config", "estimate", "outline", "run", "shrink"]
