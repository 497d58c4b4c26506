"""NPZ files: what is read, and what every kind of bad file is told, to the word."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dnnexp.core.data import Table
from dnnexp.core.data.files import NPZ
from dnnexp.registry import checks

ANY = np.random.default_rng(0)  # a file draws nothing
X = np.arange(8.0).reshape(4, 2)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(target: Any, x: Any = X, **fields: Any) -> Table:
    np.savez("f.npz", X=x, y=target)
    return NPZ("f.npz", **fields).table(ANY)


def problems(path: str = "f.npz", **fields: Any) -> list[str]:
    given = {"path": path, "features": "X", "target": "y", "task": "auto"} | fields
    (rule,) = (rule for rule in checks(NPZ) if "path" in rule.fields)
    found = list(rule(*(given[name] for name in rule.fields)))
    assert all(place == ("path",) for place, _ in found)
    return [text for _, text in found]


def saved_problems(x: Any, target: Any, **fields: Any) -> list[str]:
    np.savez("f.npz", X=x, y=target)
    return problems(**fields)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int8, np.uint64, np.bool_])
def test_numbers_of_any_type(dtype: Any) -> None:
    table = read(X[:, 0].astype(dtype), X.astype(dtype))
    assert table.classes is None
    assert table.features.dtype == table.targets.dtype == np.float64
    np.testing.assert_array_equal(table.features, X.astype(dtype))
    np.testing.assert_array_equal(table.targets, X[:, :1].astype(dtype))


def test_several_targets() -> None:
    np.testing.assert_array_equal(read(X[::-1]).targets, X[::-1])


@pytest.mark.parametrize("labels", [np.array(["dog", "cat", "dog", "cat"]), np.array([b"dog", b"cat"] * 2)])
def test_text_is_classes(labels: Any) -> None:
    table = read(labels)
    assert table.classes == ("cat", "dog")
    np.testing.assert_array_equal(table.targets, [[0, 1], [1, 0]] * 2)


def test_numbers_are_classes_on_demand() -> None:
    assert read(np.array([10, 2, 2, 10]), task="classification").classes == ("2", "10")


def test_other_names() -> None:
    np.savez("f.npz", inputs=X, answers=X)
    assert NPZ("f.npz", features="inputs", target="answers").shape().targets == 2


def test_arrays_that_are_missing() -> None:
    np.savez("f.npz", x=X, Y=X)
    assert problems() == [f"f.npz: has no array {name!r}; allowed: x, Y" for name in "Xy"]


@pytest.mark.parametrize(
    ("x", "t"), [(X[0], X[0]), (X, X[:3]), (X, np.float64(1)), (X, X[None]), (X[:0], X[:0]), (X[:, :0], X)]
)
def test_shapes(x: Any, t: Any) -> None:
    assert saved_problems(x, t) == [
        f"f.npz: needs features (n, d) and a target (n,) or (n, k), not {x.shape} and {np.shape(t)}"
    ]


def test_numbers_that_are_not_finite_or_too_large_are_told_by_row() -> None:
    x, t = X.copy(), X[:, 0].copy()
    x[1, 1], x[3, 0], t[2] = np.nan, 2e100, -np.inf
    tail = "; numbers must be finite, at most 1e+100 in size"
    assert saved_problems(x, t) == [
        f"f.npz: X[1, 1] (row 2) holds nan{tail}",
        f"f.npz: X[3, 0] (row 4) holds 2e+100{tail}",
        f"f.npz: y[2] (row 3) holds -inf{tail}",
    ]
    found = saved_problems(np.full((20, 2), np.nan), np.ones(20))
    assert len(found) == 11
    assert found[-1] == "f.npz: and 30 more problems"


def test_types_that_are_no_numbers() -> None:
    assert saved_problems(X * 1j, X) == ["f.npz: the array 'X' must hold real numbers, not complex128"]
    text = np.array(["a", "b", "a", "b"])
    assert saved_problems(X, text, task="regression") == [
        "f.npz: the array 'y' must hold real numbers, not <U1"
    ]


def test_classes() -> None:
    assert saved_problems(X, X, task="classification") == ["f.npz: classes need a target (n,), not (4, 2)"]
    assert saved_problems(X, np.array(["a"] * 4)) == [
        "f.npz: the target has one class only, 'a'; two are needed"
    ]
    assert saved_problems(X, np.array(["a", "", "b", " "])) == [
        "f.npz: y[1] (row 2) is an empty text",
        "f.npz: y[3] (row 4) is an empty text",
    ]
    assert saved_problems(X, np.array([b"a", b"\xff"] * 2)) == [
        "f.npz: the array 'y' contains bytes that are not ASCII text"
    ]
    many = np.repeat(np.arange(1001), 2)
    assert saved_problems(np.ones((2002, 1)), many, task="classification") == [
        "f.npz: the target has 1001 classes; at most 1000 are allowed"
    ]


def test_files_that_are_no_npz() -> None:
    for content in (b"", b"a,b\n1,2\n", b"\x93NUMPY"):
        Path("f.npz").write_bytes(content)
        assert problems() == ["f.npz: is not an NPZ file, as numpy.savez writes it"]
    assert problems("none.npz") == ["none.npz: cannot be read: No such file or directory"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_file_is_refused_or_read_but_no_crash(save: Any, seed: int) -> None:
    """Ten bytes are overwritten; where that leaves a sound file, its numbers are those that were saved."""
    generator = np.random.default_rng(seed)
    save("f.npz", X=X, y=X[:, 0])
    content = bytearray(Path("f.npz").read_bytes())
    for place in generator.integers(4, len(content), 10):
        content[place] = generator.integers(256)
    Path("f.npz").write_bytes(content)
    found = problems()
    assert all(text.startswith("f.npz: ") for text in found)
    if not found:
        np.testing.assert_array_equal(NPZ("f.npz").table(ANY).features, X)


def test_python_objects_are_not_loaded() -> None:
    np.savez("f.npz", X=X, y=np.array([{}, 1, "a", None], dtype=object))
    (found,) = problems()
    assert found.startswith("f.npz: is not an NPZ file of plain arrays: ")
