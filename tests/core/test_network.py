from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import He, LayerInitializer, Zeros
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Layer, Network, affine, product
from dnnexp.core.problem import Problem

Problems: TypeAlias = Callable[[Loss], st.SearchStrategy[Problem]]
STEP = 1e-20


def assert_close(found: Any, expected: Any, tolerance: float) -> None:
    """Relative to the largest entry, and where all are 0 or nearly so, to the round-off of numbers near 1."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    bound = tolerance * max(np.abs(found).max(), np.abs(expected).max()) + 1e-14
    assert np.abs(found - expected).max() <= bound


def assert_tensors_close(network: Network, found: Floats, expected: Floats, tolerance: float) -> None:
    """Each of W1, b1, …, WL, bL relative to its own largest entry."""
    for layer, other in zip(network.layers(found), network.layers(expected), strict=True):
        assert_close(layer.weights, other.weights, tolerance)
        assert_close(layer.biases, other.biases, tolerance)


def seeded(problem: Problem) -> np.random.Generator:
    return np.random.default_rng(problem.network.parameter_count)


# --- Structure ---------------------------------------------------------------------------------------------


def test_parameters_are_weights_in_row_order_then_biases_layer_by_layer() -> None:
    network = Network((2, 3, 1), (Tanh(), Tanh()))
    assert network.depth == 2
    assert network.parameter_count == 3 * (2 + 1) + 1 * (3 + 1)
    first, second = network.layers(np.arange(13.0))
    assert first.weights.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert first.biases.tolist() == [6, 7, 8]
    assert second.weights.tolist() == [[9, 10, 11]]
    assert second.biases.tolist() == [12]


@pytest.mark.parametrize("order", ["C", "F"])
def test_layers_are_views(order: Any) -> None:
    network = Network((2, 3, 1), (Tanh(), Tanh()))
    for parameters in (np.zeros(13), np.zeros((13, 5), order=order)):
        for layer in network.layers(parameters):
            assert np.shares_memory(layer.weights, parameters)
            assert np.shares_memory(layer.biases, parameters)
            layer.weights[:] = 1
            layer.biases[:] = 2
        np.testing.assert_array_equal(
            parameters.T, np.broadcast_to([1] * 6 + [2] * 3 + [1] * 3 + [2], parameters.T.shape)
        )


def test_the_weights_of_a_fortran_ordered_stack_are_contiguous_run_by_run() -> None:
    stack = np.zeros((13, 5), order="F")
    for layer in Network((2, 3, 1), (Tanh(), Tanh())).layers(stack):
        assert layer.weights.shape[0] == 5
        assert all(layer.weights[run].flags.c_contiguous for run in range(5))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_layer_needs_an_activation(count: int) -> None:
    with pytest.raises(ValueError, match=f"2 layers .* {count} given"):
        Network((2, 3, 1), (Tanh(),) * count)


def test_weights_and_biases_are_drawn_from_their_own_streams_with_their_layer_s_fans() -> None:
    network = Network((20, 30, 10), (ReLU(), ReLU()))

    def draw(initializer: LayerInitializer) -> Any:
        return network.draw(initializer, np.random.default_rng(1), np.random.default_rng(2))

    drawn = draw(LayerInitializer(He(), He(gain=0.5)))
    weights, biases = np.random.default_rng(1), np.random.default_rng(2)
    for layer in network.layers(drawn):
        n_out, n_in = layer.weights.shape
        drawn_weights = np.sqrt(2 / n_in) * weights.standard_normal((n_out, n_in))
        drawn_biases = 0.5 / np.sqrt(n_in) * biases.standard_normal(n_out)
        np.testing.assert_allclose(layer.weights, drawn_weights, rtol=1e-15)
        np.testing.assert_allclose(layer.biases, drawn_biases, rtol=1e-15)
    # another initializer of the biases leaves the weights as they are
    for layer, other in zip(network.layers(drawn), network.layers(draw(LayerInitializer(He()))), strict=True):
        np.testing.assert_array_equal(layer.weights, other.weights)
        np.testing.assert_array_equal(other.biases, 0)


def test_zeros_draw_zeros() -> None:
    network = Network((3, 2), (Sigmoid(),))
    drawn = network.draw(LayerInitializer(Zeros()), np.random.default_rng(1), np.random.default_rng(2))
    np.testing.assert_array_equal(drawn, np.zeros(8))


# --- Products ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 3), (5, 4, 3), (2, 5, 4, 3)], ids=str)
@pytest.mark.parametrize("imaginary", [0, 1j])
def test_an_affine_map_against_loops(shape: tuple[int, ...], imaginary: complex) -> None:
    """z_i = Σ_j w_ij a_j + b_i, of real and of complex rows."""
    generator = np.random.default_rng(0)
    a = generator.standard_normal(shape) + imaginary * generator.standard_normal(shape)
    weights, biases = generator.standard_normal((2, 3)), generator.standard_normal(2)
    found = affine(a if imaginary else a.real, Layer(weights, biases))
    assert found.dtype == (np.complex128 if imaginary else np.float64)
    for place in np.ndindex(shape[:-1]):
        for i in range(2):
            expected = sum(weights[i, j] * a[place][j] for j in range(3)) + biases[i]
            assert found[place][i] == pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_a_product_of_many_small_matrices_is_each_product() -> None:
    generator = np.random.default_rng(0)
    a, matrix = generator.standard_normal((6, 5, 4, 3)), generator.standard_normal((3, 2))
    np.testing.assert_allclose(
        product(a, matrix), np.einsum("abij,jk->abik", a, matrix), rtol=1e-13, atol=1e-14
    )
    matrices = generator.standard_normal((5, 3, 2))
    np.testing.assert_allclose(
        product(a, matrices), np.einsum("abij,bjk->abik", a, matrices), rtol=1e-13, atol=1e-14
    )


# --- Forward and backward against their formulas -----------------------------------------------------------


@settings(max_examples=50)
@given(data=st.data())
def test_forward_against_loops(problems: Problems, loss: Loss, data: st.DataObject) -> None:
    """z_i^(l) = Σ_j w_ij^(l) a_j^(l-1) + b_i^(l), a^(l) = σ(z^(l)), number by number."""
    problem = data.draw(problems(loss))
    network = problem.network
    signals = network.forward(problem.parameters, problem.x)
    assert len(signals.pre) == network.depth
    assert len(signals.post) == network.depth + 1
    assert signals.output is signals.post[-1]
    for s, row in enumerate(problem.x):
        a = row.tolist()
        for level, (layer, activation) in enumerate(
            zip(network.layers(problem.parameters), network.activations, strict=True)
        ):
            z = [
                sum(w * value for w, value in zip(weights, a, strict=True)) + bias
                for weights, bias in zip(layer.weights.tolist(), layer.biases.tolist(), strict=True)
            ]
            assert_close(signals.pre[level][s], z, 1e-13)
            a = activation.f(np.array(z)).tolist()
            assert_close(signals.post[level + 1][s], a, 1e-13)


def test_one_layer_against_closed_forms(activation: Activation) -> None:
    """y_i = σ(z_i); ∂E/∂w_ij = Σ_s (y_i − t_i) σ'(z_i) x_j; ∂E/∂b_i = Σ_s (y_i − t_i) σ'(z_i);

    ∂E/∂x_j = Σ_i (y_i − t_i) σ'(z_i) w_ij; ∂y_i/∂x_j = σ'(z_i) w_ij.
    """
    network, generator = Network((3, 2), (activation,)), np.random.default_rng(0)
    parameters, x, t = (
        generator.standard_normal(8),
        generator.standard_normal((4, 3)),
        generator.standard_normal((4, 2)),
    )
    w, b = parameters[:6].reshape(2, 3), parameters[6:]
    signals = network.forward(parameters, x)
    gradient, by_input = network.backward(parameters, signals, SquaredError().gradient(signals.output, t))
    expected, jacobian = np.zeros(8), np.zeros((4, 2, 3))
    for s in range(4):
        pull = np.zeros(3)
        for i in range(2):
            z = np.array(sum(w[i, j] * x[s, j] for j in range(3)) + b[i])
            delta = (activation.f(z) - t[s, i]) * activation.df(z)
            for j in range(3):
                expected[3 * i + j] += delta * x[s, j]
                jacobian[s, i, j] = activation.df(z) * w[i, j]
                pull[j] += delta * w[i, j]
            expected[6 + i] += delta
        assert_close(by_input[s], pull, 1e-13)
    assert_close(gradient, expected, 1e-13)
    assert_close(network.gradient(parameters, x, t, SquaredError()), expected, 1e-13)
    assert_close(network.jacobian_forward(parameters, signals), jacobian, 1e-13)
    assert_close(network.jacobian_backward(parameters, signals), jacobian, 1e-13)


def test_two_linear_layers_by_hand() -> None:
    """y = w₂ (w₁ x + b₁) + b₂ with w₁ = 2, b₁ = 1, w₂ = 3, b₂ = −1, x = 5, t = 30: z₁ = 11, y = 32, δ = 2."""
    network, parameters = Network((1, 1, 1), (Identity(), Identity())), np.array([2.0, 1.0, 3.0, -1.0])
    x, t = np.array([[5.0]]), np.array([[30.0]])
    signals = network.forward(parameters, x)
    assert signals.output == 32
    gradient, by_input = network.backward(parameters, signals, signals.output - t)
    assert gradient.tolist() == [2 * 3 * 5, 2 * 3, 2 * 11, 2]
    assert by_input == 2 * 3 * 2


@settings(max_examples=50)
@given(data=st.data())
def test_backward_is_the_complex_step(problems: Problems, loss: Loss, data: st.DataObject) -> None:
    """Of every parameter: a stack of P networks, each with one parameter shifted by i h."""
    problem = data.draw(problems(loss))
    network, parameters = problem.network, problem.parameters
    shifted = np.asfortranarray(parameters[:, None] + 1j * STEP * np.eye(len(parameters)))
    expected = loss.value(network.forward(shifted, problem.x).output, problem.t).imag / STEP
    found = network.gradient(parameters, problem.x, problem.t, loss)
    assert_tensors_close(network, found, expected, 1e-10)
    columns = problem.x.shape[1]
    shift = 1j * STEP * np.eye(columns)[:, None, :]
    for s in range(len(problem.x)):
        x, t = problem.x[s : s + 1], problem.t[s : s + 1]
        expected = loss.value(network.forward(parameters, x + shift).output, t).imag / STEP
        signals = network.forward(parameters, x)
        _, by_input = network.backward(parameters, signals, loss.gradient(signals.output, t))
        assert_close(by_input[0], expected, 1e-10)


@settings(max_examples=50)
@given(data=st.data())
def test_backward_is_the_difference_quotient(problems: Problems, loss: Loss, data: st.DataObject) -> None:
    """Of every parameter, h = 1e-5, where no unit changes side of a kink on the way."""
    problem = data.draw(problems(loss))
    network, h = problem.network, 1e-5
    shift = np.asfortranarray(h * np.eye(network.parameter_count))
    here = network.forward(problem.parameters, problem.x)
    plus = network.forward(problem.parameters[:, None] + shift, problem.x)
    minus = network.forward(problem.parameters[:, None] - shift, problem.x)
    for activation, z, up, down in zip(network.activations, here.pre, plus.pre, minus.pre, strict=True):
        for kink in activation.kinks:
            assume((((z > kink) == (up > kink)) & ((z > kink) == (down > kink))).all())
    expected = loss.difference(plus.output, minus.output, problem.t) / (2 * h)
    found = network.gradient(problem.parameters, problem.x, problem.t, loss)
    for layer, other in zip(network.layers(found), network.layers(expected), strict=True):
        for tensor, quotient in zip(layer, other, strict=True):
            # truncation h² |f‴| / 6 and round-off ε |y| / h of the whole loss, beside the tensor's size
            bound = 1e-6 * max(np.abs(tensor).max(), 1e-2)
            assert np.abs(tensor - quotient).max() <= bound


# --- Forward mode ------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(data=st.data())
def test_forward_and_reverse_mode_are_adjoint(problems: Problems, loss: Loss, data: st.DataObject) -> None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩ for random directions of parameters and inputs, separately and together."""
    problem = data.draw(problems(loss))
    network, parameters, generator = problem.network, problem.parameters, seeded(problem)
    signals = network.forward(parameters, problem.x)
    v, x_dot = generator.standard_normal(parameters.shape), generator.standard_normal(problem.x.shape)
    u = generator.standard_normal(signals.output.shape)
    by_parameters, by_input = network.backward(parameters, signals, u)
    for tangents, expected in (
        ({"parameter_tangent": v}, by_parameters @ v),
        ({"input_tangent": x_dot}, (by_input * x_dot).sum()),
        ({"parameter_tangent": v, "input_tangent": x_dot}, by_parameters @ v + (by_input * x_dot).sum()),
        ({}, 0.0),
    ):
        y_dot = network.tangent(parameters, signals, **tangents)
        assert y_dot.shape == signals.output.shape
        size = np.abs(u * y_dot).sum() + np.abs(by_parameters * v).sum() + np.abs(by_input * x_dot).sum()
        assert abs((u * y_dot).sum() - expected) <= 1e-12 * size


@settings(max_examples=30)
@given(data=st.data())
def test_a_tangent_is_the_complex_step_along_it(problems: Problems, loss: Loss, data: st.DataObject) -> None:
    problem = data.draw(problems(loss))
    network, parameters, generator = problem.network, problem.parameters, seeded(problem)
    v, x_dot = generator.standard_normal(parameters.shape), generator.standard_normal(problem.x.shape)
    signals = network.forward(parameters, problem.x)
    shifted = network.forward(parameters + 1j * STEP * v, problem.x + 1j * STEP * x_dot)
    assert_close(network.tangent(parameters, signals, v, x_dot), shifted.output.imag / STEP, 1e-12)


@settings(max_examples=30)
@given(data=st.data(), directions=st.integers(1, 4))
def test_many_tangents_at_once_are_each_tangent(
    problems: Problems, loss: Loss, data: st.DataObject, directions: int
) -> None:
    problem = data.draw(problems(loss))
    network, parameters, generator = problem.network, problem.parameters, seeded(problem)
    signals = network.forward(parameters, problem.x)
    v = np.asfortranarray(generator.standard_normal((len(parameters), directions)))
    x_dot = generator.standard_normal((directions, *problem.x.shape))
    together = network.tangent(parameters, signals, v, x_dot)
    assert together.shape == (directions, *signals.output.shape)
    for k in range(directions):
        assert_close(together[k], network.tangent(parameters, signals, v[:, k], x_dot[k]), 1e-13)
        assert_close(
            network.tangent(parameters, signals, v)[k], network.tangent(parameters, signals, v[:, k]), 1e-13
        )


@settings(max_examples=50)
@given(data=st.data())
def test_the_input_jacobian_forward_backward_and_complex(
    problems: Problems, loss: Loss, data: st.DataObject
) -> None:
    problem = data.draw(problems(loss))
    network, parameters, x = problem.network, problem.parameters, problem.x
    signals = network.forward(parameters, x)
    forward, backward = (
        network.jacobian_forward(parameters, signals),
        network.jacobian_backward(parameters, signals),
    )
    assert forward.shape == (len(x), network.widths[-1], network.widths[0])
    assert_close(forward, backward, 1e-13)
    for j, direction in enumerate(np.eye(network.widths[0])):
        shifted = network.forward(parameters, x + 1j * STEP * direction)
        assert_close(forward[:, :, j], shifted.output.imag / STEP, 1e-10)
        tangent = network.tangent(parameters, signals, input_tangent=np.broadcast_to(direction, x.shape))
        assert_close(forward[:, :, j], tangent, 1e-13)


# --- Stacks ------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(data=st.data(), runs=st.integers(1, 4), shared=st.booleans(), order=st.sampled_from("FC"))
def test_a_stack_is_its_networks(
    problems: Problems, loss: Loss, data: st.DataObject, runs: int, shared: bool, order: Any
) -> None:
    """Forward, backward, both Jacobians, with one x for all or one each: to a few roundings."""
    problem = data.draw(problems(loss))
    network, generator = problem.network, seeded(problem)
    stack = np.array(generator.standard_normal((network.parameter_count, runs)), order=order)
    x = problem.x if shared else generator.standard_normal((runs, *problem.x.shape))
    signals = network.forward(stack, x)
    cotangent = loss.gradient(signals.output, problem.t)
    gradient, by_input = network.backward(stack, signals, cotangent)
    assert gradient.shape == stack.shape
    assert gradient.flags.f_contiguous
    jacobians = network.jacobian_forward(stack, signals), network.jacobian_backward(stack, signals)
    assert_close(network.gradient(stack, x, problem.t, loss), gradient, 0)
    for run in range(runs):
        parameters, own_x = stack[:, run].copy(), x if shared else x[run]
        alone = network.forward(parameters, own_x)
        for stacked, single in zip(signals.pre + signals.post[1:], alone.pre + alone.post[1:], strict=True):
            assert_close(stacked[run], single, 1e-14)
        by_parameters, by_own_input = network.backward(parameters, alone, cotangent[run])
        assert_tensors_close(network, gradient[:, run], by_parameters, 1e-14)
        assert_close(by_input[run], by_own_input, 1e-14)
        assert_close(jacobians[0][run], network.jacobian_forward(parameters, alone), 1e-14)
        assert_close(jacobians[1][run], network.jacobian_backward(parameters, alone), 1e-14)


def test_nothing_that_is_handed_in_changes(activation: Activation, loss: Loss) -> None:
    """An identity hands its argument on, so that writing to a signal would write to the input."""
    network, generator = Network((3, 3, 3), (activation, activation)), np.random.default_rng(0)
    arrays = parameters, x = generator.standard_normal(24), generator.standard_normal((4, 3))
    t = loss.example_targets(generator, 4, 3)
    for array in (*arrays, t):
        array.flags.writeable = False
    signals = network.forward(parameters, x)
    kept = [array.copy() for array in signals.pre + signals.post]
    network.backward(parameters, signals, loss.gradient(signals.output, t))
    network.jacobian_forward(parameters, signals)
    network.jacobian_backward(parameters, signals)
    network.tangent(parameters, signals, parameters, x)
    for array, old in zip(signals.pre + signals.post, kept, strict=True):
        np.testing.assert_array_equal(array, old)
