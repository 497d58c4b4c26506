"""CSV files: what is read, and what every kind of bad file is told, to the word."""

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.data import DataError, Table
from dnnexp.core.data.files import CSV
from dnnexp.registry import checks

ANY = np.random.default_rng(0)  # a file draws nothing


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    Path("f.csv").write_bytes(data)


def read(content: str | bytes, target: str | tuple[str, ...] = "t", **fields: Any) -> Table:
    write(content)
    return CSV("f.csv", target, **fields).table(ANY)


def complaints(content: str | bytes | None, target: Any = "t", **fields: Any) -> list[tuple[Any, str]]:
    """What the config layer gets to report of a file."""
    if content is not None:
        write(content)
    given = {"path": "f.csv", "target": target, "features": (), "task": "auto", "delimiter": ","} | fields
    (rule,) = (rule for rule in checks(CSV) if "path" in rule.fields)
    return list(rule(*(given[name] for name in rule.fields)))


def problems(content: str | bytes | None, target: Any = "t", **fields: Any) -> list[str]:
    found = complaints(content, target, **fields)
    assert all(place == ("path",) for place, _ in found)
    return [text for _, text in found]


# --- What is read ------------------------------------------------------------------------------------------


def test_text_is_classes_in_alphabetical_order() -> None:
    table = read("a,t,b\n1,dog,2\n3,cat,4.5\n5, dog ,-6e-1\n")
    assert table.classes == ("cat", "dog")
    np.testing.assert_array_equal(table.features, [[1, 2], [3, 4.5], [5, -0.6]])
    np.testing.assert_array_equal(table.targets, [[0, 1], [1, 0], [0, 1]])


@pytest.mark.parametrize("task", ["auto", "regression"])
def test_numbers_are_numbers(task: str) -> None:
    table = read("a,t\n1,2\n3,4\n5,2\n", task=task)
    assert table.classes is None
    np.testing.assert_array_equal(table.targets, [[2], [4], [2]])


def test_numbers_are_classes_on_demand_in_ascending_order() -> None:
    """Guards: as texts, 10 stands before 2, and 2 and 2.0 are two classes."""
    table = read("a,t\n1,10\n3,2\n5,2.0\n7,10\n9,0.5\n0,0.5\n", task="classification")
    assert table.classes == ("0.5", "2", "10")
    np.testing.assert_array_equal(table.targets.argmax(axis=1), [2, 1, 1, 2, 0, 0])


def test_several_targets_and_chosen_features_in_the_order_asked_for() -> None:
    table = read("a,b,c,d\n1,2,3,4\n5,6,7,8\n", target=("d", "a"), features=("c",))
    np.testing.assert_array_equal(table.features, [[3], [7]])
    np.testing.assert_array_equal(table.targets, [[4, 1], [8, 5]])


def test_a_column_that_is_not_used_may_hold_anything() -> None:
    assert read("id,a,t\nx,1,2\n,2,3\n", features=("a",)).features.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffa,t\n1,2\n3,4\n",
        "a,t\r\n1,2\r\n3,4\r\n",
        "a,t\r1,2\r3,4",
        "a , t\n 1,2 \n3,4",
        '"a","t"\n"1","2"\n"3","4"\n',
        "a,t\n\n1,2\n\n\n3,4\n\n",
    ],
    ids=["byte-order-mark", "windows", "old-mac", "spaces", "quotes", "empty-lines"],
)
def test_dialects(content: str) -> None:
    table = read(content)
    np.testing.assert_array_equal(table.features, [[1], [3]])
    np.testing.assert_array_equal(table.targets, [[2], [4]])


def test_another_delimiter() -> None:
    np.testing.assert_array_equal(read("a;t\n1;2\n3;4\n", delimiter=";").features, [[1], [3]])


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(*[st.floats(-1e100, 1e100) | st.integers(-(10**15), 10**15)] * 3), min_size=1, max_size=8
    )
)
def test_numbers_are_read_back_exactly(rows: list[tuple[float, ...]]) -> None:
    with Path("f.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("a", "b", "t"), *rows])
    table = CSV("f.csv", "t").table(ANY)
    np.testing.assert_array_equal(table.features, [[float(a), float(b)] for a, b, _ in rows])
    np.testing.assert_array_equal(table.targets, [[float(t)] for *_, t in rows])


def test_a_file_is_read_once_until_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a,t\n1,2\n3,4\n")
    data = CSV("f.csv", "t")
    first = data.table(ANY)
    assert data.table(ANY) is first
    assert data.shape() == first.shape
    write("a,t\n1,2\n3,5\n")
    os.utime("f.csv", ns=(0, 0))  # another time, though the size is the same
    np.testing.assert_array_equal(data.table(ANY).targets, [[2], [5]])


# --- What is refused ---------------------------------------------------------------------------------------

BAD: dict[str, tuple[str | bytes, list[str]]] = {
    "empty": ("", ["f.csv:1: is empty; a header is needed"]),
    "header only": ("a,t\n", ["f.csv: has no row below its header"]),
    "missing column": ("a,b,u\n1,2,x\n", ["f.csv:1: has no column 't'; allowed: a, b, u"]),
    "misspelt column": (
        "a,x,tt\n1,2,x\n",
        ["f.csv:1: has no column 't'; did you mean 'tt'? allowed: a, x, tt"],
    ),
    "duplicate header": ("a,a,t\n1,2,x\n", ["f.csv:1: has two columns 'a'"]),
    "no feature": ("t\n1\n2\n", ["f.csv:1: has no feature column beside the target"]),
    "column without a name": (
        ",a,t\n0,1,2\n1,3,4\n",
        ["f.csv:1: column 1 has no name; name it, or say which columns are features"],
    ),
    "text among numbers": (
        "a,b,t\n1,2,x\n3,oops,y\n",
        ["f.csv:3: column 'b' must be a finite number, not 'oops'"],
    ),
    "empty cell": ("a,t\n1,x\n ,y\n", ["f.csv:3: column 'a' must be a finite number, not ''"]),
    "nan": ("a,t\n1,x\nnan,y\n", ["f.csv:3: column 'a' must be a finite number, not 'nan'"]),
    "infinity": ("a,t\n1,x\n-inf,y\n", ["f.csv:3: column 'a' must be a finite number, not '-inf'"]),
    "overflow": ("a,t\n1,x\n1e999,y\n", ["f.csv:3: column 'a' must be a finite number, not '1e999'"]),
    "too large": (
        "a,t\n1,x\n2e100,y\n",
        ["f.csv:3: column 'a' must be at most 1e+100 in size, not '2e100'"],
    ),
    "Python's digit groups": (
        "a,t\n1,x\n1_000,y\n",
        ["f.csv:3: column 'a' must be a finite number, not '1_000'"],
    ),
    "long cell": (
        f"a,t\n1,x\n{'z' * 50},y\n",
        [f"f.csv:3: column 'a' must be a finite number, not '{'z' * 39}…'"],
    ),
    "too short a row": ("a,b,t\n1,2,x\n3,4\n", ["f.csv:3: has 2 cells where the header has 3"]),
    "too long a row": ("a,t\n1,x\n2,y,9\n", ["f.csv:3: has 3 cells where the header has 2"]),
    "no class": ("a,t\n1,x\n2,\n3,y\n", ["f.csv:3: column 't' is empty; a class is a text or a number"]),
    "class nan": ("a,t\n1,x\n2,NaN\n3,y\n", ["f.csv:3: column 't' is NaN; a class is a text or a number"]),
    "one class": ("a,t\n1,x\n2,x\n", ["f.csv: the target has one class only, 'x'; two are needed"]),
    "a class for every row": (
        "a,t\n1,x\n2,y\n3,z\n4,u\n",
        ["f.csv: the target has 4 classes in 4 rows: no classes"],
    ),
    "numbers and a text": (
        "a,t\n1,0\n2,1\n3,two\n",
        [
            "f.csv:4: column 't' must be a finite number, not 'two'; "
            "with task: classification, numbers and texts are classes"
        ],
    ),
    "UTF-16": ("a,t\n1,x\n".encode("utf-16"), ["f.csv:1: is not UTF-8 text; save the file as UTF-8"]),
    "Latin-1": ("a,t\n1,x\n2,é\n".encode("latin-1"), ["f.csv:3: is not UTF-8 text; save the file as UTF-8"]),
    "open quote": ('a,t\n1,x\n2,"y\n3,z\n', ["f.csv:3: is not CSV: unexpected end of data"]),
    "text after a quote": ('a,t\n1,"x"y\n', ["f.csv:2: is not CSV: ',' expected after '\"'"]),
}


@pytest.mark.parametrize("case", BAD)
def test_every_kind_of_bad_file(case: str) -> None:
    content, expected = BAD[case]
    assert problems(content) == expected
    with pytest.raises(ValueError, match="path: f"):
        CSV("f.csv", "t")


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    assert problems("a,b,t\n1,?,x\n2,3\n4,5,\n!,6,y\n") == [
        "f.csv:2: column 'b' must be a finite number, not '?'",
        "f.csv:3: has 2 cells where the header has 3",
        "f.csv:4: column 't' is empty; a class is a text or a number",
        "f.csv:5: column 'a' must be a finite number, not '!'",
    ]


def test_all_columns_that_are_missing_are_told_at_once() -> None:
    assert problems("a,b\n1,2\n", target=("t", "u"), features=("v", "a")) == [
        f"f.csv:1: has no column {name!r}; allowed: a, b" for name in "tuv"
    ]


def test_of_many_problems_the_first_ten_are_told() -> None:
    found = problems("a,t\n" + "?,1\n" * 25)
    assert found[:10] == [f"f.csv:{k}: column 'a' must be a finite number, not '?'" for k in range(2, 12)]
    assert found[10:] == ["f.csv: and 15 more problems"]


def test_a_long_header_is_not_listed() -> None:
    header = ",".join(f"c{k}" for k in range(500))
    assert problems(f"{header}\n{header}\n") == ["f.csv:1: has no column 't' among its 500"]


def test_a_line_is_that_on_which_its_row_begins() -> None:
    """A quoted cell and empty lines move the rows below."""
    assert problems('a,t\n1,"x\ny"\n\n?,z\n\n!,z\n', features=("a",)) == [
        "f.csv:5: column 'a' must be a finite number, not '?'",
        "f.csv:7: column 'a' must be a finite number, not '!'",
    ]


def test_a_column_is_a_feature_or_a_target_once() -> None:
    text = "; a column can be one of them, once"
    assert problems("a,t\n1,2\n", features=("a", "t", "a")) == [
        f"f.csv:1: the column {name!r} is {use}{text}"
        for name, use in (("t", "a feature and a target"), ("a", "given twice"))
    ]


def test_classes_need_one_target() -> None:
    assert problems("a,t,u\n1,x,y\n2,y,x\n", target=("t", "u"), task="classification") == [
        "f.csv: classes need one target column, not 2"
    ]


@pytest.mark.parametrize("task", ["auto", "regression"])
def test_several_targets_or_a_regression_need_numbers(task: str) -> None:
    target: Any = ("t", "u") if task == "auto" else "t"
    (first, _) = problems("a,t,u\n1,x,1\n2,y,2\n", target=target, task=task, features=("a",))
    assert first.startswith("f.csv:2: column 't' must be a finite number, not 'x'")


def test_files_that_cannot_be_read(folder: Path) -> None:
    (folder / "d").mkdir()
    os.mkfifo(folder / "pipe")
    assert problems(None, path="none.csv") == ["none.csv: cannot be read: No such file or directory"]
    assert problems(None, path="d") == ["d: cannot be read: it is not a regular file"]
    assert problems(None, path="pipe") == ["pipe: cannot be read: it is not a regular file"]
    assert problems(None, path="a\0b") == [r"'a\x00b': cannot be read: embedded null byte"]


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n", "\r", "\0"])
def test_a_delimiter_is_one_character(delimiter: str) -> None:
    assert complaints("a,t\n1,2\n", delimiter=delimiter) == [
        (("delimiter",), f"must be one character, no quote or line break, not {delimiter!r}")
    ]


def test_a_target_is_named() -> None:
    assert complaints("a,t\n1,2\n", target=()) == [(("target",), "must name a column")]


def test_a_file_that_is_gone_when_it_is_needed(folder: Path) -> None:
    write("a,t\n1,2\n3,4\n")
    data = CSV("f.csv", "t")
    (folder / "f.csv").unlink()
    with pytest.raises(DataError, match=r"^f\.csv: cannot be read: No such file or directory$"):
        data.table(ANY)
