"""Columns of text: aligned, folded where names have parts, never wider than the terminal."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from dnnexp.cli.runs.columns import Cell, Columns
from dnnexp.text import printable

ROWS: list[tuple[Cell, ...]] = [
    ("first", "1", ("yes", "green")),
    ("optimizers.adam.final_value.median", "20", "no"),
]


def lines(columns: Columns, width: int, is_terminal: bool = True) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=is_terminal, color_system=None)
    console.print(columns, soft_wrap=True)
    return stream.getvalue().splitlines()


def test_columns_are_aligned() -> None:
    assert lines(Columns(("key", "n", "is"), ROWS, frozenset({2}), indent=" "), 80) == [
        " key                                  n  is",
        " first                                1  yes",
        " optimizers.adam.final_value.median  20  no",
    ]


def test_a_long_name_is_folded_after_a_part() -> None:
    assert lines(Columns(("key", "n", "is"), ROWS, frozenset({2})), 40)[2:] == [
        "optimizers.adam.final_value.     20  no",
        "median",
    ]


@pytest.mark.parametrize("width", range(36, 50))
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(width: int) -> None:
    found = lines(Columns(("key", "n", "is"), ROWS, frozenset({2})), width)
    assert max(map(cell_len, found)) <= width
    assert "".join(part.split()[0] for part in found[2:]) == "optimizers.adam.final_value.median"


def test_where_there_is_no_room_a_name_has_its_own_line() -> None:
    wide: list[tuple[Cell, ...]] = [("optimizers.adam.final_value", "1" * 12, "2" * 12)]
    assert lines(Columns(("", "a", "b"), wide), 40)[1:] == [
        "optimizers.adam.final_value",
        f"{'':14}{'1' * 12}  {'2' * 12}",
    ]


def test_a_pipe_gets_names_whole() -> None:
    assert lines(Columns(("key", "n", "is"), ROWS), 30, is_terminal=False)[2].startswith(str(ROWS[1][0]))


def test_wide_characters_take_two_cells() -> None:
    found = lines(Columns(("key", "n"), [("深層学習" * 20, "1"), ("a", "2")]), 60)
    assert max(map(cell_len, found)) == 60
    assert found[-1].endswith(" 2")


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "a\rb", "a\x07", "a\u202eb", "\udcff"])
def test_what_would_speak_to_the_terminal_is_replaced(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert shown.encode().decode("unicode_escape") == text


def test_formulas_stay_as_they_are() -> None:
    assert printable("σ₁² ≤ ∂E/∂w – 深") == "σ₁² ≤ ∂E/∂w – 深"
