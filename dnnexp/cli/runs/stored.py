"""What is stored in a run folder in the dialect of the config files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dnnexp.config import dialect


def config_of(folder: Path) -> dict[str, Any]:
    """The tree in `config.yaml`; empty where it cannot be read."""
    try:
        document = dialect.parse((folder / "config.yaml").read_bytes())
    except OSError:
        return {}
    return document.value if isinstance(document.value, dict) and not document.problems else {}
