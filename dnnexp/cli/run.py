"""The run commands: `dnnexp optimize`, `activations`, `gradcheck`."""

from __future__ import annotations

import os
import re
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeAlias

import click

from dnnexp.cli.options import Options, output_option
from dnnexp.cli.plugins import load_plugins, plugin_option
from dnnexp.runs.threads import one_blas_thread

Configs: TypeAlias = list[tuple[Path | None, Any]]
"""The valid configs, each with its file; None for the reference."""
Refused: TypeAlias = list[tuple[Path, list[str]]]
"""The files of the others, each with what is wrong."""


def _report_file(context: click.Context, parameter: click.Parameter, file: Path | None) -> Path | None:
    """A name that the report can take: nobody's folder or device."""
    if file is None or not os.path.exists(file) or os.path.isfile(file):
        return file
    found = "a directory" if file.is_dir() else "a device or a pipe"
    raise click.BadParameter(f"{file} is {found}, but the report needs a file.")


_OPTIONS = (
    output_option("Where run folders are made."),
    click.option("--name", help="Name of the run, in place of the config's."),
    click.option("--seed", type=click.IntRange(min=0), help="Seed, in place of the config's."),
    click.option(
        "--smoke",
        is_flag=True,
        help="Shrink the experiment to a second or two; expectations are skipped.",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Print the resolved config and an estimate of the work; write nothing.",
    ),
    click.option("--no-plots", is_flag=True, help="Write no PNG."),
    click.option(
        "--trace",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Print the state of the first start every N steps (optimize).",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the metrics, one line a run."),
    click.option("-q", "--quiet", is_flag=True, help="No progress and no summary."),
    click.option(
        "--strict", is_flag=True, help="Exit with 1 if an expectation fails or cannot be evaluated."
    ),
    click.option(
        "--junit",
        metavar="FILE",
        type=click.Path(path_type=Path),
        callback=_report_file,
        help="Write a JUnit XML report of all runs, for CI.",
    ),
    plugin_option,
)


def run_command(experiment: str, summary: str) -> click.Command:
    """The command that runs an experiment."""

    def run(arguments: tuple[str, ...], trace: int | None, **options: Any) -> int:
        return run_all(experiment, arguments, Options(trace=trace or 0, **options))

    run.__doc__ = f"""{summary}

    Each CONFIG is a YAML file; without one, the reference experiment runs. key=value sets any key of the
    config (a.b=v, list items by index or label), +list=item appends, ~key goes back to the default.
    """
    for option in reversed(_OPTIONS):
        run = option(run)
    run = click.argument("arguments", nargs=-1, metavar="[CONFIG...] [key=value...]")(run)
    return click.command(experiment)(run)


def run_all(experiment: str, arguments: tuple[str, ...], options: Options) -> int:
    """Validate all configs, run the valid ones one after another; returns the highest exit code."""
    one_blas_thread()
    from dnnexp.config.overrides import is_override
    from dnnexp.experiments import find

    load_plugins(options.plugins)
    edits = _edits(arguments, options)
    files = [Path(a) for a in arguments if not is_override(a)]
    if not files:
        edits = [*_with_target(edits), *edits]
    configs, refused = _load_each(experiment, files, edits)
    if options.smoke:
        configs = [(file, find(experiment).shrink(config)) for file, config in configs]
    code = (_dry_run_each if options.dry_run else _run_each)(experiment, configs, refused, options)
    if configs and refused:
        count = f"{len(refused)} of {len(files)} configs"
        click.echo(f"dnnexp: {count} not run: see the errors above", err=True)
    return max(code, 2 if refused else 0)


def _load_each(experiment: str, files: list[Path], edits: list[Any]) -> tuple[Configs, Refused]:
    """The configs, or the reference, and the problems of those that are invalid."""
    from dnnexp.cli import annotations
    from dnnexp.config.load import ConfigError, load
    from dnnexp.config.shipped import reference

    configs: Configs = []
    refused: Refused = []
    named: list[Path | None] = [*files]
    for file in named or [None]:
        path = file or reference(experiment)
        try:
            configs.append((file, load(experiment, path, edits)))
        except ConfigError as error:
            click.echo(str(error), err=True)
            annotations.show(annotations.of_config(experiment, file, error.problems))
            refused.append((path, error.problems))
    return configs, refused


def _dry_run_each(experiment: str, configs: Configs, refused: Refused, options: Options) -> int:
    from dnnexp.cli.execute import dry_run

    return max((dry_run(experiment, config, options) for _, config in configs), default=0)


def _run_each(experiment: str, configs: Configs, refused: Refused, options: Options) -> int:
    """Run them one after another, and report them all; returns the highest exit code."""
    from dnnexp.cli import annotations, junit
    from dnnexp.cli.execute import Outcome, execute

    outcomes: list[Outcome] = []
    code = 0
    try:
        for file, config in configs:
            outcomes.append(execute(experiment, config, options))
            annotations.show(annotations.of_run(experiment, config.name, file, outcomes[-1], options.strict))
    finally:  # after Ctrl-C, too
        if options.junit is not None:
            runs = zip_longest([config.name for _, config in configs], outcomes)
            code = junit.write(options.junit, junit.report(experiment, refused, runs, options.strict))
    return max([code, *(outcome.code for outcome in outcomes)])


def _edits(arguments: tuple[str, ...], options: Options) -> list[Any]:
    """The overrides among the arguments, and those that options stand for."""
    from dnnexp.config.overrides import Override, OverrideError, is_override, parse

    edits, problems = [], []
    for argument in filter(is_override, arguments):
        try:
            edits.append(parse(argument))
        except OverrideError as error:
            problems.append(str(error))
    if problems:
        raise click.UsageError("\n".join(problems))
    if options.name is not None:
        edits.append(Override("option --name", ("name",), "set", options.name))
    if options.seed is not None:
        edits.append(Override("option --seed", ("seed",), "set", options.seed))
    return edits


def _with_target(edits: list[Any]) -> list[Any]:
    """What a `target` in place of the reference's network brings along: a name, and none of its keys."""
    from dnnexp.config.overrides import Override
    from dnnexp.registry import NAME_PATTERN

    chosen = [edit for edit in edits if edit.path == ("target",) and edit.action == "set"]
    if not chosen:
        return []
    origin, target = chosen[-1].origin, chosen[-1].value
    name = _run_name(target)
    if name == "network":
        return []
    named = [Override(origin, ("name",), "set", name)] if re.fullmatch(NAME_PATTERN, name) else []
    unused = ("expect", "network", "initializer", "loss", "batch", "methods")
    return [*(Override(origin, (key,), "reset") for key in unused), *named]


def _run_name(target: Any) -> str:
    """`function:mine.rosen`, or the mapping that it stands for, as a name: `function-mine-rosen`."""
    if not isinstance(target, dict):
        return re.sub("[^A-Za-z0-9_-]+", "-", str(target)).strip("-")[:100]
    name = target.get("name")
    rest = target.get(name, "") if isinstance(name, str) else ""  # the part that a target is of has its name
    return _run_name(f"{name}:{rest.get('name', '') if isinstance(rest, dict) else rest}")
