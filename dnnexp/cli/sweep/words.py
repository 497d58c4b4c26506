"""Jobs in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def place(swept: Mapping[str, Any]) -> str:
    """What sets a job apart, as one would type it: `optimizers.adam.learning_rate=0.1 seed=3`."""
    return " ".join(f"{key}={word(value)}" for key, value in swept.items())


def word(value: Any) -> str:
    """A value in a word."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
