"""The messages for errors of YAML syntax that PyYAML raises."""

import re

import yaml

from dnnexp.config.scalars import NOUNS

NO_TAGS = f"tags that build objects do not exist here, only {', '.join(f'!!{k}' for k in NOUNS)}"
_TAB = "a tab is not allowed here; write spaces for indentation and around values"
_MESSAGES = {
    "mapping values are not allowed": "a ':' is not allowed here: text that contains ': ' must be "
    "quoted, and the keys of a mapping must be indented alike",
    "could not find expected ':'": "expected ': ' after the key on line {line}",
    "expected ',' or ']'": "expected ',' or ']', as the '[' of line {line} is still open",
    "expected ',' or '}'": "expected ',' or '}}', as the '{{' of line {line} is still open",
    "unexpected end of stream": "the quoted text that starts on line {line} must be closed",
    "expected <block end>": "this does not belong to the block of line {line}: its entries must be "
    "indented alike, and nothing may follow a closing quote or bracket",
    "expected '<document start>'": "nothing is allowed after the document; a directive needs '---' after it",
    "undefined tag handle": NO_TAGS,
    "cannot start any token": "{problem}; text that starts with it must be quoted",
}
"""Words of PyYAML, with the message for them; `{line}` is the line where the unfinished construct begins."""


def syntax_error(text: str, error: yaml.MarkedYAMLError) -> tuple[tuple[int, int], str]:
    """The line and column of an error of PyYAML's scanner or parser, and a message."""
    mark = error.problem_mark
    assert mark is not None  # PyYAML's scanner and parser always set it
    position = (mark.line + 1, mark.column + 1)
    line_start = mark.index - mark.column
    if tab := re.compile(r" *\t").match(text, line_start):
        position = (mark.line + 1, tab.end() - line_start)
    if tab or text.startswith("\t", mark.index):
        return position, _TAB
    line = (error.context_mark or mark).line + 1
    problem = error.problem or ""
    message = f"{problem} {error.context or ''}".replace("the node content", "a value")
    message = message.replace("'<stream end>'", "the end of the text").strip()
    for words, template in _MESSAGES.items():
        if words in problem:
            message = template.format(line=line, problem=problem)
    return position, message
