"""Data sets, with as many rows held out as leave some to train on.

Those of files are written by `write_files` into the folder that the trees are read in.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from dnnexp.core.data import Data
from dnnexp.core.data.files import CSV, NPZ
from tests.config.strategies.hints import Tree, Trees, built, hinted, rule

_SEPARATED = {",": "flowers.csv", ";": "flowers_semicolon.csv", "\t": "flowers.tsv"}
_ARRAYS = "flowers.npz"
_ROWS = 12

_COLUMNS: list[Tree] = [
    {"target": "species", "features": ["width", "height"], "task": "auto"},
    {"target": ["species"], "features": [], "task": "classification"},
    {"target": "petals", "features": ["height"], "task": "classification"},
    {"target": "weight", "features": ["height", "petals", "width"], "task": "auto"},
    {"target": ["weight", "height"], "features": ["width"], "task": "regression"},
]
_NAMES: list[Tree] = [
    {"features": "X", "target": "y", "task": "auto"},
    {"features": "X", "target": "y", "task": "classification"},
    {"features": "width", "target": "species", "task": "auto"},
    {"features": "width", "target": "species", "task": "classification"},
    {"features": "X", "target": "both", "task": "regression"},
]


def write_files(folder: Path) -> None:
    """The files that the trees of `csv` and `npz` name."""
    numbers = np.arange(_ROWS)
    species = np.array(["iris", "rose", "tulip"])[numbers % 3]
    table = {"width": numbers / 8, "height": 3 - numbers, "petals": numbers % 4, "species": species}
    table |= {"weight": numbers**2 / 7}
    for delimiter, name in _SEPARATED.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, delimiter=delimiter).writerows([table, *zip(*table.values(), strict=True)])
    both = np.stack([table["height"], table["weight"]], axis=1)
    np.savez(folder / _ARRAYS, X=both, y=table["petals"], width=both[:, :1], species=species, both=both)


@rule(Data)
def drawn(cls: type[Data], every: bool) -> Trees:
    return split(cls, every, st.just({}), ())


@rule(CSV)
def csv_file(cls: type[Data], every: bool) -> Trees:
    separated = [{"path": path, "delimiter": delimiter} for delimiter, path in _SEPARATED.items()]
    comma = [] if every else [{"path": _SEPARATED[","]}]
    columns = _COLUMNS if every else [{"target": "species"}, *_COLUMNS]
    written = st.builds(dict.__or__, st.sampled_from(comma + separated), st.sampled_from(columns))
    return split(cls, every, written, ("path", "target", "features", "task", "delimiter"))


@rule(NPZ)
def npz_file(cls: type[Data], every: bool) -> Trees:
    names = _NAMES if every else [{}, *_NAMES]
    written = st.sampled_from(names).map(lambda tree: {"path": _ARRAYS} | tree)
    return split(cls, every, written, ("path", "features", "target", "task"))


@st.composite
def split(draw: st.DrawFn, cls: type[Data], every: bool, source: Trees, decided: Sequence[str]) -> Tree:
    """A validation part of none of the rows, or of 1 to all but one; `source` decides on some fields."""
    tree = draw(source) | draw(hinted(cls, every, left={"validation", *decided}))
    rows = built(Data, {"name": cls.name, "validation": 0} | tree).shape().rows
    if not every and round(cls.validation * rows) and draw(st.booleans()):
        return tree  # the default suits
    held_out = draw(st.integers(0, rows - 1))
    off = draw(st.floats(-0.4, 0.4)) if held_out else 0  # rounded to the row
    return tree | {"validation": (held_out + off) / rows}
