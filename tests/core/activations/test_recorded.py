"""The activations against what PyTorch gives, recorded by `tests/core/recorded/activations.py`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dnnexp.config.schema import read
from dnnexp.core.activations import Activation
from dnnexp.registry import parts

RECORDED = Path(__file__).parents[1] / "recorded" / "activations.json"
DOCUMENT = json.loads(RECORDED.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class HasActivation:
    activation: Activation


@pytest.mark.parametrize("case", [pytest.param(case, id=case["call"]) for case in DOCUMENT["cases"]])
@pytest.mark.parametrize("what", ["f", "df"])
def test_values_and_slopes(case: dict[str, Any], what: str) -> None:
    """Also at the kinks."""
    found, complaints = read(HasActivation, {"activation": case["part"]})
    assert found is not None, complaints
    z, expected = np.array(DOCUMENT["points"]), np.array(case[what])
    allowed = case["tolerance"] * np.maximum(1, np.abs(z))
    np.testing.assert_array_less(np.abs(getattr(found.activation, what)(z) - expected), allowed)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["call"]) for case in DOCUMENT["cases"]])
def test_second_derivatives(case: dict[str, Any]) -> None:
    """Off the kinks, at which it is that of either side; PyTorch subtracts from 1 what is nearly 1."""
    if case["d2f"] is None:
        pytest.skip("PyTorch does not differentiate it twice, or not by the formula")
    found, complaints = read(HasActivation, {"activation": case["part"]})
    assert found is not None, complaints
    z = np.array(DOCUMENT["points"])
    smooth = ~np.isin(z, found.activation.kinks)
    apart = np.abs(found.activation.d2f(z) - np.array(case["d2f"]))[smooth]
    assert (apart <= 1e-14 * np.maximum(1, np.abs(z[smooth]))).all()


def test_every_activation_is_recorded() -> None:
    built_in = {name for name, cls in parts("activation").items() if cls.__module__.startswith("dnnexp.")}
    assert {case["part"]["name"] for case in DOCUMENT["cases"]} == built_in
