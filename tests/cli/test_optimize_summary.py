"""The tables of `optimize`: what a reader is told."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from dnnexp.config.schema import read
from dnnexp.core.streams import Streams
from dnnexp.execution.summary import summary, summary_text
from dnnexp.experiments import find
from dnnexp.experiments.base import Result, RunContext

optimize = find("optimize")

TUNED = {
    "optimizers": [{"name": "gradient_descent"}, {"name": "adam", "learning_rate": 0.1}],
    "tune": {"space": [{"hyperparameter": "learning_rate", "low": 1e-3, "high": 0.1}], "trials": 3},
}


def result(**changes: Any) -> Result:
    tree = {
        "name": "told",
        "starts": {"uniform": {"low": -2, "high": 2, "count": 8}},
        "steps": 100,
        "targets": [1, 0.1],
        "optimizers": [{"name": "momentum", "learning_rate": 0.1}, {"name": "adam", "label": "slow"}],
    }
    config, errors = read(optimize.config_class, tree | changes)
    assert config is not None, errors
    return optimize.run(config, RunContext(Streams(0)))


def told(found: Result) -> str:
    return summary_text(optimize, found, [])


def row(table: str, label: str) -> str:
    (line,) = [line for line in table.splitlines() if line.strip().startswith(label)]
    return line


def test_reached_starts_median_and_interval() -> None:
    found = result()
    table = told(found)
    for label, metrics in found.metrics["optimizers"].items():
        line = row(table, label)
        for target in ("1.0", "0.1"):
            reached = metrics["targets"][target]["reached"]
            assert (f"{reached}/8" in line) == (reached > 0)
        assert f"{metrics['final_value']['median']:.3g}" in line
        low, high = metrics["final_value"]["median_ci"]
        assert f"{low:.2g}…{high:.2g}" in table
    assert "95 % interval" in table


def test_a_single_start_has_no_interval() -> None:
    table = told(result(starts={"points": [[1, 1]]}))
    assert "interval" not in table
    assert "…" not in table


def test_an_interval_of_diverged_runs_has_dashes() -> None:
    found = result(optimizers=[{"name": "gradient_descent", "learning_rate": 10}], steps=3000)
    assert "–…–" in told(found)


def test_what_was_reached_and_left_again_is_told() -> None:
    """RMSprop's constant step passes through the target; it used to look as if it were there."""
    found = result(optimizers=[{"name": "rmsprop", "learning_rate": 0.5}], targets=[1, 1e-2], steps=200)
    (metrics,) = found.metrics["optimizers"].values()
    entry = metrics["targets"]["0.01"]
    final = found.arrays["rmsprop.value"][-1]
    assert entry["held"] == (final <= 0.01).sum() < entry["reached"]
    assert f"{entry['held']} held" in told(found)
    assert "held: starts that are still" in told(found)
    settled = told(result(optimizers=[{"name": "gradient_descent", "learning_rate": 0.5}]))
    assert "held" not in settled


def test_numbers_are_never_cut_off() -> None:
    """At 80 columns 7.71e-136 was shown as 7.71e-13; columns are left out in its place."""
    many = [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8]
    found = result(targets=many, optimizers=[{"name": "gradient_descent", "learning_rate": 0.5}], steps=1000)
    for width in (40, 60, 80, 200):
        stream = io.StringIO()
        Console(file=stream, width=width, color_system=None).print(summary(optimize, found, []))
        table = stream.getvalue()
        median = found.metrics["optimizers"]["gradient_descent"]["final_value"]["median"]
        assert f"{median:.3g}" in table
        assert "≤ 1e-08" in table
        assert ("≤ 0.1" in table) == (width == 200)


def test_warnings_of_what_makes_a_comparison_less_than_it_seems() -> None:
    space = [{"hyperparameter": "learning_rate", "low": 5, "high": 50}]
    lost = result(tune={"space": space, "trials": 3}, steps=2000, optimizers=["gradient_descent"])
    assert "warning: every trial diverged from every start: gradient_descent" in told(lost)
    assert "the untuned optimizer is better than the tuned one from these starts: gradient_descent" in flat(
        told(lost)
    )
    warm = result(optimizers=[{"name": "adam", "schedule": {"name": "cosine", "warmup": 100}}])
    assert "warning: adam never leaves its warm-up of 100 steps of 100" in told(warm)
    formula = {"name": "expression", "expression": "x**2 + y**2", "variables": ["x", "y"]}
    below = result(objective=formula | {"minimum": 5})
    assert "below the stated minimum 5" in told(below)
    assert "no minimum is known: targets refer to the value itself" in told(result(objective=formula))


@pytest.mark.parametrize("width", [20, 60])
def test_labels_are_whole_though_folded(width: int) -> None:
    label = "a" + "b" * (width - 1)
    stream = io.StringIO()
    found = result(optimizers=[{"name": "adam", "label": label}])
    Console(file=stream, width=80, color_system=None).print(summary(optimize, found, []))
    table = stream.getvalue()
    column = "".join(re.findall(r"^  ([ab]+)", table, flags=re.MULTILINE))
    assert label in column
    assert max(map(len, table.splitlines())) <= 80


def test_tuned_and_untuned_and_what_is_at_an_edge() -> None:
    found = result(**TUNED)
    table = told(found)
    edges = [label for label, m in found.metrics["optimizers"].items() if m["tuning"]["at_edge"]]
    assert edges == ["gradient_descent", "adam"]
    assert table.count("untuned") == 2
    assert "warning: best trial at an edge of the tuning space: gradient_descent, adam" in flat(table)
    assert "tuned learning_rate: gradient_descent 0.1, adam 0.1" in flat(table)


def test_the_edges_of_a_suite_are_counted() -> None:
    found = result(objectives=["valley", "sphere"], **TUNED)
    counts = [
        sum(m["optimizers"][label]["tuning"]["at_edge"] for m in found.metrics["objectives"].values())
        for label in ("gradient_descent", "adam")
    ]
    assert counts == [2, 2]
    words = "(number of the 2 objectives): gradient_descent (2), adam (2)"
    assert words in flat(told(found))


def test_noise_and_clipping_are_never_left_unsaid() -> None:
    clipped = {"name": "adam", "clip_norm": 2, "clip_value": 0.5}
    table = flat(told(result(noise={"std": 0.3}, optimizers=["momentum", clipped])))
    assert "noise of standard deviation 0.3 on every gradient, the same for all" in table
    assert "clipped: adam, at norm 2 and value 0.5" in table


def flat(table: str) -> str:
    """Without the line breaks of the terminal's width."""
    return " ".join(table.split())
