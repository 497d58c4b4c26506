"""Hydra's grammar of several values in one argument."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.config.sweep.values import GrammarError, split, written_values

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=8)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, width=16) | TEXTS
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
).filter(lambda tree: "inf" not in str(tree))


def written(tree: object) -> str:
    """A value as JSON, of which YAML's flow style is an extension."""
    return json.dumps(tree, ensure_ascii=False)


@given(st.lists(TREES, min_size=2, max_size=4), st.sampled_from([",", ", ", " , "]))
def test_values_between_commas_are_read_as_they_are(trees: list[object], comma: str) -> None:
    """Commas in quotes, lists and mappings part nothing."""
    text = comma.join(map(written, trees))
    assert written_values(text) == (trees, False)
    assert written_values(f"choice({text})") == (trees, False)


@given(TREES)
def test_one_value_is_not_swept_over(tree: object) -> None:
    assert written_values(written(tree)) == ([tree], True)


@given(st.integers(-50, 50), st.integers(1, 50), st.integers(1, 9), st.booleans())
def test_a_range_of_integers_is_pythons(start: int, length: int, step: int, down: bool) -> None:
    stop, step = (start - length, -step) if down else (start + length, step)
    assert written_values(f"range({start}, {stop},{step})") == (list(range(start, stop, step)), False)


@given(st.integers(-300, 300), st.integers(1, 200), st.integers(1, 30), st.integers(1, 3))
def test_a_range_of_decimals_adds_no_error(start: int, length: int, step: int, digits: int) -> None:
    """Steps of 0.1 added up in binary miss 0.3, and may take the stop in."""
    unit = 10**digits
    expected = [float(Fraction(place, unit)) for place in range(start, start + length, step)]
    texts = [f"{place / unit:.{digits}f}" for place in (start, start + length, step)]
    assert written_values(f"range({','.join(texts)})") == (expected, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b", ["a", "b"]),
        ("0.1,1e-3,.5", [0.1, 1e-3, 0.5]),
        ("range(3)", [0, 1, 2]),
        ("range(2, 4)", [2, 3]),
        ("range(0,1,0.25)", [0.0, 0.25, 0.5, 0.75]),
        ("range(1e1,8,-1)", [10.0, 9.0]),
        ("choice(x)", ["x"]),
        ("'a,b',c", ["a,b", "c"]),
        ('"a\\",b",c', ['a",b', "c"]),
        ("it's,b", ["it's", "b"]),
        ("{name: adam, learning_rate: 0.1},sgd", [{"name": "adam", "learning_rate": 0.1}, "sgd"]),
        ("[1,2],[3]", [[1, 2], [3]]),
        ("'',null", ["", None]),
    ],
)
def test_several_values(text: str, expected: list[object]) -> None:
    assert written_values(text) == (expected, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("valley", "valley"),
        ("[1,2]", [1, 2]),
        ("'range(3)'", "range(3)"),
        ("", None),
        ("plugin:f.g", "plugin:f.g"),
    ],
)
def test_one_value(text: str, expected: object) -> None:
    assert written_values(text) == ([expected], True)


@pytest.mark.parametrize("name", ["interval", "glob", "sort", "shuffle", "tag"])
def test_other_functions_of_hydra_are_problems_with_what_is_allowed(name: str) -> None:
    for text in (f"{name}(1,2)", f"1,{name}(2)"):
        with pytest.raises(
            GrammarError, match=rf"^{name}\(\) does not exist here; allowed: a,b .* choice\(a,b\)$"
        ):
            written_values(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rnage(3)", "unknown function 'rnage'; did you mean 'range'? allowed: range, choice; a text with"),
        ("1,range(3)", "range() must stand alone; allowed: a,b"),
        ("choice(1,choice(2))", "choice() must stand alone"),
        ("1,,2", "an element is empty; write null, or '' for an empty text"),
        ("1,", "an element is empty"),
        ("choice()", "an element is empty"),
        ("range()", "range() needs one to three numbers"),
        ("range(1,2,3,4)", "range(1, 2, 3, 4) needs one to three numbers"),
        ("range(a)", "range(a) needs one to three numbers"),
        ("range(nan)", "range(nan) needs one to three numbers"),
        ("range(1,5,0)", "the step of range(1, 5, 0) must not be 0"),
        ("range(5,5)", "range(5, 5) is empty: 5 is not beyond 5"),
        ("range(0,5,-1)", "range(0, 5, -1) is empty"),
        ("range(1e7)", "range(1e7) has 10,000,000 values; at most 100,000 are allowed"),
        ("1,{a: 1", "; put the whole argument in quotes"),
    ],
)
def test_a_text_without_values_is_a_problem(text: str, message: str) -> None:
    with pytest.raises(GrammarError) as error:
        written_values(text)
    assert message in str(error.value)


@given(st.text("ab,[]{}()'\" \\", max_size=20))
def test_splitting_loses_nothing(text: str) -> None:
    """Whatever the brackets, the elements put together are the text."""
    assert ",".join(split(text)) == text
