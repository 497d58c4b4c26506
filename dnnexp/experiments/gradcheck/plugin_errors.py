"""What a plugin's part does wrong when it is called, told by its line; errors of built-in ones are bugs."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from dnnexp import registry
from dnnexp.experiments.base import UserCodeError
from dnnexp.experiments.gradcheck.cases import Case


@contextmanager
def told_by_line(where: str) -> Iterator[None]:
    """An exception that passed a line of a plugin, as a message with that line.

    Raises:
        UserCodeError: there was one.
    """
    try:
        yield
    except UserCodeError:
        raise
    except Exception as error:
        files = set(registry.plugin_files())
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
        if not own:
            raise
        near = os.path.relpath(own[-1].filename)
        file = own[-1].filename if near.startswith(os.pardir) else near
        raise UserCodeError(f"{where}: {file}:{own[-1].lineno}: {type(error).__name__}: {error}") from None


def refuse_shapes(case: Case) -> None:
    """A value is one number for each point, a derivative has the shape of the points.

    Raises:
        UserCodeError: one is not.
    """
    x = case.points
    for kind, function, expected in (
        ("value", case.value, x.shape[1:]),
        ("gradient", case.gradient, x.shape),
    ):
        shape = np.shape(function(x.copy()))
        if shape != expected:
            points = f"at points of shape {x.shape}"
            raise UserCodeError(f"{case.name}: the {kind} has shape {shape} {points}, expected {expected}")
