"""One job: a base with settings, read into a config; its key; what is wrong with it, and where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dnnexp import experiments
from dnnexp.config import overrides
from dnnexp.config.expectations import complaint
from dnnexp.config.load import Source
from dnnexp.config.overrides import Override, OverrideError
from dnnexp.config.places import Places
from dnnexp.config.schema import read, shown
from dnnexp.config.sweep.expand import Combination
from dnnexp.registry import Path, dotted


@dataclass(frozen=True)
class Job:
    """A run of a sweep.

    Attributes:
        key: 64 hex digits, see `key_of`.
        experiment: the command that runs it.
        name: its config's.
        base: the base file as given.
        swept: the swept keys with their values, in order; `base` first where there are several, `seed` last.
        tree: the resolved config, plain.
    """

    key: str
    experiment: str
    name: str
    base: str
    swept: dict[str, Any]
    tree: dict[str, Any]


def key_of(tree: Mapping[str, Any]) -> str:
    """SHA-256 of a resolved config as canonical JSON, less `name` and `expect`, which change no number."""
    kept = {key: value for key, value in tree.items() if key not in ("name", "expect")}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Problems:
    """The lines of all that is wrong: one for each place and kind, not one for each job."""

    lines: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, place: str, path: Path, message: str, note: str = "") -> None:
        """A line, unless the place has one of the kind."""
        what = f"{place}: {dotted(path)}: {message}" if path else f"{place}: {message}"
        kind = f"{dotted(path)}: {message.partition(', not ')[0]}"
        self.lines.setdefault((place, kind), what + note)

    def add_lines(self, lines: Iterable[str]) -> None:
        """Lines that have their places."""
        for line in lines:
            self.lines.setdefault((line, ""), line)


@dataclass(frozen=True)
class Draft:
    """A base with settings applied, not read yet.

    Attributes:
        tree: what they make of the base's tree.
        settings: what was applied.
        paths: for each setting the path of its key in the tree.
    """

    tree: dict[str, Any]
    settings: Combination = ()
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Base:
    """A run config to sweep over.

    Attributes:
        given: its file as the sweep names it.
        experiment: its command.
        source: its file's tree and places.
        places: the places of the sweep's settings.
        problems: where what is wrong is noted.
        marked: whether messages about settings must tell the bases apart.
    """

    given: str
    experiment: str
    source: Source
    places: Places
    problems: Problems
    marked: bool

    def applied(self, draft: Draft, settings: Combination) -> Draft | None:
        """The draft with more settings; None, with the problem noted, where the base lacks a key."""
        cls = experiments.find(self.experiment).config_class
        tree, paths, complete = draft.tree, list(draft.paths), True
        for key, value, path in settings:
            try:
                edit = overrides.edit(cls, tree, Override(key, tuple(key.split(".")), "set", value))
            except OverrideError as error:
                note = f" (in {self.given})" if self.marked else ""
                where = path[: path.index(key) + 1]  # the key's, not that of one of its values
                self.problems.add(self.places.place(where, str(error)), where, str(error), note)
                complete = False
                continue
            if other := _same(draft.settings + settings, paths, path, edit.path):
                where = path[: path.index(key) + 1]
                message = f"is {other} by another name; a key may be set once"
                self.problems.add(self.places.place(where, message), where, message)
                complete = False
            tree = edit.tree
            paths.append(edit.path)
        return Draft(tree, draft.settings + settings, tuple(paths)) if complete else None

    def config(self, draft: Draft, known: Iterable[tuple[Path, str]] = ()) -> Any:
        """The config; None, with all problems noted, where it is invalid.

        `known` are errors that the base has by itself: they are noted without the settings.
        """
        config, errors = read(experiments.find(self.experiment).config_class, draft.tree)
        known = set(known)
        for path, message in errors:
            if path not in self.source.unread:
                self.note(draft, path, message, told=(path, message) in known)
        return config

    def note(self, draft: Draft, path: Path, message: str, told: bool = True) -> None:
        """Note what is wrong at a path of the config, at the setting that put it there or in the base."""
        for setting, where in reversed(list(zip(draft.settings, draft.paths, strict=True))):
            if path[: len(where)] == where:
                path = (*setting.path, *path[len(where) :])
                self.problems.add(self.places.of(path), path, message)
                return
        swept = [s for s in draft.settings if s.path[0] != "fixed"]
        values = ", ".join(f"{s.key} = {shown(s.value)}" for s in swept)
        note = f" (where {values})" if values and not told else ""
        self.problems.add(self.source.places.place(path, message), path, message, note)


def _same(settings: Combination, paths: Sequence[Path], place: Path, path: Path) -> str | None:
    """The key of an earlier setting that leads where this one does; one may lie in what is fixed."""
    for setting, taken in zip(settings, paths, strict=False):  # the paths of those before
        least = min(len(taken), len(path))
        is_inside = taken[:least] == path[:least] and "fixed" not in (setting.path[0], place[0])
        if is_inside or (taken == path and place[0] != "repeat"):
            return setting.key
    return None


@dataclass
class Claims:
    """Which expectations can be checked in a job: those on paths that the sweep took away are dropped.

    The outline of one job is mostly that of the last: what was found of it is kept.
    """

    outline: Any = None
    found: dict[str, str | None] = field(default_factory=dict)

    def complaint(self, check: str, outline: Any) -> str | None:
        """What is wrong with a check under an outline."""
        if outline != self.outline:
            self.outline, self.found = outline, {}
        if check not in self.found:
            self.found[check] = complaint(check, outline)
        return self.found[check]

    def applicable(self, config: Any, outline: Any) -> Any:
        """The config with the expectations that can be checked."""
        kept = tuple(e for e in config.expect if self.complaint(e.check, outline) is None)
        return replace(config, expect=kept)
