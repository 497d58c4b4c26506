import numpy as np
import pytest

from dnnexp.core.inputs import Input, NormalInput
from dnnexp.registry import parts


@pytest.mark.parametrize("cls", parts("input").values(), ids=parts("input"))
def test_an_input_has_its_shape_and_follows_its_stream(cls: type[Input]) -> None:
    given = cls()
    drawn = given.draw(np.random.default_rng(1), 7)
    assert drawn.shape == (given.samples, 7)
    assert drawn.dtype == np.float64
    np.testing.assert_array_equal(drawn, given.draw(np.random.default_rng(1), 7))


def test_the_normal_input_is_standard_normal_and_uncorrelated() -> None:
    """5 standard errors: 1/√n of the mean, 1/√2n of the standard deviation, 1/√samples of a correlation."""
    samples, width = 10_000, 5
    drawn = NormalInput(samples).draw(np.random.default_rng(0), width)
    assert abs(drawn.mean()) < 5 / np.sqrt(drawn.size)
    assert abs(drawn.std() - 1) < 5 / np.sqrt(2 * drawn.size)
    correlation = np.asarray(np.corrcoef(drawn.T))[~np.eye(width, dtype=bool)]
    assert np.abs(correlation).max() < 5 / np.sqrt(samples)
