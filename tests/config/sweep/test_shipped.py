"""The shipped sweeps are valid, and their values with a closed form are right."""

from pathlib import Path

import pytest

from dnnexp.config.dump import dump
from dnnexp.config.schema import read
from dnnexp.config.shipped import directory
from dnnexp.config.sweep import Plan, SweepConfig, plan
from dnnexp.execution.table import outline
from dnnexp.expression import parse
from dnnexp.registry import plain
from tests.config.reading import SHIPPED, SWEEPS
from tests.config.sweep.planning import planned


def shipped(name: str, *arguments: str) -> Plan:
    return plan([directory() / "sweep" / f"{name}.yaml"], arguments)


@pytest.mark.parametrize("file", SWEEPS, ids=lambda file: file.stem)
def test_a_shipped_sweep_is_valid_and_its_claims_can_be_checked(file: Path) -> None:
    result = plan([file], [])
    assert (result.sweep.name, result.merged, result.excluded) == (file.stem, 0, 0)
    assert result.sweep.expect
    for expectation in result.sweep.expect:
        parse(expectation.check).check(outline(result.sweep, result.jobs))


def test_smoke_has_every_shipped_config() -> None:
    result = shipped("smoke")
    assert {path.name for path in result.sources} - {"smoke.yaml"} == {path.name for path in SHIPPED}
    assert len(result.jobs) == len(SHIPPED)


def test_rates_are_the_best_for_their_condition_numbers() -> None:
    """2/(κ+1) for gradient descent, (2/(√κ+1))² and ((√κ−1)/(√κ+1))² for momentum (Polyak 1964)."""
    for job in shipped("optimizer_by_condition_number", "repeat=1").jobs:
        kappa = job.swept["objective.condition_number"]
        best = {
            "optimizers.gradient_descent.learning_rate": 2 / (kappa + 1),
            "optimizers.momentum.learning_rate": 4 / (kappa**0.5 + 1) ** 2,
            "optimizers.momentum.momentum": ((kappa**0.5 - 1) / (kappa**0.5 + 1)) ** 2,
        }
        swept = {key: value for key, value in job.swept.items() if key in best}
        assert swept == pytest.approx(best, rel=1e-15)


def test_a_sweep_written_and_read_again_is_the_same() -> None:
    text = """\
grid: {steps: [1, 2], objective.condition_number: {log: [1, 100], count: 3}, seed: 'range(2)'}
random:
  count: 2
  keys: {optimizers.adam.beta1: {uniform: [0, 1]}, optimizers.adam.beta2: {choice: [0.5, 0.9]}}
list: [{}, {targets: [1]}]
exclude: [steps == 1 and seed == 1]
metrics: [minimum, {label: m, value: minimum, theory: '2', contour: {value: minimum, at: 1}, scale: log}]
expect: [{claim: x, check: counts.jobs > 1}]
"""
    sweep = planned(text).sweep
    assert read(SweepConfig, plain(sweep)) == (sweep, [])
    Path("again.yaml").write_text(dump(plain(sweep)))
    assert plan([Path("again.yaml")], []).jobs == planned(text).jobs
