"""How a sweep's plots read keys, values and labels: axes, names, files, quantities."""

from __future__ import annotations

import numpy as np
import pytest

from dnnexp.figures.scales import plain
from dnnexp.figures.sweep.axis import KeyAxis, is_geometric
from dnnexp.figures.sweep.names import ends, file_names, numbers, split, texts
from dnnexp.figures.sweep.study import quantity


@pytest.mark.parametrize(
    ("values", "geometric"),
    [
        ([1, 10, 100], True),
        ([1, 2, 4, 8, 16], True),
        ([0.1, 0.2, 0.5, 1, 2, 5], True),
        ([0.01, 0.1], True),
        ([1, 2], False),
        ([1, 2, 3], False),
        (list(range(1, 101)), False),
        ([1.0], False),
        (list(np.sort(10 ** np.random.default_rng(0).uniform(-4, 0, 50))), True),
        (list(np.sort(np.random.default_rng(0).uniform(0.001, 1, 50))), False),
    ],
)
def test_numbers_are_spaced_geometrically_or_not(values: list[float], geometric: bool) -> None:
    assert is_geometric(np.array(values, dtype=np.float64)) is geometric


def test_numbers_ascend_and_other_values_stay_in_order() -> None:
    axis = KeyAxis.of(("x",), [[10], [1], [2.5], [1]])
    assert (axis.values, list(axis.places)) == ((1, 2.5, 10), [2, 0, 1, 0])
    axis = KeyAxis.of(("x",), [["b"], ["a"], [True], ["b"]])
    assert (axis.values, axis.names, list(axis.places)) == (
        ("b", "a", True),
        ("b", "a", "true"),
        [0, 1, 2, 0],
    )


def test_zero_is_an_end_of_a_geometric_axis() -> None:
    axis = KeyAxis.of(("x",), [[0], [1e-4], [1e-3], [1e-2]])
    assert (axis.scale.is_log, axis.scale.below) == (True, "0")
    assert axis.scale.share(0.0) == 0


def test_file_names_are_safe_and_apart() -> None:
    labels = ["a/b", "a b", "A:B", "../..", "", "x" * 300, "x" * 299, "optimizers.adam.final_value", "日本"]
    names = file_names(labels)
    assert len({name.lower() for name in names}) == len(labels)
    assert all(name.isascii() and not set(name) & set('/\\:*?"<>| ') for name in names)
    assert all(name[0] not in ".-" and len(name) < 100 for name in names)
    assert names[7] == "optimizers.adam.final_value"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (12345, "12345"),
        (0.1, "0.1"),
        (1000.0, "1000"),
        (1584.9, "1580"),
        (1e-7, "1e-7"),
        (2**40, "1.1e12"),
    ],
)
def test_numbers_in_words(value: float, text: str) -> None:
    assert plain(value) == text


def test_names_tell_values_apart() -> None:
    assert numbers([1.0001, 1.0002]) == ["1.0001", "1.0002"]
    assert texts(["../a/x.yaml", "../a/y.yaml", "../b/x.yaml"]) == ["a/x.yaml", "a/y.yaml", "b/x.yaml"]
    parts = [
        {"name": "m", "rate": 1, "beta": 0.9},
        {"name": "m", "rate": 1, "beta": 0.99},
        {"name": "n", "z": 1},
    ]
    assert texts(parts) == ["m (beta: 0.9)", "m (beta: 0.99)", "n (z: 1)"]
    assert ends(["a.b.rate", "a.c.rate", "steps", "steps.x"]) == ["b.rate", "c.rate", "steps", "x"]


@pytest.mark.parametrize(
    ("labels", "common", "rests"),
    [
        (["o.adam.v.median", "o.sgd.v.median"], "o.*.v.median", ["adam", "sgd"]),
        (['c["r/he"].s', 'c["r/lecun"].s'], "c[*].s", ["r/he", "r/lecun"]),
        (["loss 1", "loss 22"], "loss *", ["1", "22"]),
        (["a", "b"], "", ["a", "b"]),
        (["a.b", "a.b.c"], "", ["a.b", "a.b.c"]),
        (["only.one"], "only.one", ["only.one"]),
    ],
)
def test_labels_are_split_in_what_they_share_and_the_rest(
    labels: list[str], common: str, rests: list[str]
) -> None:
    assert split(labels) == (common, rests)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("optimizers.adam.final_value.median", "final_value"),
        ("optimizers.adam.theory.fitted_rate", "fitted_rate"),
        ('cases["relu/he"].layers[-1].post.std', "post"),
        ("ecdf.adam", "ecdf"),
        ("coverage.error", "error"),
        ("minimum", "minimum"),
        ("max(check.error for check in checks)", "max(error for check in checks)"),
        ("1 - o.adam.theory.rate", "1 - rate"),
    ],
)
def test_the_quantity_of_a_metric_is_the_end_of_its_path(value: str, found: str) -> None:
    assert quantity(value) == found
