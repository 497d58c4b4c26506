"""The YAML dialect of config files: YAML 1.2's core schema, bounded, with positions.

PyYAML scans the text, and this module gives its events their meaning, because PyYAML's own constructors
follow YAML 1.1 (`1e-3` is a string, `on` a boolean, `010` eight) and stop at the first error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from dnnexp.config.scalars import (
    CORE,
    KINDS,
    LINE_BREAK,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    NOUNS,
    DialectError,
    read_scalar,
    resolve,
    short,
)
from dnnexp.config.syntax import NO_TAGS, syntax_error
from dnnexp.registry import Path

Position = tuple[int, int]
"""Line and column, from 1."""

_TAGS = {CORE + kind: kind for kind in NOUNS}
_FITTING = {
    yaml.ScalarEvent: ("null", "bool", "int", "float", "str"),
    yaml.SequenceStartEvent: ("seq",),
    yaml.MappingStartEvent: ("map",),
}
"""The kinds of value that an event can have; the last is that of an event without a tag."""
_UNPRINTABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ONE_DOCUMENT = "a second document starts here, but exactly one is allowed"


@dataclass(frozen=True)
class TextProblem:
    """A problem with a text, and what is allowed instead, in one sentence.

    Attributes:
        position: where it is; None if it is with the text as a whole.
        path: that of the value, or of the mapping that holds an unusable key; empty for errors of syntax.
        message: the sentence.
    """

    position: Position | None
    path: Path
    message: str


@dataclass(frozen=True)
class Document:
    """The tree in a text, the position of everything in it by path, and all problems.

    A value that comes from an alias has the alias's position, and its children those where they are written.
    A text with problems has the tree that could be read: an unusable value is None, unusable and repeated
    keys are left out. If the text is not YAML or exceeds a bound, `value` is None, without positions.

    Attributes:
        value: the tree.
        keys: the positions of mapping keys.
        values: the positions of values.
        problems: all problems.
    """

    value: Any
    keys: Mapping[Path, Position]
    values: Mapping[Path, Position]
    problems: tuple[TextProblem, ...]


def parse(text: str | bytes) -> Document:
    """Read the one YAML document in `text`; its problems are returned, never raised."""
    keys: dict[Path, Position] = {}
    values: dict[Path, Position] = {}
    problems: list[TextProblem] = []
    try:
        root = _Composer(_checked(text), problems).compose()
    except _UnreadableError as error:
        return Document(None, keys, values, (*problems, error.problem))
    return Document(_expand(root, (), keys, values), keys, values, tuple(problems))


def parse_value(text: str) -> Any:
    """Read a single value, as given on the command line; blank text is null.

    Raises:
        DialectError: the text is not one value of the dialect.
    """
    document = parse(text if text.strip() else "null")
    if document.problems:
        raise DialectError(document.problems[0].message)
    return document.value


class _UnreadableError(Exception):
    """The rest of the text cannot be read: it is not YAML, or exceeds a bound."""

    def __init__(self, position: Position | None, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.problem = TextProblem(position, path, message)


@dataclass(frozen=True)
class _Node:
    """A value with its position; aliases share `content`, of which `_expand` makes copies."""

    content: Any  # a scalar, list[_Node], or dict[str, tuple[Position, _Node]]
    position: Position
    size: int  # number of nodes, keys included, with aliases expanded
    height: int  # number of nested collections


def _expand(node: _Node, path: Path, keys: dict[Path, Position], values: dict[Path, Position]) -> Any:
    values[path] = node.position
    if isinstance(node.content, list):
        return [_expand(item, (*path, i), keys, values) for i, item in enumerate(node.content)]
    if not isinstance(node.content, dict):
        return node.content
    keys |= {(*path, key): position for key, (position, _) in node.content.items()}
    return {key: _expand(child, (*path, key), keys, values) for key, (_, child) in node.content.items()}


def _checked(text: str | bytes) -> str:
    """Decode `text`, drop its byte order mark, and check that the scanner can take it."""
    size = len(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    if size > MAX_BYTES:
        message = f"the text has at least {size} bytes, but at most {MAX_BYTES} (1 MiB) are allowed"
        raise _UnreadableError(None, message)
    try:
        text = (text if isinstance(text, str) else text.decode()).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8, as the text must be"
        position = _end(error.object[: error.start].decode().removeprefix("\ufeff"))
        raise _UnreadableError(position, message) from error
    if control := _UNPRINTABLE.search(text):
        message = f"the control character U+{ord(control[0]):04X} is not allowed; text must be printable"
        raise _UnreadableError(_end(text[: control.start()]), message)
    return text


def _end(text: str) -> Position:
    lines = LINE_BREAK.split(text)
    return len(lines), len(lines[-1]) + 1


def _start(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _height(content: Any) -> int:
    if isinstance(content, list):
        return 1 + max((item.height for item in content), default=0)
    if isinstance(content, dict):
        return 1 + max((child.height for _, child in content.values()), default=0)
    return 0


@dataclass
class _Composer:
    """Builds nodes from the events of PyYAML's parser and collects all problems."""

    text: str
    problems: list[TextProblem]
    anchors: dict[str | None, _Node | None] = field(default_factory=dict)  # None: not read to its end
    size: int = 0  # number of nodes so far, with aliases expanded

    def compose(self) -> _Node:
        self.loader: Any = yaml.SafeLoader(self.text)
        self.next_event()  # the start of the stream
        if isinstance(self.next_event(), yaml.StreamEndEvent):
            raise _UnreadableError(None, "the text is empty, but one document is needed")
        root = self.node(self.next_event(), (), 0)
        self.next_event()  # the end of the document
        if not isinstance(self.next_event(), yaml.StreamEndEvent):
            self.report(self.event, (), _ONE_DOCUMENT)
        return root

    def next_event(self) -> Any:  # PyYAML's events share no useful type
        try:
            self.event: Any = self.loader.get_event()
        except yaml.MarkedYAMLError as error:
            raise _UnreadableError(*syntax_error(self.text, error)) from error
        except (ValueError, OverflowError) as error:  # from chr(), for escapes above U+10FFFF
            position = (self.loader.line + 1, self.loader.column + 1)
            message = "an escape or a version is out of range; the last character is \\U0010ffff"
            raise _UnreadableError(position, message) from error
        return self.event

    def report(self, event: Any, path: Path, message: str) -> None:
        self.problems.append(TextProblem(_start(event), path, message))

    def spend(self, size: int, depth: int, path: Path) -> None:
        """Count `size` more nodes, nested up to `depth`, against the bounds."""
        self.size += size
        if self.size > MAX_NODES:
            message = f"with aliases expanded, there are more than the {MAX_NODES} nodes allowed"
            raise _UnreadableError(_start(self.event), message, path)
        if depth > MAX_DEPTH:
            message = f"this is nested deeper than the {MAX_DEPTH} levels allowed"
            raise _UnreadableError(_start(self.event), message, path)

    def node(self, event: Any, path: Path, depth: int) -> _Node:
        """The node that starts with `event` and lies inside `depth` collections."""
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path, depth)
        size_before = self.size
        self.spend(1, depth + (not isinstance(event, yaml.ScalarEvent)), path)
        self.anchors[event.anchor] = None  # without an anchor the key is None, which no alias names
        content = self.content(event, path, depth)
        node = _Node(content, _start(event), self.size - size_before, _height(content))
        self.anchors[event.anchor] = node
        return node

    def alias(self, event: Any, path: Path, depth: int) -> _Node:
        target = self.anchors.get(event.anchor)
        if target is None:
            name = short(event.anchor)
            reason = "is inside its own anchor" if event.anchor in self.anchors else "has no anchor"
            self.report(event, path, f"the alias *{name} {reason}; it must come after the value of &{name}")
            target = _Node(None, _start(event), 1, 0)
        self.spend(target.size, depth + target.height, path)
        return replace(target, position=_start(event))

    def content(self, event: Any, path: Path, depth: int) -> Any:
        kind = self.kind(event, path)
        content: Any = None
        if isinstance(event, yaml.SequenceStartEvent):
            content = self.items(path, depth + 1)
        elif isinstance(event, yaml.MappingStartEvent):
            content = self.entries(path, depth + 1)
        elif kind:
            try:
                content = read_scalar(kind, event.value)
            except DialectError as error:
                self.report(event, path, str(error))
        return content if kind else None

    def kind(self, event: Any, path: Path) -> str | None:
        """The kind of value that `event` stands for, or None if its tag cannot be used."""
        fitting = _FITTING[type(event)]
        if event.tag is None:
            plain = isinstance(event, yaml.ScalarEvent) and event.implicit[0]
            return resolve(event.value) if plain else fitting[-1]
        kind = _TAGS.get(event.tag)
        if kind in fitting:
            return kind
        tag = short(event.tag.replace(CORE, "!!"))
        reason = f"needs {NOUNS[kind]}" if kind else f"is unknown: {NO_TAGS}"
        self.report(event, path, f"the tag {tag} {reason}")
        return None

    def items(self, path: Path, depth: int) -> list[_Node]:
        items: list[_Node] = []
        while not isinstance(event := self.next_event(), yaml.SequenceEndEvent):
            items.append(self.node(event, (*path, len(items)), depth))
        return items

    def entries(self, path: Path, depth: int) -> dict[str, tuple[Position, _Node]]:
        entries: dict[str, tuple[Position, _Node]] = {}
        while not isinstance(event := self.next_event(), yaml.MappingEndEvent):
            key, position = self.key(event, path, depth), _start(event)
            child_path = path if key is None else (*path, key)
            if key in entries:
                lines = f"line {entries[key][0][0]} and again on line {position[0]}"
                message = f"the key {short(key)!r} is on {lines}, but may be given only once"
                self.report(event, child_path, message)
            child = self.node(self.next_event(), child_path, depth)
            if key is not None:
                entries.setdefault(key, (position, child))
        return entries

    def key(self, event: Any, path: Path, depth: int) -> str | None:
        """The key that starts with `event`, or None, with a problem reported, if it is unusable."""
        problems_before = len(self.problems)
        key = self.node(event, path, depth).content
        if getattr(event, "value", "") == "<<" and event.implicit[0]:
            self.report(event, path, "the merge key << does not exist in YAML 1.2; write the keys")
        elif isinstance(key, str):
            return key
        elif len(self.problems) == problems_before:
            source = self.text[event.start_mark.index : self.event.end_mark.index].strip()
            noun = NOUNS[KINDS[type(key)]]
            message = f"the key {short(source)} is {noun}, but keys are strings: put it in quotes"
            self.report(event, path, message)
        return None
