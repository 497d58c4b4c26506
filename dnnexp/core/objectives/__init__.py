"""Objectives: functions to minimise, with gradient and, where they are known, domain and minima."""

from dnnexp.core.objectives.base import Objective, Slope
from dnnexp.core.objectives.instance import TestFunction
from dnnexp.core.objectives.learning import Learning
from dnnexp.core.objectives.quadratics import Quadratic, Valley
from dnnexp.core.objectives.regression import LeastSquares, LogisticRegression
from dnnexp.core.objectives.training import NetworkTraining
from dnnexp.core.objectives.valleys import Beale, Himmelblau, Rosenbrock

__all__ = [
    "Beale",
    "Himmelblau",
    "Learning",
    "LeastSquares",
    "LogisticRegression",
    "NetworkTraining",
    "Objective",
    "Quadratic",
    "Rosenbrock",
    "Slope",
    "TestFunction",
    "Valley",
]
