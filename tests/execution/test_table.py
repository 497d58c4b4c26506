"""The table of a sweep: what stands in its rows, groups and CSV is what the jobs' files say."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dnnexp import expression
from dnnexp.config.sweep import Contour, Job, Metric, SweepConfig
from dnnexp.execution.table import SweepTable, build, csv_text, outline
from dnnexp.experiments.base import Expectation

FAILED, MISSING = "failed", "missing"
Made = Callable[..., SweepTable]


def job(index: int, swept: Mapping[str, Any], tree: Mapping[str, Any] | None = None) -> Job:
    return Job(f"{index:064x}", "optimize", "small", "small.yaml", dict(swept), dict(tree or {}))


def sweep(*metrics: Metric, **more: Any) -> SweepConfig:
    return SweepConfig(base="small.yaml", metrics=metrics, **more)


def leave(folder: Path, key: str, found: Any) -> None:
    """What a job leaves: metrics, or the record of its failure."""
    path = folder / "jobs" / key
    if found == MISSING:
        return
    path.mkdir(parents=True)
    if found == FAILED:
        record = {"status": "failed", "error": "the disk is full"}
        (path / "run.json").write_text(json.dumps(record), encoding="utf-8")
    else:
        (path / "metrics.json").write_text(json.dumps({"metrics": found}), encoding="utf-8")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Makes a table of settings and what their jobs have found."""

    def make(
        config: SweepConfig, swept: Sequence[Mapping[str, Any]], found: Sequence[Any], skip: bool = False
    ) -> SweepTable:
        jobs = [job(index, one) for index, one in enumerate(swept)]
        for one, metrics in zip(jobs, found, strict=True):
            leave(tmp_path, one.key, metrics)
        return build(config, jobs, tmp_path, skip)

    return make


def test_a_row_has_status_settings_and_values(made: Made) -> None:
    table = made(
        sweep(Metric(value="a.b", theory="c")), [{"x": 1}], [{"a": {"b": 2.5}, "c": 3, "passed": False}]
    )
    (row,) = table.document["rows"]
    assert row == {"job": "0" * 64, "status": "complete", "experiment": "optimize", "name": "small"} | {
        "passed": False,
        "error": None,
        "x": 1,
        "a.b": 2.5,
        "a.b.theory": 3,
    }


def test_an_interrupted_job_is_missing_and_a_damaged_one_says_so(tmp_path: Path) -> None:
    jobs = [job(index, {"x": index}) for index in range(6)]
    for one in jobs[:5]:
        (tmp_path / "jobs" / one.key).mkdir(parents=True)
    contents = {0: '{"metrics": {"a": 1', 1: '"text"', 2: "{}", 3: ""}
    for index, text in contents.items():
        (tmp_path / "jobs" / jobs[index].key / "metrics.json").write_text(text)
    (tmp_path / "jobs" / jobs[4].key / "run.json").write_text('{"status": "interrupted"}')
    document = build(sweep(Metric(value="a")), jobs, tmp_path).document
    assert [row["status"] for row in document["rows"]] == ["complete"] * 4 + [MISSING] * 2
    errors = {row["error"] for row in document["rows"][:4]}
    assert errors == {"metrics.json is damaged"}
    assert [row["a"] for row in document["rows"]] == [None] * 6


def test_a_failed_job_has_its_error_and_no_values(made: Made) -> None:
    table = made(sweep(Metric(value="a")), [{"x": 1}, {"x": 1}], [FAILED, {"a": 4}])
    row, _ = table.document["rows"]
    assert (row["status"], row["error"], row["a"]) == ("failed", "the disk is full", None)
    (group,) = table.document["groups"]
    assert (group["runs"], group["failed"], group["missing"], group["a"]) == (1, 1, 0, 4)


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_groups_have_medians_and_quartiles_over_repeats(made: Made, count: int) -> None:
    values = [(7 * k) % 11 / 3 for k in range(count)]
    swept = [{"x": x, "seed": k} for x in (1, 2) for k in range(count)]
    table = made(sweep(Metric(value="a")), swept, [{"a": v} for v in (*values, *values)])
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    assert [group["x"] for group in table.document["groups"]] == [1, 2]
    for group in table.document["groups"]:
        assert group["runs"] == count
        found = [group["a.low"], group["a"], group["a.high"]]
        assert found == pytest.approx([low, middle, high], rel=1e-14)
    assert table.document["keys"] == ["x"]


def test_nulls_count_as_infinite(made: Made) -> None:
    """The median of the survivors would praise what mostly diverges."""
    swept = [{"x": 1, "seed": k} for k in range(5)]
    table = made(sweep(Metric(value="a")), swept, [{"a": v} for v in (None, 3, 1, None, 2)])
    (group,) = table.document["groups"]
    assert (group["a.low"], group["a"], group["a.high"]) == (2, 3, None)


def test_theory_and_contour_are_medians(made: Made) -> None:
    metric = Metric(label="m", value="a", theory="t", contour=Contour(value="c", at=1))
    swept = [{"x": 1, "seed": k} for k in range(3)]
    table = made(sweep(metric), swept, [{"a": 1, "t": t, "c": -t} for t in (5, 1, 3)])
    (group,) = table.document["groups"]
    assert (group["m.theory"], group["m.contour"]) == (3, -3)
    assert "m.theory.low" not in group


def test_settings_are_equal_whatever_the_order_and_the_kind_of_number(made: Made) -> None:
    swept = [{"x": {"a": 1, "b": 2}, "y": 1}, {"x": {"b": 2, "a": 1}, "y": 1.0}, {"x": "1", "y": 1}]
    table = made(sweep(Metric(value="a")), swept, [{"a": 1}, {"a": 3}, {"a": 5}])
    assert [group["a"] for group in table.document["groups"]] == [2, 5]


def test_a_key_that_only_others_sweep_has_the_configs_value(tmp_path: Path) -> None:
    tree = {
        "steps": 7,
        "optimizers": [{"name": "adam", "learning_rate": 0.5}, {"name": "sgd", "label": "own"}],
    }
    keys = {"optimizers.adam.learning_rate": 1, "optimizers.own.name": "x", "steps": 1, "absent.key": 2}
    document = build(sweep(Metric(value="a")), [job(0, keys), job(1, {}, tree)], tmp_path).document
    row = document["rows"][1]
    assert [row[key] for key in keys] == [0.5, "sgd", 7, None]


@pytest.mark.parametrize(
    ("value", "number"), [(True, 1), (False, 0), ("text", None), (None, None), (-0.5, -0.5)]
)
def test_values_are_numbers_or_null(made: Made, value: Any, number: float | None) -> None:
    table = made(sweep(Metric(value="a")), [{}], [{"a": value}])
    assert table.document["rows"][0]["a"] == number


def test_a_metric_that_only_some_jobs_have_is_null_in_others(made: Made) -> None:
    table = made(sweep(Metric(value="a"), Metric(value="b")), [{"x": 1}, {"x": 2}], [{"a": 1}, {"b": 2}])
    assert [(row["a"], row["b"]) for row in table.document["rows"]] == [(1, None), (None, 2)]


def test_the_least_group_is_found_of_each_metric(made: Made) -> None:
    metrics = sweep(Metric(value="a"), Metric(value="b"))
    found = [{"a": 3, "b": None}, {"a": None, "b": None}, {"a": -1, "b": None}]
    least = made(metrics, [{"x": x} for x in range(3)], found).document["least"]
    assert least["a"]["x"] == 2
    assert least["b"] is None


def test_expectations_speak_of_the_document(made: Made) -> None:
    claims = {"counts.failed == 1": "holds", "rows[0].x == 2": "fails", "least.a.a < 1": "not_evaluable"}
    expect = tuple(Expectation(claim=check, check=check) for check in claims)
    config = sweep(Metric(value="a"), expect=expect)
    document = made(config, [{"x": 1}, {"x": 2}], [FAILED, {"a": None}]).document
    assert {e["check"]: e["outcome"] for e in document["expectations"]} == claims


def test_expectations_of_a_smoke_run_are_skipped(made: Made) -> None:
    config = sweep(Metric(value="a"), expect=(Expectation(claim="none", check="counts.jobs == 0"),))
    (outcome,) = made(config, [{}], [{"a": 1}], skip=True).document["expectations"]
    assert outcome["outcome"] == "skipped"


def test_no_jobs_make_an_empty_table(made: Made) -> None:
    table = made(sweep(Metric(value="a")), [], [])
    assert (table.document["rows"], table.document["groups"], table.document["least"]) == (
        [],
        [],
        {"a": None},
    )


def fits(found: Any, shape: Any) -> bool:
    """Whether a document has the shape of an outline."""
    if isinstance(shape, dict):
        return found is None or (
            found.keys() == shape.keys() and all(fits(found[k], shape[k]) for k in shape)
        )
    if isinstance(shape, list):
        return len(found) == len(shape) and all(map(fits, found, shape))
    if shape is float:
        return found is None or (isinstance(found, int | float) and not isinstance(found, bool))
    return shape is object or found is None or isinstance(found, shape)


def test_the_document_has_the_shape_of_the_outline(tmp_path: Path) -> None:
    metric = Metric(label="m", value="a", theory="t", contour=Contour(value="c", at=1))
    swept: list[dict[str, Any]] = [
        {"n": 1, "t": "a", "b": True, "mixed": "auto", "part": {"name": "x"}, "seed": 0},
        {"n": 0.5, "t": "b", "b": False, "mixed": 1, "part": "y", "seed": 0},
        {"n": 0.5, "t": "b", "b": False, "mixed": 1, "part": "y", "seed": 1},
    ]
    jobs = [job(index, one) for index, one in enumerate(swept)]
    for one, found in zip(jobs, ({"a": 1, "t": 2, "c": 3}, FAILED, MISSING), strict=True):
        leave(tmp_path, one.key, found)
    shape = outline(sweep(metric), jobs)
    document = build(sweep(metric), jobs, tmp_path).document
    del document["expectations"]
    assert fits(document, shape)
    assert [shape["rows"][0][key] for key in ("n", "t", "b", "mixed", "part")] == [
        float,
        str,
        bool,
        object,
        object,
    ]
    assert len(shape["groups"]) == 2


def test_the_outline_refuses_what_cannot_be() -> None:
    shape = outline(sweep(Metric(value="a")), [job(0, {"x": 1})])
    expression.parse('all(row.status == "complete" and row.x < 2 for row in rows)').check(shape)
    for wrong in (
        "rows[1].x == 1",
        "groups[0].y == 1",
        "least.b.x == 1",
        'rows[0].x == 1 and counts.jobs > "a"',
    ):
        with pytest.raises(expression.ExpressionError):
            expression.parse(wrong).check(shape)


def lines(table: SweepTable) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_text(table), newline=""), strict=True))


def test_csv_has_the_rows_and_all_scalars(made: Made) -> None:
    found = {"a": {"b": 0.1, "list": [1, 2]}, "n": 3, "flag": True, "word": 'a, "b"\nc', "none": None}
    table = made(sweep(Metric(value="a.b", label="m")), [{"x": {"k": 1}}, {"x": None}], [found, FAILED])
    complete, failed = lines(table)
    assert complete == {"job": "0" * 64, "status": "complete", "x": '{"k": 1}', "m": "0.1", "a.b": "0.1"} | {
        "n": "3",
        "flag": "true",
        "word": 'a, "b"\nc',
        "none": "",
    }
    assert failed == {key: "" for key in complete} | {"job": f"{1:064x}", "status": "failed"}
    assert csv_text(table).count("\r\n") == 3


def test_csv_keeps_every_digit(made: Made) -> None:
    values = [0.1 + 0.2, 1e-300, 5e-324, 1.7976931348623157e308, -0.0, 10**20]
    table = made(sweep(Metric(value="a")), [{"x": v} for v in values], [{"a": v} for v in values])
    found = lines(table)
    assert [float(row["a"]).hex() for row in found] == [float(v).hex() for v in values]
    assert [float(row["x"]).hex() for row in found] == [float(v).hex() for v in values]


def test_csv_names_a_scalar_apart_that_shares_only_a_columns_name(made: Made) -> None:
    found = [{"same": 1, "x": 7, "status": "fine"}, {"same": 2, "x": 2, "status": "fine"}]
    table = made(sweep(Metric(value="same")), [{"x": 1}, {"x": 2}], found)
    first = lines(table)[0]
    assert list(first) == ["job", "status", "x", "same", "metrics.x", "metrics.status"]
    assert (first["x"], first["metrics.x"], first["metrics.status"]) == ("1", "7", "fine")
