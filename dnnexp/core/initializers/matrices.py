"""Initializers of a matrix as a whole: its entries are not drawn one by one, so that they make no biases."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.initializers.base import Initializer
from dnnexp.registry import Count, NonNegative, Positive, register


class MatrixInitializer(Initializer):
    """Base of these."""

    only_matrices: ClassVar[bool] = True
    has_independent_entries: ClassVar[bool] = False

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """A matrix `(n_out, n_in)`; another shape is a ValueError."""
        if len(shape) != 2:
            raise ValueError(f"{self.name} makes matrices (n_out, n_in), not values of shape {shape}")
        return self.matrix(generator, *shape)

    @abstractmethod
    def matrix(self, generator: np.random.Generator, rows: int, columns: int) -> Floats:
        """The matrix."""


@register("orthogonal")
@dataclass(frozen=True)
class Orthogonal(MatrixInitializer):
    """Orthogonal: gain · Q with orthonormal rows, or columns where n_out > n_in; every such Q equally likely.

    Its singular values are all equal to the gain. Where n_out ≥ n_in, |W x| = gain · |x| exactly, which
    normal weights of variance gain² / n_out have in the mean.

    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", ICLR 2014.
    """

    gain: Positive = 1.0

    def matrix(self, generator: np.random.Generator, rows: int, columns: int) -> Floats:
        """Q of the QR decomposition of a normal matrix, with signs that make the diagonal of R positive.

        Without them Q would depend on how the decomposition is computed, and not be evenly distributed.
        (Mezzadri, "How to generate random matrices from the classical compact groups", 2007.)
        """
        tall = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q *= self.gain * np.where(np.diag(r) < 0, -1.0, 1.0)
        return q if rows >= columns else q.T

    def entry_variance(self, fan_in: int, fan_out: int) -> float:
        """gain² / max(n_in, n_out): wide orthogonal layers have the variance maps of independent entries.

        Pennington, Schoenholz and Ganguli, "Resurrecting the sigmoid in deep learning through dynamical
        isometry: theory and practice", NIPS 2017.
        """
        return self.gain * self.gain / max(fan_in, fan_out)


@register("identity")
@dataclass(frozen=True)
class IdentityMatrix(MatrixInitializer):
    """Identity: gain on the diagonal, 0 elsewhere; units beyond the narrower side get or give nothing.

    Le, Jaitly and Hinton, "A simple way to initialize recurrent networks of rectified linear units", 2015.
    """

    gain: Positive = 1.0

    def matrix(self, generator: np.random.Generator, rows: int, columns: int) -> Floats:
        """gain · I, cut or filled up with zeros."""
        return self.gain * np.eye(rows, columns)


@register("sparse")
@dataclass(frozen=True)
class Sparse(MatrixInitializer):
    """Sparse: each unit gets `connections` weights from N(0, std²), at inputs drawn by lot; the others are 0.

    All inputs where there are no more of them. Unlike PyTorch's `sparse_`, which leaves out a share of each
    input's outputs.

    Martens, "Deep learning via Hessian-free optimization", ICML 2010, section 5: 15 connections; std 1 is
    that of Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
    """

    connections: Count = 15
    std: NonNegative = 1.0

    def matrix(self, generator: np.random.Generator, rows: int, columns: int) -> Floats:
        """Each row a shuffle of its weights and zeros."""
        connections = min(self.connections, columns)
        matrix = np.zeros((rows, columns))
        matrix[:, :connections] = self.std * generator.standard_normal((rows, connections))
        return generator.permuted(matrix, axis=1)
