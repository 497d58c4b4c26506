import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.arrays import Floats
from dnnexp.core.streams import Streams

SEEDS = st.integers(0, 2**64)
WORDS = st.text(max_size=10)


def draw(streams: Streams, purpose: str, label: str = "") -> Floats:
    return streams(purpose, label).standard_normal(4)


@given(SEEDS, WORDS, WORDS)
def test_the_same_arguments_give_the_same_numbers(seed: int, purpose: str, label: str) -> None:
    np.testing.assert_array_equal(draw(Streams(seed), purpose, label), draw(Streams(seed), purpose, label))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0, "weights", "relu"), (1, "weights", "relu")),
        ((0, "weights", "relu"), (0, "biases", "relu")),
        ((0, "weights", "relu"), (0, "weights", "tanh")),
        ((0, "weights", ""), (0, "", "weights")),
        ((0, "ab", "c"), (0, "a", "bc")),
        ((0, "ü", ""), (0, "u", "")),
        ((2**32, "weights", ""), (1, "weights", "")),
    ],
    ids=str,
)
def test_another_seed_purpose_or_label_gives_other_numbers(
    one: tuple[int, str, str], other: tuple[int, str, str]
) -> None:
    # two independent draws of four float64 numbers coincide in any place with probability 1e-15
    assert not np.any(draw(Streams(one[0]), *one[1:]) == draw(Streams(other[0]), *other[1:]))


def test_a_stream_does_not_depend_on_what_was_drawn_before() -> None:
    streams = Streams(7)
    alone = draw(streams, "data")
    for label in ("adam", "momentum"):
        streams("starts", label).standard_normal(1000)
    np.testing.assert_array_equal(draw(streams, "data"), alone)


def test_streams_are_uncorrelated() -> None:
    """Ten labels, all pairs: |r| < 5 / √n is five standard errors of a correlation that is zero."""
    count = 10_000
    drawn = np.array([Streams(0)("data", str(label)).standard_normal(count) for label in range(10)])
    correlation = np.asarray(np.corrcoef(drawn))[~np.eye(10, dtype=bool)]
    assert np.abs(correlation).max() < 5 / np.sqrt(count)


def test_the_seed_of_a_stream_is_the_documented_one() -> None:
    """SHA-256 of b"weights\\0relu", from `printf 'weights\\0relu' | sha256sum`, as little-endian words."""
    digest = "6e5b0a8394f96ff75116aa2448584650afcd7359c8a3391c4bf73160c25a4958"
    words = [int.from_bytes(bytes.fromhex(digest)[i : i + 4], "little") for i in range(0, 32, 4)]
    expected = np.random.default_rng([3, *words]).standard_normal(4)
    np.testing.assert_array_equal(draw(Streams(3), "weights", "relu"), expected)
