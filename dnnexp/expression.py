"""The one safe expression evaluator: text that reads metrics, compares and calculates, no more.

`parse` admits a small part of Python's expression grammar, `Expression.check` holds paths and types
against an outline of the metrics, `Expression.evaluate` computes. The latter two are one traversal,
over types and over values. Nothing is ever handed to Python's own `eval` or `getattr`.
"""

import ast
import difflib
import json
import keyword
import math
import operator
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import NoneType
from typing import Any, NoReturn

MAX_LENGTH = 1000  # characters
MAX_NODES = 200
MAX_DEPTH = 40
MAX_GENERATORS = 2  # one inside the other: the cost is the product of their lengths
MAX_EXPONENT = 1000
FUNCTIONS = ("min", "max", "abs", "len", "all", "any")
ALLOWED = (
    'allowed are names, `.key`, `["key"]` and `[0]` of the metrics, numbers, text, comparisons, '
    f"`and or not in`, `+ - * / **`, and {' '.join(FUNCTIONS)} with one generator"
)


class ExpressionError(ValueError):
    """A text that is no admissible expression, or does not fit the metrics.

    Attributes:
        column: 1-based column in the text, where known.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True)
class Outcome:
    """What a check came to.

    Attributes:
        value: whether it holds; None where the metrics leave it undecided.
        detail: the values that decided it, as `path = value` pairs.
    """

    value: bool | None
    detail: str


@dataclass(frozen=True)
class Expression:
    """A parsed text; made by `parse`."""

    text: str
    _body: ast.expr = field(repr=False, compare=False)

    def check(self, outline: Mapping[str, Any]) -> None:
        """Raise ExpressionError where, in any branch, a path cannot exist or a type cannot fit.

        Args:
            outline: the shape of the metrics, each leaf a type: `float` (a number or null),
                `int`, `bool`, `str`, or `object` where nothing is known beforehand.
        """
        _Checker(self.text, outline).truth("a check", self._body)

    def evaluate(self, metrics: Mapping[str, Any]) -> Outcome:
        """Return whether the check holds; what is null or missing leaves it undecided.

        Only where it matters: `null < 1 and 2 < 1` is false whatever the null stands for.
        """
        evaluator = _Evaluator(self.text, metrics)
        try:
            return Outcome(evaluator.truth("a check", self._body), evaluator.detail())
        except _Undecided as undecided:
            return Outcome(None, evaluator.detail(str(undecided)))


def parse(text: str) -> Expression:
    """Return the expression in `text`, or raise ExpressionError for what is not in the language."""
    if len(text) > MAX_LENGTH:
        message = f"an expression of {len(text)} characters is too long; allowed are {MAX_LENGTH}"
        raise ExpressionError(message)
    # Line breaks come with YAML's block text; a space in their place keeps the columns.
    line = text.translate({ord("\n"): " ", ord("\r"): " "})
    body = _python_expression(line)
    if sum(isinstance(node, ast.expr) for node in ast.walk(body)) > MAX_NODES:
        raise ExpressionError(f"the expression has too many parts; allowed are {MAX_NODES}")
    _Grammar(line).admit(body)
    return Expression(text, body)


def _python_expression(line: str) -> ast.expr:
    source = line.lstrip(" \t\f")  # Python takes an indent for an error
    indent = len(line) - len(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape in a string
            body = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        message = f"{_quoted(line)} is not an expression: {error.msg}; {ALLOWED}"
        raise ExpressionError(message, (error.offset or 1) + indent) from None
    except ValueError:
        message = "the text holds a null byte or half a character; allowed is plain text"
        raise ExpressionError(message) from None
    except (RecursionError, MemoryError):
        raise _too_deep() from None
    for node in ast.walk(body):
        if isinstance(node, ast.expr):
            node.col_offset += indent
            node.end_col_offset = (node.end_col_offset or 0) + indent
    return body


def _too_deep() -> ExpressionError:
    return ExpressionError(f"the expression is nested too deeply; allowed are {MAX_DEPTH} levels")


class _Source:
    """Speaks of a node by its place in the text; ast counts places in UTF-8 bytes."""

    def __init__(self, text: str) -> None:
        self.text = text.encode()

    def error(self, node: ast.expr, message: str) -> ExpressionError:
        return ExpressionError(message, len(self.text[: node.col_offset].decode()) + 1)

    def quote(self, node: ast.expr) -> str:
        return _quoted(self.text[node.col_offset : node.end_col_offset].decode())


_BOOLEAN, _NUMBER, _TEXT = "true or false", "a number", "text"
_LIST, _MAPPING, _ANYTHING = "a list", "a mapping", "anything"
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, _BOOLEAN),  # before int, whose subclass it is
    ((int, float), _NUMBER),
    (str, _TEXT),
    ((list, tuple), _LIST),
    (Mapping, _MAPPING),
    (NoneType, "null"),
)
_PATH = (ast.Name, ast.Attribute, ast.Subscript)
_COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.In: ("in", lambda item, container: item in container),
    ast.NotIn: ("not in", lambda item, container: item not in container),
}
_ARITHMETIC: dict[type[ast.AST], tuple[str, Callable[..., Any]]] = {
    ast.USub: ("-", operator.neg),
    ast.UAdd: ("+", operator.pos),
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.Pow: ("**", lambda base, exponent: _power(base, exponent)),
}
_FAULTS: dict[type[ArithmeticError], str] = {
    ZeroDivisionError: "division by zero",
    OverflowError: f"a number too large (allowed: up to 1.79e308, exponents to {MAX_EXPONENT})",
    ArithmeticError: "a result that is not a real number",
}
_OPERATORS: tuple[type[ast.AST], ...] = (
    *(ast.And, ast.Or, ast.Not, ast.Load),
    *_COMPARISONS,
    *_ARITHMETIC,
)
_REFUSED = {
    "Lambda": "a lambda",
    "ListComp": "a list comprehension",
    "SetComp": "a set comprehension",
    "DictComp": "a mapping comprehension",
    "List": "a list",
    "Tuple": "a tuple",
    "Set": "a set",
    "Dict": "a mapping written out",
    "bytes": "a bytes constant",
    "complex": "a complex number",
    "Invert": "`~`",
    "IfExp": "a conditional (`x if y else z`)",
    "JoinedStr": "an f-string",
    "NamedExpr": "an assignment (`:=`)",
    "GeneratorExp": "a generator other than as the argument of min max all any",
    "Starred": "a starred argument",
    "Slice": "a slice",
    "Mod": "`%`",
    "FloorDiv": "`//`",
    "Is": "`is`",
    "IsNot": "`is not`",
    "NoneType": "`None`",
    "ellipsis": "`...`",
}


class _Grammar(_Source):
    """Admits the constructs of the language and refuses all others."""

    def admit(self, node: ast.expr, variables: tuple[str, ...] = (), depth: int = 1) -> None:
        if depth > MAX_DEPTH:
            raise _too_deep()
        match node:
            case ast.Call():
                return self.admit_call(node, variables, depth)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name.startswith("__"):
                self.refuse(node, f"the name `{name}`")
            case ast.Attribute(value=base) | ast.Subscript(value=base):
                if not isinstance(base, _PATH):
                    self.refuse(node, "taking an item of anything but the metrics")
                if isinstance(node, ast.Subscript):
                    self.admit_index(node.slice, variables)
            case ast.Constant(value=data):
                self.admit_constant(node, data)
            case ast.Name() | ast.BoolOp() | ast.UnaryOp() | ast.BinOp() | ast.Compare():
                pass
            case _:
                self.refuse(node, type(node).__name__)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.admit(child, variables, depth + 1)
            elif not isinstance(child, _OPERATORS):
                self.refuse(node, type(child).__name__)

    def refuse(self, node: ast.expr, construct: str) -> NoReturn:
        construct = _REFUSED.get(construct, construct)
        raise self.error(node, f"{construct} is not allowed, in {self.quote(node)}; {ALLOWED}")

    def admit_constant(self, node: ast.expr, data: object) -> None:
        if not isinstance(data, bool | int | float | str):
            self.refuse(node, type(data).__name__)
        if isinstance(data, str) and any("\ud800" <= character <= "\udfff" for character in data):
            self.refuse(node, "half a character")  # no file could take it
        if not isinstance(data, str) and not _is_finite(data):
            raise self.error(node, f"{self.quote(node)} is too large; allowed is up to 1.79e308")

    def admit_index(self, index: ast.expr, variables: tuple[str, ...]) -> None:
        sign = isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub)
        match index.operand if sign else index:  # type: ignore[attr-defined]  # sign narrows it
            case ast.Constant(value=key) if type(key) is int or (type(key) is str and not sign):
                return
            case ast.Name(id=name) if name in variables and not sign:
                return
        allowed = 'a text as in `["key"]`, an integer, or the variable of a generator'
        raise self.error(index, f"{self.quote(index)} is not an index; allowed are {allowed}")

    def admit_call(self, call: ast.Call, variables: tuple[str, ...], depth: int) -> None:
        name = call.func.id if isinstance(call.func, ast.Name) else None
        if name not in FUNCTIONS:
            self.refuse(call, f"calling {self.quote(call.func)}")
        if call.keywords:
            self.refuse(call, "an argument by keyword")
        allowed = "one or more" if name in ("min", "max") else "one"
        if not call.args or (len(call.args) > 1 and allowed == "one"):
            raise self.error(call, f"`{name}` has {len(call.args)} arguments; allowed: {allowed}")
        for argument in call.args:
            if isinstance(argument, ast.GeneratorExp) and len(call.args) == 1:
                self.admit_generator(name, argument, variables, depth + 1)
            else:
                self.admit(argument, variables, depth + 1)

    def admit_generator(
        self, name: str, node: ast.GeneratorExp, variables: tuple[str, ...], depth: int
    ) -> None:
        clause = node.generators[0]
        if name in ("abs", "len"):
            self.refuse(node, f"a generator in {name}")
        if len(node.generators) > 1 or clause.is_async or not isinstance(clause.target, ast.Name):
            self.refuse(node, "a generator with other than one `for name in path`")
        if not isinstance(clause.iter, _PATH):
            self.refuse(clause.iter, "a generator over anything but the metrics")
        if len(variables) == MAX_GENERATORS:
            self.refuse(node, f"a generator within {MAX_GENERATORS} others")
        if clause.target.id.startswith("__"):
            self.refuse(clause.target, f"the name `{clause.target.id}`")
        self.admit(clause.iter, variables, depth)
        for part in (*clause.ifs, node.elt):
            self.admit(part, (*variables, clause.target.id), depth)


class _Undecided(Exception):
    """The metrics do not give the result; the message is the reason."""


@dataclass(frozen=True)
class _Value:
    data: Any  # from the metrics or computed; in the checker a type where not yet known
    node: ast.expr  # where the text speaks of it
    path: str = ""  # the canonical path in the metrics; empty when computed


_Member = Callable[[], "_Value | None"]


class _Evaluator(_Source):
    """Walks an expression over metrics, keeping what it reads."""

    def __init__(self, text: str, metrics: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.metrics = metrics
        self.variables: dict[str, _Value] = {}
        self.reads: list[_Value] = []

    def detail(self, *reasons: str) -> str:
        pairs = (f"{read.path} = {_shown(read.data)}" for read in self.reads)
        return _shortened(list(dict.fromkeys([*reasons, *pairs])), 6)

    def fail(self, node: ast.expr, message: str) -> NoReturn:
        raise _Undecided(message)

    def missing(self, base: _Value, key: Any, path: str) -> NoReturn:
        self.fail(base.node, f"`{path}` does not exist")

    def compute(self, node: ast.expr, function: Callable[..., Any], *operands: Any) -> Any:
        try:
            return function(*operands)
        except ArithmeticError as error:
            self.fail(node, f"{_FAULTS[type(error)]} in {self.quote(node)}")

    def value(self, node: ast.expr) -> _Value:
        match node:
            case ast.Name(id=name) if name in self.variables:
                return replace(self.variables[name], node=node)
            case ast.Name(id=key):
                return self.child(node, _Value(self.metrics, node), key)
            case ast.Attribute(value=base, attr=key):
                return self.child(node, self.value(base), key)
            case ast.Subscript(value=base, slice=index):
                return self.child(node, self.value(base), self.use(self.value(index)))
            case _:
                return _Value(self.result(node), node)

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

    def child(self, node: ast.expr, base: _Value, key: Any) -> _Value:
        data = base.data
        match data, key:
            case Mapping(), str():
                path = _joined(base.path, key)
                if key in data:
                    return _Value(data[key], node, path)
            case list() | tuple(), int():
                path = _joined(base.path, key % len(data) if -len(data) <= key < 0 else key)
                if -len(data) <= key < len(data):
                    return _Value(data[key], node, path)
            case _:
                self.use(base)  # a null is a reason of its own
                self.fail(node, f"{self.name(base)} is {_kind(data)} and has no {_shown(key)}")
        self.missing(replace(base, node=node), key, path)

    def use(self, value: _Value) -> Any:
        if value.path:
            self.reads.append(value)
        if value.data is None:
            self.fail(value.node, f"{value.path} = null")
        return value.data

    def whole(self, value: _Value) -> Any:
        """Uses a value as a whole: a null anywhere inside leaves it unknown."""
        data = self.use(value)
        if hole := _null_within(data, value.path):
            self.fail(value.node, f"{hole} = null")
        return data

    def need(self, role: str, value: _Value, *kinds: str) -> Any:
        data = self.use(value)
        if _kind(data) not in (*kinds, _ANYTHING):
            allowed = " or ".join(kinds)
            self.fail(value.node, f"{role} must be {allowed}; {self.name(value)} is {_kind(data)}")
        return data

    def name(self, value: _Value) -> str:
        return f"`{value.path}`" if value.path else self.quote(value.node)

    def truth(self, role: str, node: ast.expr) -> Any:
        return self.need(role, self.value(node), _BOOLEAN)

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
            except _Undecided as reason:
                undecided = undecided or reason
        if undecided:
            raise undecided
        return self.compute(node, lambda: not decisive)

    def arithmetic(self, node: ast.expr, op: ast.AST, *operands: ast.expr) -> Any:
        symbol, function = _ARITHMETIC[type(op)]
        role = f"an operand of `{symbol}`"
        numbers = [self.need(role, self.value(operand), _NUMBER) for operand in operands]
        return self.compute(node, partial(_bounded, function), *numbers)

    def chain(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.value(comparator)
            holds = self.compare(node, op, left, right)
            if holds is False:
                break
            left = right
        return holds

    def compare(self, node: ast.expr, op: ast.cmpop, left: _Value, right: _Value) -> Any:
        symbol, function = _COMPARISONS[type(op)]
        if isinstance(op, ast.In | ast.NotIn):
            operands = self.contained(left, right)
        elif isinstance(op, ast.Eq | ast.NotEq):
            operands = [self.whole(left), self.whole(right)]
        else:
            operands = self.alike(f"an operand of `{symbol}`", [left, right])
        return self.compute(node, function, *operands)

    def contained(self, item: _Value, container: _Value) -> list[Any]:
        sought = self.whole(item)
        searched = self.need("what `in` searches", container, _TEXT, _LIST, _MAPPING)
        if _kind(searched) in (_TEXT, _MAPPING) and _kind(sought) not in (_TEXT, _ANYTHING):
            self.fail(item.node, f"what `in` seeks in {_kind(searched)} must be text")
        if _kind(searched) == _LIST and sought not in searched:
            self.whole(container)  # a null might be it
        return [sought, searched]

    def alike(self, role: str, values: Iterable[_Value]) -> list[Any]:
        """The data of values that must be all numbers or all texts."""
        kinds: tuple[str, ...] = (_NUMBER, _TEXT)
        found = []
        for value in values:
            found.append(self.need(role, value, *kinds))
            if _kind(found[-1]) != _ANYTHING:
                kinds = (_kind(found[-1]),)
        return found

    def call(self, node: ast.expr, name: str, arguments: list[ast.expr]) -> Any:
        role = f"an argument of `{name}`"
        match name:
            case "abs":
                number = self.need(role, self.value(arguments[0]), _NUMBER)
                return self.compute(node, abs, number)
            case "len":
                sized = self.need(role, self.value(arguments[0]), _TEXT, _LIST, _MAPPING)
                return self.compute(node, len, sized)
            case "all" | "any":
                members = self.members(role, arguments)
                truths = (partial(self.member_truth, name, member) for member in members)
                return self.decide(node, name == "any", truths, decisive_first=True)
            case _:
                return self.extreme(node, name, self.members(role, arguments))

    def extreme(self, node: ast.expr, name: str, members: Iterable[_Member]) -> Any:
        start = len(self.reads)
        values = (value for member in members if (value := member()))
        found = self.alike(f"what `{name}` compares", values)
        if not found:
            self.fail(node, f"{self.quote(node)} has nothing to compare")
        function = min if name == "min" else max
        result = self.compute(node, lambda *data: function(data), *found)
        self.reads[start:] = sorted(self.reads[start:], key=lambda read: bool(read.data != result))
        return result

    def member_truth(self, name: str, member: _Member) -> Any:
        value = member()
        return value and self.need(f"an item of `{name}`", value, _BOOLEAN)

    def members(self, role: str, arguments: list[ast.expr]) -> list[_Member]:
        """What a call ranges over, each computed when asked for."""
        first = arguments[0]
        if isinstance(first, ast.GeneratorExp):
            items = self.items(role, first.generators[0].iter)
            return [partial(self.element, first, item) for item in items]
        if len(arguments) > 1:
            return [partial(self.value, argument) for argument in arguments]
        return [partial(replace, item) for item in self.items(role, first)]

    def items(self, role: str, node: ast.expr) -> list[_Value]:
        container = self.value(node)
        data = self.need(role, container, _LIST, _MAPPING)
        if data and container.path:
            self.reads.pop()  # it shows by its items
        if isinstance(data, Mapping):
            return [_Value(key, node) for key in data]
        if data is object:
            return [_Value(object, node)]
        return [_Value(item, node, f"{container.path}[{i}]") for i, item in enumerate(data)]

    def element(self, generator: ast.GeneratorExp, item: _Value) -> _Value | None:
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


class _Checker(_Evaluator):
    """Walks an expression over an outline: every branch, with types where values are not known.

    No truth is known here, so nothing is cut short.
    """

    def fail(self, node: ast.expr, message: str) -> NoReturn:
        raise self.error(node, message)

    def missing(self, base: _Value, key: Any, path: str) -> NoReturn:
        hint = ""
        if isinstance(base.data, Mapping):
            names = [str(name) for name in base.data]
            close = difflib.get_close_matches(key, [*names, *self.variables, "True", "False"], 1)
            hint = f"did you mean `{close[0]}`? " if close else ""
            allowed = _shortened(names, 8)
        else:
            allowed = f"0 to {len(base.data) - 1}" if base.data else ""
        self.fail(base.node, f"`{path}` does not exist; {hint}allowed: {allowed or 'none'}")

    def compute(self, node: ast.expr, function: Callable[..., Any], *operands: Any) -> Any:
        # Any operand not known is taken for 1 (or an empty text): that fails only where every
        # value would, as in x / 0.
        sample = "" if _TEXT in map(_kind, operands) else 1
        unknown = any(isinstance(operand, type) for operand in operands)
        known = (sample if isinstance(operand, type) else operand for operand in operands)
        try:
            result = super().compute(node, function, *known)
        except TypeError:  # one was an `object`, for which the sample is of the wrong type
            return object
        return type(result) if unknown or isinstance(result, bool) else result

    def child(self, node: ast.expr, base: _Value, key: Any) -> _Value:
        if base.data is object or key is object:
            return _Value(object, node)
        if key is str and isinstance(base.data, Mapping):
            return _Value(_common(list(base.data.values())), node)
        if key is int and isinstance(base.data, list | tuple):
            return _Value(_common(base.data), node)
        return super().child(node, base, key)


def _common(outlines: Sequence[Any]) -> Any:
    """The outline of an item of unknown key."""
    same = bool(outlines) and all(outline == outlines[0] for outline in outlines)
    return outlines[0] if same else object


def _kind(data: Any) -> str:
    if data is object:
        return _ANYTHING
    kind = data if isinstance(data, type) else type(data)
    return next((name for bases, name in _KINDS if issubclass(kind, bases)), kind.__name__)


def _null_within(data: Any, path: str) -> str | None:
    """The path of the first null in some data."""
    if data is None:
        return path
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(data, Mapping):
        items = data.items()
    elif isinstance(data, list | tuple):
        items = enumerate(data)
    return next(filter(None, (_null_within(item, _joined(path, key)) for key, item in items)), None)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an int that no float holds
        return False


def _bounded(function: Callable[..., Any], *numbers: float) -> Any:
    result = function(*numbers)
    if isinstance(result, complex):
        raise ArithmeticError
    if not _is_finite(result) and all(map(_is_finite, numbers)):
        raise OverflowError
    return result


def _power(base: float, exponent: float) -> Any:
    if abs(exponent) > MAX_EXPONENT:  # before Python spends minutes on an exact integer
        raise OverflowError
    return base**exponent


def _joined(path: str, key: str | int) -> str:
    if isinstance(key, str) and key.isidentifier() and not keyword.iskeyword(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def _shown(data: Any, nested: bool = False) -> str:
    match data:
        case None | bool():
            return json.dumps(data)
        case int() | float():
            return f"{data:.6g}" if isinstance(data, float) or _is_finite(data) else "a huge number"
        case str():
            return json.dumps(_clipped(data), ensure_ascii=False)
        case Mapping():
            return "{…}" if nested else f"{{{_shortened([str(key) for key in data], 6)}}}"
        case list() | tuple():
            return "[…]" if nested else f"[{_shortened([_shown(it, True) for it in data], 6)}]"
    return _kind(data)


def _shortened(parts: Sequence[str], limit: int) -> str:
    more = [f"… ({len(parts) - limit} more)"] if len(parts) > limit else []
    return ", ".join([*parts[:limit], *more])


def _clipped(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _quoted(text: str) -> str:
    clipped = _clipped(text)
    return f"`{''.join(each if each.isprintable() else '�' for each in clipped)}`"
