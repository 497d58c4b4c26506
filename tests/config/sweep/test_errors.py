"""The problems of a sweep and of its jobs, all at once, with places."""

from pathlib import Path

import pytest

from tests.config.sweep.conftest import QUADRATIC
from tests.config.sweep.planning import problems, problems_of

RATE = "optimizers.momentum.learning_rate"


def test_all_problems_of_a_sweep_are_reported_at_once() -> None:
    text = """\
experiment: sweep
base: quadratic.yaml
gird: {steps: [1]}
grid: {steps: 5, seed: {lgo: [1, 2], count: 3}}
random: {count: 0, keys: {a: {uniform: [1, 0]}}}
exclude: ['steps <']
metrics: [{label: x}, 'a ===', {value: a, contour: {value: b +, at: 1}}]
repeat: 0
"""
    lines = problems(text)
    assert sorted(line.split(" ")[0] for line in lines) == [
        *("sweep.yaml:3:1:", "sweep.yaml:4:15:", "sweep.yaml:4:24:", "sweep.yaml:4:25:", "sweep.yaml:5:17:"),
        *("sweep.yaml:5:40:", "sweep.yaml:6:11:", "sweep.yaml:7:11:", "sweep.yaml:7:23:", "sweep.yaml:7:60:"),
        "sweep.yaml:8:9:",
    ]
    assert "sweep.yaml:4:15: grid.steps: must be text or a list or a mapping, not 5" in lines
    assert any("3:1: gird: unknown key; did you mean 'grid'? allowed: experiment" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"grid: {{{RATE}: [0.1, -1]}}",
         [f"sweep.yaml:3:49: grid.{RATE}.1: must be greater than 0, not -1"]),
        (f"grid: {{{RATE}: 'range(0,2)'}}",
         [f"sweep.yaml:3:43: grid.{RATE}: must be greater than 0, not 0"]),
        ("grid: {optimizers: [[{name: adam, beta1: 2}]]}",
         ["sweep.yaml:3:42: grid.optimizers.0.0.beta1: must be less than 1, not 2"]),
        ("grid: {steps: [1, 2.5]}\nrepeat: 5",
         ["sweep.yaml:3:19: grid.steps.1: must be an integer, not 2.5"]),
        ("grid: {optimizers.adm.beta1: [0, 1]}",
         ["sweep.yaml:3:30: grid.optimizers.adm.beta1: no item 'adm'; did you mean 'adam'? "
          "allowed: momentum, adam, 0, 1"]),
        ("fixed: {stpes: 3}\ngrid: {seed: [1, 2], sedd: [1]}",
         ["sweep.yaml:3:9: fixed.stpes: unknown key 'stpes'; did you mean 'steps'? allowed: experiment, ",
          "sweep.yaml:4:22: grid.sedd: unknown key 'sedd'; did you mean 'seed'? allowed: experiment, "]),
        ("random: {count: 50, keys: {steps: {uniform: [0, 9]}}}",
         ["sweep.yaml:3:35: random.keys.steps: must be an integer, not "]),
        ("list: [{steps: 1}, {steps: x}]", ['sweep.yaml:3:28: list.1.steps: must be an integer, not "x"']),
        ("repeat: 2\nfixed: {seed: 9223372036854775807}",
         ["sweep.yaml:3:9: repeat: must be at most 9223372036854775807, not 9223372036854775808"]),
        ("zip: {steps: [1, 2], seed: [1]}",
         ["sweep.yaml:3:6: zip: the lists must be equally long; steps has 2, seed has 1"]),
        ("grid: {steps: []}", ["sweep.yaml:3:15: grid.steps: needs at least one value"]),
        ("grid: {steps: 'range(3'}",
         ["sweep.yaml:3:15: grid.steps: must be an integer, not \"range(3\""]),
        ("grid: {steps: interval(1)}",
         ["sweep.yaml:3:15: grid.steps: interval() does not exist here; allowed: a,b  range(stop)  "
          "range(start,stop)  range(start,stop,step)  choice(a,b)"]),
        ("grid: {steps: 'range(90000)', seed: 'range(2)'}",
         ["sweep.yaml:1:1: makes 180,000 jobs; at most 100,000 are allowed"]),
        ("grid: {steps: [1]}\nexclude: [steps > 0]", ["sweep.yaml:4:10: exclude: leaves no job"]),
        ("grid: {steps: [1]}\nexclude: [stpes > 0]",
         ["sweep.yaml:4:11: exclude.0: `stpes` does not exist; did you mean `steps`? allowed: steps"]),
        ("metrics: [optimizers.adm.runs, {value: ranking, label: x}, 'ranking[0]']",
         ["sweep.yaml:3:11: metrics.0.value: `optimizers.adm` does not exist; did you mean `adam`? allowed: "
          "momentum, adam",
          "sweep.yaml:3:40: metrics.1.value: a value must be a number or true or false or text; ",
          "sweep.yaml:3:60: metrics.2.value: must give a number, not text"]),
        ("metrics: [minimum, minimum]",
         ["sweep.yaml:3:20: metrics.1.label: the column 'minimum' is taken; give it another label"]),
        ("metrics: [{value: minimum, label: status}]",
         ["sweep.yaml:3:35: metrics.0.label: the column 'status' is taken; give it another label"]),
        *((f"metrics: [{{value: minimum, label: {label}}}]",
          [f"sweep.yaml:3:35: metrics.0.label: the column {label!r} is taken; give it another label"])
         for label in ("error", "failed", "seed")),
        ("metrics: [{value: minimum, label: steps}]\ngrid: {steps: [1, 2]}",
         ["sweep.yaml:3:35: metrics.0.label: the column 'steps' is taken; give it another label"]),
        ("metrics: [{value: minimum, label: m}, {value: minimum, label: m.theory}]",
         ["sweep.yaml:3:63: metrics.1.label: the column 'm.theory' is taken; give it another label"]),
        ("grid: {optimizers.adam.learning_rate: [1, 2], optimizers.1.learning_rate: [3, 4]}",
         ["sweep.yaml:3:75: grid.optimizers.1.learning_rate: is optimizers.adam.learning_rate by "]),
        ("grid: {steps: [1, 2]}\nexclude: [steps]",
         ["sweep.yaml:4:11: exclude.0: a check must be true or false; `steps` is a number"]),
        ("grid: {steps: [1, 2], '.': [3]}", ["sweep.yaml:3:28: grid..: a key is empty; write key.subkey"]),
        ("fixed: {optimizers.1.learning_rate: 3}\ngrid: {optimizers.adam.learning_rate: [1, 2]}",
         ["sweep.yaml:4:39: grid.optimizers.adam.learning_rate: is optimizers.1.learning_rate by "]),
        ('metrics: [{value: minimum, label: "a\\nb"}]',
         ["sweep.yaml:3:35: metrics.0.label: must be text on one line, without control characters"]),
        ("grid: {name: [a, b]}",
         ["sweep.yaml:3:14: grid.name: cannot be swept: it does not tell one job from another"]),
        ("repeat: [1, 1]",
         ["sweep.yaml:3:9: repeat: must be a number of seeds, or a list of different seeds"]),
        ("expect: [{claim: x, check: 'rows ='}]",
         ["sweep.yaml:3:28: expect.0.check: `rows =` is not an expression"]),
    ],
)  # fmt: skip
def test_a_problem_is_reported_once_where_the_sweep_made_it(text: str, expected: list[str]) -> None:
    lines = problems(text)
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("grid: {steps: [1]}\nfixed: {steps: 1}", "grid.steps", "is set by fixed too"),
        ("grid: {steps: [1]}\nzip: {steps: [1]}", "zip.steps", "is set by grid too"),
        ("grid: {steps: [1]}\nlist: [{seed: 1}, {steps: 1}]", "list.1.steps", "is set by grid too"),
        ("grid: {seed: [1]}\nrepeat: 2", "repeat", "is set by grid too"),
        ("list: [{objective: valley, objective.dimension: 1}, {objective: valley}]",
         "list.0.objective.dimension", "overlaps objective, which is set by list too"),
        ("grid: {objective: [valley]}\nzip: {objective.dimension: [1]}", "zip.objective.dimension",
         "overlaps objective, which is set by grid too"),
        ("fixed: {objective.dimension: 1}\ngrid: {objective: [valley]}", "grid.objective",
         "overlaps objective.dimension, which is set by fixed too"),
    ],
)  # fmt: skip
def test_a_key_is_in_one_block(text: str, where: str, message: str) -> None:
    (line,) = problems(text)
    assert line.endswith(f" {where}: {message}; a key may be in one block")


# Problems of a base


def test_a_problem_of_the_base_with_swept_values_names_them() -> None:
    text = "grid: {objective: [valley, {name: quadratic, dimension: 3}]}\nrepeat: 2"
    assert problems(text) == [
        "quadratic.yaml:4:19: starts.points.0: has 2 coordinates, but the objective quadratic has "
        'dimension 3 (where objective = {"name": "quadratic", "dimension": 3}, seed = 3)'
    ]


def test_a_problem_of_the_base_itself_is_reported_once() -> None:
    text = QUADRATIC.replace("steps: 10", "steps: -1").replace("adam.runs", "adam.rums")
    Path("quadratic.yaml").write_text(text)
    assert problems("grid: {objective.condition_number: [1, 2]}") == [
        "quadratic.yaml:5:8: steps: must be at least 0, not -1"
    ]
    Path("quadratic.yaml").write_text(text.replace("steps: -1", "steps: 1"))
    (line,) = problems("grid: {objective.condition_number: [1, 2]}")
    assert line.startswith(
        "quadratic.yaml:13:12: expect.1.check: `optimizers.adam.rums` does not exist; did you"
    )


def test_a_sweep_may_set_a_required_key_that_its_base_lacks() -> None:
    Path("quadratic.yaml").write_text(QUADRATIC.replace("steps: 10\n", ""))
    assert problems("grid: {objective.condition_number: [1, 2]}") == [
        "quadratic.yaml:1:1: steps: is required, but missing"
    ]
    assert problems("grid: {steps: [1, -2]}") == ["sweep.yaml:3:19: grid.steps.1: must be at least 0, not -2"]


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("absent.yaml", "absent.yaml: there is no such file"),
        ("'absent*.yaml'", "sweep.yaml:2:7: base: absent*.yaml matches no file"),
        ("[]", "sweep.yaml:2:7: base: needs at least one file"),
        ("sweep.yaml", "sweep.yaml:1:13: experiment: a sweep cannot be over another sweep"),
        ("plain.yaml",
         "plain.yaml:1:1: experiment: is required in a config to sweep over; allowed: "),
        ("other.yaml",
         "other.yaml:1:13: experiment: unknown experiment 'optimise'; did you mean 'optimize'? allowed: "),
        ("broken.yaml", "broken.yaml:1:8: expected ',' or ']'"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_base_is_a_problem(base: str, message: str) -> None:
    Path("plain.yaml").write_text("steps: 3\n")
    Path("other.yaml").write_text("experiment: optimise\n")
    Path("broken.yaml").write_text("a: [1, \n")
    (line,) = problems(f"experiment: sweep\nbase: {base}\n")
    assert line.startswith(message) or (base == "broken.yaml" and line.startswith("broken.yaml:"))


def test_bases_that_lack_a_key_are_named() -> None:
    (line,) = problems("experiment: sweep\nbase: [quadratic.yaml, deep.yaml]\ngrid: {steps: [1]}")
    assert line.startswith("sweep.yaml:3:8: grid.steps: unknown key 'steps'; did you mean 'seeds'? allowed: ")
    assert line.endswith("(in deep.yaml)")


def test_a_sweep_is_the_only_file() -> None:
    Path("s.yaml").write_text("experiment: sweep\nbase: deep.yaml\n")
    assert problems_of(["s.yaml", "deep.yaml"]) == [
        "s.yaml: a sweep must be the only file, but deep.yaml is given too"
    ]
    assert problems_of([]) == ["no config is given; name a sweep, or configs to sweep over"]
