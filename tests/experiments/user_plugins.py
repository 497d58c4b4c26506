"""Plugins made of a text, and the functions in them."""

import textwrap
from types import ModuleType
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import central_gradient
from dnnexp.experiments.gradcheck.targets.user_function import UserFunction, prepare, resolve
from dnnexp.registry import enter_plugin

SQUARE = "def f(x):\n    return x @ x\n"
GRADIENT = "def f_gradient(x):\n    return 2 * x\n"


def enter(text: str, name: str = "mine", folder: str = "") -> ModuleType:
    """A plugin of that name, entered."""
    module = ModuleType(name)
    module.__file__ = f"{folder}{name}.py"
    code = f"import math\nimport numpy as np\n{textwrap.dedent(text)}"
    exec(compile(code, module.__file__, "exec"), vars(module))
    enter_plugin(name, module)
    return module


def found(
    text: str = "mine.f", points: Any = None, dimension: int | None = None, gradient: str | None = None
) -> UserFunction:
    return prepare(resolve(text, gradient), points, dimension, np.random.default_rng(0))


def assert_right(f: UserFunction) -> None:
    """The gradient is that of the value, at every point."""
    for x in f.points.T:
        numerical = central_gradient(lambda at: by_points(f, at), x)
        np.testing.assert_allclose(f.gradient(x), numerical, rtol=1e-6, atol=1e-6)


def by_points(f: UserFunction, x: Floats) -> Floats:
    return np.apply_along_axis(f.value, 0, x)
