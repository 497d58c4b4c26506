"""The folder of a sweep: a job is there when it has ended, whole, once."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dnnexp.runs.folder import RunFolder, WriteError
from dnnexp.runs.sweep_folder import SweepFolder

KEY = "a" * 64


@pytest.fixture
def sweep(tmp_path: Path) -> SweepFolder:
    (tmp_path / "sweep.json").write_text("{}")
    return SweepFolder(tmp_path)


def fill(folder: RunFolder, status: str = "complete", number: float = 1.0) -> None:
    folder.write("config.yaml", "a: 1\n")
    folder.write_json("run.json", {"status": status, "error": None})
    folder.write_arrays({"x": np.arange(1000.0)})
    if status == "complete":
        folder.write_json("metrics.json", {"metrics": {"x": number}})


def ended(sweep: SweepFolder, token: str, status: str = "complete", number: float = 1.0) -> None:
    attempt = sweep.begin(KEY, token)
    fill(attempt, status, number)
    sweep.end(attempt, KEY)


def test_a_job_is_seen_when_it_has_ended(sweep: SweepFolder) -> None:
    attempt = sweep.begin(KEY, "t")
    fill(attempt)
    assert not sweep.is_intact(KEY)
    assert (sweep.attempts(KEY, "t"), sweep.attempts(KEY, "u")) == (1, 0)
    assert not (sweep.jobs / KEY).exists()
    sweep.end(attempt, KEY)
    assert sweep.is_intact(KEY)
    assert sweep.attempts(KEY, "t") == 0


def test_a_failed_job_is_replaced_by_a_later_attempt(sweep: SweepFolder) -> None:
    ended(sweep, "t", "failed")
    assert not sweep.is_intact(KEY)
    assert sweep.record(KEY)["status"] == "failed"
    ended(sweep, "u")
    assert sweep.is_intact(KEY)
    sweep.discard_attempts()
    assert sorted(path.name for path in sweep.path.iterdir()) == ["jobs", "sweep.json"]


def test_a_complete_job_is_never_replaced(sweep: SweepFolder) -> None:
    ended(sweep, "t", number=1.0)
    ended(sweep, "u", "failed")
    ended(sweep, "v", number=2.0)
    assert json.loads((sweep.jobs / KEY / "metrics.json").read_text()) == {"metrics": {"x": 1.0}}
    sweep.discard_attempts()
    assert sorted(path.name for path in sweep.path.iterdir()) == ["jobs", "sweep.json"]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut": lambda whole: whole[:-9],
    "flipped": lambda whole: whole[: len(whole) // 2] + b"\xff\x7f" + whole[len(whole) // 2 + 2 :],
    "zeros": lambda whole: whole[:2] + bytes(len(whole) - 2),
}
TORN = [(name, damage) for name in ("metrics.json", "arrays.npz", "run.json") for damage in DAMAGE]


@pytest.mark.parametrize(("name", "damage"), [*TORN, ("config.yaml", "empty"), ("config.yaml", "zeros")])
def test_a_torn_job_is_not_complete_and_is_replaced(sweep: SweepFolder, name: str, damage: str) -> None:
    """A failed job's output used to count as complete."""
    ended(sweep, "t")
    path = sweep.jobs / KEY / name
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert not sweep.is_intact(KEY)
    ended(sweep, "u")
    assert sweep.is_intact(KEY)


@pytest.mark.parametrize("name", ["metrics.json", "arrays.npz", "run.json", "config.yaml"])
def test_a_job_that_lacks_a_file_is_not_complete(sweep: SweepFolder, name: str) -> None:
    ended(sweep, "t")
    (sweep.jobs / KEY / name).unlink()
    assert not sweep.is_intact(KEY)


def test_what_one_call_has_left_goes_and_what_others_do_stays(sweep: SweepFolder) -> None:
    fill(sweep.begin(KEY, "t"))
    sweep.begin("b" * 64, "t")
    other = sweep.begin(KEY, "u")
    sweep.discard_attempts("t")
    assert [path for path in (sweep.path / "attempts").iterdir()] == [other.path]


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_what_stands_in_the_way_makes_room(sweep: SweepFolder, kind: str) -> None:
    """A file in the place of a job's folder could not be repaired by any resume."""
    attempt = sweep.begin(KEY, "t")
    fill(attempt)
    sweep.jobs.mkdir()
    if kind == "file":
        (sweep.jobs / KEY).write_text("a file")
    else:
        (sweep.jobs / KEY).symlink_to("nowhere")
    sweep.end(attempt, KEY)
    assert sweep.is_intact(KEY)
    sweep.discard_attempts()
    assert sorted(path.name for path in sweep.path.iterdir()) == ["jobs", "sweep.json"]


def test_a_file_in_the_place_of_all_jobs_is_an_error(sweep: SweepFolder) -> None:
    attempt = sweep.begin(KEY, "t")
    sweep.jobs.write_text("a file")
    with pytest.raises(WriteError, match="File exists"):
        sweep.end(attempt, KEY)


@pytest.mark.parametrize("document", ['{"experiment": 3}', '{"metrics": []}', "[]"])
def test_what_is_no_document_of_metrics_is_not_complete(sweep: SweepFolder, document: str) -> None:
    """The table called it missing and the resume complete: nothing was ever done."""
    ended(sweep, "t")
    (sweep.jobs / KEY / "metrics.json").write_text(document)
    assert not sweep.is_intact(KEY)


def test_there_is_no_record_of_what_has_not_ended(sweep: SweepFolder) -> None:
    assert sweep.record(KEY) == {}
    (sweep.jobs / KEY).mkdir(parents=True)
    (sweep.jobs / KEY / "run.json").write_text("[]")
    assert sweep.record(KEY) == {}


def test_an_archive_that_is_damaged_anywhere_is_never_an_error(sweep: SweepFolder) -> None:
    """One torn job kept the whole sweep from being resumed: zlib has errors of its own."""
    ended(sweep, "t")
    path = sweep.jobs / KEY / "arrays.npz"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        assert sweep.is_intact(KEY) in (True, False)


def test_a_worker_that_does_not_see_the_sweep_is_told(tmp_path: Path) -> None:
    """It made a tree of its own, on its own disk, and said that the job is complete."""
    elsewhere = SweepFolder(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="every worker must see the sweep's folder"):
        elsewhere.begin(KEY, "t")
    assert not elsewhere.path.exists()


def test_a_complete_run_that_comes_between_is_kept(
    sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ends of one job: the failed one looked, the complete one moved in, the failed one replaced it."""
    ended(sweep, "t", "failed")
    attempt = sweep.begin(KEY, "u")
    fill(attempt, "failed")
    looked = SweepFolder.is_intact

    def look(self: SweepFolder, key: str) -> bool:
        found = looked(self, key)
        monkeypatch.undo()
        ended(sweep, "v", number=3.0)
        return found

    monkeypatch.setattr(SweepFolder, "is_intact", look)
    sweep.end(attempt, KEY)
    assert sweep.is_intact(KEY)
    sweep.discard_attempts()
    assert sorted(path.name for path in sweep.path.iterdir()) == ["jobs", "sweep.json"]


def test_what_was_being_written_when_a_kill_came_goes(sweep: SweepFolder) -> None:
    (sweep.path / ".results.json.0123abcd").write_text("{")
    sweep.discard_torn()
    assert [path.name for path in sweep.path.iterdir()] == ["sweep.json"]
