"""What the shipped configs claim, they find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dnnexp.config.expectations import judge
from dnnexp.config.load import load
from dnnexp.config.shipped import directory
from dnnexp.core.streams import Streams
from dnnexp.experiments import find, names
from dnnexp.experiments.base import RunContext

QUICK = (
    *("momentum_theory", "noisy_gradients", "six_optimizers_tuned", "dying_relu"),
    *("deep_tanh", "injected_faults", "relu_kinks", "softmax_cross_entropy", "hessian", "all_parts"),
)
"""Those of a few seconds; the references are run by the tests of their experiments."""


def files() -> list[Any]:
    every = (path for name in names() for path in (directory() / name).glob("*.yaml"))
    found = sorted(path for path in every if path.stem != "reference")
    return [
        pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow)
        for path in found
    ]


@pytest.mark.parametrize("file", files())
def test_every_claim_holds(file: Path) -> None:
    experiment = file.parent.name
    config = load(experiment, file)
    result = find(experiment).run(config, RunContext(Streams(config.seed)))
    outcomes = judge(config.expect, result.metrics, skip=False)
    assert outcomes
    assert [(o["claim"], o["detail"]) for o in outcomes if o["outcome"] != "holds"] == []
