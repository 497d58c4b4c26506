"""Objectives: functions to minimise, with gradient and, where they are known, domain and minima."""

# in the order in which they are listed: the plain ones first
# isort: off
from dnnexp.core.objectives.base import Objective, Slope
from dnnexp.core.objectives.instance import MAX_INSTANCE_DIMENSION, TestFunction
from dnnexp.core.objectives.quadratics import Ellipsoid, Quadratic, Sphere, Valley
from dnnexp.core.objectives.valleys import Beale, DixonPrice, Himmelblau, Rosenbrock, Zakharov
from dnnexp.core.objectives.planar import Booth, Branin, Matyas, Ravine, Saddle, ThreeHumpCamel
from dnnexp.core.objectives.multimodal import Ackley, Griewank, Levy, Rastrigin, StyblinskiTang
from dnnexp.core.objectives.formula import ExpressionObjective
from dnnexp.core.objectives.learning import Learning
from dnnexp.core.objectives.regression import LeastSquares, LogisticRegression
from dnnexp.core.objectives.training import NetworkTraining

__all__ = [
    "MAX_INSTANCE_DIMENSION",
    "Ackley",
    "Beale",
    "Booth",
    "Branin",
    "DixonPrice",
    "Ellipsoid",
    "ExpressionObjective",
    "Griewank",
    "Himmelblau",
    "Learning",
    "LeastSquares",
    "Levy",
    "LogisticRegression",
    "Matyas",
    "NetworkTraining",
    "Objective",
    "Quadratic",
    "Rastrigin",
    "Ravine",
    "Rosenbrock",
    "Saddle",
    "Slope",
    "Sphere",
    "StyblinskiTang",
    "TestFunction",
    "ThreeHumpCamel",
    "Valley",
    "Zakharov",
]
