"""Checks an admitted expression against an outline of the metrics."""

import ast
import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from dnnexp.expression._evaluation import Evaluator, Value
from dnnexp.expression._wording import TEXT, kind, shortened


class Checker(Evaluator):
    """Walks an expression over an outline: every branch, with types where values are not known.

    No truth is known here, so nothing is cut short.
    """

    def fail(self, node: ast.expr, message: str) -> NoReturn:
        raise self.error(node, message)

    def missing(self, base: Value, key: Any, path: str) -> NoReturn:
        hint = ""
        if isinstance(base.data, Mapping):
            names = [str(name) for name in base.data]
            close = difflib.get_close_matches(key, [*names, *self.variables, "True", "False"], 1)
            hint = f"did you mean `{close[0]}`? " if close else ""
            allowed = shortened(names, 8)
        else:
            allowed = f"0 to {len(base.data) - 1}" if base.data else ""
        self.fail(base.node, f"`{path}` does not exist; {hint}allowed: {allowed or 'none'}")

    def compute(self, node: ast.expr, function: Callable[..., Any], *operands: Any) -> Any:
        # Any operand not known is taken for 1 (or an empty text): that fails only where every
        # value would, as in x / 0.
        sample = "" if TEXT in map(kind, operands) else 1
        unknown = any(isinstance(operand, type) for operand in operands)
        known = (sample if isinstance(operand, type) else operand for operand in operands)
        try:
            result = super().compute(node, function, *known)
        except TypeError:  # one was an `object`, for which the sample is of the wrong type
            return object
        return type(result) if unknown or isinstance(result, bool) else result

    def child(self, node: ast.expr, base: Value, key: Any) -> Value:
        if base.data is object or key is object:
            return Value(object, node)
        if key is str and isinstance(base.data, Mapping):
            return Value(common(list(base.data.values())), node)
        if key is int and isinstance(base.data, list | tuple):
            return Value(common(base.data), node)
        return super().child(node, base, key)


def common(outlines: Sequence[Any]) -> Any:
    """The outline of an item of unknown key."""
    same = bool(outlines) and all(outline == outlines[0] for outline in outlines)
    return outlines[0] if same else object
