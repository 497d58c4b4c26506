"""Rows of a data set: which they are, how they are standardised, what is refused."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from dnnexp.config.schema import read
from dnnexp.core.arrays import Floats
from dnnexp.core.data import Data, DataError, Shape, Table
from dnnexp.core.data.files import NPZ
from dnnexp.core.data.synthetic import Moons, Teacher
from dnnexp.core.inputs import DataInput


@dataclass(frozen=True)
class Numbered(Data):
    """Rows that carry their number in the first feature."""

    name = "numbered"
    count: int = 10

    def shape(self) -> Shape:
        return Shape(self.count, 3, 1, has_classes=False)

    def table(self, generator: np.random.Generator) -> Table:
        numbers = np.arange(float(self.count))
        return Table(np.stack([numbers, 5 - numbers**2, np.cos(numbers)], axis=1), numbers[:, None], None)


@dataclass(frozen=True)
class Damaged(Data):
    """A file that nobody can read."""

    name = "damaged"

    def shape(self) -> Shape:
        raise DataError("a.csv:1: no header", "a.csv:7: no number")

    def table(self, generator: np.random.Generator) -> Table:
        raise NotImplementedError


def features(data: Data) -> Floats:
    return data.table(np.random.default_rng(0)).features


@given(st.integers(1, 40), st.integers(0, 39), st.integers(0, 2**32))
def test_rows_are_drawn_without_replacement_and_keep_their_order(rows: int, left: int, seed: int) -> None:
    data = Numbered(count=rows, standardize=False)
    part = DataInput(data, max(1, rows - left))
    drawn = part.draw(np.random.default_rng(seed), 3)
    numbers = drawn[:, 0].astype(int)
    assert (np.diff(numbers) > 0).all()
    np.testing.assert_array_equal(drawn, features(data)[numbers])


@given(st.integers(3, 40), st.integers(1, 40), st.floats(0, 1, exclude_max=True), st.integers(0, 2**32))
def test_rows_are_standardised_over_all_rows_and_none_is_held_out(
    rows: int, samples: int, validation: float, seed: int
) -> None:
    """Sums of 40 terms of relative rounding ε, of columns whose mean is at most 40 times their spread."""
    data = Numbered(count=rows, validation=validation)
    part = DataInput(data, min(samples, rows))
    drawn = part.draw(np.random.default_rng(seed), 3)
    raw = replace(part, data=replace(data, standardize=False)).draw(np.random.default_rng(seed), 3)
    expected = StandardScaler().fit(features(data)).transform(raw)
    np.testing.assert_allclose(drawn, expected, rtol=1e-11, atol=1e-11)


def test_every_row_is_drawn_as_often() -> None:
    """5 standard errors of a share p = 0.3 of 4000 draws: √(p(1 − p)/4000)."""
    part = DataInput(Numbered(standardize=False), 3)
    generator = np.random.default_rng(0)
    numbers = np.concatenate([part.draw(generator, 3)[:, 0].astype(int) for _ in range(4000)])
    shares = np.bincount(numbers, minlength=10) / 4000
    assert np.abs(shares - 0.3).max() < 5 * np.sqrt(0.3 * 0.7 / 4000)


@pytest.mark.parametrize("data", [Moons(samples=40, standardize=False), Teacher(40, 2, standardize=False)])
def test_without_samples_all_rows_of_a_set_drawn_from_the_stream_are_given(data: Data) -> None:
    part = DataInput(data)
    assert part.rows == 40
    np.testing.assert_array_equal(
        part.draw(np.random.default_rng(3), 2), data.table(np.random.default_rng(3)).features
    )


def test_what_is_drawn_is_a_copy(tmp_path: Path) -> None:
    """Files are read once: writing into a batch must not change the next one."""
    path = tmp_path / "table.npz"
    np.savez(path, X=np.ones((4, 2)), y=np.arange(4.0))
    part = DataInput(NPZ(str(path), standardize=False))
    part.draw(np.random.default_rng(0), 2)[:] = 7
    np.testing.assert_array_equal(part.draw(np.random.default_rng(0), 2), np.ones((4, 2)))


def test_more_samples_than_rows_are_refused() -> None:
    tree = {"data": {"name": "moons", "samples": 30}, "samples": 31}
    assert read(DataInput, tree) == (None, [(("samples",), "is 31, but moons has 30 rows only")])
    assert read(DataInput, tree | {"samples": 30})[1] == []


def test_data_that_cannot_be_read_are_an_error_of_the_config() -> None:
    problems = [(("data",), "a.csv:1: no header"), (("data",), "a.csv:7: no number")]
    assert read(DataInput, {"data": Damaged(), "samples": 3}) == (None, problems)
    _, errors = read(DataInput, {"data": {"name": "csv", "path": "none.csv", "target": "y"}})
    assert errors == [(("data", "path"), "none.csv: cannot be read: No such file or directory")]


def test_the_width_is_the_number_of_features() -> None:
    assert DataInput(Numbered()).refusal(3) is None
    text = "numbered has 3 features, so network.layers must begin with 3, not 100"
    assert DataInput(Numbered()).refusal(100) == text
    one = DataInput(Teacher(features=1))
    assert one.refusal(2) == "teacher has 1 feature, so network.layers must begin with 1, not 2"
