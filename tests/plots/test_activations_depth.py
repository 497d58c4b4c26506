"""Curves against depth: they are the medians of the arrays, beside theory, and survive what is not finite."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from dnnexp.core.activations import Tanh
from dnnexp.experiments.activations.figures import depth
from dnnexp.experiments.activations.figures.groups import groups
from dnnexp.experiments.activations.figures.scales import log_scale
from dnnexp.experiments.base import Result
from dnnexp.figures.style import INK
from dnnexp.registry import Labelled

SMALL = """
network: {layers: [8, 8, 8, 8]}
input: {name: normal, samples: 6}
activations: [relu, tanh]
initializers: [{label: he, weights: he}, {label: zeros, weights: zeros, biases: zeros}]
seeds: 5
"""
Run = Callable[[str], Result]


@pytest.fixture
def result(run_activations: Run) -> Result:
    return run_activations(SMALL)


def panel(figure: Figure, start: str) -> Axes:
    (found,) = [axes for axes in figure.axes if axes.get_title("left").startswith(start)]
    return found


def measured(axes: Axes) -> list[Any]:
    return [
        line for line in axes.lines if to_rgba(line.get_color()) != to_rgba(INK) and line.get_marker() != "x"
    ]


def theory(axes: Axes) -> list[Any]:
    return [line for line in axes.lines if to_rgba(line.get_color()) == to_rgba(INK)]


def with_arrays(result: Result, **changes: Any) -> Result:
    return replace(result, arrays={**result.arrays, **{k.replace("__", "/"): v for k, v in changes.items()}})


def test_curves_are_medians_and_bands_quantiles(result: Result) -> None:
    axes = panel(dict(depth.figures(result))["forward"], "q:")
    values = result.arrays["relu/he.pre.mean_square"]
    assert np.allclose(measured(axes)[0].get_ydata(), np.median(values, axis=0), rtol=1e-12)
    corners = axes.collections[0].get_paths()[0].vertices
    assert isinstance(corners, np.ndarray)
    for share in (0.05, 0.95):
        for value in np.quantile(values, share, axis=0):
            assert np.isclose(corners[:, 1], value, rtol=1e-9).any()


def test_theory_is_drawn_and_named(result: Result) -> None:
    figure = dict(depth.figures(result))["forward"]
    drawn = [line.get_ydata() for line in theory(panel(figure, "correlation"))]
    assert any(np.allclose(line, result.arrays["tanh/he.theory.correlation"]) for line in drawn)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "theory of wide layers" in names
    assert names[0] == f"relu/he: {result.metrics['cases']['relu/he']['verdict']['name']}"
    assert len([name for name in names if "/" in name]) == 4


def test_what_no_case_has_gets_no_panel(result: Result) -> None:
    figure = dict(depth.figures(result))["forward"]
    assert not [axes for axes in figure.axes if "ectra" in axes.get_title("left")]
    tanh = replace(result.config, activations=(Labelled("tanh", Tanh()),))
    gone = {
        key: np.zeros_like(v) if "zero" in key or "dead" in key else v for key, v in result.arrays.items()
    }
    titles = [
        a.get_title("left") for a in next(depth.figures(replace(result, config=tanh, arrays=gone)))[1].axes
    ]
    assert not any("dead" in title or "exactly 0" in title for title in titles)
    assert any("saturated" in title for title in titles)


def test_gradients_are_relative_to_each_networks_last_layer(result: Result) -> None:
    axes = panel(dict(depth.figures(result))["backward"], "∂E/∂z")
    squares = result.arrays["tanh/he.gradient.pre.mean_square"]
    expected = np.median(np.sqrt(squares / squares[:, -1:]), axis=0)
    assert any(np.allclose(line.get_ydata(), expected, rtol=1e-12) for line in measured(axes))
    predicted = result.arrays["tanh/he.theory.gradient.pre"]
    assert any(np.allclose(line.get_ydata(), predicted) for line in theory(axes))


def test_without_a_loss_there_is_no_pass_back(run_activations: Run) -> None:
    assert [name for name, _ in depth.figures(run_activations(f"{SMALL}loss: null\n"))] == ["forward"]


def test_zeros_lie_along_the_bottom_under_that_name(result: Result) -> None:
    figure = dict(depth.figures(result))["forward"]
    axes = panel(figure, "q:")
    bottom = axes.get_ylim()[0]
    assert (measured(axes)[1].get_ydata() == bottom).all()
    figure.savefig(io.BytesIO())
    names = {tick.get_position()[1]: tick.get_text() for tick in axes.get_yticklabels()}
    assert names[bottom] == "0"


@pytest.mark.parametrize(
    "values",
    [
        [1e-300, 1.0, 1e300],
        [0.0, 5e-324, 1e-310],
        [1.0, np.inf, np.nan],
        [np.nan, np.nan, 1.0],
        [np.inf, np.inf, np.inf],
        [0.0, 0.0, 0.0],
        [1.0, 1.0, 1.0],
        [1e200, 1e250, 1.7e308],
    ],
)
def test_any_values_can_be_drawn(result: Result, values: list[float]) -> None:
    names = (
        "pre.mean_square",
        "sample_std",
        "effective_rank",
        "gradient.pre.mean_square",
        "theory.pre.mean_square",
    )
    arrays = {f"relu__he.{name}": np.tile(values, (5, 1)) for name in names[:-1]}
    changed = with_arrays(result, **arrays, **{f"relu__he.{names[-1]}": np.array(values)})
    for _, figure in depth.figures(changed):
        figure.savefig(io.BytesIO())


def test_a_curve_that_ends_is_marked(result: Result) -> None:
    values = np.tile([1.0, 2.0, np.nan], (5, 1))
    figure = next(depth.figures(with_arrays(result, **{"relu__he.pre.mean_square": values})))[1]
    (cross,) = [line for line in panel(figure, "q:").lines if line.get_marker() == "x"]
    assert np.array_equal(cross.get_xdata(), [2])
    assert "not finite beyond" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_theory_that_diverges_is_not_drawn(result: Result) -> None:
    changed = with_arrays(result, **{"relu__he.theory.pre.mean_square": np.array([2.0, np.inf, np.inf])})
    axes = panel(next(depth.figures(changed))[1], "q:")
    assert axes.get_ylim()[1] < 1e3
    assert any(np.array_equal(line.get_ydata(), [2, np.nan, np.nan], equal_nan=True) for line in theory(axes))


def test_many_cases_are_spread_over_figures_that_tell_them_apart(result: Result) -> None:
    config = replace(
        result.config,
        activations=tuple(Labelled(f"a{i}", Tanh()) for i in range(7)),
        initializers=tuple(replace(result.config.initializers[0], label=f"i{i}") for i in range(8)),
    )
    found = groups(replace(result, config=config))
    cases = [case for group in found for case in group.cases]
    assert sorted(cases) == sorted(config.cases)
    for group in found:
        looks = {(style["color"], style.get("marker")) for style in map(group.style, group.cases)}
        assert len(looks) == len(group.cases) <= 12


def test_log_normal_quantiles_have_the_mean_and_the_scatter() -> None:
    low, high = depth.lognormal(2.0, np.array([0.5]))[:, 0]
    sample = np.random.default_rng(0).standard_normal(400_000)
    spread = np.sqrt(np.log(1.25))
    sample = 2 * np.exp(spread * sample - spread**2 / 2)
    assert abs(sample.std() / 2 - 0.5) < 0.01  # five standard errors
    assert np.allclose(np.quantile(sample, [0.05, 0.95]), [low, high], rtol=0.01)


def test_sixty_decades_are_shown_at_most() -> None:
    scale = log_scale([np.array([1e-200, 1e-3, 10.0, 1e200])])
    assert 1e-5 < scale.bottom < 1e-3
    assert 10 < scale.top < 1e3
    assert (scale.below, scale.above) == ("<$10^{-30}$", ">$10^{30}$")
