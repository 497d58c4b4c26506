"""Update rules: frozen hyperparameters and a pure `init` / `query` / `update`."""

# in the order in which they are listed: the plain ones first
# isort: off
from dnnexp.core.optimizers.base import Optimizer, replaced, stack, stacking_key
from dnnexp.core.optimizers.descent import GradientDescent, Momentum, Nesterov
from dnnexp.core.optimizers.adaptive import AdaDelta, AdaGrad, RMSprop
from dnnexp.core.optimizers.adam import Adam, Adamax, AdamState, AdamW, AMSGrad, NAdam, RAdam
from dnnexp.core.optimizers.signs import Lion, Rprop

__all__ = [
    "AMSGrad",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamState",
    "AdamW",
    "Adamax",
    "GradientDescent",
    "Lion",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "replaced",
    "stack",
    "stacking_key",
]
