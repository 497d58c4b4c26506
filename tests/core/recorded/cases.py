"""What is recorded: a library's call next to the part of dnnexp that must do the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Part = dict[str, Any]
"""`{name: ..., field: ...}`, as in a config; a field that is left out has the default of dnnexp."""


def part(name: str, **values: Any) -> Part:
    """The part of that name with these fields."""
    return {"name": name, **values}


class Call:
    """A call that is written down now, made when it is needed, and shown in messages."""

    def __init__(self, function: Callable[..., Any], *values: Any, **named: Any) -> None:
        self.function, self.values, self.named = function, values, named

    def __call__(self, *first: Any) -> Any:
        """Make it, and any calls among its arguments; `first` go before the others."""
        values = [value() if isinstance(value, Call) else value for value in self.values]
        named = {name: value() if isinstance(value, Call) else value for name, value in self.named.items()}
        return self.function(*first, *values, **named)

    def __str__(self) -> str:
        named = [f"{name}={_shown(value)}" for name, value in self.named.items()]
        return f"{_shown(self.function)}({', '.join([*map(_shown, self.values), *named])})"


def _shown(value: Any) -> str:
    """A function by its name."""
    return str(getattr(value, "__name__", value))


@dataclass(frozen=True)
class Case:
    """A rule as a library has it, and as dnnexp has it.

    Attributes:
        label: names it among those of the library.
        call: makes the library's optimizer.
        part: the same for dnnexp.
        clip: is called with the parameters before each step (PyTorch only; in optax it is part of the rule).
        schedule: is called with the optimizer (PyTorch only; in optax it is the learning rate).
    """

    label: str
    call: Call
    part: Part
    clip: Call | None = None
    schedule: Call | None = None

    @property
    def shown(self) -> str:
        """The library's calls."""
        return ", ".join(str(call) for call in (self.call, self.clip, self.schedule) if call)


@dataclass(frozen=True)
class Factors:
    """A schedule as a library has it, for a learning rate of 1, and as dnnexp has it."""

    label: str
    call: Call
    part: Part
