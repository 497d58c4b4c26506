"""From a file and overrides to a validated, frozen config, or to every error with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dnnexp import experiments
from dnnexp.config import dialect, overrides
from dnnexp.config.expectations import complaint
from dnnexp.config.overrides import Override
from dnnexp.config.scalars import MAX_BYTES
from dnnexp.config.schema import read
from dnnexp.registry import NAME_PATTERN, dotted, plain, suggest
from dnnexp.registry import Path as KeyPath

_DROP = "; the argument ~expect drops the file's claims"


class ConfigError(Exception):
    """A config that cannot be used; the message has one line for each thing that is wrong."""

    def __init__(self, problems: Iterable[str]) -> None:
        """From the lines of the message."""
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class _Places:
    """Where the values of a tree come from: a file's lines, and overrides."""

    file: str
    keys: Mapping[KeyPath, dialect.Position]
    values: Mapping[KeyPath, dialect.Position]
    origins: Mapping[KeyPath, str]

    def line(self, path: KeyPath, message: str) -> str:
        """The line of an error message about a path."""
        what = f"{dotted(path)}: {message}" if path else message
        for end in range(len(path), 0, -1):
            if path[:end] in self.origins:
                return f"{self.origins[path[:end]]}: {what}"
            if end == len(path) and path in self.keys and message.startswith("unknown key"):
                return f"{self._at(self.keys[path])}: {what}"
            if path[:end] in self.values:
                return f"{self._at(self.values[path[:end]])}: {what}"
        return f"{self._at((1, 1))}: {what}"

    def _at(self, position: dialect.Position | None) -> str:
        return self.file if position is None else "{}:{}:{}".format(self.file, *position)

    def problem(self, problem: dialect.Problem) -> str:
        """The line of a problem of the file's text."""
        what = f"{dotted(problem.path)}: {problem.message}" if problem.path else problem.message
        return f"{self._at(problem.position)}: {what}"

    def replaced(self, path: KeyPath, origin: str) -> _Places:
        """The places after an override gave the value at `path`: nothing below it is the file's."""

        def kept(places: Mapping[KeyPath, Any]) -> dict[KeyPath, Any]:
            return {old: at for old, at in places.items() if old[: len(path)] != path}

        origins = {**kept(self.origins), path: origin}
        return replace(self, keys=kept(self.keys), values=kept(self.values), origins=origins)

    def without(self, path: KeyPath) -> _Places:
        """The places after the item of a list at `path` is removed: later ones move up."""

        def moved(places: Mapping[KeyPath, Any]) -> dict[KeyPath, Any]:
            return {new: at for old, at in places.items() if (new := _after(old, path)) is not None}

        return replace(self, keys=moved(self.keys), values=moved(self.values), origins=moved(self.origins))


def _after(old: KeyPath, removed: KeyPath) -> KeyPath | None:
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


def load(experiment: str, file: Path, edits: Iterable[Override] = ()) -> Any:
    """The config in a file, with overrides applied, for the command of that experiment.

    Raises:
        ConfigError: with everything that is wrong with the file and the overrides.
    """
    document = dialect.parse(_text(file))
    places = _Places(str(file), document.keys, document.values, {})
    problems = [places.problem(problem) for problem in document.problems]
    tree = document.value
    if not isinstance(tree, dict):
        raise ConfigError(problems or [places.line((), "must be a mapping of keys to values")])
    _refuse_other(experiment, tree, places, problems)
    cls = experiments.find(experiment).Config
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
    if "name" not in tree and re.fullmatch(NAME_PATTERN, file.stem):
        tree = {**tree, "name": file.stem}
    config, errors = read(cls, tree)
    errors += _check_errors(experiment, tree, config, bool(places.origins))
    unread = {problem.path for problem in document.problems}
    problems += [places.line(path, message) for path, message in errors if path not in unread]
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return config


def _text(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        hint = "; `dnnexp init` writes the starter configs" if "configs" in file.parts else ""
        hint = hint or "; an override is written key=value" * (":" in file.name)
        raise ConfigError([f"{file}: there is no such file{hint}"]) from None
    except IsADirectoryError:
        found = sorted(path.name for path in file.glob("*.yaml"))
        hint = f"; it holds {', '.join(found)}" if found else ""
        raise ConfigError([f"{file}: is a directory, not a config file{hint}"]) from None
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from None


def _refuse_other(experiment: str, tree: dict[str, Any], places: _Places, problems: list[str]) -> None:
    """A config for another command is refused before its keys are looked at."""
    wanted = tree.get("experiment", experiment)
    if wanted == experiment:
        return
    if wanted in experiments.NAMES:
        message = f"this config is for another command: run `dnnexp {wanted} {places.file}`"
    else:
        message = f"unknown experiment {wanted!r}{suggest(str(wanted), experiments.NAMES)}"
    raise ConfigError([*problems, places.line(("experiment",), message)])


def _check_errors(experiment: str, tree: Any, config: Any, edited: bool) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with the checks of expectations; their paths need a valid config."""
    outline = None if config is None else experiments.find(experiment).outline(config)
    expectations = tree.get("expect") if config is None else plain(config.expect)
    for index, item in enumerate(expectations if isinstance(expectations, list) else []):
        check = item.get("check") if isinstance(item, dict) else None
        if isinstance(check, str) and (message := complaint(check, outline)) is not None:
            yield ("expect", index, "check"), message + (_DROP if outline is not None and edited else "")
