"""Ctrl-C, SIGTERM and SIGHUP: raised where they arrive, and remembered.

Python drops an exception that is raised inside one of its own callbacks, such as that of a weak reference.
A run that calls `check` now and then ends nevertheless.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
_arrived: list[int] = []


def listen() -> None:
    """Raise KeyboardInterrupt when a signal arrives, unless it was ignored before."""
    _arrived.clear()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)
    if sys.unraisablehook is not _report:
        global _report_others
        _report_others, sys.unraisablehook = sys.unraisablehook, _report


def check() -> None:
    """Raise KeyboardInterrupt if a signal has arrived."""
    if _arrived:
        raise KeyboardInterrupt


def exit_code() -> int:
    """130, 143 after SIGTERM, 129 after SIGHUP."""
    return 128 + (_arrived[0] if _arrived else signal.SIGINT)


def _raise(number: int, frame: FrameType | None) -> None:
    _arrived.append(number)
    raise KeyboardInterrupt


_report_others = sys.unraisablehook


def _report(unraisable: Any) -> None:
    """Report a dropped exception as Python does, unless it is ours."""
    if not (_arrived and unraisable.exc_type is KeyboardInterrupt):
        _report_others(unraisable)
