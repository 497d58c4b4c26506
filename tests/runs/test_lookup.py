"""Which folder a RUN stands for: `latest`, a folder, the beginning of one name."""

import os
from pathlib import Path

import pytest

from dnnexp.runs.lookup import LookupFailure, find
from tests.runs.written import write_run

FIRST = "20261122T201531Z-optimize-x"
SECOND = "20261122T201531Z-optimize-x-2"
THIRD = "20261123T000000Z-gradcheck-y"


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs, two of them of the same second."""
    monkeypatch.chdir(tmp_path)
    for name in (FIRST, SECOND, THIRD):
        write_run(tmp_path / "outputs" / name)
    return Path("outputs")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (FIRST, FIRST),  # a whole name, though another begins with it
        ("20261122T201531Z-optimize-x-", SECOND),
        ("20261123", THIRD),
        (f"outputs/{SECOND}", SECOND),
        (f"outputs/{SECOND}/", SECOND),
        (f"./outputs/../outputs/{THIRD}", THIRD),
    ],
)
def test_a_run_by_name_prefix_or_path(output: Path, text: str, name: str) -> None:
    assert find(output, text).resolve() == (output / name).resolve()


def test_latest_is_what_it_leads_to(output: Path) -> None:
    (output / "latest").symlink_to(SECOND)
    assert find(output, "latest") == find(output, "outputs/latest") == output / SECOND


def test_without_a_latest_the_reason_is_given(output: Path) -> None:
    with pytest.raises(LookupFailure, match="no run in outputs is complete"):
        find(output, "latest")


def test_an_ambiguous_prefix_lists_the_candidates(output: Path) -> None:
    with pytest.raises(LookupFailure) as failure:
        find(output, "20261122")
    assert str(failure.value).splitlines()[1:] == [f"  {SECOND}", f"  {FIRST}"]


def test_a_part_of_a_name_is_no_prefix_but_a_hint(output: Path) -> None:
    with pytest.raises(LookupFailure, match=f"no run in outputs begins with 'gradcheck'.*\n  {THIRD}"):
        find(output, "gradcheck")


def test_many_candidates_are_not_all_listed(output: Path) -> None:
    for number in range(20):
        write_run(output / f"20261122T2015{number:02}Z-optimize-z")
    with pytest.raises(LookupFailure) as failure:
        find(output, "2026")
    lines = str(failure.value).splitlines()
    assert lines[0] == "'2026' begins the names of 23 runs; give more of the name:"
    assert (len(lines), lines[-1]) == (12, "  and 13 more")


@pytest.mark.parametrize("text", ["nowhere", "", "a/b"])
def test_what_is_not_there(output: Path, text: str) -> None:
    with pytest.raises(LookupFailure):
        find(output, text)


def test_a_folder_that_is_no_run_is_refused(output: Path) -> None:
    os.mkdir("notes")
    with pytest.raises(LookupFailure, match="notes: is not a run folder"):
        find(output, "notes")


def test_folders_that_are_no_runs_make_no_prefix_ambiguous(output: Path) -> None:
    (output / "20261123-notes").mkdir()
    assert find(output, "20261123") == output / THIRD
