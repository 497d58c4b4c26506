"""Numbers, counts and durations as people read them."""

import pytest

from dnnexp import text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0.2, "0.2 s"),
        (9.9, "9.9 s"),
        (59.4, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (90_061, "25 h 01 min"),
    ],
)
def test_a_duration_has_two_units(seconds: float | None, words: str) -> None:
    assert text.duration(seconds) == words


def test_counts_and_numbers() -> None:
    assert [text.counted(n, "entry", "entries") for n in (0, 1, 1234)] == [
        "0 entries",
        "1 entry",
        "1,234 entries",
    ]
    assert [text.number(x) for x in (None, 0.00123456, 2.0)] == ["–", "0.00123", "2"]
    assert [text.shortened("abcdef", limit) for limit in (6, 4)] == ["abcdef", "abc…"]
