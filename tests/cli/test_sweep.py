"""`dnnexp sweep`: a folder a job, a table of all, resumed where it was stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dnnexp.runs.journal import Journal, events
from tests.cli.conftest import Ran
from tests.cli.sweeping import assert_whole, command, metrics, rows, write_config

Run = Callable[..., Ran]
SERIAL = ("--executor", "serial", "--no-plots")
RATE = "optimizers.gradient_descent.learning_rate"


@pytest.fixture
def short(tmp_path: Path) -> Path:
    write_config(tmp_path)
    return Path("short.yaml")


def test_every_job_has_a_run_folder_and_a_row(cli: Run, short: Path) -> None:
    ran = cli("sweep", short, f"{RATE}=0.1,0.01", "seed=range(0,3)", *SERIAL)
    assert ran.code == 0
    assert_whole(ran.folder)
    assert len(metrics(ran.folder)) == 6
    for job in (ran.folder / "jobs").iterdir():
        names = {"config.yaml", "run.json", "metrics.json", "arrays.npz", "summary.txt", "log.txt"}
        assert {path.name for path in job.iterdir()} == names
        record = json.loads((job / "run.json").read_text())
        assert (record["status"], record["job"]) == ("complete", job.name)
        assert record["blas"]["threads"]["OPENBLAS_NUM_THREADS"] == "1"
    found = rows(ran.folder)
    assert {(row[RATE], row["seed"]) for row in found} == {(r, s) for r in ("0.1", "0.01") for s in "012"}
    assert {row["status"] for row in found} == {"complete"}
    assert "short: 6 jobs: 6 complete" in ran.err
    assert os.readlink("outputs/latest") == ran.folder.name


def test_a_job_is_what_the_run_command_makes_of_its_config(cli: Run, short: Path) -> None:
    swept = cli("sweep", short, "seed=3,4", *SERIAL).folder
    for job in (swept / "jobs").iterdir():
        alone = cli("optimize", job / "config.yaml", "--no-plots", "-q").folder
        assert (alone / "metrics.json").read_bytes() == (job / "metrics.json").read_bytes()


def test_processes_give_the_same_bytes_as_one_after_another(cli: Run, short: Path) -> None:
    serial = cli("sweep", short, "seed=range(0,5)", *SERIAL).folder
    parallel = cli("sweep", short, "seed=range(0,5)", "--jobs", "2", "--no-plots").folder
    assert metrics(serial) == metrics(parallel)


def test_a_cluster_gives_the_same_bytes_as_one_after_another(cli: Run, short: Path) -> None:
    serial = cli("sweep", short, "seed=range(0,5)", *SERIAL).folder
    arguments = ("--executor", "dask", "--jobs", "2", "--no-plots", "-q", "-o", "dask")
    ran = subprocess.run(command(short, "seed=range(0,5)", *arguments), capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert metrics(serial) == metrics(Path(ran.stdout.strip()))


def test_plots_are_drawn_of_jobs_and_of_the_sweep(cli: Run, short: Path) -> None:
    folder = cli("sweep", short, f"{RATE}=0.1,0.01", "--executor", "serial").folder
    assert list(folder.glob("*.png"))
    assert len(list(folder.glob("jobs/*/convergence.png"))) == 2


def test_json_is_the_results_document(cli: Run, short: Path) -> None:
    ran = cli("sweep", short, "seed=0,1", *SERIAL, "--json", "-q")
    (folder,) = Path("outputs").glob("*-sweep-*")
    assert json.loads(ran.out) == json.loads((folder / "results.json").read_text())
    assert ran.err == ""


def test_a_dry_run_lists_the_jobs_and_writes_nothing(cli: Run, short: Path) -> None:
    ran = cli("sweep", short, f"{RATE}=0.1,0.01", "seed=range(0,3)", "--dry-run")
    assert ran.code == 0
    assert ran.out.splitlines()[0].split() == ["job", RATE, "seed"]
    assert ran.out.splitlines()[-1] == "6 jobs"
    assert len(ran.out.splitlines()) == 8
    as_json = json.loads(cli("sweep", short, "seed=0,1", "--dry-run", "--json").out)
    assert as_json["count"] == 2
    assert [job["swept"] for job in as_json["jobs"]] == [{"seed": 0}, {"seed": 1}]
    assert not Path("outputs").exists()


def test_all_jobs_are_validated_before_the_first_starts(cli: Run, short: Path) -> None:
    ran = cli("sweep", short, f"{RATE}=0.1,-1,x", *SERIAL)
    assert (ran.code, ran.out) == (2, "")
    assert "must be greater than 0, not -1" in ran.err
    assert "must be a number" in ran.err
    assert not Path("outputs").exists()


# Resuming


def test_what_is_complete_is_not_repeated_and_what_is_torn_is_redone(cli: Run, short: Path) -> None:
    folder = cli("sweep", short, "seed=range(0,4)", *SERIAL).folder
    before = metrics(folder)
    torn, gone, *kept = sorted((folder / "jobs").iterdir())
    (torn / "arrays.npz").write_bytes((torn / "arrays.npz").read_bytes()[:-30])
    (gone / "metrics.json").unlink()
    times = [(job / "run.json").stat().st_mtime_ns for job in kept]
    ran = cli("sweep", "--resume", folder, *SERIAL)
    assert ran.code == 0
    assert metrics(folder) == before
    assert [(job / "run.json").stat().st_mtime_ns for job in kept] == times
    started = [event["job"] for event in events(folder / "journal.jsonl") if event["event"] == "started"]
    assert sorted(started[4:]) == [torn.name, gone.name]


def test_a_changed_sweep_is_refused_with_a_diff(cli: Run, short: Path, tmp_path: Path) -> None:
    folder = cli("sweep", short, "seed=range(0,2)", *SERIAL).folder
    plan = (folder / "sweep.json").read_bytes()
    write_config(tmp_path, steps=30)
    ran = cli("sweep", "--resume", folder, *SERIAL)
    assert ran.code == 2
    assert "the sweep has changed since it began:\n  ~ steps: 20 -> 30 (in 2 jobs)\n" in ran.err
    write_config(tmp_path)
    ran = cli("sweep", "--resume", folder, short, "seed=range(1,3)", *SERIAL, "--extend")
    assert "  - short.yaml seed=0\n  + short.yaml seed=2\n" in ran.err
    ran = cli("sweep", "--resume", folder, short, "seed=range(0,3)", *SERIAL)
    assert (ran.code, (folder / "sweep.json").read_bytes()) == (2, plan)
    assert "or accept the added jobs with --extend" in ran.err
    ran = cli("sweep", "--resume", folder, short, "seed=range(0,3)", *SERIAL, "--extend")
    assert ran.code == 0
    assert len(metrics(folder)) == 3
    assert cli("sweep", "--resume", folder, *SERIAL).code == 0


def test_a_sweep_goes_on_without_its_files(cli: Run, short: Path) -> None:
    folder = cli("sweep", short, "seed=range(0,2)", *SERIAL).folder
    job = next((folder / "jobs").iterdir())
    (job / "metrics.json").unlink()
    short.unlink()
    ran = cli("sweep", "--resume", folder, *SERIAL)
    assert ran.code == 0
    assert "resuming with the stored plan" in ran.err
    assert len(metrics(folder)) == 2


def test_another_version_is_refused_unless_allowed(
    cli: Run, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = cli("sweep", short, "seed=0,1", *SERIAL).folder
    monkeypatch.setattr("dnnexp.__version__", "99.0")
    ran = cli("sweep", "--resume", folder, *SERIAL)
    assert ran.code == 2
    assert "this is dnnexp 99.0; --other-code accepts it" in ran.err
    assert cli("sweep", "--resume", folder, *SERIAL, "--other-code").code == 0


def test_resuming_latest_leaves_latest_a_link_to_the_sweep(cli: Run, short: Path) -> None:
    """It became a link to itself."""
    folder = cli("sweep", short, "seed=0,1", *SERIAL).folder
    ran = cli("sweep", "--resume", "outputs/latest", *SERIAL)
    assert (ran.code, ran.folder) == (0, folder)
    assert os.readlink("outputs/latest") == folder.name


def test_latest_stays_at_what_is_newer(cli: Run, short: Path) -> None:
    """Resuming an older sweep that is complete took it back."""
    older = cli("sweep", short, "seed=0,1", *SERIAL).folder
    newer = cli("sweep", short, "seed=2,3", *SERIAL, "--name", "newer").folder
    assert cli("sweep", "--resume", older, *SERIAL).code == 0
    assert os.readlink("outputs/latest") == newer.name


def test_a_metric_that_is_the_same_everywhere_is_least_nowhere(cli: Run, short: Path) -> None:
    metrics = "metrics=[minimum, optimizers.gradient_descent.final_value.median]"
    ran = cli("sweep", short, f"{RATE}=0.1,0.01", metrics, *SERIAL)
    assert "optimizers.gradient_descent" in ran.err
    assert "minimum" not in ran.err


def test_a_second_process_stops_at_once_and_says_who_is_at_work(cli: Run, short: Path) -> None:
    folder = cli("sweep", short, "seed=0,1", *SERIAL).folder
    with Journal(folder / "journal.jsonl"):
        ran = cli("sweep", "--resume", folder, *SERIAL)
    assert ran.code == 2
    assert f"process {os.getpid()} on " in ran.err
    assert "is running this sweep" in ran.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_cleanly_and_tells_how_to_go_on(
    cli: Run, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    write_config(tmp_path, steps=300_000)
    line = command("short.yaml", "seed=range(0,20)", "--no-plots", "--jobs", "2")
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sweep:
        while not list(tmp_path.glob("outputs/*/attempts/*/run.json")):
            time.sleep(0.05)
        sweep.send_signal(number)
        out, err = sweep.communicate(timeout=30)
    assert (sweep.returncode, out) == (code, "")
    (folder,) = Path("outputs").glob("*-sweep-*")
    assert f"to resume: dnnexp sweep --resume {folder} --jobs 2 --no-plots\n" in err
    assert "Traceback" not in err
    assert_whole(folder)


# Bad usage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a sweep needs a CONFIG"),
        (["short.yaml", "--extend"], "--extend and --other-code need --resume"),
        (["short.yaml", "--scheduler", "tcp://x:1"], "--scheduler needs --executor dask"),
        (["short.yaml", "--executor", "serial", "--jobs", "2"], "one job at a time"),
        (["--resume", "nowhere"], "nowhere: is not a sweep folder: it has no sweep.json"),
        (["--resume", "nowhere", "--seed", "3"], "leave out --dry-run"),
        (["nowhere.yaml", "seed=0,1"], "nowhere.yaml: there is no such file"),
    ],
)
def test_bad_usage_is_told(cli: Run, short: Path, arguments: list[str], message: str) -> None:
    ran = cli("sweep", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert not Path("outputs").exists()


def test_a_plan_that_cannot_be_read_is_told(cli: Run, short: Path) -> None:
    folder = cli("sweep", short, "seed=0,1", *SERIAL).folder
    for name in ("configs.jsonl", "sweep.json"):
        for damaged in ("{", "[]", '{"job": 1}'):
            (folder / name).write_text(damaged)
            ran = cli("sweep", "--resume", folder)
            assert (ran.code, f"{name}: is damaged" in ran.err) == (2, True), (damaged, ran.err)
    assert "short.yaml: is not a sweep folder" in cli("sweep", "--resume", short).err


def test_a_claim_about_the_table_is_checked_before_and_decided_after(cli: Run, short: Path) -> None:
    claim = "expect=[{claim: all are done, check: counts.complete == 2}]"
    assert "holds" in cli("sweep", short, "seed=0,1", *SERIAL, claim).err
    wrong = "expect=[{claim: three are done, check: counts.complete == 3}]"
    assert cli("sweep", short, "seed=0,1", *SERIAL, wrong).code == 0
    assert cli("sweep", short, "seed=0,1", *SERIAL, wrong, "--strict").code == 1
    impossible = "expect=[{claim: none, check: counts.done == 3}]"
    ran = cli("sweep", short, "seed=0,1", *SERIAL, impossible)
    assert ran.code == 2
    assert ran.err.startswith(f"argument {impossible!r}: expect.0.check: `counts.done` does not exist")
