"""A JUnit XML report of the runs of a command, for CI dashboards."""

from __future__ import annotations

import os
import re
import traceback
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import click

from dnnexp.cli.execute import RunOutcome
from dnnexp.experiments import JUnitCase, find
from dnnexp.runs.folder import RunFolder, WriteError

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COUNTED = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}


def report(
    experiment: str,
    refused: Iterable[tuple[Path, list[str]]],
    runs: Iterable[tuple[str, RunOutcome | None]],
    strict: bool,
) -> ET.Element:
    """The report of all configs of a command.

    Args:
        experiment: the experiment of the command.
        refused: the files that are not valid configs, with their problems.
        runs: the name of each config and how its run ended; None if it was interrupted or never began.
        strict: whether an unmet claim is a failure.
    """
    root = ET.Element("testsuites", name="dnnexp")
    for file, problems in refused:
        suite = _add(root, "testsuite", name=str(file), time="0.000")
        case = _add(suite, "testcase", classname=f"dnnexp.{experiment}", name="config")
        _add(case, "error", "\n".join(problems), message=problems[0], type="config")
    seconds = 0.0
    for name, outcome in runs:
        seconds += outcome.seconds if outcome else 0.0
        _add_run(root, experiment, name, outcome, strict)
    root.set("time", f"{seconds:.3f}")
    for element in (*root, root):
        for attribute, tag in _COUNTED.items():
            element.set(attribute, str(sum(1 for _ in element.iter(tag))))
    return root


def write(file: Path, root: ET.Element) -> int:
    """Write a report whole or not at all; returns the exit code: 3, after a message, if it cannot be."""
    ET.indent(root)
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    if os.path.islink(file):  # replace the target, not the link
        file = Path(os.path.realpath(file))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        RunFolder(file.parent).write(file.name, text + b"\n")
    except WriteError as error:
        click.echo(f"dnnexp: {error}", err=True)
        return 3
    except OSError as error:
        click.echo(f"dnnexp: {file}: cannot be written: {error.filename}: {error.strerror}", err=True)
        return 3
    return 0


def _add_run(root: ET.Element, experiment: str, name: str, outcome: RunOutcome | None, strict: bool) -> None:
    """Add a suite: a case for the run itself, the cases of the experiment, and the claims."""
    time = f"{outcome.seconds if outcome else 0.0:.3f}"
    classname = f"dnnexp.{experiment}.{name}"
    suite = _add(root, "testsuite", name=f"{experiment}.{name}", time=time)
    run = _add(suite, "testcase", classname=classname, name="run", time=time)
    if outcome is None:
        _add(run, "error", message="interrupted before it was complete", type="interrupted")
        return
    if outcome.start is not None:
        suite.set("timestamp", outcome.start.isoformat(timespec="seconds"))
    if outcome.error is not None:
        _add_error(
            run, outcome.error, is_bug=outcome.code == 4 and not isinstance(outcome.error, MemoryError)
        )
    if outcome.result is not None:
        for judged in find(experiment).junit_cases(outcome.result):
            _add_case(suite, classname, judged)
    for entry in outcome.expectations:
        case = _add(suite, "testcase", classname=classname, name=entry["claim"])
        _judge(case, entry, fails=strict and entry in outcome.unmet)


def _add_error(run: ET.Element, error: Exception, is_bug: bool) -> None:
    name = type(error).__name__
    text = "".join(traceback.format_exception(error)) if is_bug else str(error)
    _add(run, "error", text, message=f"{name}: {error}", type=name)


def _judge(case: ET.Element, entry: dict[str, str], fails: bool) -> None:
    """Add the outcome of a claim; an unmet claim that is not a failure is skipped with its reason."""
    if entry["outcome"] == "holds":
        return
    message = f"{entry['outcome'].replace('_', ' ')}: {entry['detail']}"
    if fails:
        _add(case, "failure", f"{entry['check']}\n{message}", message=message, type=entry["outcome"])
    else:
        _add(case, "skipped", message=message)


def _add_case(suite: ET.Element, classname: str, case: JUnitCase) -> None:
    """A case that the experiment judged by itself."""
    element = _add(suite, "testcase", classname=classname, name=case.name)
    if case.outcome == "failed":
        _add(element, "failure", case.details or None, message=case.message, type=case.type)
    elif case.outcome == "skipped":
        _add(element, "skipped", message=case.message)


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    """A new element; characters that XML cannot hold are escaped as in Python."""
    made = ET.SubElement(parent, tag, {key: _clean(value) for key, value in attributes.items()})
    made.text = None if text is None else _clean(text)
    return made


def _clean(text: str) -> str:
    return _NO_XML.sub(lambda found: ascii(found[0])[1:-1], text)
