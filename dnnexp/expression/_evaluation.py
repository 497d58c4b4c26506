"""Evaluates an admitted expression over metrics."""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

from dnnexp.expression._operators import ARITHMETIC, COMPARISONS, FAULTS, bounded
from dnnexp.expression._source import Source
from dnnexp.expression._wording import (
    ANYTHING,
    BOOLEAN,
    LIST,
    MAPPING,
    NUMBER,
    TEXT,
    joined,
    kind,
    null_within,
    shortened,
    shown,
)


class Undecided(Exception):
    """The metrics do not give the result; the message is the reason."""


@dataclass(frozen=True)
class Value:
    data: Any  # from the metrics or computed; in the checker a type where not yet known
    node: ast.expr  # where the text speaks of it
    path: str = ""  # the canonical path in the metrics; empty when computed


Member = Callable[[], "Value | None"]


class Evaluator(Source):
    """Walks an expression over metrics, keeping what it reads."""

    def __init__(self, text: str, metrics: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.metrics = metrics
        self.variables: dict[str, Value] = {}
        self.reads: list[Value] = []

    def detail(self, *reasons: str) -> str:
        pairs = (f"{read.path} = {shown(read.data)}" for read in self.reads)
        return shortened(list(dict.fromkeys([*reasons, *pairs])), 6)

    def fail(self, node: ast.expr, message: str) -> NoReturn:
        raise Undecided(message)

    def missing(self, base: Value, key: Any, path: str) -> NoReturn:
        self.fail(base.node, f"`{path}` does not exist")

    def compute(self, node: ast.expr, function: Callable[..., Any], *operands: Any) -> Any:
        try:
            return function(*operands)
        except ArithmeticError as error:
            self.fail(node, f"{FAULTS[type(error)]} in {self.quote(node)}")

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Name(id=name) if name in self.variables:
                return replace(self.variables[name], node=node)
            case ast.Name(id=key):
                return self.child(node, Value(self.metrics, node), key)
            case ast.Attribute(value=base, attr=key):
                return self.child(node, self.value(base), key)
            case ast.Subscript(value=base, slice=index):
                return self.child(node, self.value(base), self.use(self.value(index)))
            case _:
                return Value(self.result(node), node)

    def result(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=data):
                return self.compute(node, lambda: data)
            case ast.BoolOp(op=op, values=operands):
                is_or = isinstance(op, ast.Or)
                role = f"an operand of `{'or' if is_or else 'and'}`"
                return self.decide(node, is_or, [partial(self.truth, role, it) for it in operands])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                truth = self.truth("the operand of `not`", operand)
                return self.compute(node, operator.not_, truth)
            case ast.UnaryOp(op=op, operand=operand):
                return self.arithmetic(node, op, operand)
            case ast.BinOp(left=left, op=op, right=right):
                return self.arithmetic(node, op, left, right)
            case ast.Compare():
                return self.chain(node)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(node, name, arguments)
        raise AssertionError(f"{type(node).__name__} was admitted but cannot be evaluated")

    def child(self, node: ast.expr, base: Value, key: Any) -> Value:
        data = base.data
        match data, key:
            case Mapping(), str():
                path = joined(base.path, key)
                if key in data:
                    return Value(data[key], node, path)
            case list() | tuple(), int():
                path = joined(base.path, key % len(data) if -len(data) <= key < 0 else key)
                if -len(data) <= key < len(data):
                    return Value(data[key], node, path)
            case _:
                self.use(base)  # a null is a reason of its own
                self.fail(node, f"{self.name(base)} is {kind(data)} and has no {shown(key)}")
        self.missing(replace(base, node=node), key, path)

    def use(self, value: Value) -> Any:
        if value.path:
            self.reads.append(value)
        if value.data is None:
            self.fail(value.node, f"{value.path} = null")
        return value.data

    def whole(self, value: Value) -> Any:
        """Uses a value as a whole: a null anywhere inside leaves it unknown."""
        data = self.use(value)
        if hole := null_within(data, value.path):
            self.fail(value.node, f"{hole} = null")
        return data

    def need(self, role: str, value: Value, *kinds: str) -> Any:
        data = self.use(value)
        if kind(data) not in (*kinds, ANYTHING):
            allowed = " or ".join(kinds)
            self.fail(value.node, f"{role} must be {allowed}; {self.name(value)} is {kind(data)}")
        return data

    def name(self, value: Value) -> str:
        return f"`{value.path}`" if value.path else self.quote(value.node)

    def truth(self, role: str, node: ast.expr) -> Any:
        return self.need(role, self.value(node), BOOLEAN)

    def decide(
        self,
        node: ast.expr,
        decisive: bool,
        truths: Iterable[Callable[[], Any]],
        decisive_first: bool = False,
    ) -> Any:
        """Or (decisive: True) and and (False), to which an undecided operand need not matter."""
        start, undecided = len(self.reads), None
        for truth in truths:
            before = len(self.reads)
            try:
                if truth() is decisive:
                    if decisive_first:
                        self.reads[start:] = self.reads[before:] + self.reads[start:before]
                    return self.compute(node, lambda: decisive)
            except Undecided as reason:
                undecided = undecided or reason
        if undecided:
            raise undecided
        return self.compute(node, lambda: not decisive)

    def arithmetic(self, node: ast.expr, op: ast.AST, *operands: ast.expr) -> Any:
        symbol, function = ARITHMETIC[type(op)]
        role = f"an operand of `{symbol}`"
        numbers = [self.need(role, self.value(operand), NUMBER) for operand in operands]
        return self.compute(node, partial(bounded, function), *numbers)

    def chain(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.value(comparator)
            holds = self.compare(node, op, left, right)
            if holds is False:
                break
            left = right
        return holds

    def compare(self, node: ast.expr, op: ast.cmpop, left: Value, right: Value) -> Any:
        symbol, function = COMPARISONS[type(op)]
        if isinstance(op, ast.In | ast.NotIn):
            operands = self.contained(left, right)
        elif isinstance(op, ast.Eq | ast.NotEq):
            operands = [self.whole(left), self.whole(right)]
        else:
            operands = self.alike(f"an operand of `{symbol}`", [left, right])
        return self.compute(node, function, *operands)

    def contained(self, item: Value, container: Value) -> list[Any]:
        sought = self.whole(item)
        searched = self.need("what `in` searches", container, TEXT, LIST, MAPPING)
        if kind(searched) in (TEXT, MAPPING) and kind(sought) not in (TEXT, ANYTHING):
            self.fail(item.node, f"what `in` seeks in {kind(searched)} must be text")
        if kind(searched) == LIST and sought not in searched:
            self.whole(container)  # a null might be it
        return [sought, searched]

    def alike(self, role: str, values: Iterable[Value]) -> list[Any]:
        """The data of values that must be all numbers or all texts."""
        kinds: tuple[str, ...] = (NUMBER, TEXT)
        found = []
        for value in values:
            found.append(self.need(role, value, *kinds))
            if kind(found[-1]) != ANYTHING:
                kinds = (kind(found[-1]),)
        return found

    def call(self, node: ast.expr, name: str, arguments: list[ast.expr]) -> Any:
        role = f"an argument of `{name}`"
        match name:
            case "abs":
                number = self.need(role, self.value(arguments[0]), NUMBER)
                return self.compute(node, abs, number)
            case "len":
                sized = self.need(role, self.value(arguments[0]), TEXT, LIST, MAPPING)
                return self.compute(node, len, sized)
            case "all" | "any":
                members = self.members(role, arguments)
                truths = (partial(self.member_truth, name, member) for member in members)
                return self.decide(node, name == "any", truths, decisive_first=True)
            case _:
                return self.extreme(node, name, self.members(role, arguments))

    def extreme(self, node: ast.expr, name: str, members: Iterable[Member]) -> Any:
        start = len(self.reads)
        values = (value for member in members if (value := member()))
        found = self.alike(f"what `{name}` compares", values)
        if not found:
            self.fail(node, f"{self.quote(node)} has nothing to compare")
        function = min if name == "min" else max
        result = self.compute(node, lambda *data: function(data), *found)
        self.reads[start:] = sorted(self.reads[start:], key=lambda read: bool(read.data != result))
        return result

    def member_truth(self, name: str, member: Member) -> Any:
        value = member()
        return value and self.need(f"an item of `{name}`", value, BOOLEAN)

    def members(self, role: str, arguments: list[ast.expr]) -> list[Member]:
        """What a call ranges over, each computed when asked for."""
        first = arguments[0]
        if isinstance(first, ast.GeneratorExp):
            items = self.items(role, first.generators[0].iter)
            return [partial(self.element, first, item) for item in items]
        if len(arguments) > 1:
            return [partial(self.value, argument) for argument in arguments]
        return [partial(replace, item) for item in self.items(role, first)]

    def items(self, role: str, node: ast.expr) -> list[Value]:
        container = self.value(node)
        data = self.need(role, container, LIST, MAPPING)
        if data and container.path:
            self.reads.pop()  # it shows by its items
        if isinstance(data, Mapping):
            return [Value(key, node) for key in data]
        if data is object:
            return [Value(object, node)]
        return [Value(item, node, f"{container.path}[{i}]") for i, item in enumerate(data)]

    def element(self, generator: ast.GeneratorExp, item: Value) -> Value | None:
        """The generator's value for one item; None where its conditions leave the item out."""
        clause = generator.generators[0]
        outer = self.variables
        self.variables = {**outer, ast.unparse(clause.target): item}
        try:
            if any(self.truth("a condition", condition) is False for condition in clause.ifs):
                return None
            return self.value(generator.elt)
        finally:
            self.variables = outer
