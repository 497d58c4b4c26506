"""The text of an expression, and errors that say where in it."""

import ast

from dnnexp.expression._wording import quoted


class ExpressionError(ValueError):
    """A text that is not a valid expression, or does not fit the metrics.

    Attributes:
        column: 1-based column in the text, where known.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


class Source:
    """Speaks of a node by its place in the text; ast counts places in UTF-8 bytes."""

    def __init__(self, text: str) -> None:
        self.text = text.encode()

    def error(self, node: ast.expr, message: str) -> ExpressionError:
        return ExpressionError(message, len(self.text[: node.col_offset].decode()) + 1)

    def quote(self, node: ast.expr) -> str:
        return quoted(self.text[node.col_offset : node.end_col_offset].decode())
