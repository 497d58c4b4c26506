"""`errors.png` of parts and functions, and of what has no error: its words, its band, its reason."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from dnnexp.core.activations import Identity, ReLU
from dnnexp.core.initializers import LayerInitializer, Normal, Zeros
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Result, RunContext
from dnnexp.experiments.gradcheck.config import CheckedNetwork, GradcheckConfig, StepSweep
from dnnexp.experiments.gradcheck.figures import agreement, errors, tensors
from dnnexp.experiments.gradcheck.targets import ActivationTarget, AllTargets
from dnnexp.figures.style import STYLE
from tests.plots.gradchecks import assert_readable, texts

gradcheck = find("gradcheck")

SWEEP = StepSweep(per_decade=1)


@pytest.fixture(autouse=True)
def _style() -> Any:
    """Fonts as they are in the files."""
    with matplotlib.rc_context(STYLE):
        yield


def run(**keys: Any) -> Result:
    return gradcheck.run(GradcheckConfig(step_sweep=SWEEP, **keys), RunContext(Streams(0)))


def labels(figure: Figure) -> str:
    (axes,) = figure.axes
    return f"{axes.get_xlabel()}\n{axes.get_ylabel()}"


def test_parts_have_coordinates_and_a_formula() -> None:
    """The axes spoke of parameters and of backward wherever the config had a network."""
    figure = errors(run(target=ActivationTarget(ReLU())))
    assert "all coordinates, at one of the points" in labels(figure)
    assert "relative to analytic" in labels(figure)
    assert "parameters" not in labels(figure)
    assert "‖∂E/∂y" not in texts(figure)


def test_relu_is_measured_on_both_sides_of_its_kink() -> None:
    """All of its directions were on the flat side: the panel was empty."""
    shown = run(target=ActivationTarget(ReLU()))
    figure = errors(shown)
    count = len(shown.arrays["sweep.central"])
    assert 2 <= count < SWEEP.directions
    assert f"median and range of {count} directions; {10 - count} more direction" in texts(figure)
    assert ", of slope 0, left out" in texts(figure)
    assert_readable(figure)


def test_slopes_that_are_all_0_are_called_so() -> None:
    found = run(target=ActivationTarget(ReLU()))
    for name in [name for name in found.arrays if name.startswith("sweep.") and name != "sweep.h"]:
        found.arrays[name][...] = np.nan
    figure = errors(found)
    assert "the slope is 0 along every direction drawn" in texts(figure)
    assert not figure.legends


@pytest.mark.filterwarnings("error")
def test_slopes_that_are_not_finite_are_not_called_0() -> None:
    """Of a network that overflows the panel said that every directional derivative is 0."""
    weights = LayerInitializer(weights=Normal(std=1e160), biases=Zeros())
    built = CheckedNetwork(layers=(3, 4, 4, 2), activation=Identity())
    shown = run(network=built, initializer=weights)
    figure = errors(shown)
    assert "no slope is finite, as z2[0, 0] is not" in texts(figure)
    assert "slope is 0" not in texts(figure)
    assert_readable(figure)
    assert "inconclusive: not finite: z2[0, 0]" in texts(agreement(shown)).replace("\n", " ")
    assert "✗" not in texts(tensors(shown))


def test_the_band_of_all_parts_is_their_middle_half() -> None:
    """From the least to the largest of 42 functions it covered the whole panel."""
    shown = run(target=AllTargets())
    figure = errors(shown)
    assert "median and middle half of " in texts(figure)
    central = shown.arrays["sweep.central"]
    (low, high), (axes,) = np.quantile(central, (0.25, 0.75), axis=0), figure.axes
    vertices = np.asarray(axes.collections[0].get_paths()[0].vertices)
    assert vertices[:, 1].max() == pytest.approx(high.max())
    assert vertices[:, 1].min() == pytest.approx(max(low.min(), 1e-17))
    assert_readable(figure)
