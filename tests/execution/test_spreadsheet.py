"""The CSV of a sweep: every line has a cell for every column, whatever jobs come first."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from dnnexp.execution.spreadsheet import Scalars, csv_text
from dnnexp.runs.leaves import leaves


def cells(columns: list[str], rows: list[dict[str, Any]], trees: list[dict[str, Any]]) -> list[list[str]]:
    scalars = Scalars()
    for tree in trees:
        scalars.add(tree)
    return list(csv.reader(io.StringIO(csv_text(columns, rows, scalars), newline=""), strict=True))


def written(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value).lower()


TREES: list[list[dict[str, Any]]] = [
    [{"a": 1}, {"b": 2}, {"a": 3, "c": 4}],
    [{}, {"a": 1}, {"b": {"c": 2}}],
    [{}, {"a": None}, {"a": 1}],
    [{"a": None}, {}, {}],
    [{}, {}, {}],
    [{"a": 'x, "y"\r\nz', "b": True, "c": [1]}, {"b": "", "d": False}, {"e": -0.0}],
]


@pytest.mark.parametrize("trees", TREES)
def test_cells_stand_under_their_names(trees: list[dict[str, Any]]) -> None:
    columns = ["job", "x"]
    rows: list[dict[str, Any]] = [{"job": "j", "x": 1.5}, {"job": "k", "x": None}, {"job": "l", "x": "w"}]
    head, *body = cells(columns, rows, trees)
    names = list(dict.fromkeys(name for tree in trees for name in leaves(tree, "left out")))
    assert head == [*columns, *names]
    for line, row, tree in zip(body, rows, trees, strict=True):
        values = [*(row[name] for name in columns), *(leaves(tree, "left out").get(name) for name in names)]
        assert line == [written(value) for value in values]


def test_scalars_have_dotted_names_and_lists_are_left_out() -> None:
    tree = {"a": {"b": {"0.001": 1, "list": [1]}, "c": None}, "d": "text", "empty": {}}
    assert leaves(tree, "left out") == {"a.b.0.001": 1, "a.c": None, "d": "text"}


def test_a_name_that_a_column_has_is_told_apart() -> None:
    assert cells(["x"], [{"x": 1}], [{"x": 2, "y": 3}]) == [["x", "metrics.x", "y"], ["1", "2", "3"]]
