"""A folder with configs to sweep over."""

from pathlib import Path

import pytest

QUADRATIC = """\
experiment: optimize
seed: 3
objective: {name: quadratic, dimension: 2, condition_number: 10}
starts: {points: [[1, 2]]}
steps: 10
optimizers:
  - {name: momentum, learning_rate: 0.1}
  - adam
expect:
  - claim: momentum comes first
    check: ranking[0] == "momentum"
  - claim: adam runs once
    check: optimizers.adam.runs == 1
"""
DEEP = """\
experiment: activations
name: deep_network
network: {layers: [4, 4], repeat: 3}
activations: [tanh]
initializers: [glorot]
expect:
  - claim: the third layer is alive
    check: cases["tanh/glorot"].layers[2].dead_fraction < 1
"""


@pytest.fixture(autouse=True)
def _in_a_folder_with_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quadratic.yaml").write_text(QUADRATIC)
    Path("deep.yaml").write_text(DEEP)
