"""The derivatives of a network, each by several methods, compared entry by entry."""

from dnnexp.experiments.gradcheck.config import GradcheckConfig as Config
from dnnexp.experiments.gradcheck.outline import outline
from dnnexp.experiments.gradcheck.run import run
from dnnexp.experiments.gradcheck.work import estimate, shrink

__all__ = ["Config", "estimate", "outline", "run", "shrink"]
