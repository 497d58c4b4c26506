"""The checks of CI as local sessions: `pip install nox`, then `nox` or `nox --session tests`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]
PYPROJECT = tomllib.loads((Path(__file__).parent / "pyproject.toml").read_text(encoding="utf-8"))


def oldest_dependencies() -> list[str]:
    """Each required package at the lowest version that pyproject.toml allows."""
    return [line.replace(">=", "==") for line in PYPROJECT["project"]["dependencies"]]


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format."""
    session.install("ruff>=0.8")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Static types."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """The suite, with the newest dependencies; arguments after `--` go to pytest."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def oldest(session: nox.Session) -> None:
    """The suite, with the oldest dependencies that pyproject.toml allows."""
    session.install("-e", ".[test]")
    session.install(*oldest_dependencies())
    session.run("pytest", *session.posargs)


@nox.session
def nightly(session: nox.Session) -> None:
    """The tests that take minutes, random examples, and a mutation run."""
    session.run("bash", ".ci/nightly", external=True)
