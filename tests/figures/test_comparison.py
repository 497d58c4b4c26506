"""The curves of several runs laid over each other: the right numbers, told apart."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dnnexp.experiments import find
from tests.figures.drawn import legend_texts, notes

EVALUATIONS = np.arange(6)
STATISTICS: tuple[Any, ...] = (np.median, np.min)


def figure(
    experiment: str, labels: tuple[str, ...], metrics: list[Any], arrays: list[Any] | None = None
) -> Figure:
    made = find(experiment).compare(labels, metrics, arrays or [{}] * len(metrics))
    assert made is not None
    return made


def values(seed: int, runs: int = 5) -> Any:
    """Positive curves `(6, runs)` that fall."""
    return np.random.default_rng(seed).lognormal(size=(6, runs)) * 10.0 ** -np.arange(6)[:, None]


def optimize(*labels: str, minimum: float | None = 0.0) -> dict[str, Any]:
    return {"minimum": minimum, "optimizers": dict.fromkeys(labels)}


def curve(line: Line2D) -> tuple[list[float], list[float]]:
    return np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()


def legend(made: Figure) -> list[str]:
    return legend_texts(made)


def titles(made: Figure) -> list[str]:
    return [axes.get_title("left") for axes in made.axes]


def test_optimize_medians_and_best_values() -> None:
    arrays = [{"evaluations": EVALUATIONS, "adam.value": values(seed) + 2} for seed in range(3)]
    metrics = [optimize("adam", minimum=2.0)] * 3
    made = figure("optimize", ("a: seed=0", "b: seed=1", "c: seed=2"), metrics, arrays)
    assert titles(made) == ["median over the starts", "best of the starts"]
    for axes, statistic in zip(made.axes, STATISTICS, strict=True):
        lines = axes.get_lines()
        for line, run in zip(lines, arrays, strict=True):
            assert np.array_equal(line.get_xdata(), EVALUATIONS)
            assert np.allclose(line.get_ydata(), statistic(run["adam.value"] - 2, axis=1), rtol=1e-12)
        assert len({(line.get_color(), str(line.get_linestyle())) for line in lines}) == 3
        assert axes.get_yscale() == "log"
    assert legend(made) == ["a: seed=0", "b: seed=1", "c: seed=2"]


def test_optimizers_have_colours_and_runs_have_dashes() -> None:
    arrays = [
        {"evaluations": EVALUATIONS, "adam.value": values(0), "momentum.value": values(1)},
        {"evaluations": EVALUATIONS, "adam.value": values(2), "nesterov.value": values(3)},
    ]
    made = figure(
        "optimize", ("a", "b"), [optimize("adam", "momentum"), optimize("adam", "nesterov")], arrays
    )
    assert legend(made) == ["adam", "momentum", "nesterov", "a", "b"]
    adam, momentum, other_adam, nesterov = made.axes[0].get_lines()
    assert adam.get_color() == other_adam.get_color() != momentum.get_color() != nesterov.get_color()
    assert adam.get_linestyle() == momentum.get_linestyle() == "-"
    assert other_adam.get_linestyle() == nesterov.get_linestyle() == "--"


def test_a_suite_has_a_panel_an_objective() -> None:
    names = [f"f{i}" for i in range(14)]
    arrays: dict[str, Any] = {f"{name}.adam.value": values(i) for i, name in enumerate(names)}
    arrays["evaluations"] = EVALUATIONS
    metrics = {"objectives": {name: optimize("adam") for name in names}}
    made = figure("optimize", ("a", "b"), [metrics] * 2, [arrays] * 2)
    assert titles(made) == [f"{name}: median" for name in names[:12]]
    assert "the first 12 of 14" in notes(made)


def test_a_diverged_curve_leaves_through_the_top() -> None:
    wild = np.full((6, 1), np.nan)
    wild[:3, 0] = [1, 1e9, np.inf]
    arrays = [{"evaluations": EVALUATIONS, "adam.value": v} for v in (values(0, 1), wild)]
    made = figure("optimize", ("a", "b"), [optimize("adam")] * 2, arrays)
    axes = made.axes[0]
    low, high = axes.get_ylim()
    y = np.asarray(axes.get_lines()[1].get_ydata())
    assert high < 1e3
    assert np.all(y[1:] == high)
    assert low > 0


def test_values_without_a_known_minimum_may_be_negative() -> None:
    arrays = [{"evaluations": EVALUATIONS, "adam.value": values(0) - 5}] * 2
    made = figure("optimize", ("a", "b"), [optimize("adam", minimum=None)] * 2, arrays)
    assert made.axes[0].get_yscale() == "linear"


@pytest.mark.parametrize("steps", [0, 5, 20_000])
def test_the_axis_of_evaluations_is_as_the_record_is_spaced(steps: int) -> None:
    evaluations = np.unique(np.geomspace(1, steps, 30).astype(int)) if steps > 5 else np.arange(steps + 1)
    arrays = [{"evaluations": evaluations, "adam.value": np.ones((len(evaluations), 2))}] * 2
    made = figure("optimize", ("a", "b"), [optimize("adam")] * 2, arrays)
    assert made.axes[0].get_xscale() == ("asinh" if steps > 5 else "linear")
    assert made.axes[0].get_xlim() == (0, max(steps, 1))


def test_activations_std_per_layer_a_panel_a_case() -> None:
    def case(*stds: float | None) -> dict[str, Any]:
        return {"layers": [{"post": {"std": std}} for std in stds]}

    metrics = [
        {"cases": {"relu/he": case(1.0, 0.5, 0.25), "tanh/he": case(0.5, None, 0.0)}},
        {"cases": {"relu/he": case(1.0, 2.0)}},
    ]
    made = figure("activations", ("a", "b"), metrics)
    assert titles(made) == ["relu/he", "tanh/he"]
    first, second = made.axes[0].get_lines()
    assert curve(first) == ([1, 2, 3], [1, 0.5, 0.25])
    assert curve(second) == ([1, 2], [1, 2])
    (line,) = made.axes[1].get_lines()
    assert np.isnan(np.asarray(line.get_ydata(), float)).tolist() == [False, True, False]


def test_gradcheck_errors_by_tensor_a_panel_a_pair() -> None:
    def check(tensor: str, pair: str, error: float | None) -> dict[str, Any]:
        return {"tensor": tensor, "pair": pair, "max_rel_error": error}

    metrics = [
        {"checks": [check("W1", "a-b", 1e-8), check("b1", "a-b", 1e-9), check("W1", "a-c", 0.0)]},
        {"checks": [check("b1", "a-b", None), check("W2", "a-b", 1e-3)]},
    ]
    made = figure("gradcheck", ("a", "b"), metrics)
    assert titles(made) == ["a-b", "a-c"]
    axes = made.axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["W1", "b1", "W2"]
    first, second = axes.get_lines()
    assert curve(first) == ([0, 1], [1e-8, 1e-9])
    assert curve(second)[0] == [1, 2]
    assert np.asarray(second.get_ydata())[0] == axes.get_ylim()[1], "not finite: at the top"
    assert (first.get_linestyle(), first.get_marker()) == ("None", "o")


def test_a_deep_network_has_as_many_names_of_tensors_as_can_be_read() -> None:
    checks = [{"tensor": f"W{i}", "pair": "a-b", "max_rel_error": 1e-8} for i in range(200)]
    made = figure("gradcheck", ("a", "b"), [{"checks": checks}] * 2)
    assert len(made.axes[0].get_xticks()) <= 14


@pytest.mark.parametrize("runs", [2, 9, 33])
def test_many_runs_are_told_apart(runs: int) -> None:
    arrays = [{"evaluations": EVALUATIONS, "adam.value": values(seed)} for seed in range(runs)]
    made = figure("optimize", tuple(map(str, range(runs))), [optimize("adam")] * runs, arrays)
    styles = {(h.get_color(), str(h.get_linestyle()), h.get_marker()) for h in made.axes[0].get_lines()}
    assert len(styles) == runs
    assert len(legend(made)) == runs
