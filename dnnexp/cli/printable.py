"""Texts of others on a terminal."""


def printable(text: str) -> str:
    """The text on one line, with what would move the cursor or change colours as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
