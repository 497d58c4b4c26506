"""What differs between runs: leaves by keys that mean the same in every run, differences, verdicts."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.runs.compare import ABSENT, config_leaves, environment_leaves, metric_leaves, reproduction, rows
from tests.runs.written import RECORD

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def test_leaves_of_a_config() -> None:
    tree = {
        "seed": 0,
        "network": {"layers": [3, 4, 2]},
        "starts": {"points": [[1, 2], [3, 4]], "none": []},
        "optimizers": [{"name": "adam", "beta1": 0.9}, {"name": "adam", "label": "slow", "beta1": 0.5}],
    }
    assert config_leaves(tree) == {
        "seed": 0,
        "network.layers": [3, 4, 2],
        "starts.points": [[1, 2], [3, 4]],
        "starts.none": [],
        "optimizers.adam.name": "adam",
        "optimizers.adam.beta1": 0.9,
        "optimizers.slow.name": "adam",
        "optimizers.slow.label": "slow",
        "optimizers.slow.beta1": 0.5,
    }


def test_leaves_of_metrics() -> None:
    check = {"tensor": "W1", "pair": "backward-forward", "max_rel_error": 0.5}
    other = check | {"tensor": "b1", "max_rel_error": None}
    tree = {"ranking": ["adam", "momentum"], "checks": [check, other], "layers": [{"q": 1.0}, {"q": 2.0}]}
    found = metric_leaves(tree)
    assert found["ranking.1"] == "momentum"
    assert found["checks.W1.backward-forward.max_rel_error"] == 0.5
    assert found["checks.b1.backward-forward.max_rel_error"] is None
    assert found["layers.1.q"] == 2.0
    assert len(found) == 2 + 6 + 2


@pytest.mark.parametrize("names", [("a", "a"), ("a", None), (1, 2)])
def test_items_that_no_name_tells_apart_are_numbered(names: tuple[Any, Any]) -> None:
    assert set(metric_leaves({"x": [{"name": name} for name in names]})) == {"x.0.name", "x.1.name"}


def test_an_optimizer_more_leaves_the_keys_of_the_others_alone() -> None:
    adam, momentum = {"name": "adam", "beta1": 0.9}, {"name": "momentum", "momentum": 0.5}
    found = rows([config_leaves({"optimizers": o}) for o in ([momentum, adam], [adam])])
    assert {row.key for row in found if not row.is_equal} == {
        "optimizers.momentum.name",
        "optimizers.momentum.momentum",
    }


def test_absent_is_no_null() -> None:
    (row,) = rows([{"a": None}, {}])
    assert row.values == (None, ABSENT)
    assert not row.is_equal
    assert row.plain == [None, None]


@pytest.mark.parametrize(
    ("values", "is_equal"),
    [
        ((1, 1.0), True),
        ((True, 1), False),
        ((False, False), True),
        ((None, None), True),
        ((None, 0), False),
        (("1", 1), False),
        ((0.0, -0.0), True),
        (([1, 2], [1, 2]), True),
        (([1, 2], [2, 1]), False),
        ((1, 1, 2), False),
    ],
)
def test_what_is_equal(values: tuple[Any, ...], is_equal: bool) -> None:
    (row,) = rows([{"a": value} for value in values])
    assert row.is_equal == is_equal


@given(NUMBERS, NUMBERS)
def test_differences_are_those_of_the_definition(left: float, right: float) -> None:
    (row,) = rows([{"a": left}, {"a": right}])
    difference = abs(left - right)
    if not math.isfinite(difference):
        assert (row.difference, row.relative) == (None, None)
        return
    assert row.difference == difference
    if left == right == 0:
        assert row.relative == 0
    else:
        assert row.relative == difference / max(abs(left), abs(right))


def test_the_difference_of_several_runs_is_the_largest() -> None:
    (row,) = rows([{"a": 2}, {"a": 5}, {"a": 4}])
    assert (row.difference, row.relative) == (3, 3 / 5)


@pytest.mark.parametrize("values", [(1, None), (1, "a"), (True, False), (10**400, 1), ([1], [2])])
def test_what_has_no_difference_in_numbers(values: tuple[Any, Any]) -> None:
    (row,) = rows([{"a": value} for value in values])
    assert (row.difference, row.relative) == (None, None)


def test_leaves_of_an_environment() -> None:
    plugins = [{"path": "/home/a/rules.py", "sha256": "12ab"}]
    assert environment_leaves(RECORD | {"plugins": plugins}) == {
        "versions.dnnexp": "1.0",
        "versions.numpy": "2.0",
        "git.commit": "abc",
        "git.dirty": False,
        "platform.machine": "x86_64",
        "blas.name": "openblas",
        "blas.threads.OMP_NUM_THREADS": "1",
        "plugins.rules.py": "12ab",
    }


@pytest.mark.parametrize("record", [{}, {"versions": None, "plugins": None}, {"plugins": [5]}])
def test_an_environment_that_was_not_recorded_has_no_leaves(record: dict[str, Any]) -> None:
    assert environment_leaves(record) == {}


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        ({"a": 1.0, "b": None, "c": "x"}, "identical"),
        ({"a": 1.0 + 1e-10, "b": None, "c": "x"}, "within tolerance"),
        ({"a": 1.0 + 1e-8, "b": None, "c": "x"}, "different"),
        ({"a": 1.0 + 1e-10, "b": 0.0, "c": "x"}, "different"),  # a null is no number
        ({"a": 1.0, "b": None, "c": "y"}, "different"),
        ({"a": 1.0, "b": None}, "different"),
        ({"a": 1.0, "b": None, "c": "x", "d": 1}, "different"),
    ],
)
def test_a_reproduction_is_as_good_as_its_worst_metric(now: dict[str, Any], verdict: str) -> None:
    assert reproduction({"a": 1.0, "b": None, "c": "x"}, now, rtol=1e-9).verdict == verdict


def test_a_tolerance_of_0_allows_nothing() -> None:
    found = reproduction({"a": 1.0, "b": 2.0}, {"a": math.nextafter(1, 2), "b": 2.0}, rtol=0)
    assert [[row.key for row in part] for part in found] == [["b"], [], ["a"]]
