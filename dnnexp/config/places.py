"""Where the values of a config come from: lines of a file, and overrides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dnnexp.config import dialect
from dnnexp.registry import Path, dotted


@dataclass(frozen=True)
class Places:
    """Where the values of a tree come from: a file's lines, and overrides."""

    file: str
    keys: Mapping[Path, dialect.Position]
    values: Mapping[Path, dialect.Position]
    origins: Mapping[Path, str]

    def line(self, path: Path, message: str) -> str:
        """The line of an error message about a path."""
        what = f"{dotted(path)}: {message}" if path else message
        return f"{self.place(path, message)}: {what}"

    def place(self, path: Path, message: str) -> str:
        """The place that a message about a path is to name: for an unknown key that of the key."""
        if path in self.keys and message.startswith("unknown key") and path not in self.origins:
            return self._at(self.keys[path])
        return self.of(path)

    def of(self, path: Path) -> str:
        """FILE:LINE:COLUMN of the value at a path, or of the nearest that it lies in; or an override."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.origins:
                return self.origins[path[:end]]
            if path[:end] in self.values:
                return self._at(self.values[path[:end]])
        return self._at((1, 1))

    def _at(self, position: dialect.Position | None) -> str:
        return self.file if position is None else "{}:{}:{}".format(self.file, *position)

    def problem(self, problem: dialect.TextProblem) -> str:
        """The line of a problem of the file's text."""
        what = f"{dotted(problem.path)}: {problem.message}" if problem.path else problem.message
        return f"{self._at(problem.position)}: {what}"

    def replaced(self, path: Path, origin: str) -> Places:
        """The places after an override gave the value at `path`: nothing below it is the file's."""

        def kept(places: Mapping[Path, Any]) -> dict[Path, Any]:
            return {old: at for old, at in places.items() if old[: len(path)] != path}

        origins = {**kept(self.origins), path: origin}
        return replace(self, keys=kept(self.keys), values=kept(self.values), origins=origins)

    def without(self, path: Path) -> Places:
        """The places after the item of a list at `path` is removed: later ones move up."""

        def moved(places: Mapping[Path, Any]) -> dict[Path, Any]:
            return {new: at for old, at in places.items() if (new := _after(old, path)) is not None}

        return replace(self, keys=moved(self.keys), values=moved(self.values), origins=moved(self.origins))


def _after(old: Path, removed: Path) -> Path | None:
    """Where a path leads after another is removed; None where it is gone itself."""
    last = len(removed) - 1
    if len(old) <= last or old[:last] != removed[:last]:
        return old
    here, gone = old[last], removed[last]
    if here == gone:
        return None
    if isinstance(here, int) and isinstance(gone, int) and here > gone:
        return (*old[:last], here - 1, *old[last + 1 :])
    return old
