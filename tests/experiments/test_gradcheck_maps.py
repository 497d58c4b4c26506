"""Heat maps of the error: at the right place, of the right pair, blank where nothing is compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt, ratio, verdict
from dnnexp.experiments.gradcheck.config import Tolerances
from dnnexp.experiments.gradcheck.maps import MOST, block_of, error_maps, shown_pair

METHODS = ("backward", "forward", "central", "complex")


def tensor(shape: tuple[int, ...], *methods: str, name: str = "W1", **more: Any) -> Derivatives:
    """The same numbers from 1 to 2 by every method, with a bound of 1e-14."""
    value = 1 + np.random.default_rng(0).random(shape)
    by_method = {method: value.copy() for method in methods or METHODS}
    return Derivatives(name, by_method, np.full(shape, 1e-14), **more)


def maps(*tensors: Derivatives) -> dict[str, Any]:
    return error_maps([*tensors], verdict(Tolerances(), [*tensors]).metrics)


@pytest.mark.parametrize("shape", [(4, 3), (128, 128), (129, 300), (1000, 7), (300,), (2, 3, 200), (5, 1, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_a_single_wrong_entry_is_at_its_place(shape: tuple[int, ...], seed: int) -> None:
    one = tensor(shape)
    index = tuple(int(i) for i in np.random.default_rng(seed).integers(shape))
    one.by_method["backward"][index] += 0.5
    found = maps(one)
    row, column = index[-2:] if len(shape) > 1 else (index[0], 0)
    height, width = shape[-2:] if len(shape) > 1 else (shape[0], 1)
    place = row // block_of(height), column // block_of(width)
    largest = max(np.abs(one.by_method[method]).max() for method in METHODS)
    for key, expected in (("error_map.W1", 0.5 / largest), ("ratio_map.W1", 0.5 / 2e-14)):
        assert max(found[key].shape) <= MOST
        assert found[key].shape == (-(-height // block_of(height)), -(-width // block_of(width)))
        assert np.argwhere(found[key]).tolist() == [list(place)]
        assert found[key][place] == pytest.approx(expected, rel=1e-12)


def test_the_largest_of_a_map_is_that_of_the_metrics() -> None:
    one = tensor((200, 150))
    one.by_method["backward"][...] += 1e-3 * np.random.default_rng(1).standard_normal((200, 150))
    metrics = verdict(Tolerances(), [one]).metrics
    found = error_maps([one], metrics)
    (entry,) = [entry for entry in metrics["checks"] if entry["pair"] == "backward-complex"]
    assert found["error_map.W1"].max() == entry["max_rel_error"]
    assert found["ratio_map.W1"].max() == entry["bound_ratio"]


def test_what_is_not_compared_is_nan_and_does_not_hide_its_block() -> None:
    mask = np.ones((256, 256), bool)
    mask[:, 1::2] = False
    mask[10:12] = False
    one = tensor((256, 256), compared=mask)
    one.by_method["complex"][~mask] = np.nan
    one.by_method["backward"][101, 40] += 0.5
    for found in maps(one).values():
        assert np.argwhere(np.isnan(found)).tolist() == [[5, column] for column in range(128)]
        assert np.argwhere(found > 0).tolist() == [[50, 20]]


def test_doubtful_entries_of_either_method_are_nan() -> None:
    crossed, unsure = np.zeros((2, 2, 3), bool)
    crossed[0, 1] = unsure[1, 2] = True
    doubts = {"central": Doubt(crossed, unsure)}
    found = maps(tensor((2, 3), "backward", "central", doubts=doubts))
    assert np.isnan(found["error_map.W1"]).tolist() == (crossed | unsure).tolist()
    assert "ratio_map.W1" not in found, "central differences state no error"


def test_stated_errors_are_allowed() -> None:
    doubts = {"richardson": Doubt(error=np.full(3, 4e-14))}
    one = tensor((3,), "backward", "richardson", doubts=doubts)
    allowed = 2e-14 + 2 * 4e-14
    one.by_method["backward"][1] += 1e-3
    assert maps(one)["ratio_map.W1"][:, 0] == pytest.approx([0, 1e-3 / allowed, 0], rel=1e-9)


def test_what_is_not_finite_is_infinite_and_leaves_the_others_as_they_are() -> None:
    one = tensor((2, 2))
    one.by_method["backward"][0, 1] = np.nan
    one.by_method["backward"][1, 0] += 0.5
    found = maps(one)["error_map.W1"]
    assert found[0].tolist() == [0, np.inf]
    assert found[1, 0] == pytest.approx(0.5 / max(np.nanmax(one.by_method[m]) for m in METHODS))


def test_zeros_have_no_error() -> None:
    one = Derivatives("b1", {m: np.zeros(3) for m in METHODS}, np.zeros(3))
    found = error_maps([one], {"checks": entries(), "culprit": None})
    assert all((array == 0).all() for array in found.values())


def entries(*wrong: str, methods: tuple[str, ...] = METHODS, tensor: str = "b1") -> list[dict[str, Any]]:
    """Checks of all pairs; those named have errors, the first the largest."""
    pairs = [f"{a}-{b}" for i, a in enumerate(methods) for b in methods[i + 1 :]]
    return [
        {
            "tensor": tensor,
            "pair": pair,
            "passed": pair not in wrong,
            "unresolved": False,
            "compared": 1,
            "max_rel_error": 1.0 / (1 + wrong.index(pair)) if pair in wrong else 1e-16,
        }
        for pair in pairs
    ]


@pytest.mark.parametrize(
    ("culprit", "methods", "pair"),
    [
        (None, METHODS, ("backward", "complex")),
        ("backward", METHODS, ("backward", "complex")),
        ("complex", METHODS, ("complex", "forward")),
        ("forward", METHODS, ("forward", "complex")),
        (None, ("backward", "central", "richardson"), ("backward", "richardson")),
        (None, ("backward", "richardson"), ("backward", "richardson")),
        ("forward", ("backward", "richardson"), ("backward", "richardson")),
        ("backward", ("forward", "central"), ("forward", "central")),
        (None, ("analytic", "central", "richardson", "complex"), ("analytic", "complex")),
        (None, ("analytic", "central4", "richardson"), ("analytic", "richardson")),
        (None, ("forward", "complex"), ("complex", "forward")),
        (None, ("backward", "central4"), ("backward", "central4")),
    ],
)
def test_the_culprit_is_shown_against_the_most_trusted(
    culprit: str | None, methods: tuple[str, ...], pair: tuple[str, str]
) -> None:
    checks = entries(methods=methods) + entries(methods=METHODS, tensor="other")
    assert shown_pair("b1", {"checks": checks, "culprit": culprit}) == pair


def test_without_a_culprit_the_largest_error_is_shown() -> None:
    checks = entries("forward-central", "backward-complex")
    assert shown_pair("b1", {"checks": checks, "culprit": None}) == ("forward", "central")
    broken = next(entry for entry in checks if entry["pair"] == "backward-complex")
    broken["max_rel_error"] = None
    assert shown_pair("b1", {"checks": checks, "culprit": None}) == ("backward", "complex")
    broken["unresolved"] = True
    assert shown_pair("b1", {"checks": checks, "culprit": None}) == ("forward", "central")


def test_a_tensor_without_checks_has_no_map() -> None:
    assert shown_pair("W9", {"checks": entries(), "culprit": None}) is None
    assert error_maps([tensor((2,), "backward", name="W9")], {"checks": [], "culprit": None}) == {}


@pytest.mark.parametrize("exact", [None, 1e-9])
@pytest.mark.parametrize("error", [0.0, 1e-15, 1e-12, 1e-8, 1e-4, np.nan])
def test_a_check_is_wrong_where_its_ratio_exceeds_one(exact: float | None, error: float) -> None:
    tolerances = Tolerances(exact=exact)
    doubts = {"central": Doubt(), "richardson": Doubt(error=np.full(4, 1e-11))}
    one = tensor((4,), *METHODS, "richardson", doubts=doubts)
    one.by_method["backward"][2] += error
    for entry in verdict(tolerances, [one]).metrics["checks"]:
        assert (ratio(tolerances, entry) <= 1) == entry["passed"], entry["pair"]
