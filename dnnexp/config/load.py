"""From a file and overrides to a validated, frozen config, or to every problem with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dnnexp import experiments
from dnnexp.config.expectations import check_problem
from dnnexp.config.overrides import Override
from dnnexp.config.schema import read
from dnnexp.config.source import ConfigError, ConfigSource, Places, parse_file
from dnnexp.registry import Problem, plain, suggest

__all__ = ["ConfigError", "claim_problems", "commands", "load", "require_experiment"]

_DROP_HINT = "; the argument ~expect drops the file's claims"


def commands() -> tuple[str, ...]:
    """The commands that `experiment:` can name."""
    return (*experiments.names(), "sweep")


def load(experiment: str, file: Path | None, edits: Sequence[Override] = ()) -> Any:
    """The config in a file, or the default one, with overrides applied, for an experiment's command.

    Raises:
        ConfigError: with every problem of the file and the overrides.
    """
    source = _empty(experiment) if file is None else parse_file(file)
    require_experiment((experiment,), source)
    cls = experiments.find(experiment).config_class
    source = source.edited(cls, edits).named(experiment if file is None else file.stem)
    config, problems = read(cls, source.tree)
    problems += claim_problems(experiment, source.tree, config, bool(edits))
    if lines := source.lines(problems):
        raise ConfigError(lines)
    return config


def _empty(experiment: str) -> ConfigSource:
    """A source without keys: its problems are those of overrides, or of what the default config lacks."""
    return ConfigSource({}, Places(f"the default config of {experiment}", {}, {}, {}))


def require_experiment(allowed: tuple[str, ...], source: ConfigSource) -> None:
    """Refuse a config for another command before its keys are read.

    Raises:
        ConfigError: `experiment:` is given and is none of those allowed.
    """
    given = source.tree.get("experiment", allowed[0])
    if given in allowed:
        return
    if given in commands():
        message = f"this config is for another command: run `dnnexp {given} {source.places.file}`"
    else:
        message = f"unknown experiment {given!r}{suggest(str(given), commands())}"
    raise ConfigError([*source.problems, source.places.line(("experiment",), message)])


def claim_problems(experiment: str, tree: Any, config: Any, edited: bool = False) -> Iterator[Problem]:
    """The problems of the checks of a config's expectations.

    Args:
        experiment: the experiment's name.
        tree: the config as a tree.
        config: the config; None if it is invalid, and then only the grammar of the checks is examined.
        edited: whether overrides were applied, which may have removed what a check speaks of.
    """
    outline = None if config is None else experiments.find(experiment).outline(config)
    expectations = tree.get("expect") if config is None else plain(config.expect)
    for index, item in enumerate(expectations if isinstance(expectations, list) else []):
        check = item.get("check") if isinstance(item, dict) else None
        if isinstance(check, str) and (message := check_problem(check, outline)) is not None:
            hint = _DROP_HINT if outline is not None and edited else ""
            yield ("expect", index, "check"), f"{message}{hint}"
