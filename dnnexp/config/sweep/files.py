"""The inputs of a sweep: its file and arguments, or the configs to sweep over, and its bases."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dnnexp import experiments
from dnnexp.config import overrides
from dnnexp.config.overrides import Override, OverrideError
from dnnexp.config.shapes import hints
from dnnexp.config.source import ConfigError, ConfigSource, Places, parse_file
from dnnexp.config.sweep.spec import SweepConfig
from dnnexp.config.sweep.values import GrammarError, written_values
from dnnexp.registry import Path as KeyPath
from dnnexp.registry import suggest


@dataclass(frozen=True)
class SweepInput:
    """A sweep before it is read.

    Attributes:
        source: the tree of the sweep, with the arguments in it.
        edits: overrides for every base.
        file: the sweep's own file; None for a sweep over configs.
    """

    source: ConfigSource
    edits: tuple[Override, ...]
    file: Path | None


@dataclass(frozen=True)
class BaseFile:
    """A run config to sweep over.

    Attributes:
        given: its path as the sweep writes it.
        path: its path.
        source: its content.
    """

    given: str
    path: Path
    source: ConfigSource

    @property
    def experiment(self) -> str:
        """The config's experiment."""
        return str(self.source.tree["experiment"])


def read_input(
    files: Sequence[Path], arguments: Sequence[str], name: str | None = None, seed: int | None = None
) -> SweepInput:
    """The sweep in a file, or the one over some configs, with arguments and options applied.

    Raises:
        ConfigError: a file cannot be read, or a sweep is given with other files.
    """
    source, file = _sweep(files)
    source, edits = _with_arguments(source, arguments)
    if name is not None:
        source = source.edited(SweepConfig, [Override("option --name", ("name",), "set", name)])
    if seed is not None:
        source = source.edited(SweepConfig, [Override("option --seed", ("fixed", "seed"), "set", seed)])
    return SweepInput(source, tuple(edits), file)


def _sweep(files: Sequence[Path]) -> tuple[ConfigSource, Path | None]:
    sources = {file: parse_file(file) for file in files}
    sweeps = [file for file, source in sources.items() if source.tree.get("experiment") == "sweep"]
    if not sources:
        raise ConfigError(["no config is given; name a sweep, or configs to sweep over"])
    if not sweeps:
        return _over(files), None
    if len(files) > 1:
        others = ", ".join(str(file) for file in files if file != sweeps[0])
        raise ConfigError([f"{sweeps[0]}: a sweep must be the only file, but {others} is given too"])
    return sources[sweeps[0]].named(sweeps[0].stem), sweeps[0]


def _over(files: Sequence[Path]) -> ConfigSource:
    """A sweep over configs that has no other key."""
    given = [str(file) for file in files]
    places = Places(given[0], {}, {}, {("base", i): file for i, file in enumerate(given)})
    source = ConfigSource({"experiment": "sweep", "base": given}, places)
    return source.named(files[0].stem) if len(files) == 1 else source


def _with_arguments(source: ConfigSource, arguments: Iterable[str]) -> tuple[ConfigSource, list[Override]]:
    """The sweep with the arguments applied, and the overrides for every base (`+key=item`, `~key`).

    A key of the sweep itself edits it. A key of the configs goes to `fixed` with one value, and to `grid`
    with several.
    """
    for_bases = []
    for argument in arguments:
        try:
            target = argument.partition("=")[0]
            if target.lstrip("+~").partition(".")[0] in hints(SweepConfig):
                source = source.edited(SweepConfig, [overrides.parse(argument)])
            elif target.startswith(("+", "~")):
                for_bases.append(overrides.parse(argument))
            else:
                source = _with_key(source, argument)
        except OverrideError as error:
            source = replace(source, problems=(*source.problems, str(error)))
    return source, for_bases


def _with_key(source: ConfigSource, argument: str) -> ConfigSource:
    """The sweep with a key of the configs set, in the place of its values in `fixed` or `grid`.

    Raises:
        OverrideError: the text does not give values, or another block sets the key.
    """
    origin = f"argument {argument!r}"
    key, _, text = argument.partition("=")
    if not all(key.split(".")):
        raise OverrideError(f"{origin}: a key is empty; write key.subkey=value")
    if block := _other_block(source.tree, key):
        raise OverrideError(f"{origin}: {key} is set by {block} in {source.places.file}; edit it there")
    try:
        values, is_single = written_values(text)
    except GrammarError as error:
        raise OverrideError(f"{origin}: {error}") from None
    if is_single:
        return _moved(source, key, ("fixed", "grid"), values[0], origin)
    return _moved(source, key, ("grid", "fixed"), values, origin)


def _moved(
    source: ConfigSource, key: str, blocks: tuple[str, str], value: object, origin: str
) -> ConfigSource:
    """The sweep with the key set in the first block and removed from the second."""
    into, away = blocks
    tree = dict(source.tree)
    if isinstance(tree.get(away), dict):
        tree[away] = {k: v for k, v in tree[away].items() if k != key}
    held = tree.get(into, {})
    if not isinstance(held, dict):  # the sweep is invalid, which its reading reports
        return source
    tree[into] = {**held, key: value}
    path: KeyPath = (into, key)
    return replace(source, tree=tree, places=source.places.replaced(path, origin))


def _other_block(tree: object, key: str) -> str | None:
    """The block other than `fixed` and `grid` that sets the key."""
    if not isinstance(tree, dict):
        return None
    drawn = tree.get("random")
    blocks = {"zip": [tree.get("zip")], "random": [drawn.get("keys")] if isinstance(drawn, dict) else []}
    blocks["list"] = tree["list"] if isinstance(tree.get("list"), list) else []
    return next(
        (name for name, held in blocks.items() if any(isinstance(h, dict) and key in h for h in held)), None
    )


def base_files(opened: SweepInput, sweep: SweepConfig, lines: list[str]) -> Iterator[BaseFile]:
    """The valid configs to sweep over, each once; the problems of the others are appended to `lines`."""
    seen = set()
    for index, pattern in enumerate(sweep.bases):
        key: KeyPath = ("base",) if isinstance(sweep.base, str) else ("base", index)
        names = [pattern] if opened.file is None else _matches(pattern, opened.file.parent)
        if not names:
            lines.append(opened.source.places.line(key, f"{pattern} matches no file"))
        for name in names:
            path = Path(name) if opened.file is None else opened.file.parent / name
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield from _base_file(name, path, opened.edits, lines)


def _matches(pattern: str, folder: Path) -> list[str]:
    """The files that match a pattern, sorted; a path without wildcards matches itself."""
    if not glob.has_magic(pattern) or (folder / pattern).exists():
        return [pattern]
    return sorted(glob.glob(pattern, root_dir=folder, recursive=True))


def _base_file(given: str, path: Path, edits: Sequence[Override], lines: list[str]) -> Iterator[BaseFile]:
    try:
        source = parse_file(path)
    except ConfigError as error:
        lines += error.problems
        return
    experiment = source.tree.get("experiment")
    if experiment not in experiments.names():
        lines += [*source.problems, source.places.line(("experiment",), _no_experiment(experiment))]
        return
    source = source.edited(experiments.find(str(experiment)).config_class, edits).named(path.stem)
    lines += source.problems
    yield BaseFile(given, path, replace(source, problems=()))


def _no_experiment(given: object) -> str:
    if given is None:
        return f"is required in a config to sweep over; allowed: {', '.join(experiments.names())}"
    if given == "sweep":
        return "a sweep cannot be over another sweep"
    return f"unknown experiment {given!r}{suggest(str(given), experiments.names())}"
