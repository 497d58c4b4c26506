"""A JUnit XML report of the runs of a command, as CI dashboards read it."""

from __future__ import annotations

import os
import re
import traceback
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from dnnexp.cli.execute import Outcome
from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.checks import limit, ratio
from dnnexp.experiments.gradcheck.config import Tolerances
from dnnexp.experiments.gradcheck.sentences import kind
from dnnexp.runs.folder import RunFolder, WriteError
from dnnexp.summaries.gradcheck import doubt

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COUNTED = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}


def report(
    experiment: str,
    refused: Iterable[tuple[Path, list[str]]],
    runs: Iterable[tuple[str, Outcome | None]],
    strict: bool,
) -> ET.Element:
    """The report of all configs of a command.

    Args:
        experiment: whose command it is.
        refused: the files that are no valid configs, with their problems.
        runs: the name of each config and how its run ended; None if that was interrupted, or never began.
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
    if os.path.islink(file):  # what it points to is replaced, not the link
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


def _add_run(root: ET.Element, experiment: str, name: str, outcome: Outcome | None, strict: bool) -> None:
    """A suite: a case for the run itself, those that the experiment judges by itself, the claims."""
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
        _add_error(run, outcome.error, is_bug=outcome.code == 1)
    if outcome.result is not None and experiment == "gradcheck":
        _add_checks(suite, classname, outcome.result)
        _add_findings(suite, classname, outcome.result.metrics)
    for entry in outcome.expectations:
        case = _add(suite, "testcase", classname=classname, name=entry["claim"])
        _judge(case, entry, fails=strict and entry in outcome.unmet)


def _add_error(run: ET.Element, error: Exception, is_bug: bool) -> None:
    name = type(error).__name__
    text = "".join(traceback.format_exception(error)) if is_bug else str(error)
    _add(run, "error", text, message=f"{name}: {error}", type=name)


def _judge(case: ET.Element, entry: dict[str, str], fails: bool) -> None:
    """The outcome of a claim: an unmet one that is no failure is left out of the count, and says why."""
    if entry["outcome"] == "holds":
        return
    message = f"{entry['outcome'].replace('_', ' ')}: {entry['detail']}"
    if fails:
        _add(case, "failure", f"{entry['check']}\n{message}", message=message, type=entry["outcome"])
    else:
        _add(case, "skipped", message=message)


def _add_checks(suite: ET.Element, classname: str, result: Result) -> None:
    """A case for every tensor and pair of methods."""
    tolerances, is_judged = result.config.tolerances, result.metrics["verdict"] == "wrong"
    for entry in result.metrics["checks"]:
        case = _add(suite, "testcase", classname=classname, name=f"{entry['tensor']} {entry['pair']}")
        if entry["passed"]:
            continue
        # the pair may disagree on another tensor only
        is_wrong = not entry["unresolved"] and ratio(tolerances, entry) > 1
        numbers = _numbers(tolerances, entry)
        message = numbers if is_wrong else doubt(result, entry)
        text = "\n".join(dict.fromkeys([message, numbers, *_diagnosis(result.metrics["diagnosis"])]))
        answer = "wrong" if is_wrong and is_judged else "inconclusive"
        _add(case, "failure", text, message=message, type=answer)


def _numbers(tolerances: Tolerances, entry: Any) -> str:
    """`W1[0, 2]: backward 0.5, central 0.25, relative error 5.0e-01, allowed 1e-06`."""
    (left, right), worst = entry["pair"].split("-"), entry["worst"]
    sides = f"{left} {_number(worst['left'])}, {right} {_number(worst['right'])}"
    error = entry["max_rel_error"]
    relative = "not finite" if error is None else f"{error:.1e}"
    relative = relative if entry["compared"] else "of nothing"
    place, allowed = f"{entry['tensor']}{worst['index']}", _allowed(tolerances, entry)
    return f"{place}: {sides}, relative error {relative}{allowed}"


def _allowed(tolerances: Tolerances, entry: Any) -> str:
    """The tolerance of the pair; where only the entry's own bound is exceeded, the error over that."""
    allowed, error = limit(tolerances, entry["pair"].split("-")), entry["max_rel_error"]
    is_within = allowed is not None and error is not None and error <= allowed
    if allowed is not None and not (is_within and ratio(tolerances, entry) > 1):
        return f", allowed {allowed:g}"
    times = entry["bound_ratio"]
    return "" if times is None else f", {times:.1e} times what its entry is allowed"


def _number(value: float | None) -> str:
    return "not finite" if value is None else repr(value)


def _diagnosis(diagnosis: Any) -> list[str]:
    if diagnosis is None:
        return []
    lines = [f"look first at {diagnosis['tensor']}: {diagnosis['evidence']}"]
    known = [key for key in ("layer", "fault") if diagnosis[key] is not None]
    return [*lines, *(f"{key}: {diagnosis[key]}" for key in known)]


def _add_findings(suite: ET.Element, classname: str, metrics: Any) -> None:
    """A case for everything that is wrong with a function itself; after a pass these are warnings."""
    for finding in metrics["findings"]:
        name = f"{kind(finding)}: {finding['where']}"
        case = _add(suite, "testcase", classname=classname, name=name)
        if metrics["passed"]:
            _add(case, "skipped", message=f"warning: {finding['evidence']}")
        else:
            _add(case, "failure", finding["evidence"], message=finding["evidence"], type=finding["kind"])


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    """A new element; what XML cannot hold becomes Python's escape of it."""
    made = ET.SubElement(parent, tag, {key: _clean(value) for key, value in attributes.items()})
    made.text = None if text is None else _clean(text)
    return made


def _clean(text: str) -> str:
    return _NO_XML.sub(lambda found: ascii(found[0])[1:-1], text)
