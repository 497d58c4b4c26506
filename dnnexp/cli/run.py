"""The run commands: `dnnexp optimize`, `activations`, `gradcheck`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dnnexp.cli.options import Options
from dnnexp.cli.plugins import load_plugins, plugin_option
from dnnexp.runs.threads import one_blas_thread

_OPTIONS = (
    click.option(
        "-o",
        "--output-dir",
        default="outputs",
        show_default=True,
        type=click.Path(path_type=Path),
        help="Where run folders are made.",
    ),
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
    from dnnexp.cli.execute import dry_run, execute
    from dnnexp.config.load import ConfigError, load
    from dnnexp.config.overrides import is_override
    from dnnexp.config.shipped import reference
    from dnnexp.experiments import find

    load_plugins(options.plugins)
    edits = _edits(arguments, options)
    files = [Path(a) for a in arguments if not is_override(a)] or [reference(experiment)]
    configs, code = [], 0
    for file in files:
        try:
            configs.append(load(experiment, file, edits))
        except ConfigError as error:
            click.echo(str(error), err=True)
            code = 2
    if options.smoke:
        configs = [find(experiment).shrink(config) for config in configs]
    show = dry_run if options.dry_run else execute
    code = max([code, *(show(experiment, config, options) for config in configs)])
    if 0 < len(configs) < len(files):
        left = len(files) - len(configs)
        click.echo(f"dnnexp: {left} of {len(files)} configs not run: see the errors above", err=True)
    return code


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
