"""A table in two parts: a partition by the seed, standardised by its training part alone."""

from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from dnnexp.config.schema import read
from dnnexp.core.data import Data, Shape, Table
from dnnexp.core.data.synthetic import Moons, Teacher
from dnnexp.core.streams import Streams
from dnnexp.registry import parts


@dataclass(frozen=True)
class Numbered(Data):
    """Rows that carry their number: in the only target, and in the features in a way of their own."""

    rows: int = 10

    def shape(self) -> Shape:
        return Shape(self.rows, 3, 1, has_classes=False)

    def table(self, generator: np.random.Generator) -> Table:
        numbers = np.arange(float(self.rows))
        return Table(np.stack([numbers, 5 - numbers**2, 0.1 + 0 * numbers], axis=1), numbers[:, None], None)


DRAWN = [
    cls()
    for cls in parts("data").values()
    if all(field.default is not MISSING for field in fields(cls))  # files need a path
]


def numbers(table: Table | None) -> list[float]:
    return [] if table is None else table.targets[:, 0].tolist()


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True), st.integers(0, 2**32))
def test_a_split_is_a_partition(rows: int, validation: float, seed: int) -> None:
    data = Numbered(rows=rows, validation=validation, standardize=False)
    if data.held_out() == rows:
        return  # refused where data are used
    split = data.split(Streams(seed))
    train, held_out = numbers(split.train), numbers(split.validation)
    table = data.table(np.random.default_rng(0))
    assert sorted(train + held_out) == list(range(rows))
    assert len(held_out) == round(validation * rows)
    for part in (split.train, split.validation):
        if part is not None:  # features stay with their targets
            own = table.features[part.targets[:, 0].astype(int)]
            np.testing.assert_array_equal(part.features, own)
            assert part.features.flags.c_contiguous  # gathering a row is then one copy


@given(st.integers(3, 60), st.sampled_from([0.0, 0.2, 0.5]), st.integers(0, 2**32))
def test_standardisation_is_that_of_scikit_learn_on_the_training_part(
    rows: int, validation: float, seed: int
) -> None:
    """Sums of 60 terms of relative rounding ε, of columns whose mean is at most 60 times their spread."""
    data = Numbered(rows=rows, validation=validation)
    found, raw = data.split(Streams(seed)), replace(data, standardize=False).split(Streams(seed))
    assert numbers(found.train) == numbers(raw.train)  # targets are left as they are
    scaler = StandardScaler().fit(raw.train.features)
    np.testing.assert_allclose(found.train.features, scaler.transform(raw.train.features), atol=1e-11)
    if raw.validation is not None:
        assert found.validation is not None
        expected = scaler.transform(raw.validation.features)
        np.testing.assert_allclose(found.validation.features, expected, rtol=1e-11, atol=1e-11)


def test_a_constant_feature_is_0_and_not_divided_by_0() -> None:
    """0.1 is not its own mean to the last bit: dividing by that spread would make it 1."""
    split = Numbered(rows=57).split(Streams(0))
    assert np.abs(split.train.features[:, 2]).max() < 1e-16
    assert split.validation is not None
    assert np.abs(split.validation.features[:, 2]).max() < 1e-16


def test_the_seed_alone_decides_the_split() -> None:
    data = Numbered(rows=30)
    assert numbers(data.split(Streams(1)).train) == numbers(data.split(Streams(1)).train)
    assert numbers(data.split(Streams(1)).train) != numbers(data.split(Streams(2)).train)


@pytest.mark.parametrize("data", DRAWN, ids=lambda data: data.name)
def test_nothing_is_held_out_on_demand(data: Data) -> None:
    split = replace(data, validation=0.0).split(Streams(0))
    assert split.validation is None
    assert len(split.train.features) == data.shape().rows


@pytest.mark.parametrize("data", DRAWN, ids=lambda data: data.name)
def test_the_shape_is_known_without_a_seed(data: Data) -> None:
    table = data.table(np.random.default_rng(0))
    assert data.shape() == table.shape
    assert np.isfinite(table.features).all()
    if table.classes is None:
        assert not data.shape().has_classes
        return
    assert len(table.classes) == table.targets.shape[1]
    assert set(np.unique(table.targets)) == {0, 1}
    assert (table.targets.sum(axis=1) == 1).all()
    assert table.targets.any(axis=0).all()  # of every class there is a row


@pytest.mark.parametrize("fields", [{"validation": 1.0}, {"validation": -0.1}])
def test_a_share_is_from_0_to_below_1(fields: dict[str, Any]) -> None:
    _, errors = read(Moons, fields)
    ((path, text),) = errors
    assert path == ("validation",)
    assert text.startswith("must be ")


def test_a_split_of_a_drawn_set_draws_it_from_the_seed() -> None:
    one, other = (Teacher(standardize=False).split(Streams(seed)).train for seed in (0, 1))
    assert not np.isin(one.features, other.features).any()
