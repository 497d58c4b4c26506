"""The two initializers of a layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.initializers.base import Initializer
from dnnexp.core.initializers.critical import Critical, critical_variances, critical_weights
from dnnexp.core.initializers.scaled import LeCun
from dnnexp.core.initializers.unscaled import Normal, Zeros
from dnnexp.registry import Checked, Problem, check, parts


@dataclass(frozen=True)
class LayerInitializer(Checked):
    """How the weights and the biases of every layer are drawn. A bare part means weights, zero biases."""

    shorthand: ClassVar[str] = "weights"
    weights: Initializer
    biases: Initializer = Zeros()

    @check("biases")
    @staticmethod
    def vectors(biases: Initializer) -> Iterator[Problem]:
        """Biases are not a matrix."""
        if biases.only_matrices:
            allowed = ", ".join(
                name
                for name, cls in parts(biases.kind).items()
                if not cls.only_matrices and not cls.needs_activation
            )
            yield ("biases",), f"{biases.name} makes weights only, no biases; allowed: {allowed}"

    @check("weights", "biases")
    @staticmethod
    def critical_together(weights: Initializer, biases: Initializer) -> Iterator[Problem]:
        """Critical biases go with critical weights of the same q*, and with no others; such weights, too."""
        if isinstance(biases, Critical) and biases.q_star is None:
            example = "weights and biases {name: critical, q_star: 1}"
            text = f"critical biases need a q_star, and critical weights with the same, as in {example}"
            yield ("biases",), text
        elif isinstance(biases, Critical) and weights != biases:
            text = f"critical biases need critical weights with the same q_star: {_written(biases)}"
            yield ("weights",), text
        elif isinstance(weights, Critical) and weights.q_star is not None and weights != biases:
            text = f"critical weights with a q_star need critical biases with the same: {_written(weights)}"
            yield ("biases",), text
        elif isinstance(weights, Critical) and weights.q_star is None and _variance_of(biases) is None:
            text = f"critical weights follow from the variance of biases with mean 0, not of {biases.name}"
            yield ("biases",), f"{text}; allowed: zeros, normal, and others with mean 0"

    def resolved(self, activation: Activation, fan_in: int, fan_out: int) -> LayerInitializer:
        """The same for that activation and layer, in parts that ask for no activation.

        Raises:
            ValueError: the activation has no such critical point.
        """
        if not isinstance(self.weights, Critical):
            return self
        q_star, biases = self.weights.q_star, self.biases
        if q_star is not None:
            sigma_w2, sigma_b2 = critical_variances(activation, q_star)
            biases = Normal(variance=sigma_b2)
        else:
            own = biases.entry_variance(fan_in, fan_out)
            if own is None:
                raise ValueError(f"critical needs a variance of the biases, which {biases.name} has not")
            sigma_w2 = critical_weights(activation, own)
        return LayerInitializer(LeCun(gain=math.sqrt(sigma_w2)), biases)

    def complaint(self, activation: Activation, fan_in: int, fan_out: int) -> str | None:
        """What is wrong with it for that activation and layer; None where nothing is."""
        try:
            self.resolved(activation, fan_in, fan_out)
        except ValueError as error:
            return str(error)
        return None

    def variances(self, activation: Activation, fan_in: int, fan_out: int) -> tuple[float, float] | None:
        """Mean-field theory's σ_w² = fan_in · Var w and σ_b² = Var b; None where it does not hold for both.

        Raises:
            ValueError: the activation has no such critical point.
        """
        plain = self.resolved(activation, fan_in, fan_out)
        of_weights = plain.weights.entry_variance(fan_in, fan_out)
        of_biases = plain.biases.entry_variance(fan_in, fan_out)
        if of_weights is None or of_biases is None:
            return None
        return fan_in * of_weights, of_biases

    def draw(
        self,
        weight_stream: np.random.Generator,
        bias_stream: np.random.Generator,
        activation: Activation,
        fan_in: int,
        fan_out: int,
        a: Floats | None = None,
    ) -> tuple[Floats, Floats]:
        """Weights `(n_out, n_in)` and biases `(n_out,)` of a layer with that activation and input `a`.

        `a` is `(batch, n_in)`; only weights that need data look at it.

        Raises:
            ValueError: the weights need data and there are none; the activation has no such critical point.
        """
        plain = self.resolved(activation, fan_in, fan_out)
        if plain.weights.needs_data and a is None:
            raise ValueError(f"{plain.weights.name} needs data: the layer's input")
        weights = plain.weights.draw(weight_stream, fan_in, fan_out, (fan_out, fan_in))
        biases = plain.biases.draw(bias_stream, fan_in, fan_out, (fan_out,))
        return (weights if a is None else plain.weights.fitted(weights, a)), biases


def _variance_of(biases: Initializer) -> float | None:
    """The variance in a layer of one unit; whether it exists does not depend on the fans."""
    return biases.entry_variance(1, 1)


def _written(part: Critical) -> str:
    return f"{{name: {part.name}, q_star: {part.q_star!r}}}"
