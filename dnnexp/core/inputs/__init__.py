"""Inputs of a network."""

from dnnexp.core.inputs.base import DrawnInput, Input
from dnnexp.core.inputs.distributions import NormalInput, UniformInput
from dnnexp.core.inputs.pairs import PairsInput
from dnnexp.core.inputs.rows import DataInput

__all__ = ["DataInput", "DrawnInput", "Input", "NormalInput", "PairsInput", "UniformInput"]
