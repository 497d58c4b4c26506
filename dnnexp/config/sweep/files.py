"""The files of a sweep: its own, or the configs that are given instead, and its bases."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dnnexp import experiments
from dnnexp.config.load import ConfigError, Source, parse_file
from dnnexp.config.overrides import Override
from dnnexp.config.places import Places
from dnnexp.config.sweep import arguments
from dnnexp.config.sweep.spec import SweepConfig
from dnnexp.registry import Path as KeyPath
from dnnexp.registry import suggest


@dataclass(frozen=True)
class Opened:
    """What a sweep starts from.

    Attributes:
        source: the tree of the sweep, with the arguments in it.
        edits: overrides that are for every base.
        file: the sweep's own file; None where configs are given.
    """

    source: Source
    edits: tuple[Override, ...]
    file: Path | None


@dataclass(frozen=True)
class BaseFile:
    """A run config to sweep over: as the sweep names it, where it is, and what it says."""

    given: str
    path: Path
    source: Source

    @property
    def experiment(self) -> str:
        """Its command."""
        return str(self.source.tree["experiment"])


def opened(
    files: Sequence[Path], words: Sequence[str], name: str | None = None, seed: int | None = None
) -> Opened:
    """The sweep in a file, or the one over some configs, with arguments and options in it.

    Raises:
        ConfigError: a file cannot be read, or a sweep is not alone.
    """
    source, file = _sweep(files)
    source, edits = arguments.edited(source, words)
    if name is not None:
        source = source.edited(SweepConfig, [Override("option --name", ("name",), "set", name)])
    if seed is not None:
        source = source.edited(SweepConfig, [Override("option --seed", ("fixed", "seed"), "set", seed)])
    return Opened(source, tuple(edits), file)


def _sweep(files: Sequence[Path]) -> tuple[Source, Path | None]:
    sources = {file: parse_file(file) for file in files}
    sweeps = [file for file, source in sources.items() if source.tree.get("experiment") == "sweep"]
    if not sources:
        raise ConfigError(["no config is given; name a sweep, or configs to sweep over"])
    if not sweeps:
        return _over(files), None
    if len(files) > 1:
        others = ", ".join(str(file) for file in files if file != sweeps[0])
        raise ConfigError([f"{sweeps[0]}: is a sweep and must be the only file; {others} given too"])
    return sources[sweeps[0]].named(sweeps[0].stem), sweeps[0]


def _over(files: Sequence[Path]) -> Source:
    """The sweep over configs that has nothing but them."""
    given = [str(file) for file in files]
    places = Places(given[0], {}, {}, {("base", i): file for i, file in enumerate(given)})
    source = Source({"experiment": "sweep", "base": given}, places)
    return source.named(files[0].stem) if len(files) == 1 else source


def base_files(opened: Opened, sweep: SweepConfig, lines: list[str]) -> Iterator[BaseFile]:
    """The configs that the sweep is over, each once; what is wrong with others goes to `lines`."""
    seen = set()
    for index, pattern in enumerate(sweep.bases):
        place: KeyPath = ("base",) if isinstance(sweep.base, str) else ("base", index)
        names = [pattern] if opened.file is None else _matches(pattern, opened.file.parent)
        if not names:
            lines.append(opened.source.places.line(place, f"{pattern} matches no file"))
        for name in names:
            path = Path(name) if opened.file is None else opened.file.parent / name
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield from _opened_base(name, path, opened.edits, lines)


def _matches(pattern: str, folder: Path) -> list[str]:
    """The files that a pattern names, in order; a path without wildcards is itself."""
    if not glob.has_magic(pattern) or (folder / pattern).exists():
        return [pattern]
    return sorted(glob.glob(pattern, root_dir=folder, recursive=True))


def _opened_base(given: str, path: Path, edits: Sequence[Override], lines: list[str]) -> Iterator[BaseFile]:
    try:
        source = parse_file(path)
    except ConfigError as error:
        lines += error.problems
        return
    wanted = source.tree.get("experiment")
    if wanted not in experiments.names():
        lines += [*source.problems, source.places.line(("experiment",), _refusal(wanted))]
        return
    source = source.edited(experiments.find(str(wanted)).config_class, edits).named(path.stem)
    lines += source.problems
    yield BaseFile(given, path, replace(source, problems=()))


def _refusal(wanted: object) -> str:
    if wanted is None:
        return f"is needed in a config to sweep over; allowed: {', '.join(experiments.names())}"
    if wanted == "sweep":
        return "a sweep cannot be over another sweep"
    return f"unknown experiment {wanted!r}{suggest(str(wanted), experiments.names())}"
