"""What a sweep shows that names no metrics: the main numbers of its experiments, and they can be drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dnnexp import expression
from dnnexp.config.load import load
from dnnexp.config.schema import read
from dnnexp.config.sweep import Job, SweepConfig
from dnnexp.core.streams import Streams
from dnnexp.execution.table import build, metrics_of
from dnnexp.experiments import find
from dnnexp.experiments.base import Result, RunContext
from dnnexp.figures import render, sweep
from dnnexp.registry import plain

CONFIGS = {
    "optimize": "steps: 5, objective: valley, starts: {points: [[1, 1]]}, optimizers: [adam, rprop]",
    "activations": "network: {layers: [3, 4, 2]}, input: {name: normal, samples: 3},"
    " activations: [relu, tanh], initializers: [{label: he-1, weights: he}]",
    "gradcheck": "network: {layers: [2, 3, 2], activation: tanh}, batch: 2",
}


def small_run(folder: Path, experiment: str) -> tuple[Job, Result]:
    file = folder / f"{experiment}.yaml"
    file.write_text(f"{{experiment: {experiment}, {CONFIGS[experiment]}}}", encoding="utf-8")
    config = load(experiment, file)
    result = find(experiment).run(config, RunContext(Streams(0)))
    return Job("0" * 64, experiment, "small", str(file), {}, plain(config)), result


def leave(folder: Path, job: Job, metrics: Any) -> None:
    path = folder / "jobs" / job.key
    path.mkdir(parents=True)
    (path / "metrics.json").write_text(json.dumps({"metrics": metrics}), encoding="utf-8")


def main_numbers(experiment: str, metrics: Any) -> list[float]:
    """What the default metrics should be, read by hand."""
    match experiment:
        case "optimize":
            return [entry["final_value"]["median"] for entry in metrics["optimizers"].values()]
        case "activations":
            return [case["layers"][-1]["post"]["std"] for case in metrics["cases"].values()]
    return [max(check["max_rel_error"] for check in metrics["checks"])]


@pytest.mark.parametrize("experiment", CONFIGS)
def test_by_default_a_sweep_shows_the_main_numbers(tmp_path: Path, experiment: str) -> None:
    one, result = small_run(tmp_path, experiment)
    leave(tmp_path, one, result.metrics)
    config = SweepConfig(base="x")
    document = build(config, [one], tmp_path).document
    values = [document["rows"][0][label] for label in document["metrics"]]
    assert values == main_numbers(experiment, result.metrics)
    loaded, errors = read(find(experiment).config_class, one.tree)
    shape = find(experiment).outline(loaded)
    assert not errors
    for metric in metrics_of(config, [one]):
        assert expression.parse(metric.value).check_value(shape) == "a number"
    assert list(render(lambda: sweep.figures(config, document)))


def test_by_default_jobs_of_different_optimizers_show_the_least_that_is_finite(tmp_path: Path) -> None:
    trees = [{"optimizers": [{"name": "adam"}, {"name": name}], "objectives": []} for name in ("a", "b")]
    jobs = [Job(str(x), "optimize", "small", "b", {"x": x}, tree) for x, tree in enumerate(trees)]

    def entry(value: float | None) -> dict[str, Any]:
        return {"final_value": {"median": value}, "runs": 4, "diverged": 2 if value is None else 1}

    leave(tmp_path, jobs[0], {"optimizers": {"adam": entry(2.0), "a": entry(None)}})
    leave(tmp_path, jobs[1], {"optimizers": {"adam": entry(2.0), "b": entry(0.5)}})
    document = build(SweepConfig(base="x"), jobs, tmp_path).document
    assert document["metrics"] == ["final_value"]
    assert [row["final_value"] for row in document["rows"]] == [2.0, 0.5]
