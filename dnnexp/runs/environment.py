"""The environment of a run: everything that may differ from run to run."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import dnnexp
from dnnexp.runs.threads import THREAD_VARIABLES

_PACKAGES = ("numpy", "matplotlib", "pydantic", "pyyaml", "click", "rich")


def environment(plugins: Iterable[Path]) -> dict[str, Any]:
    """Versions, git state, platform, BLAS and its threads, plugins with their SHA-256."""
    return {
        "versions": dict(_versions()),
        "git": _git(),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "threads": os.environ.get("DNNEXP_THREADS"),
        },
        "blas": _blas(),
        "plugins": [
            {"path": str(path.resolve()), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in plugins
        ],
    }


@functools.cache
def _versions() -> dict[str, str]:
    return {
        "dnnexp": dnnexp.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _blas() -> dict[str, Any]:
    """The BLAS that numpy was built with, and the limits on its threads."""
    found: Any = np.show_config(mode="dicts")
    blas = found.get("Build Dependencies", {}).get("blas", {})
    return {
        "name": blas.get("name"),
        "version": blas.get("version"),
        "threads": {name: os.environ.get(name) for name in THREAD_VARIABLES},
    }


@functools.cache  # the code that is loaded stays the same
def _git() -> dict[str, Any] | None:
    """Commit and dirty flag of the checkout that dnnexp runs from; None outside of one."""
    folder = Path(dnnexp.__file__).parent
    if not (folder.parent / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        dirty = bool(git("status", "--porcelain", "--untracked-files=no"))
        return {"commit": git("rev-parse", "HEAD"), "dirty": dirty}
    except (OSError, subprocess.CalledProcessError):
        return None


def command_line() -> list[str]:
    """The command line of this process."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]
