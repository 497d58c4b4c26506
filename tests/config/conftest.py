"""The files that trees of data sets name."""

from pathlib import Path

import pytest

from dnnexp.core.data.bundled import Iris
from tests.config.strategies.data import write_files


@pytest.fixture
def data_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs in a folder that has them."""
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    # scikit-learn is imported when its first data set is asked for, which draws from `random`; hypothesis
    # takes this for a strategy that cannot be repeated
    Iris().shape()
