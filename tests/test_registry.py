from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar, Self

import pytest

import dnnexp.core  # noqa: F401  # enters the built-in parts
from dnnexp import registry
from dnnexp.core.activations import Tanh
from dnnexp.core.initializers import Glorot, LayerInitializer, Normal
from dnnexp.core.optimizers import Adam
from dnnexp.registry import (
    Checked,
    Labelled,
    Part,
    Problem,
    UnknownNameError,
    check,
    checks,
    dotted,
    enter_plugin,
    examples,
    find,
    first_line,
    forget_plugins,
    kinds,
    parts,
    plain,
    plugin,
    plugin_files,
    plugins,
    register,
    suggest,
    without_example,
)


class Fruit(Part, ABC):
    """Base of a kind that only these tests have."""

    kind = "fruit"

    @abstractmethod
    def taste(self) -> str: ...

    @abstractmethod
    def colour(self) -> str: ...


@dataclass(frozen=True)
class Apple(Fruit):
    """An apple.

    And more about apples.
    """

    weight: float = 0.1

    def taste(self) -> str:
        return "sour"

    def colour(self) -> str:
        return "green"


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(
        registry, "_parts", {kind: dict(entered) for kind, entered in registry._parts.items()}
    )


@pytest.fixture
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What plugins a test enters are gone after it."""
    monkeypatch.setattr(registry, "_plugins", {})


# --- Registering -------------------------------------------------------------------------------------------


def test_a_registered_part_is_found_under_its_name() -> None:
    assert register("apple")(Apple) is Apple
    assert Apple.name == "apple"
    assert find("fruit", "apple") is Apple
    assert dict(parts("fruit")) == {"apple": Apple}
    assert "fruit" in kinds()


def test_parts_come_in_the_order_of_registration_and_cannot_be_changed() -> None:
    @dataclass(frozen=True)
    class Banana(Apple):
        """A banana."""

    register("zebra_apple")(Apple)
    register("banana")(Banana)
    assert list(parts("fruit")) == ["zebra_apple", "banana"]
    view: Any = parts("fruit")
    with pytest.raises(TypeError):
        view["cherry"] = Apple


def test_the_same_name_may_stand_in_two_kinds() -> None:
    register("adam")(Apple)
    assert find("optimizer", "adam") is Adam
    assert find("fruit", "adam") is Apple


def no_kind() -> type[Any]:
    @dataclass(frozen=True)
    class Stone(Part):
        """No fruit."""

    return Stone


def no_part() -> type[Any]:
    @dataclass(frozen=True)
    class Stone:
        """No part at all."""

    return Stone


def no_dataclass() -> type[Any]:
    class Pear(Fruit):
        """A pear."""

        def taste(self) -> str:
            return "sweet"

        def colour(self) -> str:
            return "yellow"

    return Pear


def not_frozen() -> type[Any]:
    @dataclass
    class Pear(Fruit):
        """A pear."""

        def taste(self) -> str:
            return "sweet"

        def colour(self) -> str:
            return "yellow"

    return Pear


def undecorated_subclass() -> type[Any]:
    """Guards: its field `worms` was no field, and no word was said."""

    class WormyApple(Apple):
        """An apple with worms."""

        worms: int = 1

    return WormyApple


def no_docstring() -> type[Any]:
    @dataclass(frozen=True)
    class Pear(Apple):
        pass

    return Pear


def no_docstring_but_slots() -> type[Any]:
    @dataclass(frozen=True, slots=True)
    class Pear(Apple):
        stem: bool = True

    return Pear


def missing_methods() -> type[Any]:
    @dataclass(frozen=True)
    class Pear(Fruit):
        """A pear."""

    return Pear


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (no_kind, r"Stone must derive from the base class of a kind of part"),
        (no_part, r"Stone must derive from the base class of a kind of part"),
        (no_dataclass, r"Pear must be a dataclass\(frozen=True\)"),
        (not_frozen, r"Pear must be a dataclass\(frozen=True\)"),
        (undecorated_subclass, r"WormyApple must be a dataclass\(frozen=True\)"),
        (no_docstring, r"Pear needs a docstring: it is what `dnnexp list` shows"),
        (no_docstring_but_slots, r"Pear needs a docstring"),
        (missing_methods, r"Pear must define .*: colour, taste"),
    ],
)
def test_a_class_that_is_not_a_part_is_refused_by_its_full_name(make: Any, text: str) -> None:
    cls = make()
    before = {kind: dict(parts(kind)) for kind in kinds()}
    with pytest.raises(TypeError, match=rf"test_registry\.{make.__name__}\.<locals>\.{text}"):
        register("pear")(cls)
    assert {kind: dict(parts(kind)) for kind in kinds()} == before


def test_a_taken_name_is_refused_and_the_first_part_stays() -> None:
    @dataclass(frozen=True)
    class Other(Apple):
        """Another apple."""

    register("apple")(Apple)
    with pytest.raises(
        ValueError, match=r"the fruit 'apple' of .*Other is already registered by .*test_registry"
    ):
        register("apple")(Other)
    assert find("fruit", "apple") is Apple


# --- Finding -----------------------------------------------------------------------------------------------


def test_an_unknown_name_is_answered_with_the_nearest_and_all_allowed() -> None:
    register("apple")(Apple)
    register("pear")(Apple)
    with pytest.raises(UnknownNameError) as caught:
        find("fruit", "aple")
    assert str(caught.value) == "unknown fruit 'aple'; did you mean 'apple'? allowed: apple, pear"


def test_a_name_that_resembles_none_gets_no_suggestion() -> None:
    register("apple")(Apple)
    with pytest.raises(UnknownNameError) as caught:
        find("fruit", "xyz")
    assert str(caught.value) == "unknown fruit 'xyz'; allowed: apple"


@pytest.mark.parametrize("ask", [lambda: parts("optimiser"), lambda: find("optimiser", "adam")])
def test_an_unknown_kind(ask: Any) -> None:
    with pytest.raises(
        UnknownNameError, match="unknown kind 'optimiser'; did you mean 'optimizer'\\? allowed: "
    ):
        ask()


def test_an_unknown_name_is_a_value_error() -> None:
    """So that the config layer reports it as a wrong value."""
    assert issubclass(UnknownNameError, ValueError)


def test_suggestions_where_nothing_is_allowed() -> None:
    assert suggest("adam", []) == "; allowed: none"
    assert suggest("adam", iter(["adams", "eve"])) == "; did you mean 'adams'? allowed: adams, eve"


# --- The built-in parts ------------------------------------------------------------------------------------


def test_every_part_knows_its_name_and_describes_itself() -> None:
    for kind in kinds():
        for name, cls in parts(kind).items():
            assert (cls.kind, cls.name) == (kind, name)
            line = first_line(cls)
            assert len(line.split()) >= 2, line
            assert not line.startswith(f"{cls.__name__}("), "the signature that dataclass writes"


def test_parts_that_can_be_made_without_arguments_or_say_how_have_an_example() -> None:
    @dataclass(frozen=True)
    class Pear(Apple):
        """A pear, of which the stem must be given."""

        stem: bool = field(kw_only=True)

    @dataclass(frozen=True)
    class Plum(Pear):
        """A plum with an example."""

        @classmethod
        def example(cls) -> Self:
            return cls(stem=False)

    register("apple")(Apple)
    register("pear")(Pear)
    register("plum")(Plum)
    assert [part.name for part in examples("fruit")] == ["apple", "plum"]
    assert without_example("fruit") == ["pear"]


def test_the_first_line_of_a_part() -> None:
    assert first_line(Apple) == "An apple."


# --- Plain trees -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Basket:
    """A config dataclass: no part."""

    fruit: Fruit = Apple()
    owner: str | None = None
    sizes: tuple[tuple[int, ...], ...] = ((1, 2), (3,))
    labelled: tuple[Labelled[Fruit], ...] = ()
    flags: list[bool] = field(default_factory=lambda: [True])
    prices: dict[str, Any] = field(default_factory=lambda: {"best": Apple(), "range": (1, 2)})


def test_a_tree_holds_names_fields_and_lists_and_leaves_out_none() -> None:
    register("apple")(Apple)
    assert plain(Basket()) == {
        "fruit": {"name": "apple", "weight": 0.1},
        "sizes": [[1, 2], [3]],
        "labelled": [],
        "flags": [True],
        "prices": {"best": {"name": "apple", "weight": 0.1}, "range": [1, 2]},
    }
    assert "owner" not in plain(Basket())
    assert plain(Basket(owner=""))["owner"] == ""


def test_labels_stand_in_the_tree_where_they_differ_from_the_name() -> None:
    register("apple")(Apple)
    assert plain(Labelled("apple", Apple())) == {"name": "apple", "weight": 0.1}
    other = plain(Labelled("granny", Apple(0.2)))
    assert list(other.items()) == [("name", "apple"), ("label", "granny"), ("weight", 0.2)]


def test_the_label_of_an_object_without_a_name_comes_first() -> None:
    tree = plain(Labelled("std_1", LayerInitializer(Normal(std=1.0), Glorot())))
    assert list(tree) == ["label", "weights", "biases"]
    assert tree["weights"] == {"name": "normal", "std": 1.0}


@pytest.mark.parametrize("value", [1, 1.5, "text", True, None])
def test_plain_values_are_themselves(value: object) -> None:
    assert plain(value) is value


# --- Checks ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval(Checked):
    """Two numbers, of which the first is below the second."""

    low: float
    high: float
    unit: ClassVar[str] = "m"

    @check("low", "high")
    @staticmethod
    def ordered(low: float, high: float) -> Iterator[Problem]:
        if low >= high:
            yield ("low",), f"must be below high, but {low} ≥ {high}"


@dataclass(frozen=True)
class Positives(Interval):
    """An interval of positive numbers."""

    names: tuple[str, ...] = ()

    @check("names", "low")
    @staticmethod
    def positive(names: tuple[str, ...], low: float) -> Iterator[Problem]:
        if low <= 0:
            yield (), "starts below 0"
        for index, name in enumerate(names):
            if not name:
                yield ("names", index), "is empty"


def test_a_check_passes() -> None:
    assert Interval(1, 2) == Interval(1, 2)
    assert Positives(1, 2, ("a",)).names == ("a",)


def test_every_problem_is_in_the_message_those_of_the_base_class_first() -> None:
    with pytest.raises(ValueError, match="low: must be below high, but 2 ≥ 1") as caught:
        Interval(2, 1)
    assert str(caught.value) == "low: must be below high, but 2 ≥ 1"
    with pytest.raises(ValueError, match="starts below 0") as caught:
        Positives(-1, -2, ("a", "", ""))
    assert str(caught.value) == (
        "low: must be below high, but -1 ≥ -2; starts below 0; names.1: is empty; names.2: is empty"
    )


def test_checks_say_which_fields_they_look_at() -> None:
    rules = checks(Positives)
    assert [rule.fields for rule in rules] == [("low", "high"), ("names", "low")]
    assert list(rules[0](5, 4)) == [(("low",), "must be below high, but 5 ≥ 4")]
    assert list(rules[0](4, 5)) == []
    assert checks(Tanh) == ()


def test_paths_are_dotted() -> None:
    assert dotted(("a", 0, "b")) == "a.0.b"
    assert dotted(()) == ""


# --- Plugins -----------------------------------------------------------------------------------------------


def module(file: str) -> ModuleType:
    made = ModuleType("any")
    made.__file__ = file
    return made


@pytest.mark.usefixtures("no_plugins")
class TestPlugins:
    def test_a_plugin_is_found_under_its_name(self) -> None:
        one, two = module("a/one.py"), module("two.py")
        enter_plugin("one", one)
        enter_plugin("two", two)
        assert plugins() == ("one", "two")
        assert (plugin("one"), plugin("two")) == (one, two)
        assert plugin_files() == ("a/one.py", "two.py")

    def test_an_unknown_plugin(self) -> None:
        with pytest.raises(UnknownNameError, match=r"unknown plugin 'mine'; allowed: none"):
            plugin("mine")
        enter_plugin("mina", module("mina.py"))
        with pytest.raises(
            UnknownNameError, match=r"unknown plugin 'mine'; did you mean 'mina'\? allowed: mina"
        ):
            plugin("mine")

    def test_two_files_of_one_name_are_an_error_when_the_name_is_used(self) -> None:
        enter_plugin("mine", module("a/mine.py"))
        enter_plugin("mine", module("b/mine.py"))
        assert plugins() == ("mine",)
        with pytest.raises(ValueError, match=r"2 plugins are called 'mine': a/mine\.py, b/mine\.py; rename"):
            plugin("mine")

    def test_the_same_file_again_takes_its_own_place(self) -> None:
        enter_plugin("mine", module("mine.py"))
        again = module("mine.py")
        enter_plugin("mine", again)
        assert plugin("mine") is again

    def test_plugins_are_forgotten(self) -> None:
        enter_plugin("mine", module("mine.py"))
        forget_plugins()
        assert plugins() == ()
