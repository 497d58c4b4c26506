"""The code that a sweep uses: a version of dnnexp, and plugins."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dnnexp


class CodeError(Exception):
    """A worker has other code than the sweep."""


@dataclass(frozen=True)
class Code:
    """The version of dnnexp, and the plugins with their SHA-256."""

    version: str
    plugins: tuple[Path, ...]
    hashes: tuple[str, ...]

    @classmethod
    def of(cls, plugins: Sequence[Path]) -> Code:
        """The code of this process.

        Raises:
            OSError: a plugin cannot be read.
        """
        paths = tuple(path.resolve() for path in plugins)
        hashes = tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
        return cls(dnnexp.__version__, paths, hashes)
