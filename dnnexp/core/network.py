"""Fully connected networks: forward, backward, tangents, input Jacobians.

The parameters of one network are a vector `(P,)`; those of a stack of `runs` networks are `(P, runs)`,
best in Fortran order, so that each network's are contiguous. Layer by layer they hold the weights
w^(l), `(n_l, n_{l-1})` in row order, then the biases b^(l). Activations of a batch are rows:
Z = A Wᵀ + b. For a stack, every array has a leading axis `runs`; an x without it is shared by all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats, Numbers
from dnnexp.core.initializers import LayerInitializer
from dnnexp.core.losses import Loss


class Layer(NamedTuple):
    """A layer's parameters: weights `(..., n_out, n_in)` and biases `(..., n_out)`."""

    weights: Any
    biases: Any


class Signals(NamedTuple):
    """The pre-activations and activations of a forward pass.

    `pre[l]` is z^(l+1) for l = 0 … L−1; `post[l]` is a^(l) for l = 0 … L, post[0] being x. Each is
    `(..., batch, width)`.
    """

    pre: list[Any]
    post: list[Any]

    @property
    def output(self) -> Any:
        """y = a^(L)."""
        return self.post[-1]


def affine(a: Numbers, layer: Layer) -> Any:
    """Z = A Wᵀ + b. With complex A and real weights, two real products replace a complex one."""
    transposed = layer.weights.swapaxes(-1, -2)
    if np.iscomplexobj(a) and not np.iscomplexobj(transposed):
        z = product(a.real, transposed).astype(np.complex128)
        z.imag = product(a.imag, transposed)
    else:
        z = product(a, transposed)
    z += layer.biases[..., None, :]
    return z


def product(a: Any, matrix: Any) -> Any:
    """A @ matrix; a stack of products with the same matrix becomes one large product."""
    if matrix.ndim == 2:
        return (a.reshape(-1, a.shape[-1]) @ matrix).reshape(*a.shape[:-1], matrix.shape[-1])
    return a @ matrix


class ChainRule:
    """Factors that the backward pass takes from layer `level` (from 0); faults override one of them."""

    def derivative(self, level: int, activation: Activation, z: Any, a: Any) -> Any:
        """σ'(z) of a layer with a = σ(z)."""
        return activation.df(z)

    def weights(self, level: int, weights: Any) -> Any:
        """The w of wᵀ δ, `(..., n_out, n_in)`."""
        return weights

    def incoming(self, level: int, a: Any) -> Any:
        """The a of ∂E/∂w = δ aᵀ, `(..., batch, n_in)`."""
        return a


CHAIN_RULE = ChainRule()


@dataclass(frozen=True)
class Network:
    """A fully connected network.

    Attributes:
        widths: n_0 … n_L, the input's first.
        activations: one for each of the L layers, the last one included.
    """

    widths: tuple[int, ...]
    activations: tuple[Activation, ...]

    def __post_init__(self) -> None:
        """Raise ValueError unless there is one activation a layer."""
        if len(self.activations) != len(self.widths) - 1:
            raise ValueError(
                f"{len(self.widths) - 1} layers need one activation each; {len(self.activations)} given"
            )

    @property
    def depth(self) -> int:
        """The number of layers L."""
        return len(self.activations)

    @property
    def parameter_count(self) -> int:
        """P = Σ n_l (n_{l-1} + 1)."""
        return sum(n_out * (n_in + 1) for n_in, n_out in pairwise(self.widths))

    def layers(self, parameters: Numbers) -> list[Layer]:
        """The parameters `(P,)` or `(P, runs)` as weights and biases: views, not copies."""
        rows, layers, start = parameters.T, [], 0
        for n_in, n_out in pairwise(self.widths):
            middle, end = start + n_out * n_in, start + n_out * (n_in + 1)
            weights = rows[..., start:middle].reshape(*rows.shape[:-1], n_out, n_in)
            layers.append(Layer(weights, rows[..., middle:end]))
            start = end
        return layers

    def draw(
        self,
        initializer: LayerInitializer,
        weight_stream: np.random.Generator,
        bias_stream: np.random.Generator,
        x: Floats | None = None,
    ) -> Numbers:
        """Parameters `(P,)` of one network, layer by layer from the two streams.

        Raises:
            ValueError: the weights need data and no x `(batch, n_0)` is given, or there are `complaints`.
        """
        parameters = np.empty(self.parameter_count)
        a: Any = x if initializer.weights.needs_data else None
        for layer, activation in zip(self.layers(parameters), self.activations, strict=True):
            fan_out, fan_in = layer.weights.shape
            layer.weights[:], layer.biases[:] = initializer.draw(
                weight_stream, bias_stream, activation, fan_in, fan_out, a
            )
            if a is not None:
                a = activation.f(affine(a, layer))
        return parameters

    def complaints(self, initializer: LayerInitializer) -> dict[Activation, str]:
        """Problems of an initializer: for each activation, that of the first layer concerned."""
        messages: dict[Activation, str] = {}
        for activation, (fan_in, fan_out) in zip(self.activations, pairwise(self.widths), strict=True):
            message = initializer.complaint(activation, fan_in, fan_out)
            if message and activation not in messages:
                messages[activation] = message
        return messages

    def forward(self, parameters: Numbers, x: Numbers) -> Signals:
        """z^(l) = w^(l) a^(l-1) + b^(l), a^(l) = σ(z^(l)), from x `(batch, n_0)`."""
        signals = Signals([], [x])
        for layer, activation in zip(self.layers(parameters), self.activations, strict=True):
            signals.pre.append(affine(signals.output, layer))
            signals.post.append(activation.f(signals.pre[-1]))
        return signals

    def derivatives(self, signals: Signals, rule: ChainRule = CHAIN_RULE) -> list[Any]:
        """σ'(z^(l)) of every layer: the diagonal of D^(l)."""
        layers = zip(self.activations, signals.pre, signals.post[1:], strict=True)
        return [rule.derivative(level, *layer) for level, layer in enumerate(layers)]

    def tangent(
        self,
        parameters: Numbers,
        signals: Signals,
        parameter_tangent: Numbers | None = None,
        input_tangent: Numbers | None = None,
    ) -> Any:
        """The tangent ẏ along a direction, in one pass (forward mode): ż = ẇ a + w ȧ + ḃ, ȧ = σ'(z) ⊙ ż.

        `parameter_tangent` is `(P,)`, or `(P, directions)` for several directions at once; the result is then
        `(directions, batch, n_L)`. A missing tangent counts as zero.
        """
        a_dot: Any = input_tangent
        directions: Sequence[Layer | None] = [None] * self.depth
        if parameter_tangent is not None:
            directions = self.layers(parameter_tangent)
        derivatives, layers = self.derivatives(signals), self.layers(parameters)
        steps = zip(layers, directions, signals.post[:-1], derivatives, strict=True)
        for layer, direction, a, derivative in steps:
            z_dot: Any = 0.0
            if a_dot is not None:
                z_dot = product(a_dot, layer.weights.swapaxes(-1, -2))
            if direction is not None:
                z_dot = z_dot + affine(a, direction)
            a_dot = derivative * z_dot
        return a_dot

    def backward(
        self,
        parameters: Numbers,
        signals: Signals,
        cotangent: Numbers,
        to_input: bool = True,
        rule: ChainRule = CHAIN_RULE,
    ) -> tuple[Numbers, Any]:
        """The gradient for a cotangent ∂E/∂y, in one backward pass (reverse mode), summed over the batch.

        δ^(L) = ∂E/∂y ⊙ σ'(z^(L)); δ^(l) = σ'(z^(l)) ⊙ (w^(l+1))ᵀ δ^(l+1); ∂E/∂w^(l) = δ^(l) (a^(l-1))ᵀ;
        ∂E/∂b^(l) = δ^(l).

        Returns:
            ∂E/∂parameters in the parameters' shape, and the cotangent of x, ∂E/∂x, `(..., batch, n_0)`;
            None for the latter without `to_input`.
        """
        gradient = np.empty_like(parameters, order="F")
        gradients, layers = self.layers(gradient), self.layers(parameters)
        derivatives = self.derivatives(signals, rule)
        for level in reversed(range(self.depth)):
            delta = cotangent * derivatives[level]
            incoming = rule.incoming(level, signals.post[level])
            np.matmul(delta.swapaxes(-1, -2), incoming, out=gradients[level].weights)
            np.sum(delta, axis=-2, out=gradients[level].biases)
            if level or to_input:
                cotangent = delta @ rule.weights(level, layers[level].weights)
        return gradient, cotangent if to_input else None

    def gradient(self, parameters: Numbers, x: Numbers, t: Numbers, loss: Loss) -> Numbers:
        """∂E/∂parameters of a loss, by one forward and one backward pass: the parameters' shape."""
        signals = self.forward(parameters, x)
        return self.backward(parameters, signals, loss.gradient(signals.output, t), to_input=False)[0]

    def jacobian_forward(self, parameters: Numbers, signals: Signals) -> Any:
        """∂y/∂x = D^(L) w^(L) ⋯ D^(1) w^(1), multiplied from the input on: `(..., batch, n_L, n_0)`."""
        jacobian: Any = np.eye(self.widths[0])
        for layer, derivative in zip(self.layers(parameters), self.derivatives(signals), strict=True):
            jacobian = derivative[..., None] * (layer.weights[..., None, :, :] @ jacobian)
        return jacobian

    def jacobian_backward(self, parameters: Numbers, signals: Signals, rule: ChainRule = CHAIN_RULE) -> Any:
        """∂y/∂x, multiplied from the output to the input: `(..., batch, n_L, n_0)`."""
        jacobian: Any = np.eye(self.widths[-1])
        layers, derivatives = self.layers(parameters), self.derivatives(signals, rule)
        for level in reversed(range(self.depth)):
            weights = rule.weights(level, layers[level].weights)
            jacobian = (jacobian * derivatives[level][..., None, :]) @ weights[..., None, :, :]
        return jacobian
