"""Removing: nothing outside the output folder, nothing left that looks complete, `latest` kept true."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dnnexp.runs.catalogue import look
from dnnexp.runs.folder import WriteError
from dnnexp.runs.journal import Journal
from dnnexp.runs.removal import RefusedError, removable, remove
from tests.runs.written import write_run, write_sweep

FIRST, SECOND = "20261122T201531Z-optimize-x", "20261123T000000Z-optimize-y"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two complete runs."""
    write_run(tmp_path / "outputs" / FIRST, metrics={})
    write_run(tmp_path / "outputs" / SECOND, metrics={}, start="2026-11-23T00:00:00+00:00")
    return tmp_path / "outputs"


def names(folder: Path) -> set[str]:
    return set(os.listdir(folder))


def test_a_run_is_removed_and_no_other(output: Path) -> None:
    remove(output, removable(output, [output / FIRST]))
    assert names(output) == {SECOND}


def test_a_link_inside_a_run_is_removed_and_not_what_it_leads_to(output: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "metrics.json").touch()
    (output / FIRST / "data").symlink_to(tmp_path / "data")
    remove(output, removable(output, [output / FIRST]))
    assert names(output) == {SECOND}
    assert names(tmp_path / "data") == {"metrics.json"}


def outside(output: Path) -> Path:
    return write_run(output.parent / "elsewhere" / FIRST, metrics={})


def linked_outside(output: Path) -> Path:
    (output / "20261124T000000Z-optimize-z").symlink_to(outside(output))
    return output / "20261124T000000Z-optimize-z"


def through_the_parent(output: Path) -> Path:
    outside(output)
    return output / ".." / "elsewhere" / FIRST


def sibling(output: Path) -> Path:
    """A folder whose path begins with the output folder's."""
    return write_run(output.parent / "outputs2" / FIRST, metrics={})


@pytest.mark.parametrize("case", [outside, linked_outside, through_the_parent, sibling])
def test_nothing_outside_the_output_folder(output: Path, case: Callable[[Path], Path]) -> None:
    folder = case(output)
    with pytest.raises(RefusedError, match="is not inside"):
        removable(output, [output / FIRST, folder])
    assert (folder / "metrics.json").exists()
    assert (output / FIRST / "metrics.json").exists()


def test_an_output_folder_that_is_a_link_is_that_which_it_leads_to(output: Path) -> None:
    (output.parent / "link").symlink_to("outputs")
    link = output.parent / "link"
    remove(link, removable(link, [link / FIRST]))
    assert names(output) == {SECOND}


def test_the_output_folder_itself_and_other_folders_are_refused(output: Path) -> None:
    (output / "notes").mkdir()
    with pytest.raises(RefusedError, match="is not inside"):
        removable(output, [output])
    with pytest.raises(RefusedError, match="is not a run folder"):
        removable(output, [output / "notes"])
    with pytest.raises(RefusedError, match="is not a run folder"):
        removable(output, [output / FIRST / "run.json"])


def test_what_is_named_twice_or_inside_of_another_is_removed_once(output: Path) -> None:
    sweep = write_sweep(output / "20261124T000000Z-sweep-grid", {"a": True})
    found = removable(
        output, [sweep / "jobs" / "a", sweep, sweep, output / ".." / "outputs" / FIRST, output / FIRST]
    )
    assert found == [sweep, output / FIRST]
    remove(output, found)
    assert names(output) == {SECOND}


def test_a_sweep_under_way_is_refused_and_so_are_its_jobs(output: Path) -> None:
    sweep = write_sweep(output / "20261124T000000Z-sweep-grid", {"a": True}, ["b"])
    with Journal(sweep / "journal.jsonl"):
        for folder in (sweep, sweep / "jobs" / "a"):
            with pytest.raises(RefusedError, match="running this sweep"):
                removable(output, [folder])
    assert removable(output, [sweep / "jobs" / "a"]) == [sweep / "jobs" / "a"]


def refuse(*arguments: Any, **options: Any) -> NoReturn:
    raise PermissionError(13, "Permission denied", "file")


def test_what_is_half_removed_does_not_look_complete(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = write_sweep(output / "20261124T000000Z-sweep-grid", {"a": True, "b": True})
    (sweep / "results.json").write_text("{}")
    monkeypatch.setattr(shutil, "rmtree", refuse)
    for folder in (output / FIRST, sweep):
        with pytest.raises(WriteError, match="file: cannot be removed: Permission denied"):
            remove(output, [folder])
        assert getattr(look(folder), "status", None) in ("torn", "failed")
        assert not list(folder.rglob("metrics.json")) + list(folder.rglob("results.json"))


def test_latest_leads_to_the_newest_complete_run_that_is_left(output: Path) -> None:
    (output / "latest").symlink_to(SECOND)
    write_run(output / "20261124T000000Z-optimize-z", status="failed", start="2026-11-24T00:00:00+00:00")
    remove(output, removable(output, [output / "latest"]))
    assert names(output) == {FIRST, "20261124T000000Z-optimize-z", "latest"}
    assert os.readlink(output / "latest") == FIRST


def test_latest_is_removed_with_the_last_complete_run(output: Path) -> None:
    (output / "latest").symlink_to(SECOND)
    remove(output, removable(output, [output / FIRST, output / SECOND]))
    assert names(output) == set()


def test_latest_stays_where_its_run_stays(output: Path) -> None:
    (output / "latest").symlink_to(SECOND)
    remove(output, removable(output, [output / FIRST]))
    assert os.readlink(output / "latest") == SECOND
