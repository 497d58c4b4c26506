"""What each layer of fresh networks does to a signal and to its gradient."""

from dnnexp.experiments.activations.config import Config, estimate, shrink
from dnnexp.experiments.activations.metrics import outline
from dnnexp.experiments.activations.run import run

__all__ = ["Config", "estimate", "outline", "run", "shrink"]
