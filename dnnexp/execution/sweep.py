"""A sweep in its folder: its missing jobs, its journal and its results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnnexp import registry
from dnnexp.config.sweep import Job, Plan, SweepConfig
from dnnexp.execution import plan_file, table
from dnnexp.execution.code import Code
from dnnexp.execution.plan_file import Command, PlanError
from dnnexp.execution.run import drawn
from dnnexp.execution.supervisor import Listener
from dnnexp.execution.worker import Ended, Task
from dnnexp.runs.folder import RunFolder
from dnnexp.runs.journal import Journal, events
from dnnexp.runs.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def has_additions(folder: Path, before: Plan, now: Plan, extend: bool) -> bool:
    """Whether a plan adds jobs to a sweep, which `extend` must allow.

    Raises:
        PlanError: the sweep has changed otherwise, or additions are not allowed.
    """
    old, new = {job.key for job in before.jobs}, {job.key for job in now.jobs}
    if old == new:
        return False
    if extend and old < new:
        return True
    lines = "".join(f"\n  {line}" for line in plan_file.differences(before.jobs, now.jobs))
    additions = ", or accept the added jobs with --extend" * (old < new)
    raise PlanError(
        f"{folder}: the sweep has changed since it began:{lines}\n"
        f"start a new sweep without --resume{additions}"
    )


def journal_unrecorded(journal: Journal, folder: Path, jobs: Iterable[Job]) -> None:
    """Journal jobs that completed while nobody was listening.

    Raises:
        WriteError: the journal cannot be written.
    """
    sweep = SweepFolder(folder)
    recorded = {event.get("job") for event in events(journal.path) if event.get("event") == "complete"}
    for job in jobs:
        if job.key not in recorded and sweep.is_intact(job.key):
            journal.record("complete", job=job.key, seconds=sweep.record(job.key)["durations"].get("run"))


def tasks(folder: Path, jobs: Iterable[Job]) -> list[Task]:
    """The jobs that are not complete, for workers."""
    sweep = SweepFolder(folder)
    return [Task(job.key, job.experiment, job.tree) for job in jobs if not sweep.is_intact(job.key)]


@dataclass(frozen=True)
class Recorder:
    """Writes the events of a sweep to the journal and passes them on."""

    journal: Journal
    listener: Listener

    def started(self, tasks: Sequence[Task]) -> None:
        """These jobs were sent to a worker, which runs them one after another."""
        for task in tasks:
            self.journal.record("started", job=task.key)
        self.listener.started(tasks)

    def ended(self, ended: Ended) -> None:
        """A job has ended for good."""
        details = {"error": ended.error} if ended.error is not None else {}
        self.journal.record(ended.status, job=ended.key, seconds=round(ended.seconds, 6), **details)
        self.listener.ended(ended)

    def again(self, task: Task, why: str) -> None:
        """A job will be repeated."""
        self.journal.record("again", job=task.key, error=why)
        self.listener.again(task, why)

    def tick(self, running: int) -> None:
        """Called several times a second with the number of busy workers."""
        self.listener.tick(running)


def results(plan: Plan, folder: RunFolder, skip: bool, plots: bool) -> dict[str, Any]:
    """Write `results.csv`, `results.json` and the figures of the complete jobs; returns the document.

    Raises:
        WriteError: one of them cannot be written.
    """
    found = table.build(plan.sweep, plan.jobs, folder.path, skip)
    folder.write("results.csv", table.csv_text(found))
    folder.write_json("results.json", found.document)
    if plots:
        for name, png in drawn(lambda: _figures(plan.sweep, found.document)):
            folder.write(name, png)
    return found.document


def _figures(sweep: SweepConfig, document: dict[str, Any]) -> Iterable[tuple[str, Figure]]:
    from dnnexp.figures.sweep import figures

    return figures(sweep, document, known=list(registry.parts("optimizer")))


def claim(output: Path, plan: Plan, command: Command, code: Code) -> RunFolder:
    """A new folder for a sweep, with its plan.

    Raises:
        WriteError: it cannot be made.
    """
    folder = RunFolder.claim(output, "sweep", plan.sweep.name)
    plan_file.write(folder, plan, command, code)
    return folder
