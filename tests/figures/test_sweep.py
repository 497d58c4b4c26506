"""The plots of a sweep: the number of keys decides which, and any values can be drawn."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from dnnexp.config.sweep import Contour, Metric
from dnnexp.experiments.base import Result
from dnnexp.figures import render, sweep
from dnnexp.figures.style import STYLE
from dnnexp.figures.sweep.study import Study
from tests.figures.drawn import assert_readable
from tests.figures.sweeps import FAILED, MISSING, grid, swept

A, B = Metric(value="a"), Metric(value="b")


def figures(result: Result) -> dict[str, Figure]:
    return dict(sweep.figures(result.config, result.metrics))


def rendered(result: Result) -> Iterator[tuple[str, bytes]]:
    return render(lambda: sweep.figures(result.config, result.metrics))


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def both(setting: Any) -> dict[str, float]:
    return {"a": 1.0 + sum(v for v in setting.values() if isinstance(v, int)), "b": 2.0}


@pytest.mark.parametrize(
    ("settings", "files"),
    [
        (grid(seed=range(3)), {"metrics"}),
        (grid(x=[1], y=[2], seed=[0]), {"metrics"}),
        (grid(x=[1, 2], y=[3]), {"metrics"}),
        (grid(x=["u", "v"]), {"metrics"}),
        (grid(x=[1, 2], y=[1, 2], seed=[0, 1]), {"a", "b"}),
        (grid(x=[1, 2], y=[1, 2], z=[1, 2]), {"a", "b"}),
    ],
)
def test_the_keys_that_vary_decide_which_figures_there_are(settings: Any, files: set[str]) -> None:
    assert set(figures(swept(settings, both, A, B))) == files


def test_keys_that_are_swept_together_are_one() -> None:
    settings = [{"x": 1, "y": 10}, {"x": 2, "y": 20}, {"x": 3, "y": 30}]
    result = swept(settings, both, A, B, zip={"x": (1, 2, 3), "y": (10, 20, 30)})
    assert set(figures(result)) == {"metrics"}
    (axis,) = Study.of(result.config, result.metrics).axes
    assert (axis.keys, axis.names, axis.is_numeric) == (("x", "y"), ("1", "2", "3"), True)
    assert "y swept along with x" in words(figures(result)["metrics"])


@pytest.mark.parametrize("first", [["a", "b", "c"], [1, 1, 2]])
def test_what_is_swept_together_is_named_together_where_no_number_tells_it_apart(first: list[Any]) -> None:
    settings = [{"x": x, "y": y} for x, y in zip(first, (10, 20, 30), strict=True)]
    result = swept(settings, both, A, B, zip={"x": tuple(first), "y": (10, 20, 30)})
    (axis,) = Study.of(result.config, result.metrics).axes
    assert axis.names == tuple(f"{x}, {y}" for x, y in zip(first, (10, 20, 30), strict=True))


def test_many_quantities_have_a_figure_each() -> None:
    metrics = [Metric(value=f"m{i}") for i in range(6)]
    found = figures(swept(grid(x=[1, 2]), lambda _: {f"m{i}": i for i in range(6)}, *metrics))
    assert set(found) == {f"m{i}" for i in range(6)}


@pytest.mark.parametrize("settings", [grid(x=[1, 2]), grid(x=[1, 2], y=[1, 2]), []])
@pytest.mark.parametrize("status", [FAILED, MISSING])
def test_a_sweep_without_a_complete_job_says_so(settings: Any, status: str) -> None:
    found = figures(swept(settings, lambda _: status))
    text = words(found["metrics"])
    assert "no job is complete" in text
    assert not settings or f"{len(settings)} of {len(settings)} jobs {status}" in text


ODD: dict[str, list[float | None]] = {
    "tiny": [5e-324, 1e-320, 1e-310, 2e-308, 0.0],
    "huge": [1e300, 1.7e308, -1.7e308, 1e307, 0.0],
    "wide": [1e-300, 1.0, 1e300, 1e-5, 10**300],
    "equal": [1.0, 1.0, 1.0, 1.0, 1.0],
    "zeros": [0.0, 1e-12, 1e-6, 1.0, 0.0],
    "nulls": [None, None, None, None, None],
    "gaps": [None, 1.0, 2.0, None, 3.0],
    "close": [1.0, 1.0 + 1e-12, 1.0 + 2e-12, 1.0, 1.0],
}


@pytest.mark.parametrize(
    ("name", "scale"), [*((name, "auto") for name in ODD), ("tiny", "log"), ("huge", "log"), ("nulls", "log")]
)
def test_any_values_can_be_drawn(name: str, scale: Any) -> None:
    values = ODD[name]
    metric = Metric(value="m", theory="t", contour=Contour(value="c", at=1), scale=scale)

    def find(setting: Any) -> dict[str, float | None]:
        value = values[setting.get("x", setting.get("seed"))]
        return {"m": value, "m.theory": value, "m.contour": value}

    for settings in (grid(seed=range(5)), grid(x=range(5)), grid(x=range(5), y="uv")):
        assert list(rendered(swept(settings, find, metric)))


@pytest.mark.parametrize("values", ODD.values(), ids=list(ODD))
def test_any_values_can_be_drawn_as_points_and_lines(values: list[float | None]) -> None:
    points = [{"x": i, "y": 10.0 ** ((7 * i) % 5)} for i in range(5)]
    lines = grid(x=range(5), y=["u", "v"], z=[1, 2])
    for settings in (points, lines):
        assert list(rendered(swept(settings, lambda setting: values[setting["x"]])))


KEYS: dict[str, list[Any]] = {
    "mixed": [1, "auto", None, True, {"name": "a", "k": 1}, {"name": "a", "k": 2}, [1, 2]],
    "words": ["$x_1$", "_a", "日本", "a\nb", "x" * 200, "x" * 201],
    "tiny": [1e-320, 1e-310, 1e-300],
    "huge": [-1.7e308, 1e300, 1.7e308],
    "close": [1.0, 1.0 + 1e-15],
}


@pytest.mark.parametrize("values", KEYS.values(), ids=list(KEYS))
def test_any_settings_can_be_drawn(values: list[Any]) -> None:
    metric = Metric(label="_$label 日本", value="m")
    for more in ({}, {"y": [1, "b"]}, {"y": [1, "b"], "z": [1, 2]}):
        assert list(rendered(swept(grid(x=values, **more), lambda _: 1.0, metric)))


def sample(name: str) -> Result:
    """A sweep of that many keys, with everything that can go wrong."""
    rng = np.random.default_rng(0)

    def find(setting: Any) -> Any:
        job = int(rng.integers(20))
        if job < 2:
            return (FAILED, MISSING)[job]
        value = None if job == 3 else float(10 ** rng.normal(-3, 2))
        return {"m": value, "m.theory": 1e-3, "m.contour": float(rng.normal()), "other metric": 0.5}

    metrics = (
        Metric(value="m", theory="t", contour=Contour(value="c", at=0, label="where it is critical")),
        Metric(label="other metric", value="o"),
    )
    rates: list[Any] = [10.0**p for p in range(-4, 1)]
    seeds: list[Any] = [0, 1, 2]
    settings = {
        "repeats": grid(seed=range(12)),
        "curve": grid(**{"optimizers.adam.learning_rate": rates, "seed": seeds}),
        "rows": grid(base=[f"../configs/optimize/name_number_{i}.yaml" for i in range(12)], seed=range(3)),
        "map": grid(**{"optimizers.adam.learning_rate": rates, "depth": [*range(1, 30)], "seed": seeds}),
        "names": grid(activation=["relu", "leaky_relu", "softplus"], loss=["squared_error", "other"] * 3),
        "points": [
            {"learning_rate": float(10 ** rng.uniform(-4, 0)), "beta": float(rng.uniform())}
            for _ in range(40)
        ],
        "lines": grid(
            **{"a.long.key.learning_rate": rates, "another.learning_rate": rates, "kind": ["first", "other"]}
        ),
    }
    return swept(settings[name], find, *metrics)


@pytest.mark.parametrize("name", ["repeats", "curve", "rows", "map", "names", "points", "lines"])
def test_every_text_is_inside_and_apart(name: str) -> None:
    with matplotlib.rc_context(STYLE):
        for figure in figures(sample(name)).values():
            assert_readable(figure)


def test_a_sweep_is_rendered_as_png() -> None:
    found = dict(rendered(sample("map")))
    assert set(found) == {"m.png", "other_metric.png"}
    assert imread(io.BytesIO(found["m.png"])).shape[0] > 300


def test_notes_say_what_is_not_in_the_picture() -> None:
    def find(setting: Any) -> Any:
        return {0: FAILED, 1: MISSING, 2: None}.get(setting["seed"], 1.0)

    (figure,) = figures(swept(grid(x=[1, 2], steps=[10], seed=range(5)), find)).values()
    text = words(figure).replace("\n", " ")
    for said in (
        "2 of 10 jobs failed (boom)",
        "2 of 10 jobs missing",
        "m: no finite number in 2 of 6 complete jobs",
        "steps = 10 everywhere",
    ):
        assert said in text


def test_a_metric_of_one_experiment_is_not_missed_in_others() -> None:
    result = swept(
        grid(base=["a.yaml", "b.yaml"]),
        lambda s: {"a": 1.0, "b": None} if s["base"] == "a.yaml" else {"a": None, "b": 1.0},
        A,
        B,
    )
    for row, experiment in zip(result.metrics["rows"], ("optimize", "gradcheck"), strict=True):
        row["experiment"] = experiment
    (figure,) = figures(result).values()
    assert "no finite number" not in words(figure)
    result.metrics["rows"][1]["experiment"] = "optimize"
    (figure,) = figures(result).values()
    assert "no finite number" in words(figure)
