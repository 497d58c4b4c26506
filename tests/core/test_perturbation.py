import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from dnnexp.core import perturbation
from dnnexp.core.activations import Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.parameter_derivatives import (
    central_derivatives,
    central_fourth_derivatives,
    complex_derivatives,
    forward_derivatives,
)
from dnnexp.core.perturbation import Progress, block_size, least_memory, parameter_levels
from dnnexp.core.problem import Problem
from dnnexp.registry import find
from tests.core.problems import METHODS, by_central, by_complex, problem_of

STACKED: dict[str, Callable[..., Any]] = {
    "forward": forward_derivatives,
    "central": central_derivatives,
    "central, fourth order": central_fourth_derivatives,
    "complex": complex_derivatives,
}

# --- Memory ------------------------------------------------------------------------------------------------


def peak(work: Callable[[], Any]) -> float:
    """The MiB that it takes at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", STACKED.values(), ids=STACKED)
@pytest.mark.parametrize("name", ["relu", "mish"])
def test_a_stack_keeps_within_its_memory(
    method: Callable[..., Any], name: str, loss: Loss, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one thread; mish has the most temporaries. The results and the network add less than 1 MiB."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    memory = 4.0
    problem = problem_of((64, 64, 64), (find("activation", name)(),) * 2, loss, batch=8)
    assert memory / 8 < peak(partial(method, problem, memory=memory)) < memory + 1


@pytest.mark.parametrize("method", STACKED.values(), ids=STACKED)
@pytest.mark.parametrize("name", ["gelu", "softplus"])
def test_two_threads_keep_within_twice_the_memory(
    method: Callable[..., Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    problem = problem_of((64, 64, 64), (find("activation", name)(),) * 2, SquaredError(), batch=8)
    assert peak(partial(method, problem, memory=4.0)) < 2 * 4.0 + 1


def test_the_default_block() -> None:
    """2^18 numbers a layer: what caches like best."""
    problem = problem_of((64, 64), (Tanh(),), SquaredError(), batch=8)
    assert block_size(problem, perturbation.MEMORY_MIB) * 64 * 8 == 2**18


@pytest.mark.parametrize("method", STACKED.values(), ids=STACKED)
def test_one_network_is_taken_where_the_memory_is_too_small(method: Callable[..., Any]) -> None:
    problem = problem_of((3, 4, 2), (Tanh(), Tanh()), SquaredError())
    found, expected = (
        getattr(each, "value", each) for each in (method(problem, memory=1e-9), method(problem))
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_how_many_networks_are_stacked() -> None:
    """It follows from the memory and the widest layer, not from the machine."""
    problem = problem_of((3, 50, 2), (Tanh(), Tanh()), SquaredError(), batch=4)
    least = least_memory(problem.network, 4)
    assert least == 2 * least_memory(problem.network, 2)
    assert [block_size(problem, factor * least) for factor in (0.1, 1, 1.5, 7.5)] == [1, 1, 1, 7]


def test_the_layers_of_parameters() -> None:
    """W1 (2, 3), b1, W2 (1, 2), b2."""
    level, is_bias = parameter_levels(Network((3, 2, 1), (Tanh(), Tanh())), np.array([0, 5, 6, 7, 8, 10]))
    assert level.tolist() == [0, 0, 0, 0, 1, 1]
    assert is_bias.tolist() == [False, False, True, True, False, True]


# --- Blocks, progress, failures ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("networks", [1, 3, 50])
def test_the_size_of_blocks_is_of_no_consequence(
    method: Callable[[Problem], Floats], networks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the rounding of products of other shapes, which central differences magnify by 1 / h."""
    problem = problem_of((3, 5, 4, 2), (Sigmoid(), ReLU(), Tanh()), SquaredError())
    expected = method(problem)
    monkeypatch.setattr(perturbation, "block_size", lambda problem, memory: networks)
    np.testing.assert_allclose(
        method(problem), expected, rtol=0, atol=1e-9 if method is by_central else 1e-14
    )


@pytest.mark.parametrize("networks", [1, 3])
def test_masks_do_not_depend_on_the_size_of_blocks(networks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of((3, 5, 4, 2), (ReLU(), ReLU(), ReLU()), SquaredError())
    expected = central_derivatives(problem, 0.1).crossed
    monkeypatch.setattr(perturbation, "block_size", lambda problem, memory: networks)
    np.testing.assert_array_equal(central_derivatives(problem, 0.1)[1], expected)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("networks", [1, 3, 1000])
def test_progress_adds_up_to_the_parameters(
    method: Callable[[Problem, Progress], Floats], networks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perturbation, "block_size", lambda problem, memory: networks)
    problem = problem_of((3, 5, 4, 2), (Sigmoid(), ReLU(), Tanh()), SquaredError())
    counts: list[int] = []
    method(problem, counts.append)
    assert min(counts) > 0
    assert sum(counts) == problem.network.parameter_count
    if networks == 1:
        assert counts == [1] * problem.network.parameter_count


class CoreMeltdownError(Exception):
    """What goes wrong in these tests."""


@dataclass(frozen=True)
class Treacherous(Tanh):
    """Fails for every argument but a matrix: the unperturbed forward pass works, that of a block does not."""

    def f(self, z: Any) -> Any:
        if z.ndim != 2 or np.iscomplexobj(z):
            raise CoreMeltdownError
        return super().f(z)


@pytest.mark.parametrize("method", [by_central, by_complex])
def test_an_exception_in_a_block_is_raised(method: Callable[[Problem], Floats]) -> None:
    problem = problem_of((3, 5, 4, 2), (Sigmoid(), Treacherous(), Treacherous()), SquaredError())
    problem.signals()
    with pytest.raises(CoreMeltdownError):
        method(problem)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("error", [CoreMeltdownError, KeyboardInterrupt])
def test_an_interruption_stops_the_work(
    method: Callable[[Problem, Progress], Floats],
    error: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without waiting for the blocks that are still in the queue."""
    monkeypatch.setattr(perturbation, "block_size", lambda problem, memory: 1)
    problem = problem_of((30, 30, 30), (Sigmoid(), Tanh()), SquaredError(), batch=20)
    started: list[int] = []
    block = perturbation._block

    def counted(*arguments: Any) -> Any:
        started.append(1)
        return block(*arguments)

    def interrupt(done: int) -> None:
        raise error

    monkeypatch.setattr(perturbation, "_block", counted)
    with pytest.raises(error):
        method(problem, interrupt)
    assert len(started) < problem.network.parameter_count


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_overflow_is_a_result_and_no_warning(method: Callable[[Problem], Floats]) -> None:
    """In the threads, where the caller's `errstate` does not reach."""
    problem = problem_of((2, 3, 2), (Identity(), Identity()), SquaredError())
    problem = replace(problem, parameters=1e160 * problem.parameters)
    with np.errstate(all="ignore"):
        assert not np.isfinite(method(problem)).all()


def test_a_unit_at_a_kink_is_on_its_left() -> None:
    assert perturbation.crosses((0.0,), np.array([0.0, 0.0, -1.0]), np.array([1.0, -1.0, 0.0])).tolist() == [
        True,
        False,
        False,
    ]
