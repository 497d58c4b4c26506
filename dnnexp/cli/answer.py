"""What a command says when its folder is complete: a line on stdout, and `latest`."""

from __future__ import annotations

import os
import sys

import click

from dnnexp.runs.folder import RunFolder, WriteError


def answer(line: str) -> None:
    """A line on stdout: what the command is asked for.

    Raises:
        WriteError: stdout cannot be written.
    """
    try:
        click.echo(os.fsencode(line))  # a path may hold bytes that are no text
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(f"standard output: cannot be written: {error.strerror}") from error


def point_latest(folder: RunFolder) -> None:
    """A `latest` that cannot be made costs a message, not the run."""
    try:
        folder.point_latest()
    except WriteError as error:
        print(f"dnnexp: {error}", file=sys.stderr)
