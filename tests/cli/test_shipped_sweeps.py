"""The ready sweeps, run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dnnexp.config.shipped import directory
from tests.config.reading import SWEEPS

Run = Callable[..., Any]


@pytest.mark.slow
@pytest.mark.parametrize("file", SWEEPS, ids=lambda file: file.stem)
def test_every_claim_of_a_shipped_sweep_holds(cli: Run, file: Path) -> None:
    # of the smoke sweep's configs, one has a fault injected, so that its verdict is no
    strict = ["--strict"] if file.stem != "smoke" else []
    ran = cli("sweep", file, *strict, "--json", "--no-plots", "-q")
    found = json.loads(ran.out)["expectations"]
    assert [(each["claim"], each["detail"]) for each in found if each["outcome"] != "holds"] == []
    assert ran.code == 0


def test_a_claim_about_momentum_holds_on_a_part_of_its_sweep(cli: Run) -> None:
    """The short form of the above: two condition numbers, one seed."""
    file = directory() / "sweep" / "optimizer_by_condition_number.yaml"
    edits = ("repeat=1", "exclude=[objective.condition_number > 50]", "steps=500")
    ran = cli("sweep", file, *edits, "--executor", "serial", "--strict", "--json", "--no-plots", "-q")
    assert [each["outcome"] for each in json.loads(ran.out)["expectations"]] == ["holds"] * 4
    assert ran.code == 0


@pytest.mark.parametrize("command", ["optimize", "activations"])
def test_a_run_command_says_what_a_sweep_is_for(cli: Run, command: str) -> None:
    file = directory() / "sweep" / "smoke.yaml"
    ran = cli(command, file)
    assert ran.code == 2
    assert (
        ran.err == f"{file}:2:13: experiment: this config is for another command: run `dnnexp sweep {file}`\n"
    )


def test_the_schema_of_sweeps(cli: Run) -> None:
    schema = json.loads(cli("schema", "sweep").out)
    assert {"base", "grid", "zip", "random", "list", "repeat"} < schema["properties"].keys()
    assert schema["required"] == ["base"]
