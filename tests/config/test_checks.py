"""Checks over several fields run once, in Python and in a reading, and see only valid fields."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dnnexp import experiments, registry
from dnnexp.config.load import load
from dnnexp.config.schema import read
from dnnexp.core.arrays import Floats
from dnnexp.registry import Checked, InvalidError, Labelled, Part, Problem, check, enter_plugin, register

CALLS: Counter[str] = Counter()


class Vessel(Part):
    """Base of a kind that only these tests have."""

    kind = "vessel"


@dataclass(frozen=True)
class Tank(Vessel):
    """A tank, with two rules."""

    low: float = 0
    high: float = 1
    content: float = 0.5

    @check("low", "high")
    @staticmethod
    def ordered(low: float, high: float) -> Iterator[Problem]:
        CALLS["ordered"] += 1
        if low >= high:
            yield ("low",), f"must be below high, not {low:g}"

    @check("content", "high")
    @staticmethod
    def holds(content: float, high: float) -> Iterator[Problem]:
        CALLS["holds"] += 1
        if content > high:
            yield ("content",), f"must be at most {high:g}, not {content:g}"


@dataclass(frozen=True)
class Plant(Checked):
    """A config with tanks, and a rule over one of them."""

    main: Vessel
    tanks: tuple[Labelled[Vessel], ...] = ()
    flow: float = 1

    @check("main", "flow")
    @staticmethod
    def flows(main: Tank, flow: float) -> Iterator[Problem]:
        CALLS["flows"] += 1
        if flow > main.high:
            yield ("flow",), "is too high"


@pytest.fixture(autouse=True)
def _tank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_parts", {"vessel": {}, **registry._parts})
    monkeypatch.setattr(registry, "_plugins", {})
    registry._parts["vessel"] = {}
    register("tank")(Tank)
    CALLS.clear()


def test_an_object_made_in_python_is_checked_once() -> None:
    Tank(1, 2, 1.5)
    assert CALLS == {"ordered": 1, "holds": 1}
    with pytest.raises(InvalidError) as caught:
        Tank(2, 1, 3)
    assert caught.value.problems == [
        (("low",), "must be below high, not 2"),
        (("content",), "must be at most 1, not 3"),
    ]
    assert CALLS == {"ordered": 2, "holds": 2}


def test_a_valid_config_is_checked_once() -> None:
    tree = {"main": "tank", "tanks": [{"name": "tank", "label": "a"}]}
    config, problems = read(Plant, tree)
    assert problems == []
    assert config == Plant(Tank(), (Labelled("a", Tank()),))
    CALLS.clear()
    read(Plant, tree)
    assert CALLS == {"ordered": 2, "holds": 2, "flows": 1}


def test_an_invalid_config_is_checked_once_and_on_its_valid_fields_only() -> None:
    tree = {
        "main": {"name": "tank", "low": 3, "high": 2, "content": "full", "colour": "red"},  # holds: not run
        "tanks": [{"name": "tank", "label": "a", "content": 2}, {"name": "tank", "label": "a"}, "tnak"],
        "flow": 9,  # flows: not run, as main is invalid
    }
    config, problems = read(Plant, tree)
    assert config is None
    assert [path for path, _ in problems] == [
        ("main", "content"),
        ("main", "colour"),
        ("main", "low"),
        ("tanks", 0, "content"),
        ("tanks", 2),
        ("tanks", 1, "label"),
    ]
    assert CALLS == {"ordered": 3, "holds": 2}


def test_a_check_over_an_object_runs_beside_an_invalid_field() -> None:
    _, problems = read(Plant, {"main": "tank", "flow": 5, "tanks": 1})
    assert [path for path, _ in problems] == [("tanks",), ("flow",)]
    assert CALLS == {"ordered": 1, "holds": 1, "flows": 1}


def test_a_value_error_of_a_class_itself_is_a_problem_at_its_place() -> None:
    @dataclass(frozen=True)
    class Bucket(Vessel):
        """A bucket that checks itself."""

        volume: float

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.volume > 10:
                raise ValueError("holds at most 10 litres")

    register("bucket")(Bucket)
    _, problems = read(Plant, {"main": {"name": "bucket", "volume": 20}})
    assert problems == [(("main",), "holds at most 10 litres")]


@pytest.mark.parametrize(
    ("points", "calls"),
    [
        ([[1, 2], [3, 4]], 3),  # one to see how the function takes its argument, one at each point
        (None, 4),  # the points are three random ones
    ],
)
def test_a_dry_run_of_gradcheck_calls_a_function_once_at_each_point(
    points: Any, calls: int, tmp_path: Path
) -> None:
    seen: list[Floats] = []

    def f(x: Floats) -> Any:
        seen.append(x)
        return x @ x

    module = ModuleType("mine")
    module.__file__ = "mine.py"
    vars(module).update(f=f, f_gradient=lambda x: 2 * x)
    enter_plugin("mine", module)
    file = tmp_path / "x.yaml"
    file.write_text(f"target: {{name: function, function: mine.f, points: {points or 'null'}}}\n")
    config = load("gradcheck", file)
    experiments.find("gradcheck").estimate(config)
    assert len(seen) == calls
