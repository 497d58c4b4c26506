"""The run command of an experiment, such as `dnnexp optimize`."""

from __future__ import annotations

import os
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from dnnexp.cli.options import Options, load_plugins, output_option, plugin_option
from dnnexp.runs.threads import one_blas_thread

if TYPE_CHECKING:
    from dnnexp.experiments import Experiment

Configs: TypeAlias = list[tuple[Path | None, Any]]
"""The valid configs, each with its file (None for the reference)."""
Refused: TypeAlias = list[tuple[Path, list[str]]]
"""The files of the invalid configs, each with its problems."""


def _report_file(context: click.Context, parameter: click.Parameter, file: Path | None) -> Path | None:
    """Refuse a report file that is a directory or a device."""
    if file is None or not os.path.exists(file) or os.path.isfile(file):
        return file
    found = "a directory" if file.is_dir() else "a device or a pipe"
    raise click.BadParameter(f"{file} is {found}, but the report must be a file.")


_OPTIONS = (
    output_option("Folder in which run folders are made."),
    click.option("--name", help="Name of the run, instead of the config's."),
    click.option("--seed", type=click.IntRange(min=0), help="Seed, instead of the config's."),
    click.option(
        "--smoke",
        is_flag=True,
        help="Shrink the experiment to a second or two; skip the expectations.",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Print the resolved config and an estimate of the work; write nothing.",
    ),
    click.option("--no-plots", is_flag=True, help="Draw no figures."),
    click.option(
        "--trace",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Print the state every N steps (optimize: of the first start).",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the metrics, one line per run."),
    click.option("-q", "--quiet", is_flag=True, help="Print neither progress nor summary."),
    click.option(
        "--strict", is_flag=True, help="Exit with 1 if an expectation fails or cannot be evaluated."
    ),
    click.option(
        "--junit",
        metavar="FILE",
        type=click.Path(path_type=Path),
        callback=_report_file,
        help="Write a JUnit XML report of all runs.",
    ),
    plugin_option,
)


def run_command(experiment: Experiment) -> click.Command:
    """The command that runs an experiment."""

    def run(
        arguments: tuple[str, ...],
        smoke: bool,
        no_plots: bool,
        trace: int | None,
        plugins: tuple[Path, ...],
        **options: Any,
    ) -> int:
        one_blas_thread()
        load_plugins(plugins)
        from dnnexp.execution.run import RunOptions

        how = RunOptions(smoke, not no_plots, trace or 0, plugins)
        return run_all(experiment, arguments, Options(how, **options))

    run.__doc__ = f"""{experiment.help}

    Each CONFIG is a YAML file; without one, the reference experiment runs. key=value sets any key of the
    config (a.b=v, list items by index or label), +list=item appends, ~key goes back to the default.
    """
    for option in reversed(_OPTIONS):
        run = option(run)
    run = click.argument("arguments", nargs=-1, metavar="[CONFIG...] [key=value...]")(run)
    return click.command(experiment.name)(run)


def run_all(experiment: Experiment, arguments: tuple[str, ...], options: Options) -> int:
    """Validate all configs, run the valid ones one after another; returns the highest exit code."""
    from dnnexp.config.overrides import is_override

    edits = _edits(arguments, options)
    files = [Path(a) for a in arguments if not is_override(a)]
    if not files:
        edits = [*_reference_change(experiment, edits), *edits]
    configs, refused = _load_each(experiment.name, files, edits)
    if options.run.smoke:
        configs = [(file, experiment.shrink(config)) for file, config in configs]
    code = (_dry_run_each if options.dry_run else _run_each)(experiment.name, configs, refused, options)
    if configs and refused:
        count = f"{len(refused)} of {len(files)} configs"
        click.echo(f"dnnexp: {count} not run; see the errors above", err=True)
    return max(code, 2 if refused else 0)


def _load_each(experiment: str, files: list[Path], edits: list[Any]) -> tuple[Configs, Refused]:
    """The valid configs (or the reference), and the problems of the others."""
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
            refused.append((path or Path(experiment), error.problems))
    return configs, refused


def _dry_run_each(experiment: str, configs: Configs, refused: Refused, options: Options) -> int:
    from dnnexp.cli.execute import dry_run

    return max((dry_run(experiment, config, options) for _, config in configs), default=0)


def _run_each(experiment: str, configs: Configs, refused: Refused, options: Options) -> int:
    """Run the configs one after another and report them; returns the highest exit code."""
    from dnnexp.cli import annotations, junit
    from dnnexp.cli.execute import RunOutcome, execute

    outcomes: list[RunOutcome] = []
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
    """The overrides among the arguments, and those given by options."""
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


def _reference_change(experiment: Experiment, edits: list[Any]) -> list[Any]:
    """The further changes that overriding the reference config entails, such as another name."""
    from dnnexp.config.overrides import Override

    chosen = {edit.path[0]: edit for edit in edits if len(edit.path) == 1 and edit.action == "set"}
    change = experiment.reference_change({key: edit.value for key, edit in chosen.items()})
    if change is None:
        return []
    origin = chosen[change.key].origin
    name = [] if change.name is None else [Override(origin, ("name",), "set", change.name)]
    return [*(Override(origin, (key,), "reset") for key in change.reset), *name]
