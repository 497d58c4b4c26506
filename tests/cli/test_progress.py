"""Progress: bars on a terminal, elsewhere a line every few seconds."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from dnnexp.cli.progress import Display
from dnnexp.experiments.base import Line, Work


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, quiet: bool = False, **options: Any) -> str:
    """What a run of 3 steps of work and a line of trace writes."""
    with Display(Console(file=stream, width=80, **options), "x", quiet) as display:
        for done in (1, 2, 3):
            display(Work("steps", 1000 * done, 3000))
        display(Line("step 5, x = [1, 2]"))
    return stream.getvalue()


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dnnexp.execution.progress.REPORT_SECONDS", 0.0)


def test_a_quick_run_writes_no_progress_to_a_file() -> None:
    assert shown(io.StringIO()) == "step 5, x = [1, 2]\n"


@pytest.mark.usefixtures("_at_once")
def test_a_long_run_writes_plain_lines_to_a_file() -> None:
    lines = [f"x: steps {done},000 of 3,000" for done in (1, 2, 3)]
    assert shown(io.StringIO()).splitlines() == [*lines, "step 5, x = [1, 2]"]


def test_lines_are_seconds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, 2.0, 6.0, 8.0])  # at the start, then at each event
    monkeypatch.setattr("dnnexp.execution.progress.time", SimpleNamespace(monotonic=lambda: next(seconds)))
    assert shown(io.StringIO()).splitlines() == ["x: steps 2,000 of 3,000", "step 5, x = [1, 2]"]


@pytest.mark.usefixtures("_at_once")
def test_a_quiet_run_writes_its_trace_alone() -> None:
    assert shown(io.StringIO(), quiet=True) == "step 5, x = [1, 2]\n"
    text = shown(_Terminal(), quiet=True, force_terminal=True)
    assert "step 5, x = [1, 2]" in text
    assert "3000" not in text


def test_a_terminal_has_bars_that_go_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = shown(_Terminal(), force_terminal=True)
    assert "3000/3000" in text
    assert "step 5, x = [1, 2]" in text
    assert "\x1b[2K" in text  # the line of the bar is erased


@pytest.mark.usefixtures("_at_once")
def test_colours_alone_make_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR used to write the bars' cursor movements into a log."""
    monkeypatch.setenv("TERM", "xterm")
    text = shown(io.StringIO(), force_terminal=True)
    assert "\x1b[" not in text
    assert "x: steps 3,000 of 3,000" in text
