"""What `run.json` says of the machine and the versions."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import dnnexp
from dnnexp.runs import environment as module
from dnnexp.runs.environment import command_line, environment
from dnnexp.runs.threads import THREAD_VARIABLES, one_blas_thread


def git_found() -> Any:
    """As a process finds it that has not asked before."""
    module._git.cache_clear()
    return environment([])["git"]


def test_versions_and_machine() -> None:
    found = environment([])
    assert found["versions"]["dnnexp"] == dnnexp.__version__
    assert found["versions"]["numpy"] == np.__version__
    assert found["versions"]["python"] == platform.python_version()
    assert set(found["versions"]) >= {"matplotlib", "pydantic", "pyyaml", "click", "rich"}
    assert found["platform"]["cores"] == os.cpu_count()
    assert found["blas"]["name"]
    assert set(found["blas"]["threads"]) == set(THREAD_VARIABLES)
    assert found["plugins"] == []
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_plugin_has_its_path_and_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rule.py").write_bytes(b"x = 1\n")
    (found,) = environment([Path("rule.py")])["plugins"]
    assert found == {
        "path": str(tmp_path.resolve() / "rule.py"),
        "sha256": hashlib.sha256(b"x = 1\n").hexdigest(),
    }


def test_the_commit_and_whether_it_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    package = tmp_path / "dnnexp"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(dnnexp, "__file__", str(package / "__init__.py"))
    assert git_found() is None
    git("init", "-q")
    assert git_found() is None  # no commit yet
    git("add", ".")
    git("commit", "-q", "-m", "one")
    assert git_found() == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "new").touch()
    assert git_found()["dirty"] is False  # a new file changes no code that ran
    (package / "__init__.py").write_text("x = 1\n")
    assert environment([])["git"]["dirty"] is False  # asked once: the code that is loaded stays the same
    assert git_found()["dirty"] is True


def test_a_machine_without_git_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", fail)
    assert git_found() is None


def test_the_command_line_is_as_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/dnnexp", "optimize", "a b.yaml", "steps=1"])
    assert command_line() == ["dnnexp", "optimize", "a b.yaml", "steps=1"]


def test_blas_has_one_thread_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    one_blas_thread()
    found = environment([])["blas"]["threads"]
    assert found == dict.fromkeys(THREAD_VARIABLES, "1") | {"OMP_NUM_THREADS": "3"}
