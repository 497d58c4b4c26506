"""The experiments: config and random streams in, Result out; no files, clock, terminal or plots."""

import importlib
from typing import cast

from dnnexp.experiments.base import Experiment

NAMES = ("optimize", "activations", "gradcheck")


def find(name: str) -> Experiment:
    """The experiment of that name, one of `NAMES`."""
    return cast(Experiment, importlib.import_module(f"dnnexp.experiments.{name}"))
