"""Records what PyTorch and optax do, for `tests/core/test_recorded.py`, which needs neither.

Run from the top of the repository, in an environment of its own:

    pip install torch optax
    python -m tests.core.recorded.record

It writes, beside itself, `cases.json` (the versions, every case, and for how long its run is reproducible)
and `runs.npz` (points, gradients and states, under the label of the case).
"""

import json
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import torch

from tests.core.recorded import (
    factor_cases,
    optax_adam_cases,
    optax_cases,
    optax_runs,
    torch_cases,
    torch_runs,
)
from tests.core.recorded.problems import (
    CONDITION_NUMBER,
    KEPT_STEPS,
    PROBLEMS,
    SINGLE_STEPS,
    START,
    STEPS,
    Floats,
    Run,
    noise,
)

HERE = Path(__file__).parent
VERSIONS = {
    "torch": torch.__version__,
    "optax": optax.__version__,
    "jax": jax.__version__,
    "numpy": np.__version__,
    "python": platform.python_version(),
}
REPRODUCIBLE = 1e-10
"""How far apart two runs from neighbouring starts may be, relative to the largest coordinate of the point.

Beyond it, roundings decide. A coordinate that is small beside another is measured by the other: where they
are coupled, as in Rosenbrock's function or by a clipped norm, the roundings of the one get into the other.
"""
SMALLEST = np.finfo(np.float64).tiny / np.finfo(np.float64).eps
"""Below this the last digit is lost to underflow, and no number is reproducible relative to itself."""


def main() -> None:
    """Record everything."""
    disturbance = noise()
    arrays: dict[str, Any] = {"noise": disturbance, "start": START}
    cases = []
    for library, table, run in (
        ("torch", torch_cases.CASES, torch_runs.run),
        ("optax", optax_cases.CASES + optax_adam_cases.CASES, optax_runs.run),
    ):
        for case in table:
            entry = {"label": f"{library}-{case.label}", "call": case.shown, "part": case.part}
            entry["horizon"], found = recorded(run(case, disturbance))
            arrays |= {f"{entry['label']}/{name}": value for name, value in found.items()}
            cases.append(entry)
            print(entry["label"], entry["horizon"])
    document = {
        "versions": VERSIONS,
        "problems": PROBLEMS,
        "condition_number": CONDITION_NUMBER,
        "kept_steps": KEPT_STEPS,
        "single_steps": SINGLE_STEPS,
        "cases": cases,
        "factors": list(factors(arrays)),
    }
    (HERE / "cases.json").write_text(json.dumps(document, indent=1) + "\n")
    np.savez_compressed(HERE / "runs.npz", **arrays)


def neighbours(run: Callable[[Floats, Floats], Run]) -> Iterator[Floats]:
    """The points of runs that differ in roundings: once in that of the start, some times in all gradients'.

    A run may come back to the path of its neighbour, and other roundings may part them later: those of
    another program part them at any step. A gradient is as wrong as if its point were one digit away.
    """
    same = np.ones((STEPS, *START.shape))
    yield run(np.nextafter(START, np.inf), same).points
    for seed in range(4):
        side = np.random.default_rng(seed).choice([0.0, 2.0], same.shape)
        yield run(START, np.nextafter(same, side)).points


def recorded(run: Callable[[Floats, Floats], Run]) -> tuple[dict[str, int], dict[str, Floats]]:
    """For how many steps each problem's run is reproducible, and what is stored of it."""
    found = run(START, np.ones((STEPS, *START.shape)))
    assert np.isfinite(found.points).all()
    horizons = np.min([horizon(found.points, other) for other in neighbours(run)], axis=0)
    single = np.array(SINGLE_STEPS)
    stored = {"point": found.points[KEPT_STEPS], "gradient": found.gradients[single]}
    stored |= {f"state/{name}": values[single - 1] for name, values in found.states.items()}
    return dict(zip(PROBLEMS, horizons.tolist(), strict=True)), stored


def horizon(points: Floats, other: Floats) -> Any:
    """The last step up to which two runs stay together, for each column of points `(STEPS + 1, 3, 3)`."""
    apart = np.abs(points - other).max(axis=1) > REPRODUCIBLE * np.abs(points).max(axis=1) + SMALLEST
    return np.where(apart.any(axis=0), apart.argmax(axis=0) - 1, STEPS)


def factors(arrays: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is told of each recorded schedule; its factors go to the arrays."""
    for library, table, record in (
        ("torch", factor_cases.TORCH, torch_runs.factors),
        ("optax", factor_cases.OPTAX, optax_runs.factors),
    ):
        for case in table:
            label = f"{library}-{case.label}"
            arrays[f"{label}/factors"] = record(case, factor_cases.STEPS)
            yield {"label": label, "call": str(case.call), "part": case.part}


if __name__ == "__main__":
    main()
