"""Random streams: one for every purpose, so that no draw depends on any other."""

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """The random streams of one run: `streams(purpose, label)` is a fresh, reproducible Generator.

    The seed of a stream is the config's seed followed by the SHA-256 of `purpose` and `label`, so the
    same arguments always give the same numbers, and a new purpose or label changes nobody else's.
    """

    seed: int

    def __call__(self, purpose: str, label: str = "") -> np.random.Generator:
        """A Generator at the start of the stream of that purpose and label."""
        digest = hashlib.sha256(f"{purpose}\0{label}".encode()).digest()
        words = np.frombuffer(digest, dtype="<u4")
        return np.random.default_rng([self.seed, *map(int, words)])
