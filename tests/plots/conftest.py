"""Results of small experiments, made from the text of their configs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dnnexp.config.load import load
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Result, RunContext

Run = Callable[[str], Result]


@pytest.fixture(scope="session")
def run_optimize(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs `optimize` on a YAML text; a text met before gives the result of then."""
    return _runner("optimize", tmp_path_factory.mktemp("configs"))


@pytest.fixture(scope="session")
def run_activations(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs `activations` on a YAML text; a text met before gives the result of then."""
    return _runner("activations", tmp_path_factory.mktemp("configs"))


def _runner(experiment: str, folder: Path) -> Run:
    found: dict[str, Result] = {}

    def run(text: str) -> Result:
        if text not in found:
            file = folder / f"c{len(found)}.yaml"
            file.write_text(f"experiment: {experiment}\n{text}", encoding="utf-8")
            config = load(experiment, file)
            found[text] = find(experiment).run(config, RunContext(Streams(config.seed)))
        return found[text]

    return run
