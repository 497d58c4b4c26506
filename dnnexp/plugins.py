"""Plugins: Python files with the user's own parts and functions, named on the command line only."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from dnnexp.registry import enter_plugin, forget_plugins


class PluginError(Exception):
    """A plugin cannot be imported; the message has the file, the line and the cause."""


def load_plugins(files: Sequence[Path]) -> None:
    """Import each file: its parts are registered, and its module under the file's stem.

    Raises:
        PluginError: a file cannot be imported.
    """
    forget_plugins()
    for number, file in enumerate(files, start=1):
        name = f"dnnexp_plugin_{number}_{file.stem}"  # so that a/rules.py and b/rules.py are two modules
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise PluginError(f"{file}: is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            raise PluginError(f"{_place(error, file)}: {type(error).__name__}: {error}") from None
        enter_plugin(file.stem, module)


def _place(error: BaseException, file: Path) -> str:
    """FILE:LINE of the innermost line of the file in the error's traceback, or FILE."""
    path = os.path.abspath(file)  # the name that importlib gives to the module's code
    if isinstance(error, SyntaxError) and error.filename == path and error.lineno:
        return f"{file}:{error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
    return f"{file}:{lines[-1]}" if lines else str(file)
