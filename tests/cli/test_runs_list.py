"""runs list: the table, the filters, JSON and CSV; the group of commands itself."""

import csv
import io
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from dnnexp.cli.runs.options import complete_run
from dnnexp.runs.record import STATUSES
from tests.runs.written import RECORD, write_run, write_sweep

Run = Callable[..., Any]
COMMANDS = ("list", "show", "compare", "reproduce", "rm")
CONFIG = "experiment: optimize\nsteps: {}\n"


@pytest.fixture
def _outputs(tmp_path: Path) -> None:
    """A run of every status and a sweep, a day apart, the newest first in this order."""
    output = tmp_path / "outputs"
    ended = datetime(2026, 11, 20, tzinfo=UTC)
    for days, status in enumerate(STATUSES):
        start = ended - timedelta(days=days)
        name = f"{start:%Y%m%dT%H%M%SZ}-{'gradcheck' if days == 2 else 'optimize'}-{status}"
        metrics = {"passed": True, "value": 3.5} if status == "complete" else None
        own: dict[str, Any] = {"status": status, "seed": days, "start": start.isoformat(), "name": status}
        own |= {"experiment": name.split("-")[1], "end": (start + timedelta(minutes=5)).isoformat()}
        write_run(output / name, metrics=metrics, config=CONFIG.format(days * 10), **own)
    write_sweep(output / "20261101T000000Z-sweep-grid", {"a": True, "b": False}, ["c"])


def names(ran: Any) -> list[str]:
    """The names of the configs of the listed runs."""
    assert ran.code == 0, ran.err
    return [row["name"] for row in json.loads(ran.out)]


@pytest.mark.usefixtures("_outputs")
def test_the_table_has_a_line_a_run_newest_first(cli: Run) -> None:
    ran = cli("runs", "list")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split() for line in ran.out.splitlines()] == [
        ["run", "seed", "time", "status"],
        ["20261120T000000Z-optimize-complete", "0", "5", "min", "00", "s", "complete"],
        ["20261119T000000Z-optimize-running", "1", "5", "min", "00", "s", "running"],
        ["20261118T000000Z-gradcheck-failed", "2", "5", "min", "00", "s", "failed"],
        ["20261117T000000Z-optimize-interrupted", "3", "5", "min", "00", "s", "interrupted"],
        ["20261116T000000Z-optimize-torn", "4", "5", "min", "00", "s", "torn"],
        ["20261101T000000Z-sweep-grid", "–", "–", "interrupted:", "1", "of", "3,", "1", "failed"],
    ]


@pytest.mark.parametrize("columns", [50, 80])
def test_on_a_terminal_long_names_are_folded(
    cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    name = "a_config_with_a_name_that_is_as_long-as_names_of_configs_are-when_they_tell_everything"
    write_run(tmp_path / "outputs" / f"20261120T000000Z-optimize-{name}", metrics={}, name=name)
    for key, value in (("FORCE_COLOR", "1"), ("COLUMNS", str(columns))):
        monkeypatch.setenv(key, value)
    lines = re.sub(r"\x1b\[\d*m", "", cli("runs", "list").out).splitlines()
    assert max(map(cell_len, lines)) <= columns
    folded = "".join([lines[1].split()[0], *(line.strip() for line in lines[2:])])
    assert folded == f"20261120T000000Z-optimize-{name}"


def test_elsewhere_names_are_whole(cli: Run, tmp_path: Path) -> None:
    name = f"20261120T000000Z-optimize-{'x' * 150}"
    write_run(tmp_path / "outputs" / name, metrics={})
    assert name in cli("runs", "list").out


@pytest.mark.usefixtures("_outputs")
def test_the_status_is_coloured(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in cli("runs", "list").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31mfailed" in cli("runs", "list").out


def test_a_name_cannot_speak_to_the_terminal(cli: Run, tmp_path: Path) -> None:
    for name in (b"\x1b[31mred\n", b"[bold]", b"\xff"):
        os.makedirs(os.fsencode(tmp_path / "outputs") + b"/20261120T000000Z-optimize-" + name)
    ran = cli("runs", "list")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert len(ran.out.splitlines()) == 4
    assert "optimize-[bold]" in ran.out
    assert len(json.loads(cli("runs", "list", "--json").out)) == 3
    assert cli("runs", "list", "--csv").code == 0


@pytest.mark.usefixtures("_outputs")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["complete", "running", "failed", "interrupted", "torn", "grid"]),
        (["--experiment", "gradcheck"], ["failed"]),
        (["--experiment", "gradcheck", "--experiment", "sweep"], ["failed", "grid"]),
        (["--name", "*ing"], ["running"]),
        (["--name", "torn"], ["torn"]),
        (["--name", "tor"], []),
        (["--status", "failed"], ["failed"]),
        (["--status", "interrupted"], ["interrupted", "grid"]),
        (["--since", "2026-11-18"], ["complete", "running", "failed"]),
        (["--since", "2026-11-18T00:00:01"], ["complete", "running"]),
        (["--since", "2026-11-18T00:00:00+02:00"], ["complete", "running", "failed"]),
        (["--where", "seed >= 3"], ["interrupted", "torn"]),
        (["--where", 'experiment == "sweep"'], ["grid"]),
        (["--where", 'start < "2026-11-17"'], ["torn", "grid"]),
        (["--where", "seconds > 299 and seed < 2"], ["complete", "running"]),
        (["--where", "passed"], ["complete"]),
        (["--where", "metrics.value == 3.5"], ["complete"]),
        (["--where", "config.steps >= 30"], ["interrupted", "torn"]),
        (["--where", "config.nothing == 1"], []),
        (["--status", "torn", "--status", "failed", "--where", "seed > 2", "--name", "t*"], ["torn"]),
    ],
)
def test_filters(cli: Run, arguments: list[str], expected: list[str]) -> None:
    assert names(cli("runs", "list", "--json", *arguments)) == expected


def test_since_so_long_ago(cli: Run, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for hours in (1, 5, 30, 200):
        start = now - timedelta(hours=hours)
        folder = tmp_path / "outputs" / f"{start:%Y%m%dT%H%M%SZ}-optimize-x"
        write_run(folder, name=f"h{hours}", start=start.isoformat())
    for since, count in (("90s", 0), ("119m", 1), ("2h", 1), ("1d", 2), ("1.5d", 3), ("2w", 4)):
        assert len(names(cli("runs", "list", "--json", "--since", since))) == count


@pytest.mark.usefixtures("_outputs")
def test_an_expression_reads_only_what_it_names(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def read_json(path: Path) -> dict[str, Any]:
        read.append(path.parent.name)
        return {"metrics": {"value": 1}}

    monkeypatch.setattr("dnnexp.cli.runs.filters.read_json", read_json)
    assert names(cli("runs", "list", "--json", "--where", "seed == 3")) == ["interrupted"]
    assert read == []
    options = (
        "--experiment",
        "optimize",
        "--where",
        "seed == 3 and metrics.value == 1 and metrics.value < 2",
    )
    assert names(cli("runs", "list", "--json", *options)) == ["interrupted"]
    assert read == ["20261117T000000Z-optimize-interrupted"]


@pytest.mark.usefixtures("_outputs")
def test_json_and_csv_say_the_same(cli: Run) -> None:
    found = json.loads(cli("runs", "list", "--json").out)
    assert found[1] == {
        "run": "20261119T000000Z-optimize-running",
        "path": "outputs/20261119T000000Z-optimize-running",
        "experiment": "optimize",
        "name": "running",
        "seed": 1,
        "status": "running",
        "start": "2026-11-19T00:00:00.000+00:00",
        "seconds": 300.0,
        "jobs": None,
    }
    assert found[-1]["jobs"] == {"jobs": 3, "complete": 1, "failed": 1, "missing": 1}
    rows = list(csv.DictReader(io.StringIO(cli("runs", "list", "--csv").out)))
    counts = ("jobs", "jobs_complete", "jobs_failed", "jobs_missing")
    for row, entry in zip(rows, found, strict=True):
        jobs = entry.pop("jobs") or {}
        assert [row.pop(name) for name in counts] == [
            str(jobs.get(n.removeprefix("jobs_"), "")) for n in counts
        ]
        assert row == {key: "" if value is None else str(value) for key, value in entry.items()}


def test_no_runs_is_no_mistake(cli: Run) -> None:
    ran = cli("runs", "list")
    assert (ran.code, ran.out, ran.err) == (0, "", "dnnexp: no run in outputs\n")
    assert json.loads(cli("runs", "list", "--json").out) == []
    assert len(cli("runs", "list", "--csv").out.splitlines()) == 1


@pytest.mark.usefixtures("_outputs")
def test_that_none_match_is_said(cli: Run) -> None:
    ran = cli("runs", "list", "--name", "nothing")
    assert (ran.code, ran.out, ran.err) == (0, "", "dnnexp: no run in outputs matches\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "--csv"], "--json and --csv exclude each other"),
        (["-o", "nowhere"], "nowhere: there is no such folder"),
        (["-o", "file"], "file: is not a folder"),
        (["--experiment", "optimise"], "unknown experiment 'optimise'; did you mean 'optimize'?"),
        (["--status", "broken"], "'broken' is not one of"),
        (["--since", "yesterday"], "'yesterday' is not a time; allowed: a date such as 2026-11-24"),
        (["--since", "99999999d"], "is not a time"),
        (["--where", "sede == 1"], "`sede` does not exist; did you mean `seed`?"),
        (["--where", "seed + 1"], "a check must be true or false"),
        (["--where", 'name > 1 and open("x")'], "calling `open` is not allowed"),
    ],
)
def test_what_cannot_be_asked(cli: Run, arguments: list[str], message: str) -> None:
    Path("file").touch()
    ran = cli("runs", "list", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())


def test_a_real_run_is_listed(cli: Run) -> None:
    assert cli("optimize", "--smoke", "--no-plots", "-q", "seed=5").code == 0
    (row,) = json.loads(cli("runs", "list", "--json").out)
    assert (row["experiment"], row["name"], row["seed"], row["status"]) == (
        "optimize",
        "reference",
        5,
        "complete",
    )
    assert 0 < row["seconds"] < 60
    assert RECORD.keys() == json.loads(Path("outputs/latest/run.json").read_bytes()).keys()


# The group


def test_every_command_has_help(cli: Run) -> None:
    shown = cli("runs", "-h").out.partition("Commands:")[2]
    for command in COMMANDS:
        assert f"  {command} " in shown
        ran = cli("runs", command, "--help")
        assert ran.code == 0
        assert all(option in ran.out for option in ("--output-dir", "-h, --help"))


def test_a_command_that_does_not_exist(cli: Run) -> None:
    ran = cli("runs", "lst")
    assert (ran.code, ran.out) == (2, "")
    assert "No such command 'lst'" in ran.err


@pytest.mark.usefixtures("_outputs")
def test_the_shell_completes_names(tmp_path: Path) -> None:
    import click

    context = click.Context(click.Command("show"))
    context.params["output"] = tmp_path / "outputs"
    found = complete_run(context, click.Argument(["name"]), "2026111")
    assert [item.value for item in found] == [
        "20261119T000000Z-optimize-running",
        "20261118T000000Z-gradcheck-failed",
        "20261117T000000Z-optimize-interrupted",
        "20261116T000000Z-optimize-torn",
    ]
