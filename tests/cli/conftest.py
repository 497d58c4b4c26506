"""Runs the command line in this process, from an empty folder."""

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import dnnexp.core  # noqa: F401 # enters the built-in parts
from dnnexp import experiments, registry
from dnnexp.__main__ import main
from dnnexp.cli import interrupts
from dnnexp.config import json_schema
from dnnexp.experiments import experiment
from dnnexp.runs.threads import THREAD_VARIABLES


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def folder(self) -> Path:
        """The one run folder that stdout names."""
        (line,) = self.out.splitlines()
        return Path(line)


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ran]]:
    """Calls `dnnexp ARGUMENTS...` as the console script does."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TERM", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    for name in THREAD_VARIABLES:
        monkeypatch.setenv(name, "1")
    handlers = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    hook = sys.unraisablehook

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["dnnexp", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
    sys.unraisablehook = hook


@pytest.fixture
def _own_registry() -> Iterator[Callable[[], None]]:
    """Forget what a test's plugins registered: after it, and whenever the test calls this."""
    parts = {kind: dict(of_kind) for kind, of_kind in registry._parts.items()}
    known = {name: experiments.find(name) for name in experiments.names()}

    def forget() -> None:
        json_schema._model.cache_clear()
        registry._parts.clear()
        registry._parts.update({kind: dict(of_kind) for kind, of_kind in parts.items()})
        experiment._experiments.clear()
        experiment._experiments.update(known)

    forget()
    yield forget
    forget()
