"""The folder that a RUN on the command line stands for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dnnexp.runs.catalogue import look

_SHOWN = 10


class LookupFailure(Exception):
    """No run or several runs match; the message lists them."""


def find(output: Path, text: str) -> Path:
    """The folder of a run: `latest`, a folder, or a prefix that one name in the output folder has alone.

    Raises:
        LookupFailure: there is no such run, or more than one.
    """
    if text == "latest":
        return _latest(output)
    names = names_in(output)
    if text in names:
        return output / text
    path = Path(text)
    if path.is_dir():
        return _run_folder(path)
    if os.sep in text:
        raise LookupFailure(f"{text}: there is no such folder")
    return output / _unique(output, text, names)


def names_in(output: Path) -> list[str]:
    """The names of the run folders in the output folder, newest first."""
    try:
        with os.scandir(output) as entries:
            found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return sorted((name for name in found if not name.startswith(".")), reverse=True)


def _latest(output: Path) -> Path:
    link = output / "latest"
    if not link.is_dir():
        raise LookupFailure(f"{link}: there is no such link: no run in {output} is complete")
    return _run_folder(link)


def _run_folder(path: Path) -> Path:
    """A folder given by its path; a link is followed once, for the name of its target says more."""
    path = path.parent / os.readlink(path) if path.is_symlink() else path
    if look(path) is None:
        raise LookupFailure(f"{path}: is not a run folder")
    return path


def _unique(output: Path, text: str, names: Sequence[str]) -> str:
    """The only name that begins with the text."""
    found = [name for name in names if name.startswith(text) and look(output / name) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        raise LookupFailure(
            f"{text!r} begins the names of {len(found)} runs; give more of the name:\n{_listed(found)}"
        )
    inside = [name for name in names if text in name]
    hint = f"; names that contain it:\n{_listed(inside)}" if inside else "; `dnnexp runs list` shows them"
    raise LookupFailure(f"no run in {output} begins with {text!r}{hint}")


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return "\n".join(f"  {name}" for name in [*names[:_SHOWN], *more])
