"""The plots over contours: every start has its outcome, and the animation ends where the paths do."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from PIL import Image

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.figures import animation
from dnnexp.experiments.optimize.figures.animation import paths_gif
from dnnexp.experiments.optimize.figures.cases import Case, cases
from dnnexp.experiments.optimize.figures.paths import outcomes, trajectories
from dnnexp.figures.style import ALARM, FAINT
from tests.figures.drawn import legend_texts

Run = Callable[[str], Result]

MAP = """
name: map
objective: himmelblau
starts: {own: 60}
steps: 200
animate: true
optimizers:
  - {name: gradient_descent, learning_rate: 0.01}
  - {name: gradient_descent, label: hot, learning_rate: 0.04}
  - {name: adagrad, learning_rate: 0.3}
"""


def only(result: Result) -> Case:
    (case,) = cases(result)
    return case


def drawn(pages: Iterator[tuple[str, Figure]]) -> Figure:
    """The figure of the only page."""
    ((_, figure),) = pages
    return figure


def points(artists: list[Any]) -> set[tuple[float, float]]:
    """Where the dots of lines or of scatters are."""
    parts = [
        artist.get_offsets() if hasattr(artist, "get_offsets") else artist.get_xydata() for artist in artists
    ]
    return {(float(x), float(y)) for part in parts for x, y in part}


def scatters(axes: Axes) -> list[Any]:
    """The coloured dots, by shape."""
    found = [dots for dots in axes.collections if isinstance(dots, PathCollection)]
    return [dots for dots in found if dots.get_array() is not None]


def test_every_start_is_reached_missed_or_diverged(run_optimize: Run) -> None:
    result = run_optimize(MAP)
    for axes, entry in zip(drawn(outcomes(only(result))).axes, result.config.optimizers, strict=False):
        reached = result.arrays[f"{entry.label}.reached_step"][0] >= 0
        diverged = result.arrays[f"{entry.label}.diverged_step"] >= 0
        start = result.arrays["start"]
        dots = scatters(axes)
        expected = {
            "reached": ({tuple(x) for x in start[:, reached].T}, points(dots)),
            "missed": (
                {tuple(x) for x in start[:, ~reached & ~diverged].T},
                points([line for line in axes.lines if line.get_color() == FAINT]),
            ),
            "diverged": (
                {tuple(x) for x in start[:, ~reached & diverged].T},
                points([line for line in axes.lines if line.get_color() == ALARM]),
            ),
        }
        assert {kind: pair[0] == pair[1] for kind, pair in expected.items()} == dict.fromkeys(expected, True)
        assert sum(len(pair[0]) for pair in expected.values()) == 60
        assert f"{reached.sum()} of 60" in axes.get_title("left")


def test_the_result_of_the_map_has_all_three_outcomes(run_optimize: Run) -> None:
    result = run_optimize(MAP)
    reached = np.array([result.arrays[f"{e.label}.reached_step"][0] >= 0 for e in result.config.optimizers])
    diverged = np.array([result.arrays[f"{e.label}.diverged_step"] >= 0 for e in result.config.optimizers])
    assert reached.any()
    assert diverged.any()
    assert (~reached & ~diverged).any()


def test_the_colour_is_the_number_of_gradients_and_the_shape_the_minimum(run_optimize: Run) -> None:
    result = run_optimize(MAP)
    axes = drawn(outcomes(only(result))).axes[0]
    minimizers, final = result.arrays["_landscape.minimizers"], result.arrays["gradient_descent.final"]
    seen: set[int] = set()
    for dots in scatters(axes):
        ends = set()
        for place, steps in zip(dots.get_offsets(), np.asarray(dots.get_array()), strict=True):
            (run,) = np.flatnonzero((place == result.arrays["start"].T).all(axis=1))
            assert steps == result.arrays["gradient_descent.reached_step"][0, run]
            distance = np.hypot(*(minimizers - final[:, [run]]))
            assert distance.min() < 1e-2  # reached 1e-6 above a minimum of curvature over 10
            ends.add(int(distance.argmin()))
        assert len(ends) == 1
        assert not ends & seen
        seen |= ends
    assert len(seen) > 1


def test_it_says_what_the_shapes_are(run_optimize: Run) -> None:
    assert legend_texts(drawn(outcomes(only(run_optimize(MAP))))) == [
        "not reached",
        "diverged",
        "minimum, by shape",
    ]


def test_the_paths_are_those_of_the_first_start(run_optimize: Run) -> None:
    result = run_optimize(MAP)
    for axes, entry in zip(drawn(trajectories(only(result))).axes, result.config.optimizers, strict=False):
        path = result.arrays[f"{entry.label}.point"][:, :, 0]
        assert np.array_equal(axes.lines[0].get_xydata(), path)


def test_an_objective_without_minimizers_has_paths(run_optimize: Run) -> None:
    result = run_optimize(
        """
name: formula
objective: {name: expression, expression: "x**2 + y**2", variables: [x, y]}
starts: {uniform: {low: -3, high: 3, count: 60}}
steps: 50
targets: [1e-3]
optimizers: [{name: gradient_descent, learning_rate: 0.1}]
"""
    )
    assert result.arrays["_landscape.minimizers"].size == 0
    assert legend_texts(drawn(trajectories(only(result)))) == ["start", "end"]
    assert drawn(outcomes(only(result))).axes[0].get_title("left").endswith("60 of 60 reached it")


def test_the_animation_is_a_small_gif_of_at_most_eighty_frames(run_optimize: Run, monkeypatch: Any) -> None:
    case = only(run_optimize(MAP))
    content = paths_gif(case)
    assert len(content) < 5_000_000
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "GIF"
        assert picture.n_frames == 80  # type: ignore[attr-defined]
        assert picture.info["loop"] == 0
        picture.seek(0)
        first = np.asarray(picture.convert("RGB")).astype(int)
        picture.seek(79)
        last = np.asarray(picture.convert("RGB")).astype(int)
    assert (first[0, 0] == 255).all()
    assert np.abs(first - last).sum(axis=2).astype(bool).mean() > 0.002  # curves have been drawn since
    monkeypatch.setattr(animation, "_MOST_BYTES", len(content) // 2)
    smaller = paths_gif(case)  # of fewer frames
    assert len(smaller) < len(content) // 2
    with Image.open(io.BytesIO(smaller)) as picture:
        assert 2 <= picture.n_frames < 80  # type: ignore[attr-defined]
