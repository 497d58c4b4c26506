"""A time as `--since` takes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ALLOWED = "a date such as 2026-11-24 or 2026-11-24T08:30, or how long ago: 90s, 30m, 2h, 3d, 1w"


def since(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """So long ago, or a date or time, in UTC where it does not say."""
    if value is None:
        return None
    try:
        if ago := re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", value):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        found = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{value!r} is no time; allowed is {_ALLOWED}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
