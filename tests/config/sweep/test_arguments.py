"""Sweeps from the command line: over configs, and what arguments make of a sweep file."""

from pathlib import Path

import pytest

from dnnexp.config.sweep import Plan, plan
from tests.config.sweep.planning import planned, problems, problems_of, swept

RATE = "optimizers.momentum.learning_rate"


def over(*arguments: str, files: tuple[str, ...] = ("quadratic.yaml",)) -> Plan:
    return plan([Path(file) for file in files], arguments)


def test_several_values_are_swept_and_one_is_fixed() -> None:
    result = over(f"{RATE}=0.1,0.01", "seed=range(0,3)", "steps=7")
    assert [tuple(job.swept.values()) for job in result.jobs] == [
        (rate, seed) for rate in (0.1, 0.01) for seed in (0, 1, 2)
    ]
    assert {job.tree["steps"] for job in result.jobs} == {7}
    assert result.sweep.name == "quadratic"
    assert result.sweep.fixed == {"steps": 7}
    assert result.sources == (Path("quadratic.yaml").resolve(),)


def test_several_configs_are_several_bases() -> None:
    result = over("repeat=2", files=("quadratic.yaml", "deep.yaml"))
    assert [job.swept["base"] for job in result.jobs] == ["quadratic.yaml"] * 2 + ["deep.yaml"] * 2
    assert result.sweep.name == "sweep"


def test_a_config_alone_is_one_job() -> None:
    (job,) = over().jobs
    assert job.swept == {}


def test_a_name_with_brackets_is_a_file_not_a_pattern() -> None:
    Path("a[1].yaml").write_text(Path("deep.yaml").read_text())
    (job,) = over(files=("a[1].yaml",)).jobs
    assert job.base == "a[1].yaml"


def test_items_are_appended_and_keys_reset_in_every_base() -> None:
    (job,) = over("+optimizers={name: rmsprop, label: third}", "~expect", "~seed").jobs
    assert [part["name"] for part in job.tree["optimizers"]] == ["momentum", "adam", "rmsprop"]
    assert job.tree["seed"] == 0
    assert job.tree["expect"] != []  # ~expect is the sweep's own


FILE = f"grid: {{steps: [1, 2], {RATE}: [0.1]}}\nfixed: {{seed: 5}}\nlist: [{{optimizers.adam.beta1: 0.5}}]"


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ((), [(1, 0.1, 0.5), (2, 0.1, 0.5)]),
        (("steps=7",), [(0.1, 0.5)]),
        (("steps=7,8",), [(7, 0.1, 0.5), (8, 0.1, 0.5)]),
        (("seed=1,2", "steps=7"), [(0.1, 1, 0.5), (0.1, 2, 0.5)]),
        (("grid.steps=[3]",), [(3, 0.1, 0.5)]),
        (("grid.steps=range(3,5)",), [(3, 0.1, 0.5), (4, 0.1, 0.5)]),
        (("+grid.steps=3", "~list"), [(1, 0.1), (2, 0.1), (3, 0.1)]),
        (("~grid.steps", "list.0.optimizers.adam.beta1=0.7"), [(0.1, 0.7)]),
        (("exclude=['steps == 1']",), [(2, 0.1, 0.5)]),
        (("repeat=2", "steps=7"), [(0.1, 0.5, 5), (0.1, 0.5, 6)]),
    ],
)
def test_arguments_take_the_place_of_what_the_file_says(
    arguments: tuple[str, ...], rows: list[tuple[float, ...]]
) -> None:
    assert swept(FILE, *arguments) == rows


def test_own_keys_edit_the_sweep() -> None:
    result = planned(
        FILE, "name=mine", "metrics=[minimum]", "+metrics={value: minimum, label: again}", "smoke=true"
    )
    assert result.sweep.name == "mine"
    assert [metric.label for metric in result.sweep.metrics] == ["minimum", "again"]
    assert result.sweep.smoke
    assert result.jobs[0].name == "quadratic"
    assert planned(FILE, "name=mine", name="option").sweep.name == "option"


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (("steps=1,-2",), "argument 'steps=1,-2': grid.steps.1: must be at least 0, not -2"),
        (("steps=-2",), "argument 'steps=-2': fixed.steps: must be at least 0, not -2"),
        (("optimizers.adam.beta1=0,1",),
         "argument 'optimizers.adam.beta1=0,1': optimizers.adam.beta1 is set by list in sweep.yaml; "
         "edit it there"),
        (("steps=range(1)(2",),
         "argument 'steps=range(1)(2': fixed.steps: must be an integer, not \"range(1)(2\""),
        (("steps=sort(2,1)",), "argument 'steps=sort(2,1)': sort() does not exist here; allowed: a,b"),
        (("a..b=1",), "argument 'a..b=1': a key is empty; write key.subkey=value"),
        (("=1",), "argument '=1': a key is empty"),
        (("repeat=no",), "argument 'repeat=no': repeat: must be an integer, not \"no\""),
        (("~stpes",), "argument '~stpes': unknown key 'stpes'; did you mean 'steps'?"),
        (("random.cuont=5",), "argument 'random.cuont=5': unknown key 'cuont'; did you mean 'count'?"),
        (("experiment=optimize",),
         "argument 'experiment=optimize': experiment: must be 'sweep', not \"optimize\""),
    ],
)  # fmt: skip
def test_an_error_names_the_argument(arguments: tuple[str, ...], start: str) -> None:
    (line,) = problems(FILE, *arguments)
    assert line.startswith(start)


def test_errors_of_options_name_them() -> None:
    assert problems(FILE, name="1", seed=-1) == [
        'option --name: name: must be a letter, then letters, digits, _ or - (at most 100), not "1"'
    ]
    assert problems(FILE, seed=-1) == ["option --seed: fixed.seed: must be at least 0, not -1"]


def test_errors_of_arguments_come_together() -> None:
    result = problems_of(["quadratic.yaml"], "stpes=1,2", "optimizers.adm.beta1=0.5", "a=sort(1)")
    assert len(result) == 1, "an argument that cannot be read stops before the jobs"
    result = problems_of(["quadratic.yaml"], "stpes=1,2", "optimizers.adm.beta1=0.5")
    assert [line.partition(": ")[0] for line in result] == [
        "argument 'optimizers.adm.beta1=0.5'",
        "argument 'stpes=1,2'",
    ]
