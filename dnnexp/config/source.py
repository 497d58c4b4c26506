"""A config before it is read: the tree in a file, edited by overrides, with the places of its values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dnnexp.config import dialect, overrides
from dnnexp.config.overrides import Override
from dnnexp.config.scalars import MAX_BYTES
from dnnexp.registry import NAME_PATTERN, Problem, dotted
from dnnexp.registry import Path as KeyPath


class ConfigError(Exception):
    """A config cannot be used.

    Attributes:
        problems: the lines of the message, one for each problem.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        """The message has one line for each problem."""
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Places:
    """The places of a tree's values: positions in a file, and overrides.

    Attributes:
        file: the file as messages name it.
        keys: the positions of mapping keys.
        values: the positions of values.
        origins: the overrides that set a value, as messages name them.
    """

    file: str
    keys: Mapping[KeyPath, dialect.Position]
    values: Mapping[KeyPath, dialect.Position]
    origins: Mapping[KeyPath, str]

    def line(self, path: KeyPath, message: str) -> str:
        """A problem with its place."""
        return f"{self.place(path, message)}: {_sentence(path, message)}"

    def text_line(self, problem: dialect.TextProblem) -> str:
        """A problem of the file's text with its place."""
        return f"{self._at(problem.position)}: {_sentence(problem.path, problem.message)}"

    def place(self, path: KeyPath, message: str = "") -> str:
        """FILE:LINE:COLUMN, or an override.

        It is that of the value at the path, or of the smallest value around it that has a place. A message
        about an unknown key is at the key.
        """
        if path in self.keys and message.startswith("unknown key") and path not in self.origins:
            return self._at(self.keys[path])
        for end in range(len(path), 0, -1):
            if path[:end] in self.origins:
                return self.origins[path[:end]]
            if path[:end] in self.values:
                return self._at(self.values[path[:end]])
        return self._at((1, 1) if self.values else None)

    def _at(self, position: dialect.Position | None) -> str:
        return self.file if position is None else "{}:{}:{}".format(self.file, *position)

    def replaced(self, path: KeyPath, origin: str) -> Places:
        """The places after an override set the value at `path`: nothing in it is from the file."""

        def kept(places: Mapping[KeyPath, Any]) -> dict[KeyPath, Any]:
            return {old: place for old, place in places.items() if old[: len(path)] != path}

        origins = {**kept(self.origins), path: origin}
        return replace(self, keys=kept(self.keys), values=kept(self.values), origins=origins)

    def without(self, path: KeyPath) -> Places:
        """The places after the list item at `path` is removed: later items move up."""

        def moved(places: Mapping[KeyPath, Any]) -> dict[KeyPath, Any]:
            return {new: at for old, at in places.items() if (new := _moved(old, path)) is not None}

        return replace(self, keys=moved(self.keys), values=moved(self.values), origins=moved(self.origins))


def _sentence(path: KeyPath, message: str) -> str:
    return f"{dotted(path)}: {message}" if path else message


def _moved(path: KeyPath, removed: KeyPath) -> KeyPath | None:
    """The path of a value after the list item at `removed` is gone; None for a value in that item."""
    last = len(removed) - 1
    if len(path) <= last or path[:last] != removed[:last]:
        return path
    index, gone = path[last], removed[last]
    if index == gone:
        return None
    if isinstance(index, int) and isinstance(gone, int) and index > gone:
        return (*path[:last], index - 1, *path[last + 1 :])
    return path


@dataclass(frozen=True)
class ConfigSource:
    """The tree in a file, edited or not, with the places of its values.

    Attributes:
        tree: the mapping.
        places: the places of its values.
        problems: the problems of the text and of the edits, a line each.
        unread: the paths of values that could not be read; their problems are among `problems`.
    """

    tree: dict[str, Any]
    places: Places
    problems: tuple[str, ...] = ()
    unread: frozenset[KeyPath] = frozenset()

    def edited(self, cls: type, edits: Iterable[Override]) -> ConfigSource:
        """The source with overrides applied, of a config of class `cls`."""
        tree, places, problems = self.tree, self.places, [*self.problems]
        for edit in edits:
            try:
                applied = overrides.apply(cls, tree, edit)
            except overrides.OverrideError as error:
                problems.append(str(error))
                continue
            tree = applied.tree
            if applied.removed and isinstance(applied.path[-1], int):
                places = places.without(applied.path)
            else:
                places = places.replaced(applied.path, edit.origin)
        return replace(self, tree=tree, places=places, problems=tuple(problems))

    def named(self, name: str) -> ConfigSource:
        """The source with a name, unless it has one or `name` cannot be one."""
        if "name" in self.tree or not re.fullmatch(NAME_PATTERN, name):
            return self
        return replace(self, tree={**self.tree, "name": name})

    def lines(self, problems: Iterable[Problem]) -> list[str]:
        """The lines of all problems, the source's own and those of its values, each once."""
        own = [self.places.line(path, message) for path, message in problems if path not in self.unread]
        return list(dict.fromkeys([*self.problems, *own]))


def parse_file(file: Path) -> ConfigSource:
    """The source in a file.

    Raises:
        ConfigError: the file cannot be read, or does not hold a mapping.
    """
    document = dialect.parse(_read_bytes(file))
    places = Places(str(file), document.keys, document.values, {})
    problems = tuple(map(places.text_line, document.problems))
    if not isinstance(document.value, dict):
        raise ConfigError(problems or [places.line((), "must be a mapping of keys to values")])
    return ConfigSource(document.value, places, problems, frozenset(p.path for p in document.problems))


def _read_bytes(file: Path) -> bytes:
    """The file's bytes, or one more than are allowed.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        hint = "; `dnnexp init` writes the starter configs" if "configs" in file.parts else ""
        hint = hint or "; an override is written key=value" * (":" in file.name)
        raise ConfigError([f"{file}: there is no such file{hint}"]) from None
    except IsADirectoryError:
        names = sorted(path.name for path in file.glob("*.yaml"))
        hint = f"; it holds {', '.join(names)}" if names else ""
        raise ConfigError([f"{file}: is a directory, not a config file{hint}"]) from None
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from None
