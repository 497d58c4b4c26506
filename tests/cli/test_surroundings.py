"""What surrounds a run: a user's settings of matplotlib, streams that take nothing, paths that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
DNNEXP = (sys.executable, "-m", "dnnexp")
CONFIG = """
experiment: optimize
objective: valley
starts: {points: [[1, 1]]}
steps: 5
optimizers: [adam]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "x.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "line", ["text.usetex: true", "figure.autolayout: true", "font.family: Nope", "no key"]
)
def test_a_matplotlibrc_is_for_other_programs(folder: Path, line: str) -> None:
    """usetex without TeX used to end in a traceback, with no metrics."""
    (folder / "matplotlibrc").write_text(line, encoding="utf-8")
    environment = os.environ | {"MPLBACKEND": "nope"}
    command = [*DNNEXP, "optimize", "x.yaml", "-q"]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (folder / ran.stdout.strip() / "convergence.png").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_a_full_stderr_costs_the_summary_alone(folder: Path) -> None:
    """The run was complete, but the exit code 1 and stdout empty."""
    with open("/dev/full", "w") as full:
        command = [*DNNEXP, "optimize", "x.yaml", "--no-plots"]
        ran = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=full, text=True)
    assert ran.returncode == 0
    assert (folder / ran.stdout.strip() / "metrics.json").exists()


def test_an_output_folder_whose_name_is_too_long(folder: Path, cli: Run) -> None:
    ran = cli("optimize", "x.yaml", "-o", "a" * 300)
    assert ran.code == 3
    assert "cannot be written: File name too long" in ran.err
    assert "Traceback" not in ran.err
