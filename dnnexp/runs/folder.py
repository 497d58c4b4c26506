"""Run folders: claimed without collisions, complete once `metrics.json` is there."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from dnnexp.runs.record import read_json

SCHEMA_VERSION = 1


class WriteError(Exception):
    """Results could not be written; the message says where and why."""


@contextlib.contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turn the system's errors into a WriteError that names the path and the cause."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error


class RunFolder:
    """A run's folder. Every file in it is written whole or not at all."""

    def __init__(self, path: Path, durable: bool = True) -> None:
        """An existing folder; if `durable`, a file is on the disk before it gets its name."""
        self.path = path
        self._durable = durable

    @classmethod
    def claim(cls, output: Path, experiment: str, name: str) -> RunFolder:
        """Make `<UTC time>-<experiment>-<name>` under `output`; `-2`, `-3`, ... if it is taken.

        Raises:
            WriteError: the folder cannot be made.
        """
        stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{experiment}-{name}"
        number = 1
        with reporting(output):
            is_file = output.exists() and not output.is_dir()
        if is_file:
            raise WriteError(f"{output}: is a file; run folders need a folder")
        while True:
            path = output / (stem if number == 1 else f"{stem}-{number}")
            with reporting(output):
                output.mkdir(parents=True, exist_ok=True)
            with reporting(path):
                try:
                    path.mkdir()
                    return cls(path)
                except FileExistsError:
                    number += 1

    def write(self, name: str, content: bytes | str) -> None:
        """Write a file atomically: it appears under its name once it is complete.

        Raises:
            WriteError: it cannot be written; nothing is left under that name.
        """
        # a path in run.json may hold bytes that are not text: \udcNN in Python, and so in JSON
        data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
        path = self.path / name
        temporary = self.path / f".{name}.{secrets.token_hex(4)}"
        with reporting(path):
            try:
                with temporary.open("wb") as stream:
                    stream.write(data)
                    stream.flush()
                    if self._durable:
                        os.fsync(stream.fileno())
                temporary.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    temporary.unlink()
                raise

    def write_json(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a document as strict JSON; a non-finite number in it is a bug and raises ValueError."""
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
        self.write(name, f"{text}\n")

    def update_json(self, name: str, before: Mapping[str, Any], **changes: Any) -> None:
        """Update a document with changes; `before` is its content if it does not exist yet."""
        self.write_json(name, {**before, **read_json(self.path / name), **changes})

    def write_arrays(self, arrays: Mapping[str, Any]) -> None:
        """Write `arrays.npz`."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        self.write("arrays.npz", buffer.getvalue())

    def point_latest(self) -> None:
        """Make `latest` beside the folder a link to it.

        Raises:
            WriteError: the link cannot be made, or `latest` is not a link.
        """
        latest = self.path.parent / "latest"
        temporary = self.path.parent / f".latest.{secrets.token_hex(4)}"
        with reporting(latest):
            if latest.exists() and not latest.is_symlink():
                raise FileExistsError(0, "it exists and is not a link")
            try:
                temporary.symlink_to(self.path.name)
                temporary.replace(latest)
            except BaseException:
                with contextlib.suppress(OSError):
                    temporary.unlink()
                raise


def metrics_document(
    experiment: str, config: Any, metrics: Any, expectations: list[dict[str, str]]
) -> dict[str, Any]:
    """The document of `metrics.json`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "experiment": experiment,
        "name": config.name,
        "seed": config.seed,
        "metrics": metrics,
        "expectations": expectations,
    }
