"""From a sweep file to its jobs."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dnnexp.config import dialect
from dnnexp.config.load import load
from dnnexp.config.overrides import parse
from dnnexp.config.schema import read
from dnnexp.config.sweep import Job, SweepConfig, expand, key_of, plan
from dnnexp.experiments import find
from dnnexp.registry import InvalidError, plain
from tests.config.sweep.planning import planned, problems, swept

RATE = "optimizers.momentum.learning_rate"


def test_a_job_is_the_config_of_the_run_command_with_the_same_overrides() -> None:
    jobs = planned(f"grid: {{{RATE}: [0.1, 0.2], steps: [5]}}\nfixed: {{targets: [1]}}").jobs
    for job, rate in zip(jobs, (0.1, 0.2), strict=True):
        edits = [parse(f"{RATE}={rate}"), parse("steps=5"), parse("targets=[1]")]
        config = load("optimize", Path("quadratic.yaml"), edits)
        assert job.tree == plain(config)
        assert read(find("optimize").config_class, job.tree) == (config, [])
        assert job.key == key_of(plain(config))
        assert (job.experiment, job.name, job.base) == ("optimize", "quadratic", "quadratic.yaml")
        assert job.swept == {RATE: rate, "steps": 5}


def test_blocks_combine_to_all_combinations_the_last_the_fastest() -> None:
    text = """\
grid: {steps: [1, 2], objective.condition_number: 'range(2,4)'}
zip:
  optimizers.momentum.learning_rate: [0.1, 0.2]
  optimizers.momentum.momentum: {linear: [0, 0.5], count: 2}
list: [{optimizers.adam.beta1: 0.5}, {optimizers.adam.beta2: 0.5}]
repeat: 2
"""
    jobs = planned(text).jobs
    factors = [(1, 2), (2, 3), ((0.1, 0.0), (0.2, 0.5)), ("beta1", "beta2"), (3, 4)]
    result = [
        (
            *(job.swept["steps"], job.swept["objective.condition_number"]),
            (job.swept[RATE], job.swept["optimizers.momentum.momentum"]),
            next(key for key in ("beta1", "beta2") if f"optimizers.adam.{key}" in job.swept),
            job.swept["seed"],
        )
        for job in jobs
    ]
    assert result == list(itertools.product(*factors))
    assert list(jobs[0].swept)[-1] == "seed"


def test_random_keys_are_drawn_together_and_each_from_its_own_stream() -> None:
    text = "random: {count: 4, seed: 7, keys: {steps: {integers: [1, 1000]}%s}}"
    alone = swept(text % "")
    both = swept(text % ", optimizers.adam.beta1: {uniform: [0, 1]}")
    assert [row[:1] for row in both] == alone == swept(text % "")
    assert len(set(both)) == 4
    assert swept(text.replace("seed: 7", "seed: 8") % "") != alone


@pytest.mark.parametrize(
    ("repeat", "seeds"), [("1", [()]), ("3", [(3,), (4,), (5,)]), ("[7, 1]", [(7,), (1,)]), ("[7]", [(7,)])]
)
def test_repeats_are_counted_from_the_seed_of_the_base_or_listed(
    repeat: str, seeds: list[tuple[int]]
) -> None:
    assert swept(f"repeat: {repeat}") == seeds


def test_repeats_are_counted_from_the_seed_that_is_fixed_or_an_option() -> None:
    assert swept("repeat: 2\nfixed: {seed: 10}") == [(10,), (11,)]
    assert swept("repeat: 2\nfixed: {seed: 10}", seed=20) == [(20,), (21,)]


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("steps == 2 and optimizers.adam.beta1 > 0.6", [(1, 0.5), (1, 0.9), (2, 0.5)]),
        ("steps < 2", [(2, 0.5), (2, 0.9)]),
        ("steps * optimizers.adam.beta1 > 0.5", [(1, 0.5)]),
    ],
)
def test_excluded_jobs_are_left_out_and_counted(condition: str, left: list[tuple[float, ...]]) -> None:
    text = f"grid: {{steps: [1, 2], optimizers.adam.beta1: [0.5, 0.9]}}\nexclude: ['{condition}']"
    assert swept(text) == left
    assert planned(text).excluded == 4 - len(left)


def test_a_condition_may_be_on_seeds() -> None:
    assert swept("repeat: 4\nexclude: [seed == 3, seed > 5]") == [(4,), (5,)]


def test_a_condition_on_a_key_that_a_job_does_not_sweep_does_not_exclude_it() -> None:
    text = "list: [{steps: 5}, {optimizers.adam.beta1: 0.5}]\nexclude: ['steps < 10']"
    assert swept(text) == [(0.5,)]


def test_equal_jobs_are_run_once() -> None:
    result = planned("list: [{steps: 10}, {}, {steps: 5}, {seed: 3}]")
    assert (len(result.jobs), result.merged) == (2, 2)
    assert result.jobs[0].swept == {"steps": 10}


def test_several_bases_are_swept_over_and_distinguished() -> None:
    text = "experiment: sweep\nbase: [deep.yaml, 'q*.yaml']\nrepeat: 2"
    result = planned(text)
    assert [(job.experiment, job.name, job.swept) for job in result.jobs] == [
        ("activations", "deep_network", {"base": "deep.yaml", "seed": 0}),
        ("activations", "deep_network", {"base": "deep.yaml", "seed": 1}),
        ("optimize", "quadratic", {"base": "quadratic.yaml", "seed": 3}),
        ("optimize", "quadratic", {"base": "quadratic.yaml", "seed": 4}),
    ]
    assert result.sources == tuple(
        Path(name).resolve() for name in ("sweep.yaml", "deep.yaml", "quadratic.yaml")
    )


def test_bases_are_relative_to_the_sweeps_folder_and_taken_once(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    (folder / "all.yaml").write_text("experiment: sweep\nbase: ['../*.yaml', ../deep.yaml]\n")
    result = plan([Path("sweep/all.yaml")], [])
    assert [job.base for job in result.jobs] == ["../deep.yaml", "../quadratic.yaml"]
    assert result.sweep.name == "all"


@pytest.mark.parametrize(("line", "smoke"), [("smoke: true", False), ("", True)])
def test_smoke_shrinks_every_job(line: str, smoke: bool) -> None:
    result = planned(f"grid: {{steps: [150, 100000]}}\n{line}", smoke=smoke)
    config = load("optimize", Path("quadratic.yaml"), [parse("steps=100000")])
    shrunk = plain(find("optimize").shrink(config))
    assert result.jobs[1].tree == shrunk
    assert result.jobs[1].swept == {"steps": shrunk["steps"]}  # the table says what is run
    assert result.sweep.smoke


def test_a_part_can_be_swept_whole() -> None:
    """A mapping or a list in a grid is a value as any other."""
    values = "[valley, {name: quadratic, dimension: 2, condition_number: 5}]"
    jobs = planned(f"grid: {{objective: {values}}}").jobs
    assert [job.tree["objective"]["name"] for job in jobs] == ["valley", "quadratic"]
    assert jobs[1].swept == {"objective": {"name": "quadratic", "dimension": 2, "condition_number": 5}}


def test_fixed_keys_are_set_first() -> None:
    jobs = planned(
        "fixed: {objective: {name: quadratic, dimension: 2}}\ngrid: {objective.condition_number: [7]}"
    ).jobs
    assert jobs[0].tree["objective"]["condition_number"] == 7


# Expectations of the base


def test_claims_that_a_sweep_took_the_metrics_from_are_dropped() -> None:
    text = "experiment: sweep\nbase: deep.yaml\ngrid: {network.repeat: [2, 3, 4]}"
    assert [len(job.tree["expect"]) for job in planned(text).jobs] == [0, 1, 1]
    left = planned("grid: {optimizers: [[momentum], [adam], [momentum, adam]]}").jobs
    assert [[e["claim"] for e in job.tree["expect"]] for job in left] == [
        ["momentum comes first"],
        ["momentum comes first", "adam runs once"],
        ["momentum comes first", "adam runs once"],
    ]


def test_a_base_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading YAML takes ten times as long as all else of a job."""
    parsed: list[Any] = []
    real = dialect.parse

    def counted(text: Any) -> Any:
        parsed.append(text)
        return real(text)

    monkeypatch.setattr(dialect, "parse", counted)
    assert len(planned("grid: {steps: 'range(1,51)'}\nrepeat: 2").jobs) == 100
    assert len(parsed) == 2


def test_the_claims_of_a_sweep_are_checked_against_the_shape_of_its_table() -> None:
    text = "grid: {steps: [1, 2]}\nexpect: [{claim: x, check: count == 2}, {claim: y, check: cuont == 2}]"
    seen = []

    def outline(sweep: SweepConfig, jobs: Sequence[Job]) -> Any:
        seen.append((sweep.name, len(jobs)))
        return {"count": float}

    (line,) = problems(text, outline=outline)
    assert line.startswith("sweep.yaml:4:59: expect.1.check: `cuont` does not exist")
    assert seen == [("sweep", 2)]
    assert len(planned(text).jobs) == 2, "without an outline only their grammar is checked"


def test_the_number_of_jobs_is_bounded() -> None:
    assert expand.combinations(SweepConfig(base="x", repeat=expand.MAX_JOBS), 1) == [()]
    thousand = tuple(range(1000))
    assert len(expand.combinations(SweepConfig(base="x", zip={"a": thousand, "b": thousand}), 1)) == 1000
    for sweep, bases in (
        (SweepConfig(base="x", repeat=expand.MAX_JOBS), 2),
        (SweepConfig(base="x"), 100_001),
    ):
        with pytest.raises(InvalidError, match=r"jobs; at most 100,000 are allowed"):
            expand.combinations(sweep, bases)


@pytest.mark.parametrize(
    ("repeat", "keys"), [(1, ["steps"]), (2, ["steps", "seed"]), ((5,), ["steps", "seed"])]
)
def test_a_repeated_job_has_the_seed_among_its_keys(repeat: Any, keys: list[str]) -> None:
    assert expand.swept_keys(SweepConfig(base="x", grid={"steps": (1, 2)}, repeat=repeat)) == keys
