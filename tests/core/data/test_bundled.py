"""scikit-learn's data sets, and what is said without scikit-learn."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from dnnexp.config.schema import read
from dnnexp.core.data import Data, DataError, bundled
from dnnexp.core.data.bundled import BreastCancer, Bundled, Digits, Iris
from dnnexp.core.objectives import NetworkTraining


@pytest.mark.parametrize(
    ("data", "shape"), [(Digits(), (1797, 64, 10)), (Iris(), (150, 4, 3)), (BreastCancer(), (569, 30, 2))]
)
def test_the_rows_are_scikit_learns(data: Data, shape: tuple[int, int, int]) -> None:
    bunch = getattr(datasets, f"load_{data.name}")()
    table = data.table(np.random.default_rng(0))
    np.testing.assert_array_equal(table.features, bunch.data)
    np.testing.assert_array_equal(table.targets.argmax(axis=1), bunch.target)
    assert table.classes == tuple(map(str, bunch.target_names))
    assert (*table.features.shape, len(table.classes)) == shape


@pytest.fixture
def without_sklearn(monkeypatch: pytest.MonkeyPatch) -> None:
    bundled._loaded.cache_clear()
    monkeypatch.setattr(bundled, "find_spec", lambda name: None)


@pytest.mark.usefixtures("without_sklearn")
@pytest.mark.parametrize("cls", [Digits, Iris, BreastCancer])
def test_without_scikit_learn_a_config_is_told_how_to_get_it(cls: type[Bundled]) -> None:
    config, errors = read(NetworkTraining, {"data": {"name": cls.name}})
    assert config is None
    assert errors == [(("data",), "needs scikit-learn: pip install 'dnnexp[data]'")]
    with pytest.raises(ValueError, match=r"^needs scikit-learn: pip install 'dnnexp\[data\]'$"):
        cls()


@pytest.mark.usefixtures("without_sklearn")
def test_without_scikit_learn_a_table_says_so_too() -> None:
    data = object.__new__(Iris)
    with pytest.raises(DataError, match=r"^iris needs scikit-learn: pip install 'dnnexp\[data\]'$"):
        data.shape()


def test_scikit_learn_is_imported_where_a_table_is_needed_only() -> None:
    script = (
        "import sys; from dnnexp.core.data.bundled import Iris; data = Iris(); "
        "assert 'sklearn' not in sys.modules; data.shape(); assert 'sklearn' in sys.modules"
    )
    ran: Any = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stderr == ""
    assert ran.returncode == 0
