import math
import re
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dnnexp.config.dialect import parse, parse_value
from dnnexp.config.dump import dump
from dnnexp.config.scalars import MAX_BYTES, MAX_DEPTH, MAX_DIGITS, MAX_NODES, DialectError, short


def read(text: str | bytes) -> Any:
    document = parse(text)
    assert document.problems == ()
    return document.value


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1 from 1.0 and True, 0.0 from -0.0, and finds NaN equal to itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)


# YAML 1.2.2, section 10.3.2, without its octal integers: text of a plain scalar, its value.
CORE_SCHEMA = [
    *((text, None) for text in ("null", "Null", "NULL", "~", "")),
    *((text, True) for text in ("true", "True", "TRUE")),
    *((text, False) for text in ("false", "False", "FALSE")),
    *((text, text) for text in ("yes", "no", "on", "off", "Yes", "NO", "y", "n", "tRUE", "nULL")),
    ("0", 0), ("12", 12), ("-19", -19), ("+3", 3), ("010", 10), ("-007", -7), ("0x1F", 31),
    ("0xdeadBEEF", 0xDEADBEEF), ("0o17", "0o17"), ("-0x1F", "-0x1F"), ("0b11", "0b11"),
    ("1_000", "1_000"), ("1:30", "1:30"), ("190:20:30", "190:20:30"), ("2020-01-01", "2020-01-01"),
    ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
    ("1e-3", 0.001), ("-1E+5", -1e5), (".5", 0.5), ("1.", 1.0), ("-0.0", -0.0), ("12e03", 12000.0),
    ("+12.3", 12.3), ("-.5e1", -5.0), ("1.e2", 100.0), ("1_0.5", "1_0.5"), ("1e", "1e"),
    (".", "."), ("-", [None]), ("e3", "e3"), ("1e5.0", "1e5.0"), ("\u0661", "\u0661"),
    (".inf", math.inf), ("-.inf", -math.inf), ("+.Inf", math.inf), (".INF", math.inf),
    (".nan", math.nan), (".NaN", math.nan), (".NAN", math.nan), ("-.nan", "-.nan"),
    (".iNF", ".iNF"), ("inf", "inf"), ("nan", "nan"), ("=", "="), ("<<", "<<"),
    ("adam", "adam"), ("'1'", "1"), ('"true"', "true"), ("''", ""), ('"\\u00e9\\n"', "\u00e9\n"),
]  # fmt: skip


def test_scalars_are_those_of_the_core_schema() -> None:
    for text, value in CORE_SCHEMA:
        assert same(read(f"key: {text}" if text != "-" else "key:\n- "), {"key": value}), text
        assert same(parse_value(text), value), text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!str 1", "1"),
        ("!!str", ""),
        ("!!int '12'", 12),
        ("!!float 1", 1.0),
        ("!!float .inf", math.inf),
        ("!!bool 'true'", True),
        ("!!null ''", None),
        ("!!seq [1]", [1]),
        ("!!map {a: 1}", {"a": 1}),
        ("!<tag:yaml.org,2002:str> 1", "1"),
        ("{!!str 1: 2}", {"1": 2}),
    ],
)
def test_core_tags_are_honoured(text: str, value: Any) -> None:
    assert same(read(text), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, 2]", [1, 2]),
        ("1e-3", 0.001),
        ("{name: adam}", {"name": "adam"}),
        ("a: b", {"a": "b"}),
        ("", None),
        (" \n", None),
    ],
)
def test_a_single_value(text: str, value: Any) -> None:
    assert same(parse_value(text), value)


@pytest.mark.parametrize("text", ["[1, 2", "{a: 1, a: 2}", "!foo x", "*x", "# only a comment"])
def test_a_bad_single_value_raises_one_sentence(text: str) -> None:
    with pytest.raises(DialectError, match=r"^[^\n]+$"):
        parse_value(text)


def test_positions_of_keys_and_values() -> None:
    document = parse("# comment\nname: x\noptimizers:\n  - {name: adam, rate: 0.1}\n  -\nend:\n")
    assert document.keys == {
        ("name",): (2, 1),
        ("optimizers",): (3, 1),
        ("optimizers", 0, "name"): (4, 6),
        ("optimizers", 0, "rate"): (4, 18),
        ("end",): (6, 1),
    }
    assert document.values == {
        (): (2, 1),
        ("name",): (2, 7),
        ("optimizers",): (4, 3),
        ("optimizers", 0): (4, 5),
        ("optimizers", 0, "name"): (4, 12),
        ("optimizers", 0, "rate"): (4, 24),
        ("optimizers", 1): (5, 4),
        ("end",): (6, 5),
    }


def test_each_use_of_an_alias_is_a_copy_at_its_own_position() -> None:
    document = parse("a: &x {b: [1]}\nc: *x\nd: [*x]\n")
    assert document.value == {"a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}]}
    document.value["a"]["b"].append(2)
    assert document.value["c"] == document.value["d"][0] == {"b": [1]}
    assert document.value["c"]["b"] is not document.value["d"][0]["b"]
    assert document.values["c",] == (2, 4)
    assert document.values["d", 0] == (3, 5)
    assert document.values["c", "b", 0] == document.values["a", "b", 0] == (1, 12)
    assert document.keys["d", 0, "b"] == (1, 8)


def test_an_anchor_can_be_on_a_key_and_be_set_again() -> None:
    assert read("&k a: *k") == {"a": "a"}
    assert read("[&a 1, *a, &a 2, *a]") == [1, 1, 2, 2]
    assert read("a: &k b\n*k : 1") == {"a": "b", "b": 1}


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfa: \xc3\xa9", "\ufeffa: \u00e9"])
def test_a_byte_order_mark_is_dropped(text: str | bytes) -> None:
    document = parse(text)
    assert document.value == {"a": "\u00e9"}
    assert document.keys["a",] == (1, 1)


TAGS = "tags that build objects do not exist here"
TABS = "a tab is not allowed here; write spaces"
SECOND = "a second document starts here"
NEEDED = "the text is empty, but one document is needed"
# text, position and path of its one problem, what the message has
ERRORS: list[tuple[str | bytes, tuple[int, int] | None, tuple[str | int, ...], str]] = [
    ("", None, (), NEEDED),
    ("# only\n# comments\n", None, (), NEEDED),
    ("a: 1\n---\nb: 2\n", (2, 1), (), SECOND),
    ("a: 1\n...\nb: 2\n", (3, 1), (), "nothing is allowed after the document"),
    ("[1]]", (1, 4), (), "nothing is allowed after the document"),
    ("a: 1\nb: 2\na: 3", (3, 1), ("a",), "'a' is on line 1 and again on line 3"),
    ("x: {a: 1, 'a': 2}", (1, 11), ("x", "a"), "'a' is on line 1 and again on line 1"),
    ("x:\n  <<: {a: 1}", (2, 3), ("x",), "the merge key << does not exist in YAML 1.2"),
    ("1: x", (1, 1), (), "the key 1 is an integer, but keys are strings: put it in quotes"),
    ("a:\n - null: x", (2, 4), ("a", 0), "the key null is null, but keys are strings"),
    ("true: x", (1, 1), (), "the key true is a boolean"),
    ("1e-3: x", (1, 1), (), "the key 1e-3 is a float"),
    ("{[1, 2]: x}", (1, 2), (), "the key [1, 2] is a list"),
    ("? {a: 1}\n: x", (1, 3), (), "the key {a: 1} is a mapping"),
    ("a: !!python/object:os.system x", (1, 4), ("a",), f"os.system is unknown: {TAGS}"),
    ("a: [0, !foo {b: 1}]", (1, 8), ("a", 1), f"the tag !foo is unknown: {TAGS}"),
    ("!!set {a}", (1, 1), (), TAGS),
    ("a: ! x", (1, 4), ("a",), TAGS),
    ("a: !e!x 1", (1, 4), (), TAGS),
    ("!foo a: 1", (1, 1), (), TAGS),
    ("a: !!int x", (1, 4), ("a",), "'x' is not an integer, which the tag !!int needs"),
    ("a: !!int 1.5", (1, 4), ("a",), "'1.5' is not an integer"),
    ("a: !!bool yes", (1, 4), ("a",), "'yes' is not a boolean"),
    ("a: !!float 0x10", (1, 4), ("a",), "'0x10' is not a float"),
    ("a: !!null x", (1, 4), ("a",), "'x' is not null"),
    ("a: !!seq {}", (1, 4), ("a",), "the tag !!seq needs a list"),
    ("a: !!map 1", (1, 4), ("a",), "the tag !!map needs a mapping"),
    ("a: !!str [1]", (1, 4), ("a",), "the tag !!str needs a string"),
    ("a: *b", (1, 4), ("a",), "the alias *b has no anchor"),
    ("a: &a [*a]", (1, 8), ("a", 0), "the alias *a is inside its own anchor"),
    ("a: &a {b: {c: *a}}", (1, 15), ("a", "b", "c"), "the alias *a is inside its own anchor"),
    ("a:\n\tb: 1", (2, 1), (), TABS),
    ("a:\n  b: 1\n  \tc: 2", (3, 3), (), TABS),
    ("a: 1\n\tb: 2", (2, 1), (), TABS),
    ("a: [1,\n\t2]", (2, 1), (), TABS),
    ("a:\t1", (1, 3), (), TABS),
    ("a: \x00", (1, 4), (), "control character U+0000"),
    ("a: 1\nb: \x1b[31m", (2, 4), (), "control character U+001B"),
    ("a: \ud800", (1, 4), (), "character U+D800"),
    ('a: "\\ud83d"', (1, 4), ("a",), "the escape \\ud83d is half a character"),
    ('a: "\\U00110000"', (1, 7), (), "out of range"),
    ('a: "\\UFFFFFFFF"', (1, 7), (), "out of range"),
    (b"a: 1\nb: \xff", (2, 4), (), "the byte 0xff is not UTF-8"),
    ("a: 1".encode("utf-16"), (1, 1), (), "is not UTF-8"),
    ("a: " + "1" * (MAX_DIGITS + 1), (1, 4), ("a",), f"an integer has {MAX_DIGITS + 1} digits"),
    ("a: 0x" + "1" * 10_000, (1, 4), ("a",), "an integer has 10002 digits"),
    ("a: " + "x" * MAX_BYTES, None, (), "(1 MiB) are allowed"),
    ("a: b: c", (1, 5), (), "a ':' is not allowed here"),
    ("a: 1\nb\nc: 1", (3, 1), (), "expected ': ' after the key on line 2"),
    ("a: [1,\n 2\nb: 3", (3, 2), (), "the '[' of line 1 is still open"),
    ("a: {b: 1", (1, 9), (), "the '{' of line 1 is still open"),
    ("a: 'x\n\nb: 1", (3, 5), (), "the quoted text that starts on line 1 must be closed"),
    ("a:\n  b: 1\n c: 2", (3, 2), (), "this does not belong to the block of line 1"),
    ('a: "b" c', (1, 8), (), "nothing may follow a closing quote"),
    ("a: @x", (1, 4), (), "text that starts with it must be quoted"),
    ("a: ]", (1, 4), (), "expected a value, but found ']'"),
    (" ]\t", (1, 2), (), "expected a value, but found ']'"),
    ('a: "\\q"', (1, 6), (), "found unknown escape character 'q'"),
    ("a: * b", (1, 5), (), "while scanning an alias"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "position", "path", "message"), ERRORS, ids=[repr(e[0])[:40] for e in ERRORS]
)
def test_an_error_says_where_and_what(
    text: str | bytes, position: tuple[int, int] | None, path: tuple[str | int, ...], message: str
) -> None:
    (problem,) = parse(text).problems
    assert message in problem.message
    assert (problem.position, problem.path) == (position, path)
    assert re.fullmatch(r"[^A-Z\n][^\n]{,200}", problem.message)


def test_all_problems_are_found_and_the_rest_is_read() -> None:
    text = "a: !foo 1\nb: {c: 1, c: 2, d: *e}\n3: 4\nf: 5\na: !!int x\n"
    document = parse(text)
    assert [problem.position for problem in document.problems] == [
        (1, 4),
        (2, 11),
        (2, 20),
        (3, 1),
        (5, 1),
        (5, 4),
    ]
    assert document.value == {"a": None, "b": {"c": 1, "d": None}, "f": 5}


def test_a_syntax_error_keeps_the_problems_before_it() -> None:
    document = parse("a: 1\na: 2\nb: !foo 1\nc: [\n")
    assert [problem.position for problem in document.problems] == [(2, 1), (3, 4), (5, 1)]
    assert document.value is None
    assert document.keys == document.values == {}


def alias_bomb(width: int, levels: int) -> str:
    lines = ["a0: &a0 [" + ", ".join(["x"] * width) + "]"]
    for level in range(1, levels):
        aliases = ", ".join([f"*a{level - 1}"] * width)
        lines.append(f"a{level}: &a{level} [{aliases}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (alias_bomb(9, 20), f"more than the {MAX_NODES} nodes allowed"),
        (alias_bomb(1, 60), f"deeper than the {MAX_DEPTH} levels"),
        ("[" * 100_000, f"deeper than the {MAX_DEPTH} levels"),
        ("[{" * 50_000, f"deeper than the {MAX_DEPTH} levels"),
        ("- " * 100_000, f"deeper than the {MAX_DEPTH} levels"),
        ("? " * 100_000, f"deeper than the {MAX_DEPTH} levels"),
        ("a: 1\n" * 2_000_000, "but at most 1048576 (1 MiB) are allowed"),
        (b"a: 1\n" * 2_000_000, "but at most 1048576 (1 MiB) are allowed"),
    ],
    ids=["bomb", "deep aliases", "[", "[{", "-", "?", "10 MB", "10 MB bytes"],
)
def test_a_bomb_ends_at_once(text: str | bytes, message: str) -> None:
    start = time.perf_counter()
    document = parse(text)
    assert time.perf_counter() - start < 5  # milliseconds; the slack is for a busy machine
    assert document.value is None
    assert message in document.problems[-1].message


def test_text_just_within_the_bounds_is_read() -> None:
    read("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert read("9" * MAX_DIGITS) == 10**MAX_DIGITS - 1
    assert len(read("x" * MAX_BYTES)) == MAX_BYTES
    block = "&b [" + "x," * 999 + "]"  # 1000 nodes
    assert len(read(f"[{block}" + ",*b" * 98 + "," + "x," * 999 + "]")) == 99 + 999
    assert parse(f"[{block}" + ",*b" * 98 + "," + "x," * 1000 + "]").value is None


DUMPED = """\
experiment: optimize
starts:
  points:
    - [-80, 60]
  uniform: {low: -100, high: 100.0}
targets: [1, 0.001, 1e-09, 1e+16]
none: null
optimizers:
  - {name: adam, learning_rate: 0.1}
  - name: '1e-3'
    nested: [true, false]
empty:
  - {}
  - []
"""


def test_the_layout_is_blocks_with_short_leaves() -> None:
    assert dump(read(DUMPED)) == DUMPED


def test_long_leaves_are_blocks_within_the_width() -> None:
    tree = {
        "numbers": list(range(40)),
        "claim": "a word and " * 30 + "end",
        "mapping": {f"key_{i}": i for i in range(12)},
        "deep": [[["x" * 60, "y" * 20, "z" * 8]]],
    }
    text = dump(tree)
    assert max(map(len, text.splitlines())) <= 100
    assert read(text) == tree


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_list_is_on_one_line_while_it_fits(depth: int) -> None:
    """The longest such line leaves room for two quotes of the 88 characters, however deep it is."""
    longest = 0
    for size in range(60, 90):
        tree: Any = ["x" * size]
        for _ in range(depth):
            tree = {"key": tree}
        lines = dump(tree).splitlines()
        if len(lines) == depth:
            longest = max(longest, len(lines[-1]))
    assert longest == 86


def test_a_list_used_twice_is_written_twice() -> None:
    shared = [1, [2]]
    assert dump({"a": shared, "b": shared}).count("[2]") == 2
    assert "&" not in dump({"a": shared, "b": shared})


STRINGS = [
    "1e-3", "true", "null", "~", "0x10", "0o17", "010", "1:30", "2020-01-01", "", " ", " a", "a ",
    "a: b", "a:", ":", "a #b", "#a", "- a", "-", "?", "? a", "<<", "=", "yes", ".inf", ".nan",
    "[a]", "{a", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "'", '"', "it's", "---", "...", "\t",
    "a\nb", "\n", "\n a\n\n  b", "a\n", "\r", "a\r\nb", "\x85", "\u2028", "\ufeff", "\x00", "\x1b",
    "\x7f", "\u00e9", "\U0001f600", "\U0010ffff", "\ufffe", "word " * 40, "word " * 40 + "- # x: y",
    "--- " * 40, "x" * 300, "x\n" * 100, " " * 200, "\\", "ranking[0] == \"adam\"", "a, b",
]  # fmt: skip


def test_strings_stay_strings() -> None:
    for text in STRINGS:
        for tree in (text, [text], {text: text}, {"a": [[text], {text: {"b": text}}]}):
            assert same(read(dump(tree)), tree), ascii(text)


@pytest.mark.parametrize(
    "value", [0.001, 1e-9, 1e16, 1e22, 5e-324, 1.7976931348623157e308, 0.1, 1.0, 100.0, -0.0]
)
def test_floats_are_written_shortest(value: float) -> None:
    assert dump([value]) == f"[{value!r}]\n"
    assert same(read(dump([value])), [value])


def test_values_that_a_document_cannot_hold_are_refused() -> None:
    looped: list[Any] = []
    looped.append(looped)
    for value in ({1: 2}, (1, 2), {1}, b"x", looped, 10**MAX_DIGITS, "\ud800", {"\ud800": 1}):
        with pytest.raises(DialectError, match=r"^[a-z][^\n]*$"):
            dump(value)
    assert read(dump(1 - 10**MAX_DIGITS)) == 1 - 10**MAX_DIGITS


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(STRINGS)
trees = st.recursive(
    scalars,
    lambda child: st.lists(child) | st.dictionaries(st.text() | st.sampled_from(STRINGS), child),
    max_leaves=12,
)


@settings(max_examples=100)
@given(trees)
def test_dump_then_parse_is_the_identity(tree: Any) -> None:
    assert same(read(dump(tree)), tree)


fragments = st.lists(
    st.sampled_from([*"[]{},:-?&*!|>'\"%@#\n\t \\", ": ", "- ", "---", "\n  ", "!!int ", "a", "1"])
    | st.sampled_from(["&a ", "*a", "<<", "%YAML 1", "%TAG ! ", "\\U", "\\x", "!<", "\r", "\ufeff"])
    | st.characters()
).map("".join)


@settings(max_examples=300)
@given(st.text() | fragments)
@example("%YAML 1." + "1" * 5000)
@example("!%FF a")
@example("*a : *a")
@example("? ")
@example('"\\')
def test_no_text_makes_parse_raise(text: str) -> None:
    document = parse(text)
    assert document.problems or (() in document.values)
    for problem in document.problems:
        assert "\n" not in problem.message


@settings(max_examples=100)
@given(st.binary() | fragments.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_make_parse_raise(data: bytes) -> None:
    parse(data)


def test_a_long_text_is_cut_in_a_message() -> None:
    assert short("x" * 40) == "x" * 40
    assert short("x" * 41) == "x" * 37 + "..."
