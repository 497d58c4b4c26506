"""Graphs as programs: a list of array operations that is run from first to last."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from dnnexp.expression._graph import Node, ordered
from dnnexp.expression._operations import OPERATIONS

Step: TypeAlias = tuple[Callable[..., Any], int, int | None, int]
"""A function, the slots of its one or two operands, and that of its result."""


class Program:
    """Computes some nodes at points.

    Values live in slots. A slot is reused after the last use of its value, so that no more
    arrays are alive than are needed.
    """

    def __init__(self, results: list[Node]) -> None:
        nodes = ordered(results)
        slots = _slots(nodes, results)
        self._start: list[float | None] = [None] * (max(slots.values()) + 1)
        for node in nodes:
            if node.number is not None:
                self._start[slots[node.place]] = node.number
        self._inputs = [(node.variable, slots[node.place]) for node in nodes if node.variable is not None]
        self._operations = [
            (node.operation, [slots[operand.place] for operand in node.operands], slots[node.place])
            for node in nodes
            if node.operation
        ]
        self._results = [slots[node.place] for node in results]
        self._steps = cache(self._bound)

    def __call__(self, x: Any) -> list[Any]:
        """The results at points `(d, ...)`: arrays of `(...)`, and floats where they are constant."""
        held: list[Any] = self._start.copy()
        for index, slot in self._inputs:
            held[slot] = x[index, ...]
        for function, first, second, slot in self._steps(x.__array_namespace__()):
            held[slot] = function(held[first]) if second is None else function(held[first], held[second])
        return [held[slot] for slot in self._results]

    def _bound(self, xp: Any) -> list[Step]:
        """The steps with the functions of an array library."""
        return [
            (OPERATIONS[operation].of(xp), operands[0], operands[1] if len(operands) > 1 else None, slot)
            for operation, operands, slot in self._operations
        ]


def _slots(nodes: list[Node], results: list[Node]) -> dict[int, int]:
    """The slot of every node, by its place."""
    last = {operand.place: node.place for node in nodes for operand in node.operands}
    kept = {node.place for node in results}
    slots: dict[int, int] = {}
    free: list[int] = []
    size = 0
    for node in sorted(nodes, key=lambda node: bool(node.operation)):  # given values come first
        for operand in dict.fromkeys(node.operands):
            given = operand.number is not None or operand.place in kept
            if last[operand.place] == node.place and not given:
                free.append(slots[operand.place])
        if node.operation and free:
            slots[node.place] = free.pop()
        else:
            slots[node.place] = size
            size += 1
    return slots
