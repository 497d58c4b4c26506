"""The plot of the schedules: each optimizer's learning rate, as it was tuned."""

from collections.abc import Callable

import numpy as np

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.figures.cases import cases
from dnnexp.experiments.optimize.figures.schedules import has_schedules, schedules

Run = Callable[[str], Result]
CONFIG = """
name: scheduled
objective: valley
starts: {uniform: {low: -1, high: 1, count: 3}}
steps: 50
optimizers:
  - {name: adam, learning_rate: 0.3}
  - {name: momentum, learning_rate: 0.01, schedule: {name: step, every: 20, gamma: 0.5}}
"""


def test_rates_are_those_of_the_steps(run_optimize: Run) -> None:
    (case,) = cases(run_optimize(CONFIG))
    assert has_schedules(case)
    (axes,) = schedules(case).axes
    constant, step = axes.lines
    taken = np.asarray(step.get_xdata())
    assert np.array_equal(taken, np.arange(1, 51))
    np.testing.assert_allclose(np.asarray(step.get_ydata()), 0.5 ** ((taken - 1) // 20), rtol=1e-14)
    assert set(np.asarray(constant.get_ydata())) == {1.0}
    assert [str(line.get_label()) for line in axes.lines] == ["adam, η = 0.3", "momentum, η = 0.01"]
    low, high = axes.get_ylim()
    assert low < 0 < 1 < high


def test_a_tuned_rate_is_named(run_optimize: Run) -> None:
    text = (
        CONFIG
        + "tune: {space: [{hyperparameter: learning_rate, low: 1e-3, high: 1}], trials: 3, starts: 2}\n"
    )
    result = run_optimize(text)
    (case,) = cases(result)
    (axes,) = schedules(case).axes
    for line in axes.lines:
        label = str(line.get_label()).partition(",")[0]
        best = result.metrics["optimizers"][label]["tuning"]["best"]["learning_rate"]
        assert line.get_label() == f"{label}, η = {best:.3g}"


def test_constant_rates_have_no_plot(run_optimize: Run) -> None:
    (case,) = cases(run_optimize(CONFIG.split("  - {name: momentum")[0]))
    assert not has_schedules(case)
