"""Errors of a plugin's part when it is called, with file and line. Errors of built-in parts are bugs."""

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
def report_plugin_error(where: str) -> Iterator[None]:
    """Turn an exception that passed through a plugin into a message with the plugin's file and line.

    Raises:
        UserCodeError: the plugin's code raised.
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


def check_shapes(case: Case) -> None:
    """Check that a value is one number for each point and that a derivative has the shape of the points.

    Raises:
        UserCodeError: a shape differs.
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
