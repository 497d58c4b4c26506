"""runs rm: it says what goes, asks, and removes that and nothing else."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from tests.runs.written import write_run

Run = Callable[..., Any]
FIRST, SECOND = "20261122T201531Z-optimize-x", "20261123T000000Z-optimize-y"


@pytest.fixture
def _outputs(tmp_path: Path) -> None:
    write_run(tmp_path / "outputs" / FIRST, metrics={})
    write_run(tmp_path / "outputs" / SECOND, metrics={}, start="2026-11-23T00:00:00+00:00")
    (tmp_path / "outputs" / "latest").symlink_to(SECOND)


def answering(monkeypatch: pytest.MonkeyPatch, answer: bool) -> list[str]:
    """What is asked, and answered so."""
    asked: list[str] = []

    def confirm(text: str, **options: Any) -> bool:
        assert options == {"err": True}
        asked.append(text)
        return answer

    monkeypatch.setattr(click, "confirm", confirm)
    return asked


@pytest.mark.usefixtures("_outputs")
def test_it_asks_first(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, True)
    ran = cli("runs", "rm", "20261122")
    assert (ran.code, ran.out, asked) == (0, "", ["Remove this run?"])
    assert f"outputs/{FIRST}  complete  2 files, " in ran.err
    assert set(os.listdir("outputs")) == {SECOND, "latest"}


@pytest.mark.usefixtures("_outputs")
def test_a_no_removes_nothing(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, False)
    ran = cli("runs", "rm", FIRST, "latest")
    assert (ran.code, asked) == (1, ["Remove these 2 runs?"])
    assert ran.err.endswith("dnnexp: nothing was removed\n")
    assert set(os.listdir("outputs")) == {FIRST, SECOND, "latest"}


@pytest.mark.usefixtures("_outputs")
def test_with_yes_it_does_not_ask_and_says_on_stdout_what_went(cli: Run) -> None:
    ran = cli("runs", "rm", "latest", "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert [Path(line.split()[0]).name for line in ran.out.splitlines()] == [SECOND]
    assert set(os.listdir("outputs")) == {FIRST, "latest"}
    assert os.readlink("outputs/latest") == FIRST


@pytest.mark.usefixtures("_outputs")
def test_where_nobody_can_be_asked_nothing_is_removed(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end of input is no Ctrl-C: the exit code used to be 130."""

    def confirm(text: str, **options: Any) -> bool:
        raise click.Abort

    monkeypatch.setattr(click, "confirm", confirm)
    ran = cli("runs", "rm", FIRST)
    assert ran.code == 2
    assert "stdin is not a terminal; pass --yes to remove without asking" in ran.err
    assert FIRST in os.listdir("outputs")


@pytest.mark.usefixtures("_outputs")
@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("elsewhere", "is not inside"),
        ("outputs/notes", "outputs/notes: is not a run folder"),
        ("outputs", "outputs: is not a run folder"),
        ("2026", "'2026' begins the names of 2 runs"),
        ("2027", "no run in outputs begins with '2027'"),
    ],
)
def test_what_is_refused_stops_all(cli: Run, tmp_path: Path, run: str, message: str) -> None:
    write_run(tmp_path / "elsewhere", metrics={})
    (tmp_path / "outputs" / "notes").mkdir()
    ran = cli("runs", "rm", "--yes", FIRST, run)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert {FIRST, SECOND, "latest", "notes"} == set(os.listdir("outputs"))
    assert (tmp_path / "elsewhere" / "metrics.json").exists()


@pytest.mark.usefixtures("_outputs")
def test_what_cannot_be_removed(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "unlink", refuse)
    ran = cli("runs", "rm", "--yes", FIRST)
    assert ran.code == 3
    assert ran.err.endswith(f"{FIRST}/metrics.json: cannot be removed: Permission denied\n")


def test_it_needs_a_run(cli: Run) -> None:
    ran = cli("runs", "rm")
    assert ran.code == 2
    assert "Missing argument 'RUN...'" in ran.err
