"""A mutation run: break random lines of dnnexp one at a time, and see whether a test fails.

Every mutant changes one expression: an operator, a comparison, a number, a negation, a condition, or a call
whose result is not used. Mutants are drawn by a seed over all packages, in proportion to their expressions.
The tests that name the mutated module run first, then the others. Exit code 1 if fewer than 90 % are killed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LEAST_KILLED = 0.9
SECONDS = 900
"""A mutant that runs longer is killed: it has made a loop endless."""

BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
SKIPPED = (ast.JoinedStr, ast.Raise, ast.Import, ast.ImportFrom, ast.Assert)
"""Words, errors and imports are not mutated."""


class Mutant(NamedTuple):
    """A changed expression: its file, its place in the text, and the new text."""

    file: Path
    line: int
    first: int
    last: int
    before: str
    after: str


def mutated(node: ast.AST) -> ast.AST | None:
    """The node changed, or None if it is of no kind that is changed."""
    new = copy.deepcopy(node)
    match new:
        case ast.BinOp(op=op) if type(op) in BINARY:
            new.op = BINARY[type(op)]()
        case ast.Compare(ops=[op]) if type(op) in COMPARISON:
            new.ops = [COMPARISON[type(op)]()]
        case ast.BoolOp(op=op):
            new.op = ast.And() if isinstance(op, ast.Or) else ast.Or()
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            return operand
        case ast.Constant(value=bool(value)):
            new.value = not value
        case ast.Constant(value=int(value) | float(value)):
            new.value = value * 2 if value * 2 != value else 1
        case ast.IfExp(test=test):
            new.test = ast.UnaryOp(ast.Not(), test)
        case ast.Expr(value=ast.Call()):
            return ast.Constant(None)
        case _:
            return None
    return new


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree, less words, errors, imports, annotations and decorators."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, SKIPPED):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            yield child
            yield from nodes(child)


def mutants(file: Path) -> list[Mutant]:
    """All mutants of a file."""
    text = file.read_text(encoding="utf-8")
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    made = []
    for node in nodes(ast.parse(text)):
        new = mutated(node)
        if new is None:
            continue
        assert isinstance(node, ast.expr | ast.stmt)
        first = starts[node.lineno - 1] + node.col_offset
        last = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        before = text.encode()[first:last].decode()
        after = ast.unparse(new) if isinstance(node, ast.Expr) else f"({ast.unparse(new)})"
        made.append(Mutant(file, node.lineno, first, last, before, after))
    return made


def tests_of(module: str, tree: Path) -> list[str]:
    """The test files that name a module, or the package that holds it."""
    names = (module, module.rpartition(".")[0])
    files = sorted((tree / "tests").rglob("test_*.py"))
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    for name in names:
        chosen = [str(file) for file, text in texts.items() if name in text]
        if chosen and name.count(".") > 0:
            return chosen
    return []


def is_killed(mutant: Mutant, tree: Path) -> bool:
    """Whether a test fails, or the tests take too long, when the mutant is in the tree."""
    path = tree / mutant.file.relative_to(ROOT)
    original = path.read_bytes()
    path.write_bytes(original[: mutant.first] + mutant.after.encode() + original[mutant.last :])
    module = ".".join(mutant.file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    try:
        near = tests_of(module, tree)
        return (bool(near) and fails(near, tree)) or fails(["tests"], tree)
    finally:
        path.write_bytes(original)


def fails(tests: list[str], tree: Path) -> bool:
    """Whether pytest ends with anything but success."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return ran.returncode != 0


def main() -> int:
    """Draw the mutants, run the tests on each, and list the survivors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--only", default="dnnexp", help="a folder or file below which lines are broken")
    options = parser.parse_args()
    files = (
        [ROOT / options.only] if options.only.endswith(".py") else sorted((ROOT / options.only).rglob("*.py"))
    )
    every = [mutant for file in files for mutant in mutants(file)]
    chosen = random.Random(options.seed).sample(every, min(options.count, len(every)))
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(
            ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", "outputs", ".*_cache")
        )
        for number, mutant in enumerate(chosen, start=1):
            killed = is_killed(mutant, tree)
            place = f"{mutant.file.relative_to(ROOT)}:{mutant.line}"
            line = f"{place}: {' '.join(mutant.before.split())} -> {' '.join(mutant.after.split())}"
            print(f"{number}/{len(chosen)} {'killed' if killed else 'SURVIVED'} {line}", flush=True)
            survivors += [] if killed else [line]
    killed_share = 1 - len(survivors) / len(chosen)
    print(f"{killed_share:.0%} of {len(chosen)} mutants killed; survivors:", *survivors, sep="\n  ")
    return 0 if killed_share >= LEAST_KILLED else 1


if __name__ == "__main__":
    sys.exit(main())
