"""What the language admits: a small part of Python's expressions, under limits of size."""

import ast
import warnings
from typing import NoReturn

from dnnexp.expression._operators import ARITHMETIC, COMPARISONS, is_finite
from dnnexp.expression._source import ExpressionError, Source
from dnnexp.expression._wording import quoted

MAX_LENGTH = 1000  # characters
MAX_NODES = 200
MAX_DEPTH = 40
MAX_GENERATORS = 2  # one inside the other: the cost is the product of their lengths
FUNCTIONS = ("min", "max", "abs", "len", "all", "any")
ALLOWED = (
    'allowed are names, `.key`, `["key"]` and `[0]` of the metrics, numbers, text, comparisons, '
    f"`and or not in`, `+ - * / **`, and {' '.join(FUNCTIONS)} with one generator"
)


def read(text: str, allowed: str = ALLOWED) -> tuple[str, ast.expr]:
    """The text on one line, and its parts, if they are neither too many nor other than Python's."""
    if len(text) > MAX_LENGTH:
        message = f"an expression of {len(text)} characters is too long; allowed are {MAX_LENGTH}"
        raise ExpressionError(message)
    # Line breaks come with YAML's block text; a space in their place keeps the columns.
    line = text.translate({ord("\n"): " ", ord("\r"): " "})
    body = python_expression(line, allowed)
    if sum(isinstance(node, ast.expr) for node in ast.walk(body)) > MAX_NODES:
        raise ExpressionError(f"the expression has too many parts; allowed are {MAX_NODES}")
    return line, body


def python_expression(line: str, allowed: str = ALLOWED) -> ast.expr:
    source = line.lstrip(" \t\f")  # Python takes an indent for an error
    indent = len(line) - len(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape in a string
            body = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        message = f"{quoted(line)} is not an expression: {error.msg}; {allowed}"
        raise ExpressionError(message, (error.offset or 1) + indent) from None
    except ValueError:
        message = "the text holds a null byte or half a character; allowed is plain text"
        raise ExpressionError(message) from None
    except (RecursionError, MemoryError):
        raise too_deep() from None
    for node in ast.walk(body):
        if isinstance(node, ast.expr):
            node.col_offset += indent
            node.end_col_offset = (node.end_col_offset or 0) + indent
    return body


def too_deep() -> ExpressionError:
    return ExpressionError(f"the expression is nested too deeply; allowed are {MAX_DEPTH} levels")


PATH = (ast.Name, ast.Attribute, ast.Subscript)


OPERATORS: tuple[type[ast.AST], ...] = (
    *(ast.And, ast.Or, ast.Not, ast.Load),
    *COMPARISONS,
    *ARITHMETIC,
)
REFUSED = {
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
    "BitXor": "`^` (a power is `**`)",
    "Is": "`is`",
    "IsNot": "`is not`",
    "NoneType": "`None`",
    "ellipsis": "`...`",
}


class Grammar(Source):
    """Admits the constructs of the language and refuses all others."""

    def admit(self, node: ast.expr, variables: tuple[str, ...] = (), depth: int = 1) -> None:
        if depth > MAX_DEPTH:
            raise too_deep()
        match node:
            case ast.Call():
                return self.admit_call(node, variables, depth)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name.startswith("__"):
                self.refuse(node, f"the name `{name}`")
            case ast.Attribute(value=base) | ast.Subscript(value=base):
                if not isinstance(base, PATH):
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
            elif not isinstance(child, OPERATORS):
                self.refuse(node, type(child).__name__)

    def refuse(self, node: ast.expr, construct: str) -> NoReturn:
        construct = REFUSED.get(construct, construct)
        raise self.error(node, f"{construct} is not allowed, in {self.quote(node)}; {ALLOWED}")

    def admit_constant(self, node: ast.expr, data: object) -> None:
        if not isinstance(data, bool | int | float | str):
            self.refuse(node, type(data).__name__)
        if isinstance(data, str) and any("\ud800" <= character <= "\udfff" for character in data):
            self.refuse(node, "half a character")  # no file could take it
        if not isinstance(data, str) and not is_finite(data):
            raise self.error(node, f"{self.quote(node)} is too large; allowed is up to 1.79e308")

    def admit_index(self, index: ast.expr, variables: tuple[str, ...]) -> None:
        match index:
            case ast.Constant(value=key) if type(key) in (str, int):
                return
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=key)) if type(key) is int:
                return
            case ast.Name(id=name) if name in variables:
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
        if not isinstance(clause.iter, PATH):
            self.refuse(clause.iter, "a generator over anything but the metrics")
        if len(variables) == MAX_GENERATORS:
            self.refuse(node, f"a generator within {MAX_GENERATORS} others")
        if clause.target.id.startswith("__"):
            self.refuse(clause.target, f"the name `{clause.target.id}`")
        self.admit(clause.iter, variables, depth)
        for part in (*clause.ifs, node.elt):
            self.admit(part, (*variables, clause.target.id), depth)
