"""From a file and overrides to a validated, frozen config, or to every error with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dnnexp import experiments
from dnnexp.config import dialect, overrides
from dnnexp.config.expectations import complaint
from dnnexp.config.overrides import Override
from dnnexp.config.places import Places
from dnnexp.config.scalars import MAX_BYTES
from dnnexp.config.schema import read
from dnnexp.registry import NAME_PATTERN, plain, suggest
from dnnexp.registry import Path as KeyPath

_DROP = "; the argument ~expect drops the file's claims"


class ConfigError(Exception):
    """A config that cannot be used; the message has one line for each thing that is wrong."""

    def __init__(self, problems: Iterable[str]) -> None:
        """From the lines of the message."""
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Source:
    """What a file says, edited or not, with the places of its values.

    Attributes:
        tree: the mapping in it.
        places: where its values come from.
        problems: what is wrong with its text and with the edits, a line each.
        unread: the paths of the values that could not be read: they have their lines already.
    """

    tree: dict[str, Any]
    places: Places
    problems: tuple[str, ...] = ()
    unread: frozenset[KeyPath] = frozenset()

    def edited(self, cls: type, edits: Iterable[Override]) -> Source:
        """The same with overrides applied, to a config of that class."""
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

    def named(self, name: str) -> Source:
        """The same with that name, where it has none and this is one."""
        if "name" in self.tree or not re.fullmatch(NAME_PATTERN, name):
            return self
        return replace(self, tree={**self.tree, "name": name})

    def lines(self, errors: Iterable[tuple[KeyPath, str]]) -> list[str]:
        """All that is wrong, with what else was found in its values, each once."""
        found = [self.places.line(path, message) for path, message in errors if path not in self.unread]
        return list(dict.fromkeys([*self.problems, *found]))


def parse_file(file: Path) -> Source:
    """What a config file says.

    Raises:
        ConfigError: it cannot be read, or is no mapping.
    """
    document = dialect.parse(_text(file))
    places = Places(str(file), document.keys, document.values, {})
    problems = tuple(places.problem(problem) for problem in document.problems)
    if not isinstance(document.value, dict):
        raise ConfigError(problems or [places.line((), "must be a mapping of keys to values")])
    return Source(document.value, places, problems, frozenset(p.path for p in document.problems))


def commands() -> tuple[str, ...]:
    """The commands that `experiment:` can name."""
    return (*experiments.names(), "sweep")


def load(experiment: str, file: Path | None, edits: Iterable[Override] = ()) -> Any:
    """The config in a file, or the default one, with overrides applied, for an experiment's command.

    Raises:
        ConfigError: with everything that is wrong with the file and the overrides.
    """
    source = _empty(experiment) if file is None else parse_file(file)
    refuse_other((experiment,), source)
    cls = experiments.find(experiment).config_class
    source = source.edited(cls, edits).named(experiment if file is None else file.stem)
    config, errors = read(cls, source.tree)
    errors += claim_errors(experiment, source.tree, config, bool(source.places.origins))
    if problems := source.lines(errors):
        raise ConfigError(problems)
    return config


def _empty(experiment: str) -> Source:
    """No keys: every error then is in an override, or says what the default config lacks."""
    return Source({}, Places(f"the default config of {experiment}", {}, {}, {}))


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


def refuse_other(allowed: tuple[str, ...], source: Source) -> None:
    """A config for another command is refused before its keys are looked at.

    Raises:
        ConfigError: `experiment:` names none of those allowed; it may be left out.
    """
    wanted = source.tree.get("experiment", allowed[0])
    if wanted in allowed:
        return
    if wanted in commands():
        message = f"this config is for another command: run `dnnexp {wanted} {source.places.file}`"
    else:
        message = f"unknown experiment {wanted!r}{suggest(str(wanted), commands())}"
    raise ConfigError([*source.problems, source.places.line(("experiment",), message)])


def claim_errors(
    experiment: str, tree: Any, config: Any, edited: bool = False
) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with the checks of expectations; their paths need a valid config, else it is None."""
    outline = None if config is None else experiments.find(experiment).outline(config)
    expectations = tree.get("expect") if config is None else plain(config.expect)
    for index, item in enumerate(expectations if isinstance(expectations, list) else []):
        check = item.get("check") if isinstance(item, dict) else None
        if isinstance(check, str) and (message := complaint(check, outline)) is not None:
            yield ("expect", index, "check"), message + (_DROP if outline is not None and edited else "")
