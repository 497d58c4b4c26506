"""How numbers, counts and other people's texts are written, wherever people read them."""

from __future__ import annotations

MISSING = "–"
"""Stands for a number that does not exist."""


def number(value: float | None, digits: int = 3) -> str:
    """A number in three significant digits, such as `0.00123`; a dash for None."""
    return MISSING if value is None else f"{value:.{digits}g}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun: `1 entry`, `1,234 entries`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def duration(seconds: float | None) -> str:
    """A duration: `8.3 s`, `5 min 12 s`, `3 h 04 min`; a dash for None."""
    if seconds is None:
        return MISSING
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def shortened(text: str, limit: int) -> str:
    """A text of at most `limit` characters; the end of a longer one is an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def printable(text: str) -> str:
    """A text on one line, with characters that would move the cursor or change colours escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
