"""The key of a job: which changes of a config it sees."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dnnexp.config.sweep import key_of

NAMES = st.sampled_from(["steps", "name", "expect", "seed", "a"]) | st.text(max_size=5)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
CONFIGS = st.dictionaries(NAMES, TREES, max_size=4)


def reordered(tree: Any) -> Any:
    """The same tree, the keys of every mapping backwards."""
    if isinstance(tree, dict):
        return {key: reordered(tree[key]) for key in reversed(tree)}
    return [reordered(item) for item in tree] if isinstance(tree, list) else tree


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything in a tree."""
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield (*path, key)
        yield from places(tree[key], (*path, key))


@pytest.mark.parametrize(
    ("tree", "digest"),
    [
        # printf '{"a":[true,null,"\\u00e9"],"b":{"name":1,"z":0.1}}' | sha256sum
        (
            {"name": "x", "b": {"z": 0.1, "name": 1}, "expect": [], "a": [True, None, "é"]},
            "a58474a0daca4af1d84f6c763d4bb5437078402ebe36e9345c885955f51a081e",
        ),
        # printf '{}' | sha256sum
        ({"name": "x"}, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
    ],
)
def test_it_is_the_hash_of_canonical_json(tree: Any, digest: str) -> None:
    assert key_of(tree) == digest


@given(CONFIGS, TREES, TREES)
def test_the_order_of_keys_the_name_and_the_expectations_do_not_matter(
    tree: dict[str, Any], name: Any, expect: Any
) -> None:
    assert key_of(reordered(tree)) == key_of(tree)
    assert key_of(tree | {"name": name, "expect": expect}) == key_of(tree)


@given(CONFIGS, st.data())
def test_any_other_change_does(tree: dict[str, Any], data: st.DataObject) -> None:
    """Also of a `name` further down: it is that of a part."""
    counted = [path for path in places(tree) if path[0] not in ("name", "expect")]
    assume(counted)
    *outer, last = data.draw(st.sampled_from(counted))
    changed = copy.deepcopy(tree)
    here: Any = changed
    for key in outer:
        here = here[key]
    old, new = here[last], data.draw(TREES)
    assume(repr(reordered(reordered(new))) != repr(reordered(reordered(old))) and not _equal(new, old))
    here[last] = new
    assert key_of(changed) != key_of(tree)


@given(CONFIGS, st.text(min_size=1), TREES)
def test_another_key_does(tree: dict[str, Any], key: str, value: Any) -> None:
    assume(key not in tree and key not in ("name", "expect"))
    assert key_of(tree | {key: value}) != key_of(tree)


def _equal(left: Any, right: Any) -> bool:
    """Whether two trees are the same but for the order of keys."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return type(left) is type(right) and repr(left) == repr(right)


def test_true_one_and_one_point_zero_are_three_values() -> None:
    assert len({key_of({"a": value}) for value in (True, 1, 1.0, "1", [1])}) == 5
