"""Expressions that give a value rather than a truth."""

from typing import Any

import pytest

from dnnexp.expression import ExpressionError, parse

METRICS = {
    "optimizers": {"adam": {"median": 2.5, "runs": 4, "rate": None, "name": "adam", "points": [1, 2]}},
    "ranking": ["adam", "momentum"],
    "passed": True,
}
OUTLINE = {
    "optimizers": {"adam": {"median": float, "runs": int, "rate": float, "name": str, "points": [float]}},
    "ranking": [str, str],
    "passed": bool,
    "more": object,
}


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("optimizers.adam.median", 2.5, "a number"),
        ("2 * optimizers.adam.median - optimizers.adam.runs", 1.0, "a number"),
        ("min(optimizers.adam.median, 1)", 1, "a number"),
        ("len(ranking)", 2, "a number"),
        ("ranking[-1]", "momentum", "text"),
        ("passed", True, "true or false"),
        ("optimizers.adam.median < 2", False, "true or false"),
        ("7", 7, "a number"),
        ("optimizers.adam.rate", None, "a number"),
        ("1 - optimizers.adam.rate", None, "a number"),
        ("optimizers.adam.median / (optimizers.adam.runs - 4)", None, "a number"),
        ("more.of.it", None, "anything"),
    ],
)
def test_a_value_and_its_kind(text: str, value: Any, kind: str) -> None:
    """What the metrics leave undecided is None: a null, a path that is missing, a division by zero."""
    found = parse(text).value(METRICS)
    assert (type(found), found) == (type(value), value)
    assert parse(text).check_value(OUTLINE) == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "optimizers.adam",
            "a value must be a number or true or false or text; `optimizers.adam` is a mapping",
        ),
        ("ranking", "a value must be a number or true or false or text; `ranking` is a list"),
        ("optimizers.adm.median", "`optimizers.adm` does not exist; did you mean `adam`? allowed: adam"),
        ("optimizers.adam.name + 1", "an operand of `+` must be a number; `optimizers.adam.name` is text"),
    ],
)
def test_what_gives_no_value_is_refused_beforehand_and_is_none(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text).check_value(OUTLINE)
    assert str(error.value) == message
    assert parse(text).value(METRICS) is None
