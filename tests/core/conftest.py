"""Parametrises the tests of the core over the registry.

A test with an argument named after a kind of part (`optimizer`, `objective`, ...) runs for every example of
every part of that kind, so that a part is tested from the moment it is registered.
"""

import dataclasses
import typing
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

import dnnexp.core  # noqa: F401  # enters the built-in parts
from dnnexp.core.losses import Loss
from dnnexp.core.network import Network
from dnnexp.core.problem import Problem
from dnnexp.registry import find, parts

KINDS = ("activation", "gradient", "loss", "objective", "optimizer", "schedule")


def examples(cls: type[Any]) -> list[Any]:
    """The part with its defaults, and with every other choice of each switch, or another dimension.

    An activation's numbers shape the function: each is halved and doubled, too.
    """
    if any(is_required(field) for field in dataclasses.fields(cls)):
        return []  # what needs arguments has tests of its own
    types = typing.get_type_hints(cls)
    choices: dict[str, tuple[Any, ...]] = {}
    for field in dataclasses.fields(cls):
        if field.kw_only is True:
            continue  # of the kind, not of the part
        if typing.get_origin(types[field.name]) is typing.Literal:
            choices[field.name] = typing.get_args(types[field.name])
        elif types[field.name] is bool:
            choices[field.name] = (True, False)
        elif cls.kind == "activation" and isinstance(field.default, float):
            choices[field.name] = (field.default / 2, field.default * 2)
    if "dimension" in {field.name for field in dataclasses.fields(cls)}:
        choices["dimension"] = (cls().dimension, 3, 10)
    varied = [cls(**{name: value}) for name, values in choices.items() for value in values]
    return list(dict.fromkeys([cls(), *varied]))


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether a field has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def label(part: Any) -> str:
    """Its name, followed by what differs from the defaults."""
    default = type(part)()
    changed = [f.name for f in dataclasses.fields(part) if getattr(part, f.name) != getattr(default, f.name)]
    return "-".join([part.name, *(f"{getattr(part, name)}" for name in changed)])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for kind in KINDS:
        if kind in metafunc.fixturenames:
            found = [example for cls in parts(kind).values() for example in examples(cls)]
            metafunc.parametrize(kind, found, ids=label)
    if "plain_activation" in metafunc.fixturenames:  # with its defaults: for tests that take long
        plain = [cls() for cls in parts("activation").values() if examples(cls)]
        metafunc.parametrize("plain_activation", plain, ids=label)


@st.composite
def small_problems(draw: st.DrawFn, loss: Loss) -> Problem:
    """A network of 1 to 4 layers of 1 to 4 units with any activations, at normal parameters and inputs."""
    widths = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=5)))
    names = [draw(st.sampled_from(list(parts("activation")))) for _ in widths[1:]]
    batch, generator = draw(st.integers(1, 3)), np.random.default_rng(draw(st.integers(0, 2**32)))
    network = Network(widths, tuple(find("activation", name)() for name in names))
    return Problem(
        network,
        parameters=generator.standard_normal(network.parameter_count),
        x=generator.standard_normal((batch, widths[0])),
        t=loss.example_targets(generator, batch, widths[-1]),
        loss=loss,
    )


@pytest.fixture(scope="session")
def problems() -> Callable[[Loss], st.SearchStrategy[Problem]]:
    """Random small networks with a batch for a loss."""
    return small_problems
