"""optimize, activations, gradcheck: what they print, what they leave, how they end."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dnnexp import experiments
from dnnexp.config import dialect
from dnnexp.config.schema import read
from dnnexp.registry import plain

Run = Callable[..., Any]

TINY = {
    "optimize": """\
starts: {points: [[1, 2], [3, 4]]}
steps: 12
optimizers: [adam, {name: momentum, learning_rate: 0.01}]
""",
    "activations": """\
network: {layers: [3, 4, 2]}
input: {name: normal, samples: 20}
activations: [relu]
initializers: [he]
""",
    "gradcheck": """\
network: {layers: [3, 4, 2], activation: tanh}
batch: 2
step_sweep: {per_decade: 1, directions: 2}
""",
}
EXPERIMENTS = pytest.mark.parametrize("experiment", experiments.names())
ALWAYS = {"config.yaml", "run.json", "metrics.json", "arrays.npz", "summary.txt"}
PLOTS = {
    "optimize": {"convergence.png", "trajectories.png"},
    "activations": {
        "relu.he.png",
        "overview.png",
        "forward.png",
        "backward.png",
        "phase_diagram.png",
        "correlation_map.png",
    },
    "gradcheck": {"errors.png", "tensors.png", "agreement.png"},
}


@pytest.fixture
def tiny(tmp_path: Path) -> dict[str, Path]:
    """A small config for every command."""
    for experiment, text in TINY.items():
        (tmp_path / f"tiny_{experiment}.yaml").write_text(text)
    return {experiment: Path(f"tiny_{experiment}.yaml") for experiment in TINY}


def folders() -> list[str]:
    """The run folders in outputs."""
    output = Path("outputs")
    return sorted(p.name for p in output.iterdir() if p.name != "latest") if output.exists() else []


def document(folder: Path, name: str = "metrics.json") -> Any:
    return json.loads((folder / name).read_text())


# What a run leaves


@EXPERIMENTS
def test_without_a_config_the_reference_runs_in_an_empty_folder(cli: Run, experiment: str) -> None:
    ran = cli(experiment, "--smoke", "--no-plots")
    assert ran.code == 0
    assert re.fullmatch(rf"outputs/\d{{8}}T\d{{6}}Z-{experiment}-reference\n", ran.out)
    assert os.listdir() == ["outputs"]
    assert set(os.listdir(ran.folder)) == ALWAYS
    outcomes = {entry["outcome"] for entry in document(ran.folder)["expectations"]}
    assert outcomes == {"skipped"}
    assert "skipped" in ran.err


@EXPERIMENTS
def test_the_folder_holds_what_the_design_lists(cli: Run, tiny: dict[str, Path], experiment: str) -> None:
    ran = cli(experiment, tiny[experiment])
    assert ran.code == 0
    assert set(os.listdir(ran.folder)) == ALWAYS | PLOTS[experiment]
    for name in PLOTS[experiment]:
        assert (ran.folder / name).read_bytes().startswith(b"\x89PNG\r\n")
    metrics = document(ran.folder)
    assert list(metrics) == ["schema_version", "experiment", "name", "seed", "metrics", "expectations"]
    assert (metrics["schema_version"], metrics["experiment"]) == (1, experiment)
    assert metrics["name"] == f"tiny_{experiment}"
    with np.load(ran.folder / "arrays.npz", allow_pickle=False) as arrays:
        assert len(arrays) > 0
    assert os.readlink("outputs/latest") == ran.folder.name


@EXPERIMENTS
def test_no_plots_leaves_out_the_png_alone(cli: Run, tiny: dict[str, Path], experiment: str) -> None:
    ran = cli(experiment, tiny[experiment], "--no-plots", "-q")
    assert set(os.listdir(ran.folder)) == ALWAYS


def test_the_record_of_a_run(cli: Run, tiny: dict[str, Path]) -> None:
    folder = cli("optimize", tiny["optimize"], "steps=3", "-q").folder
    record = document(folder, "run.json")
    assert record["status"] == "complete"
    assert record["command"] == ["dnnexp", "optimize", "tiny_optimize.yaml", "steps=3", "-q"]
    assert record["start"] <= record["end"]
    assert set(record["durations"]) == {"run", "plots", "stages"}
    assert all(seconds >= 0 for seconds in record["durations"]["stages"].values())
    assert {"versions", "git", "platform", "blas", "plugins"} <= set(record)
    assert record["blas"]["threads"]["OMP_NUM_THREADS"] == "1"


def test_the_keys_of_the_arrays_of_optimize(cli: Run, tiny: dict[str, Path]) -> None:
    folder = cli("optimize", tiny["optimize"], "--no-plots").folder
    with np.load(folder / "arrays.npz") as arrays:
        shapes = {name: arrays[name].shape for name in arrays if not name.startswith("_")}
        assert arrays["evaluations"].tolist() == list(range(13))
        np.testing.assert_array_equal(arrays["start"], [[1, 3], [2, 4]])
    expected: dict[str, tuple[int, ...]] = {"evaluations": (13,), "start": (2, 2)}
    for label in ("adam", "momentum"):
        expected |= {f"{label}.value": (13, 2), f"{label}.final": (2, 2)}
        expected |= {f"{label}.diverged_step": (2,), f"{label}.point": (13, 2, 2)}
        expected |= {f"{label}.reached_step": (3, 2), f"{label}.theory": (13,)}
    assert shapes == expected


# Determinism


@EXPERIMENTS
def test_the_same_config_gives_the_same_metrics_to_the_byte(
    cli: Run, tiny: dict[str, Path], experiment: str
) -> None:
    first = cli(experiment, tiny[experiment], "--no-plots", "seed=7").folder
    again = cli(experiment, tiny[experiment], "--no-plots", "--seed", "7").folder
    rerun = cli(experiment, first / "config.yaml", "--no-plots").folder
    other = cli(experiment, tiny[experiment], "--no-plots", "--seed", "8").folder
    wanted = (first / "metrics.json").read_bytes()
    assert (again / "metrics.json").read_bytes() == wanted
    assert (rerun / "metrics.json").read_bytes() == wanted
    assert (rerun / "config.yaml").read_bytes() == (first / "config.yaml").read_bytes()
    assert (other / "metrics.json").read_bytes() != wanted


def test_another_process_gives_the_same_metrics_to_the_byte(cli: Run, tiny: dict[str, Path]) -> None:
    arguments = ["starts.uniform={low: -1, high: 1, count: 5}", "--no-plots", "-q"]
    here = cli("optimize", tiny["optimize"], *arguments).folder
    script = str(Path(sys.executable).with_name("dnnexp"))
    command = [script, "optimize", str(tiny["optimize"]), *arguments, "-o", "elsewhere"]
    environment = os.environ | {"PYTHONHASHSEED": "5"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (ran.returncode, ran.stderr) == (0, "")
    there = Path(ran.stdout.strip())
    assert there.parent == Path("elsewhere")
    assert (there / "metrics.json").read_bytes() == (here / "metrics.json").read_bytes()


@EXPERIMENTS
def test_the_written_config_is_the_resolved_one(cli: Run, tiny: dict[str, Path], experiment: str) -> None:
    folder = cli(experiment, tiny[experiment], "--name", "other", "--seed", "9", "--no-plots").folder
    tree = dialect.parse((folder / "config.yaml").read_bytes()).value
    config, errors = read(experiments.find(experiment).config_class, tree)
    assert errors == []
    assert plain(config) == tree
    assert (tree["experiment"], tree["name"], tree["seed"]) == (experiment, "other", 9)
    assert folder.name.endswith(f"-{experiment}-other")
    metrics = document(folder)
    assert (metrics["name"], metrics["seed"]) == ("other", 9)


# What a run prints


@EXPERIMENTS
def test_stdout_has_the_folder_and_stderr_the_rest(cli: Run, tiny: dict[str, Path], experiment: str) -> None:
    ran = cli(experiment, tiny[experiment], "--no-plots")
    assert ran.out == f"outputs/{folders()[0]}\n"
    assert f"tiny_{experiment}" in ran.err
    kept = (ran.folder / "summary.txt").read_text()
    dashes = str.maketrans("", "", "─")  # as long as the lines, which may be wrapped elsewhere
    assert ran.err.translate(dashes).split() == kept.translate(dashes).split()
    assert "\x1b" not in ran.err


@EXPERIMENTS
def test_json_is_one_compact_line_a_run(cli: Run, tiny: dict[str, Path], experiment: str) -> None:
    ran = cli(experiment, tiny[experiment], tiny[experiment], "--json", "-q", "--no-plots")
    first, second = ran.out.splitlines()
    assert first == second
    assert json.loads(first) == document(Path("outputs") / folders()[0])
    assert first == json.dumps(json.loads(first), separators=(",", ":"))
    assert ran.err == ""


@EXPERIMENTS
def test_quiet_says_nothing_but_the_folder(cli: Run, tiny: dict[str, Path], experiment: str) -> None:
    ran = cli(experiment, tiny[experiment], "-q", "--no-plots")
    assert (ran.code, ran.err) == (0, "")
    assert ran.folder.is_dir()
    assert (ran.folder / "summary.txt").read_text()


def test_the_output_folder_can_be_chosen(cli: Run, tiny: dict[str, Path], tmp_path: Path) -> None:
    ran = cli("optimize", tiny["optimize"], "--no-plots", "-q", "-o", "a/b")
    assert ran.folder.parent == Path("a/b")
    assert os.readlink("a/b/latest") == ran.folder.name
    absolute = cli("optimize", tiny["optimize"], "--no-plots", "-q", "--output-dir", tmp_path / "c")
    assert absolute.folder.parent == tmp_path / "c"
    assert not Path("outputs").exists()


def test_a_latest_that_is_a_folder_costs_a_message_only(cli: Run, tiny: dict[str, Path]) -> None:
    Path("outputs/latest").mkdir(parents=True)
    ran = cli("optimize", tiny["optimize"], "--no-plots", "-q")
    assert ran.code == 0
    assert ran.err == "dnnexp: outputs/latest: cannot be written: it exists and is not a link\n"
    assert (ran.folder / "metrics.json").exists()


def test_the_trace_has_a_line_every_n_steps_and_the_last(cli: Run, tiny: dict[str, Path]) -> None:
    ran = cli("optimize", tiny["optimize"], "--no-plots", "-q", "--trace", "5")
    lines = ran.err.splitlines()
    number = r"-?\d+(\.\d+)?(e-?\d+)?"
    for label in ("adam", "momentum"):
        traced = [line for line in lines if line.startswith(f"{label}: ")]
        pattern = rf"{label}: step (\d+), x = \(({number}), ({number})\), f = ({number})"
        found = [re.fullmatch(pattern, line) for line in traced]
        assert all(found)
        assert [int(each[1]) for each in found if each] == [0, 5, 10, 12]
    assert len(lines) == 8
    assert "adam: step 0, x = (1, 2), f = 4.05" in lines
    final = document(ran.folder)["metrics"]["optimizers"]["momentum"]["best"]
    last = next(line for line in lines if line.startswith("momentum: step 12"))
    assert last.endswith(f"f = {final['value']:.10g}")


# --dry-run


@EXPERIMENTS
def test_a_dry_run_writes_nothing_and_shows_the_config(
    cli: Run, tiny: dict[str, Path], experiment: str
) -> None:
    before = sorted(os.listdir())
    ran = cli(experiment, tiny[experiment], "--dry-run", "seed=4")
    assert sorted(os.listdir()) == before
    assert (ran.code, ran.err) == (0, "")
    head, _, text = ran.out.partition("\n")
    assert re.fullmatch(r"--- # .*\d.*", head)
    Path("shown.yaml").write_text(ran.out)
    again = cli(experiment, "shown.yaml", "--dry-run")
    assert again.out == ran.out
    folder = cli(experiment, tiny[experiment], "seed=4", "--no-plots", "-q").folder
    assert (folder / "config.yaml").read_text() == text


@EXPERIMENTS
def test_a_dry_run_as_json(cli: Run, experiment: str) -> None:
    ran = cli(experiment, "--dry-run", "--json")
    (line,) = ran.out.splitlines()
    found = json.loads(line)
    assert set(found) == {"config", "estimate"}
    config, errors = read(experiments.find(experiment).config_class, found["config"])
    assert errors == []
    assert plain(config) == found["config"]
    assert os.listdir() == []


def test_a_dry_run_of_a_smoke_run_shows_what_would_run(cli: Run) -> None:
    steps = [
        dialect.parse(cli("optimize", "--dry-run", *more).out).value["steps"] for more in ([], ["--smoke"])
    ]
    assert steps[0] == 20000
    assert steps[1] < 1000


# Expectations and --strict

HOLDS = "{claim: holds, check: optimizers.adam.runs == 2}"
FAILS = "{claim: fails, check: optimizers.adam.runs == 3}"
UNKNOWN = "{claim: unknown, check: 'optimizers.adam.targets[\"1e-06\"].evaluations.median > 1'}"


@pytest.mark.parametrize(
    ("expected", "options", "outcomes", "code"),
    [
        ([HOLDS], ["--strict"], ["holds"], 0),
        ([HOLDS, FAILS], [], ["holds", "fails"], 0),
        ([HOLDS, FAILS], ["--strict"], ["holds", "fails"], 1),
        ([UNKNOWN], [], ["not_evaluable"], 0),
        ([UNKNOWN], ["--strict"], ["not_evaluable"], 1),
        ([FAILS, UNKNOWN], ["--strict", "--smoke"], ["skipped", "skipped"], 0),
    ],
)
def test_strict_turns_unmet_expectations_into_exit_code_1(
    cli: Run, tiny: dict[str, Path], expected: list[str], options: list[str], outcomes: list[str], code: int
) -> None:
    ran = cli("optimize", tiny["optimize"], f"expect=[{', '.join(expected)}]", "--no-plots", *options)
    assert ran.code == code
    found = document(ran.folder)["expectations"]
    assert [entry["outcome"] for entry in found] == outcomes
    assert all(set(entry) == {"claim", "check", "outcome", "detail"} for entry in found)
    assert all(outcome.replace("_", " ") in ran.err for outcome in outcomes)
    assert document(ran.folder, "run.json")["status"] == "complete"


def test_an_outcome_comes_with_the_values_that_decided_it(cli: Run, tiny: dict[str, Path]) -> None:
    ran = cli("optimize", tiny["optimize"], f"expect=[{FAILS}]", "--no-plots")
    assert document(ran.folder)["expectations"][0]["detail"] == "optimizers.adam.runs = 2"
    assert "optimizers.adam.runs = 2" in ran.err


def test_a_claim_is_shown_as_it_stands(cli: Run, tiny: dict[str, Path]) -> None:
    claim = "[red]x[/red] :smile: [/] \\[b]"
    ran = cli("optimize", tiny["optimize"], f"+expect={{claim: '{claim}', check: 'True'}}", "--no-plots")
    assert claim in ran.err
    assert claim in (ran.folder / "summary.txt").read_text()


# Several configs


def test_several_configs_run_in_order_each_into_its_own_folder(cli: Run, tiny: dict[str, Path]) -> None:
    for name in ("b", "a", "c"):
        Path(f"{name}.yaml").write_text(TINY["optimize"])
    ran = cli("optimize", "b.yaml", "a.yaml", "seed=5", "c.yaml", "a.yaml", "--no-plots", "-q")
    assert ran.code == 0
    paths = [Path(line) for line in ran.out.splitlines()]
    assert len(set(paths)) == 4
    assert [document(path)["name"] for path in paths] == ["b", "a", "c", "a"]
    assert {document(path)["seed"] for path in paths} == {5}
    assert os.readlink("outputs/latest") == paths[-1].name


def test_an_invalid_config_stops_no_other(cli: Run, tiny: dict[str, Path]) -> None:
    Path("bad.yaml").write_text("steps: -1\n")
    ran = cli("optimize", "bad.yaml", tiny["optimize"], "nowhere.yaml", "--no-plots", "-q")
    assert ran.code == 2
    assert ran.folder.name == folders()[0]
    assert "bad.yaml:1:8: steps: must be at least 0, not -1" in ran.err
    assert "nowhere.yaml: there is no such file" in ran.err
    assert len(folders()) == 1


def test_all_configs_are_validated_before_one_runs(
    cli: Run, tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dnnexp.cli import execute

    said = []

    def run(*arguments: object) -> execute.RunOutcome:
        said.append("run")
        return execute.RunOutcome(0)

    monkeypatch.setattr(execute, "execute", run)
    monkeypatch.setattr("click.echo", lambda text, **options: said.append(text))
    cli("optimize", tiny["optimize"], "nowhere.yaml")
    errors = "dnnexp: 1 of 2 configs not run; see the errors above"
    assert said == ["nowhere.yaml: there is no such file", "run", errors]


@pytest.mark.parametrize(("codes", "code"), [((0, 1, 0), 1), ((3, 1, 0), 3), ((0, 0, 0), 0)])
def test_the_highest_exit_code_is_returned(
    cli: Run, tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...], code: int
) -> None:
    from dnnexp.cli import execute

    left = iter(codes)
    monkeypatch.setattr(execute, "execute", lambda *run: execute.RunOutcome(next(left)))
    assert cli("optimize", *[tiny["optimize"]] * 3).code == code
    left = iter(codes)
    assert cli("optimize", *[tiny["optimize"]] * 3, "nowhere.yaml").code == max(code, 2)


# Colours


def test_colours_are_forced_without_bars_where_there_is_no_terminal(
    cli: Run, tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FORCE_COLOR used to write the bars' cursor movements into a log."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    ran = cli("optimize", tiny["optimize"], f"expect=[{HOLDS}]", "--no-plots")
    assert "\x1b[32mholds" in ran.err
    assert "\x1b[?25l" not in ran.err
    assert "\x1b[2K" not in ran.err
    assert "\x1b" not in ran.out
    assert "\x1b" not in (ran.folder / "summary.txt").read_text()


def test_no_color_wins(cli: Run, tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    ran = cli("optimize", tiny["optimize"], f"expect=[{HOLDS}]", "--no-plots")
    assert "holds" in ran.err
    assert not re.search(r"\x1b\[(3|9)\d", ran.err)
