"""The target of a gradient check: a text `name:value`, or a mapping."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import pytest

from dnnexp.config import dialect
from dnnexp.config.dump import dump
from dnnexp.config.overrides import apply, parse
from dnnexp.core.activations import Tanh
from dnnexp.core.losses import Linear
from dnnexp.core.objectives import ExpressionObjective, Sphere
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.targets import (
    ActivationTarget,
    AllTargets,
    LossTarget,
    NetworkTarget,
    ObjectiveTarget,
)
from dnnexp.experiments.gradcheck.work import estimate, shrink
from dnnexp.registry import examples, plain
from tests.config.reading import MINIMAL, KeyPath, errors_of, valid, validator

EXPRESSION = {
    "target": {"name": "objective", "objective": plain(ExpressionObjective.example())},
    "fraction": 0.25,
}


def target(written: Any) -> Any:
    return valid("gradcheck", {"target": written}).target


def fits(written: Any) -> bool:
    return bool(validator(GradcheckConfig).is_valid({"target": written}))


FORMS: list[tuple[Any, Any]] = [
    ("activation:tanh", ActivationTarget(Tanh())),
    ("loss:linear", LossTarget(Linear())),
    ("objective:sphere", ObjectiveTarget(Sphere())),
    ("all", AllTargets()),
    ({"name": "all"}, AllTargets()),
    ({"name": "activation", "activation": "tanh"}, ActivationTarget(Tanh())),
    ({"name": "activation", "activation": {"name": "tanh"}}, ActivationTarget(Tanh())),
    ({"name": "loss", "loss": "linear", "batch": 2, "width": 3}, LossTarget(Linear(), 2, 3)),
    (
        {"name": "objective", "objective": {"name": "sphere", "dimension": 4}, "points": 2},
        ObjectiveTarget(Sphere(dimension=4), 2),
    ),
]


@pytest.mark.parametrize(("written", "expected"), FORMS, ids=[str(written) for written, _ in FORMS])
def test_a_target_is_read_written_and_read_again(written: Any, expected: Any) -> None:
    config = valid("gradcheck", {"target": written})
    assert config.target == expected
    assert valid("gradcheck", plain(config)) == config
    assert valid("gradcheck", dialect.parse(dump(plain(config))).value) == config
    assert fits(written)
    assert fits(plain(config)["target"])


@pytest.mark.parametrize("kind", ["activation", "loss", "objective"])
def test_every_part_is_a_target_by_its_name(kind: str) -> None:
    """Unless it has fields that must be given."""
    for part in examples(kind):
        written = f"{kind}:{part.name}"
        assert fits(written)
        if all(field.default is not MISSING for field in fields(part)):
            assert getattr(target(written), kind) == type(part)()
        else:
            assert errors_of("gradcheck", {"target": written}) != []


def test_without_a_target_it_is_the_network() -> None:
    config = valid("gradcheck", MINIMAL["gradcheck"])
    assert config.target == NetworkTarget()
    assert valid("gradcheck", MINIMAL["gradcheck"] | {"target": "network"}) == config
    assert errors_of("gradcheck", {}) == [(("network",), "is required, but missing")]


WRONG: list[tuple[Any, KeyPath, str]] = [
    ("activation:tanhh", ("target", "activation"),
     "unknown activation 'tanhh'; did you mean 'tanh'? allowed: "),
    ("loss:hinge", ("target", "loss"), "unknown loss 'hinge'; allowed: "),
    ("activation:tanh:2", ("target", "activation"), "unknown activation 'tanh:2'; did you mean 'tanh'?"),
    ("loss:", ("target",), "unknown target 'loss:'; did you mean 'loss'? allowed: "),
    ("objective", ("target", "objective"), "is required, but missing"),
    ("nothing:x", ("target",), "unknown target 'nothing:x'; allowed: "),
    ("all:x", ("target",), "unknown target 'all:x'; did you mean 'all'? allowed: "),
    ("", ("target",), "unknown target ''; allowed: "),
    (5, ("target",), "must be a name or a mapping with a name, not 5; allowed: "),
    ({"name": "loss", "loss": "linear", "batch": 0}, ("target", "batch"), "must be at least 1, not 0"),
    ({"name": "activation", "activation": "tanh", "points": 2}, ("target", "points"),
     "unknown key; allowed: activation"),
    ({"objective": "sphere"}, ("target",), "needs a name; allowed: "),
]  # fmt: skip


@pytest.mark.parametrize(("written", "path", "message"), WRONG, ids=[str(wrong[0]) for wrong in WRONG])
def test_a_wrong_target_is_a_problem(written: Any, path: KeyPath, message: str) -> None:
    ((said_path, text),) = errors_of("gradcheck", {"target": written})
    assert said_path == path
    assert text.startswith(message)


@pytest.mark.parametrize("written", ["loss:", "nothing:x", "all:x", "", 5,
                                     {"name": "loss", "loss": "linear", "batch": 0}], ids=str)  # fmt: skip
def test_the_json_schema_rejects_it_too(written: Any) -> None:
    assert not fits(written)


def edited(*arguments: str, tree: Any = None) -> Any:
    tree = tree or {}
    for argument in arguments:
        tree = apply(GradcheckConfig, tree, parse(argument)).tree
    return valid("gradcheck", tree).target


def test_overrides_set_a_target_and_its_fields() -> None:
    assert edited("target=objective:sphere") == ObjectiveTarget(Sphere())
    assert edited("target=objective:sphere", "target.objective.dimension=3") == ObjectiveTarget(
        Sphere(dimension=3)
    )
    assert edited("target=objective:sphere", "target.points=9") == ObjectiveTarget(Sphere(), 9)
    assert edited("target={name: loss, loss: linear}", "target.width=2") == LossTarget(Linear(), width=2)
    assert edited("~target", tree=MINIMAL["gradcheck"] | {"target": "all"}) == NetworkTarget()


NETWORKS_ONLY: list[tuple[str, Any, str]] = [
    ("directions", 3, "are of a network's tensors, but the target is all: take a fraction of the entries"),
    ("hessian_directions", 2, "are of a network's parameters, but the target is all: leave them at 0"),
]


@pytest.mark.parametrize(("key", "value", "message"), NETWORKS_ONLY, ids=[key for key, *_ in NETWORKS_ONLY])
def test_a_key_of_networks_is_a_problem_beside_another_target(key: str, value: Any, message: str) -> None:
    """`directions` was let pass, and the summary of the run failed."""
    assert errors_of("gradcheck", {"target": "all", key: value}) == [((key,), message)]


USELESS: dict[str, tuple[Any, Any, str]] = {
    "batch": ("activation:relu", 4, "does nothing for the target activation: leave it out, or "),
    "loss": ("loss:linear", "linear", "does nothing for the target loss (the target's own is target.loss): "),
    "network": ("all", MINIMAL["gradcheck"]["network"], "does nothing for the target all: "),
    "initializer": ("all", {"weights": "he"}, "does nothing for the target all: "),
    "adjoint_directions": ("all", 2, "does nothing for the target all: leave it out, or drop it by the "),
}


@pytest.mark.parametrize("key", USELESS)
def test_a_key_that_does_nothing_for_the_target_is_a_problem(key: str) -> None:
    """It was taken silently: a batch of 4 changed nothing of a check of relu."""
    target, value, message = USELESS[key]
    ((path, text),) = errors_of("gradcheck", {"target": target, key: value})
    assert path == (key,)
    assert text.startswith(message)


def test_methods_of_networks_are_problems_for_other_targets() -> None:
    """They were taken silently, and none of them was among those of the check."""
    (first, second) = errors_of("gradcheck", {"target": "all", "methods": ["backward", "complex", "forward"]})
    allowed = "central, central4, richardson, complex; the formula and richardson always take part"
    assert first == (("methods", 0), f"backward does nothing for the target all: allowed: {allowed}")
    assert second[0] == ("methods", 2)


def test_a_resolved_config_of_a_part_can_be_read_again() -> None:
    """It has the keys of networks with their defaults, and so does the shrunk config."""
    config = valid("gradcheck", {"target": "activation:relu", "methods": ["central4", "complex"]})
    assert valid("gradcheck", plain(config)) == config
    assert valid("gradcheck", plain(shrink(config))) == shrink(config)


def test_the_estimate_counts_evaluations() -> None:
    tree = {"target": "activation:tanh", "methods": ["central", "complex"]}
    text = estimate(valid("gradcheck", tree))
    assert text.startswith(
        "1 tensor by 4 methods, for each entry at each point 87 evaluations; the error curve "
    )
    text = estimate(valid("gradcheck", tree | EXPRESSION | {"methods": ["central", "richardson"]}))
    assert text.startswith("1 tensor by 3 methods, for 0.25 of the entries at each point 86 evaluations;")


def test_a_fault_is_for_networks() -> None:
    tree = MINIMAL["gradcheck"] | {"target": "all", "inject": {"name": "sign", "layer": 1}}
    text = dict(errors_of("gradcheck", tree))["inject",]
    assert text == "is a fault of a network's backward pass, but the target is all"
