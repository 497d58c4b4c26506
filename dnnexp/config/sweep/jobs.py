"""One job of a sweep: a base with settings, read into a config; its key; its problems with their places."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dnnexp import experiments
from dnnexp.config import overrides
from dnnexp.config.expectations import check_problem
from dnnexp.config.overrides import Override, OverrideError
from dnnexp.config.schema import read, shown
from dnnexp.config.source import ConfigSource, Places
from dnnexp.config.sweep.expand import Combination
from dnnexp.registry import Path, Problem, dotted


@dataclass(frozen=True)
class Job:
    """A run of a sweep.

    Attributes:
        key: 64 hex digits, see `key_of`.
        experiment: the experiment's name.
        name: the config's name.
        base: the base file as given.
        swept: the swept keys with their values, in order; `base` first if there are several, `seed` last.
        tree: the resolved config as a plain tree.
    """

    key: str
    experiment: str
    name: str
    base: str
    swept: dict[str, Any]
    tree: dict[str, Any]


def key_of(tree: Mapping[str, Any]) -> str:
    """SHA-256 of a resolved config as canonical JSON, without `name` and `expect`, which change no number."""
    kept = {key: value for key, value in tree.items() if key not in ("name", "expect")}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class ProblemLines:
    """The lines of all problems: one for each place and kind of problem, not one for each job."""

    lines: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, place: str, path: Path, message: str, note: str = "") -> None:
        """Add a line, unless the place has one of the same kind."""
        what = f"{place}: {dotted(path)}: {message}" if path else f"{place}: {message}"
        kind = f"{dotted(path)}: {message.partition(', not ')[0]}"
        self.lines.setdefault((place, kind), what + note)

    def add_lines(self, lines: Iterable[str]) -> None:
        """Add lines that begin with their places."""
        for line in lines:
            self.lines.setdefault((line, ""), line)


@dataclass(frozen=True)
class Draft:
    """A base with settings applied, not yet read.

    Attributes:
        tree: the base's tree with the settings.
        settings: the settings.
        paths: for each setting, the path of its key in the tree.
    """

    tree: dict[str, Any]
    settings: Combination = ()
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Base:
    """A run config to sweep over.

    Attributes:
        given: its path as the sweep writes it.
        experiment: the experiment's name.
        source: its tree and places.
        places: the places of the sweep's settings.
        problems: collects the problems.
        marked: whether messages about settings name the base, as there are several.
    """

    given: str
    experiment: str
    source: ConfigSource
    places: Places
    problems: ProblemLines
    marked: bool

    def applied(self, draft: Draft, settings: Combination) -> Draft | None:
        """The draft with more settings; None, with problems added, if one cannot be applied."""
        cls = experiments.find(self.experiment).config_class
        tree, paths, complete = draft.tree, list(draft.paths), True
        for key, value, path in settings:
            try:
                edit = overrides.edit(cls, tree, Override(key, tuple(key.split(".")), "set", value))
            except OverrideError as error:
                self._add_key_problem(key, path, str(error), f" (in {self.given})" if self.marked else "")
                complete = False
                continue
            if other := _same(draft.settings + settings, paths, path, edit.path):
                self._add_key_problem(key, path, f"is {other} by another name; a key may be set once")
                complete = False
            tree = edit.tree
            paths.append(edit.path)
        return Draft(tree, draft.settings + settings, tuple(paths)) if complete else None

    def _add_key_problem(self, key: str, path: Path, message: str, note: str = "") -> None:
        """Add a problem of a setting's key, rather than of one of its values."""
        path = path[: path.index(key) + 1]
        self.problems.add(self.places.place(path, message), path, message, note)

    def config(self, draft: Draft, known: Iterable[Problem] = ()) -> Any:
        """The config; None, with all problems added, if it is invalid.

        `known` are problems that the base has without the settings: their lines do not mention settings.
        """
        config, problems = read(experiments.find(self.experiment).config_class, draft.tree)
        known = set(known)
        for path, message in problems:
            if path not in self.source.unread:
                self.add_problem(draft, path, message, by_settings=(path, message) not in known)
        return config

    def add_problem(self, draft: Draft, path: Path, message: str, by_settings: bool = False) -> None:
        """Add a problem at a path of the config: at the setting that set the value, or in the base."""
        for setting, key_path in reversed(list(zip(draft.settings, draft.paths, strict=True))):
            if path[: len(key_path)] == key_path:
                path = (*setting.path, *path[len(key_path) :])
                self.problems.add(self.places.place(path), path, message)
                return
        swept = [s for s in draft.settings if s.path[0] != "fixed"]
        values = ", ".join(f"{s.key} = {shown(s.value)}" for s in swept)
        note = f" (where {values})" if values and by_settings else ""
        self.problems.add(self.source.places.place(path, message), path, message, note)


def _same(settings: Combination, paths: Sequence[Path], origin: Path, path: Path) -> str | None:
    """The key of an earlier setting of the same value as the setting at `origin`, which leads to `path`.

    A swept key may be inside a fixed one.
    """
    for setting, taken in zip(settings, paths, strict=False):  # there are paths of the earlier ones only
        shorter = min(len(taken), len(path))
        is_inside = taken[:shorter] == path[:shorter] and "fixed" not in (setting.path[0], origin[0])
        if is_inside or (taken == path and origin[0] != "repeat"):
            return setting.key
    return None


@dataclass
class ClaimFilter:
    """Drops the expectations that cannot be checked in a job, as the sweep removed what they speak of.

    Most jobs have the outline of the job before: the problems under it are kept.
    """

    outline: Any = None
    problems: dict[str, str | None] = field(default_factory=dict)

    def kept(self, config: Any, outline: Any) -> Any:
        """The config with the expectations that can be checked under an outline."""
        if outline != self.outline:
            self.outline, self.problems = outline, {}
        for expectation in config.expect:
            if expectation.check not in self.problems:
                self.problems[expectation.check] = check_problem(expectation.check, outline)
        expect = tuple(e for e in config.expect if self.problems[e.check] is None)
        return config if expect == config.expect else replace(config, expect=expect)
