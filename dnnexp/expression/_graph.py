"""Formulas as graphs: repeated terms are one node, and constant terms are numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from dnnexp.expression._operations import OPERATIONS


@dataclass(frozen=True, eq=False)
class Node:
    """An operation on other nodes, a variable, or a constant; arithmetic on it makes nodes of its graph."""

    graph: "Graph" = field(repr=False)
    place: int  # order of creation: operands come first
    operation: str = ""
    operands: tuple["Node", ...] = ()
    number: float | None = None  # of a constant
    variable: int | None = None  # the index of a variable

    def apply(self, operation: str, *operands: "Operand") -> "Node":
        """An operation, here on any nodes of the graph."""
        return self.graph.apply(operation, *operands)

    def __neg__(self) -> "Node":
        return self.apply("negative", self)

    def __add__(self, other: "Operand") -> "Node":
        if isinstance(other, Node) and other.operation == "negative":
            return self - other.operands[0]
        return self.apply("add", self, other)

    def __radd__(self, other: float) -> "Node":
        return self.apply("add", other, self)

    def __sub__(self, other: "Operand") -> "Node":
        return self.apply("subtract", self, other)

    def __rsub__(self, other: float) -> "Node":
        return self.apply("subtract", other, self)

    def __mul__(self, other: "Operand") -> "Node":
        return self.graph.product(self, self.graph.node(other))

    def __rmul__(self, other: float) -> "Node":
        return self.graph.product(self.graph.node(other), self)

    def __truediv__(self, other: "Operand") -> "Node":
        return self.apply("divide", self, other)

    def __rtruediv__(self, other: float) -> "Node":
        return self.apply("divide", other, self)

    def __pow__(self, exponent: "Operand") -> "Node":
        return self.graph.power(self, self.graph.node(exponent))


Operand: TypeAlias = Node | float
Slopes: TypeAlias = Mapping[int, Node]
"""The tangents of a node, by the index of the variable; none by variables that it does not depend on."""


class Graph:
    """Makes nodes, each once."""

    def __init__(self) -> None:
        self._nodes: dict[object, Node] = {}

    def node(self, operand: Operand) -> Node:
        """The operand itself, or the constant."""
        if isinstance(operand, Node):
            return operand
        number = float(operand)  # its text tells 0.0 from -0.0
        return self._kept(("number", repr(number)), Node(self, len(self._nodes), number=number))

    def variable(self, index: int) -> Node:
        """A coordinate of the point."""
        return self._kept(("variable", index), Node(self, len(self._nodes), variable=index))

    def apply(self, operation: str, *operands: Operand) -> Node:
        """An operation; the number that comes of it where all operands are constants."""
        nodes = tuple(map(self.node, operands))
        numbers = [node.number for node in nodes if node.number is not None]
        if len(numbers) == len(nodes):
            with np.errstate(all="ignore"):
                return self.node(float(OPERATIONS[operation].of(np)(*map(np.float64, numbers))))
        key = (operation, *(node.place for node in nodes))
        return self._kept(key, Node(self, len(self._nodes), operation, nodes))

    def product(self, left: Node, right: Node) -> Node:
        """Left · right, without the factors 1 and −1 that derivatives are full of."""
        for one, other in ((left, right), (right, left)):
            if one.number is not None and abs(one.number) == 1:
                return other if one.number > 0 else -other
        return self.apply("multiply", left, right)

    def power(self, base: Node, exponent: Node) -> Node:
        """Base ** exponent; for the usual constants without the general power, which is slow."""
        if base.number is None:
            match exponent.number:
                case 0:
                    return self.node(1.0)
                case 1:
                    return base
                case -1:
                    return 1.0 / base
                case 2:
                    return self.apply("square", base)
                case 3:
                    return self.apply("cube", base)
                case 0.5:
                    return self.apply("sqrt", base)
        elif base.number == math.e:  # Euler's number, not the double next to it
            return self.apply("exp", exponent)
        return self.apply("power", base, exponent)

    def slopes(self, result: Node) -> Slopes:
        """The derivatives of a node by all variables, in forward mode: from the operands on."""
        found: dict[int, Slopes] = {}
        for node in ordered([result]):
            found[node.place] = {} if node.variable is None else {node.variable: self.node(1.0)}
            if node.operation:
                found[node.place] = _combined(node, found)
        return found[result.place]

    def _kept(self, key: object, new: Node) -> Node:
        return self._nodes.setdefault(key, new)


def _combined(node: Node, found: Mapping[int, Slopes]) -> Slopes:
    """The chain rule: the sum over the operands of tangent · partial derivative."""
    slopes: dict[int, Node] = {}
    for position, operand in enumerate(node.operands):
        for index, tangent in found[operand.place].items():
            term = OPERATIONS[node.operation].tangents[position](tangent, node)
            slopes[index] = slopes[index] + term if index in slopes else term
    return {index: slope for index, slope in slopes.items() if slope.number != 0}  # such as of x − x


def ordered(results: list[Node]) -> list[Node]:
    """The nodes that some results need, operands first."""
    needed: dict[int, Node] = {}
    waiting = list(results)
    while waiting:
        node = waiting.pop()
        if node.place not in needed:
            needed[node.place] = node
            waiting.extend(node.operands)
    return [needed[place] for place in sorted(needed)]
