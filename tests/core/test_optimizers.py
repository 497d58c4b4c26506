"""The rules against their published formulas, closed forms, and the table of the reference experiment."""

import math
import typing
from collections.abc import Callable, Generator
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import array_api_strict
import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import Analytic, Central, GradientMethod
from dnnexp.core.objectives import Quadratic, Valley
from dnnexp.core.optimizers import (
    AdaGrad,
    Adam,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
    stack,
    stacking_key,
)
from dnnexp.core.stepping import Recording, Trajectory, descend, recorded_steps, steady
from dnnexp.registry import find

# --- The reference experiment: f = x²/20 + y² from (-80, 60), 20 000 steps ---------------------------------


@dataclass(frozen=True)
class Row:
    """What an independent implementation measured, to the digits given; `±`: only the size is certain."""

    rule: Optimizer
    point: tuple[str, str]
    value: str
    hits: tuple[int, int, int]


NEVER = -1
TABLE = {
    "gradient_descent": Row(GradientDescent(1e-3), ("-10.82574", "2.449e-16"), "5.859832", (NEVER,) * 3),
    "adagrad_norm": Row(AdaGrad(0.1, 1e-9, "norm"), ("-77.8197112", "34.5252616"), "1494.789", (NEVER,) * 3),
    "adagrad": Row(AdaGrad(0.1, 1e-10), ("-53.7341345", "34.4567923"), "1331.638", (NEVER,) * 3),
    "rmsprop_norm": Row(
        RMSprop(1e-2, 0.9, 1e-9, "norm"), ("0", "±5.0e-3"), "2.500e-5", (12431, 12893, 12927)
    ),
    "rmsprop": Row(RMSprop(1e-2, 0.9, 1e-9), ("±5.0e-3", "±5.0e-3"), "2.625e-5", (7570, 8033, NEVER)),
    "momentum": Row(Momentum(1e-3, 0.1), ("-8.66824", "0"), "3.756920", (NEVER,) * 3),
    "nesterov": Row(Nesterov(1e-3, 0.1), ("-8.66845", "0"), "3.757105", (NEVER,) * 3),
    # Adam passes through spikes near the minimum: what it ends with is round-off, and no target
    "adam": Row(Adam(0.1, 0.9, 0.999, 1e-8), ("~0", "~0"), "~0", (1408, 2156, 2690)),
}
GRADIENTS = [Analytic(), Central()]


class SideBySide(Optimizer):
    """Every rule steps its own columns, one for each gradient, so that all share one loop."""

    def __init__(self, rules: list[Optimizer], width: int) -> None:
        self.parts = [(rule, slice(k * width, (k + 1) * width)) for k, rule in enumerate(rules)]

    def init(self, x: Floats) -> list[Any]:
        return [rule.init(x[:, columns]) for rule, columns in self.parts]

    def query(self, x: Floats, state: list[Any]) -> Floats:
        asked = zip(self.parts, state, strict=True)
        return np.concatenate([rule.query(x[:, columns], own) for (rule, columns), own in asked], axis=1)

    def update(self, gradient: Floats, state: list[Any], x: Floats, step: int) -> tuple[Floats, list[Any]]:
        taken = [
            rule.update(gradient[:, columns], own, x[:, columns], step)
            for (rule, columns), own in zip(self.parts, state, strict=True)
        ]
        return np.concatenate([moved for moved, _ in taken], axis=1), [own for _, own in taken]


@pytest.fixture(scope="module")
def reference_runs() -> Trajectory:
    """All eight entries with every gradient: the columns of a rule stand together."""
    valley, count = Valley(), len(GRADIENTS)
    methods = [method.of(valley) for method in GRADIENTS]

    def gradient(x: Floats) -> Floats:
        found = np.empty_like(x)
        for k, method in enumerate(methods):
            found[:, k::count] = method(x[:, k::count])
        return found

    start = np.tile([[-80.0], [60.0]], len(TABLE) * count)
    recording = Recording(recorded_steps(20_000, "log", 200), np.array([1, 1e-3, 1e-6]), keep_points=False)
    rule = SideBySide([row.rule for row in TABLE.values()], count)
    return descend(rule, valley.value, steady(gradient), start, recording)


def tolerance(text: str, analytic: bool) -> float:
    """Half of the last digit given; or 1e-9 where a coordinate has decayed to round-off.

    Round-off is 1e-16 with the analytic gradient and 1e-11 with central differences; f = x²/20 + y² makes
    nothing of either. 0.51: the table is rounded from one implementation, another may fall beside the edge.
    """
    if text == "~0":
        return 1e-5
    number = Decimal(text.lstrip("±"))
    if text == "0" or (abs(number) < Decimal("1e-9") and not analytic):
        return 1e-9
    return 0.51 * 10.0 ** int(number.as_tuple().exponent)


def agrees(measured: float, text: str, analytic: bool) -> bool:
    """Whether a number is what the table says."""
    size = abs(measured) if text.startswith("±") else measured
    return abs(size - float(text.lstrip("±~"))) <= tolerance(text, analytic)


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("method", GRADIENTS, ids=lambda method: str(method.name))
def test_the_reference_experiment(name: str, method: GradientMethod, reference_runs: Trajectory) -> None:
    row, analytic = TABLE[name], isinstance(method, Analytic)
    column = list(TABLE).index(name) * len(GRADIENTS) + GRADIENTS.index(method)
    trajectory = reference_runs.runs(slice(column, column + 1))
    for measured, expected in zip(trajectory.final[:, 0], row.point, strict=True):
        assert agrees(measured, expected, analytic), (measured, expected)
    value = trajectory.value[-1, 0]
    assert value <= 1e-10 if row.value == "~0" else agrees(value, row.value, analytic)
    assert tuple(trajectory.reached_step[:, 0]) == row.hits
    assert trajectory.diverged_step[0] == NEVER


# --- Transcriptions of the published formulas, in Python floats, one run at a time -------------------------

Vector = list[float]
Gradient = Callable[[Vector], Vector]
Steps = Generator[Vector, Vector, None]
"""It yields the displacement of each step and is sent the point that the step has led to."""


def cauchy(h: Any, gradient: Gradient, x: Vector) -> Steps:
    """x ← x − η g."""
    while True:
        x = yield [-h.learning_rate * g for g in gradient(x)]


def polyak(h: Any, gradient: Gradient, x: Vector) -> Steps:
    """Sutskever et al. 2013, eq. 1-2: v ← μ v − ε ∇f(θ); θ ← θ + v."""
    v = [0.0] * len(x)
    while True:
        g = gradient(x)
        v = [h.momentum * v[i] - h.learning_rate * g[i] for i in range(len(x))]
        x = yield v


def nesterov(h: Any, gradient: Gradient, x: Vector) -> Steps:
    """Sutskever et al. 2013, eq. 3-4: v ← μ v − ε ∇f(θ + μ v); θ ← θ + v."""
    v = [0.0] * len(x)
    while True:
        g = gradient([x[i] + h.momentum * v[i] for i in range(len(x))])
        v = [h.momentum * v[i] - h.learning_rate * g[i] for i in range(len(x))]
        x = yield v


def adagrad(h: Any, gradient: Gradient, x: Vector) -> Steps:
    """Duchi, Hazan and Singer 2011, fig. 1; or Ward, Wu and Bottou 2019, algorithm 1, with ε in the root.

    The sums are taken over the whole history at every step.
    """
    history: list[Vector] = []
    while True:
        g = gradient(x)
        history.append(g)
        if h.accumulator == "norm":
            total = math.fsum(value * value for past in history for value in past)
            x = yield [-h.learning_rate * value / math.sqrt(total + h.epsilon) for value in g]
        else:
            totals = [math.fsum(past[i] ** 2 for past in history) for i in range(len(x))]
            x = yield [-h.learning_rate * g[i] / (math.sqrt(totals[i]) + h.epsilon) for i in range(len(x))]


def rmsprop(h: Any, gradient: Gradient, x: Vector) -> Steps:
    """Hinton 2012, lecture 6e: MeanSquare ← β MeanSquare + (1−β) g²; g is divided by its root."""
    mean_square = [0.0] * len(x)
    while True:
        g = gradient(x)
        squares = [value * value for value in g]
        if h.accumulator == "norm":
            squares = [math.fsum(squares)] * len(x)
        mean_square = [h.beta * mean_square[i] + (1 - h.beta) * squares[i] for i in range(len(x))]
        x = yield [-h.learning_rate * g[i] / (math.sqrt(mean_square[i]) + h.epsilon) for i in range(len(x))]


def adam(h: Any, gradient: Gradient, x: Vector) -> Steps:
    """Kingma and Ba 2015, algorithm 1, line by line."""
    m, v, t = [0.0] * len(x), [0.0] * len(x), 0
    while True:
        t += 1
        g = gradient(x)
        m = [h.beta1 * m[i] + (1 - h.beta1) * g[i] for i in range(len(x))]
        v = [h.beta2 * v[i] + (1 - h.beta2) * g[i] ** 2 for i in range(len(x))]
        m_hat = [m[i] / (1 - h.beta1**t) for i in range(len(x))]
        v_hat = [v[i] / (1 - h.beta2**t) for i in range(len(x))]
        x = yield [-h.learning_rate * m_hat[i] / (math.sqrt(v_hat[i]) + h.epsilon) for i in range(len(x))]


PUBLISHED: dict[str, Callable[[Any, Gradient, Vector], Steps]] = {
    "gradient_descent": cauchy,
    "momentum": polyak,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
}


def hyperparameters(rule: Any) -> st.SearchStrategy[Optimizer]:
    """The rule with other numbers, within the constraints of its fields and below 1/2 where unbounded."""
    hints = typing.get_type_hints(type(rule), include_extras=True)
    numbers: dict[str, st.SearchStrategy[float]] = {}
    for field in fields(rule):
        # what the transcriptions do not have stays at 0: dampening, epsilon_root, weight decay, ...
        if isinstance(getattr(rule, field.name), float) and getattr(rule, field.name) > 0:
            bounds: dict[str, Any] = {"low": 0.0, "high": 0.5}
            for constraint in hints[field.name].__metadata__:
                match constraint:
                    case Gt(gt=bound):
                        bounds["low"] = float(str(bound)) + 1e-4
                    case Ge(ge=bound):
                        bounds["low"] = bound
                    case Lt(lt=bound):
                        bounds["high"] = float(str(bound)) - 1e-4
                    case Le(le=bound):
                        bounds["high"] = bound
            numbers[field.name] = st.floats(bounds["low"], bounds["high"])
    return st.fixed_dictionaries(numbers).map(lambda found: replace(rule, **found))


def valley_gradient(x: Vector) -> Vector:
    return [x[0] / 10, 2 * x[1]]


TRANSCRIBED = [
    *(find("optimizer", name)() for name in PUBLISHED),
    AdaGrad(accumulator="norm"),
    RMSprop(accumulator="norm"),
]
"""The others are held against recorded runs of other libraries, and against loops in `test_steps`."""


@pytest.mark.parametrize("example", TRANSCRIBED, ids=str)
@settings(max_examples=15)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_every_step_is_the_published_formula(example: Optimizer, data: st.DataObject, seed: int) -> None:
    """Along 200 steps of the rule's own path on the valley.

    The transcription keeps its own state but is given the rule's point at every step, so that what is
    compared is the formula and not how the valley amplifies a rounding. The state may amplify it: tolerance
    1e-12 of the coordinate's longest step so far is some thousand roundings.
    """
    rule = data.draw(hyperparameters(example))
    start = np.random.default_rng(seed).uniform(-100, 100, (2, 1))
    valley = Valley()
    recording = Recording(np.arange(201), np.array([]), keep_points=True)
    path = descend(rule, valley.value, steady(valley.gradient), start, recording).point
    assert path is not None
    points = path[:, :, 0].tolist()
    published = PUBLISHED[rule.name](rule, valley_gradient, points[0])
    displacement, longest = next(published), np.zeros(2)
    for before, after in pairwise(points):
        longest = np.maximum(longest, np.abs(displacement))
        # the difference of two recorded points has the rounding of the points
        rounding = 2.3e-16 * (np.abs(before) + np.abs(after))
        taken = np.subtract(after, before)
        assert (np.abs(taken - displacement) <= 1e-12 * longest + rounding).all()
        displacement = published.send(after)


# --- Closed forms ------------------------------------------------------------------------------------------


def path(rule: Optimizer, quadratic: Quadratic, start: Floats, steps: int) -> Floats:
    """The points of steps 0 … `steps`: `(steps + 1, d, runs)`."""
    recording = Recording(np.arange(steps + 1), np.array([]), keep_points=True)
    point = descend(rule, quadratic.value, steady(quadratic.gradient), start, recording).point
    assert point is not None
    return point


RATES = st.floats(1e-4, 0.1)
"""Learning rates at which all three rules converge on a quadratic with eigenvalues up to 10."""


@given(RATES, st.integers(0, 2**32))
def test_gradient_descent_on_a_quadratic(rate: float, seed: int) -> None:
    """x_t = (1 − η λ)ᵗ x_0. A factor per step of at most 1 carries t roundings along."""
    quadratic = Quadratic(3, 10.0)
    start = np.random.default_rng(seed).uniform(-10, 10, (3, 2))
    t = np.arange(101)[:, None]
    factors = (1 - rate * quadratic.eigenvalues()) ** t  # (steps, d)
    expected = factors[:, :, None] * start
    np.testing.assert_allclose(path(GradientDescent(rate), quadratic, start, 100), expected, atol=1e-13)


@pytest.mark.parametrize("look_ahead", [False, True], ids=["momentum", "nesterov"])
@given(rate=RATES, momentum=st.floats(0, 0.99), seed=st.integers(0, 2**32))
def test_momentum_on_a_quadratic(look_ahead: bool, rate: float, momentum: float, seed: int) -> None:
    """(x, v) ← M (x, v): x_t is the first entry of Mᵗ (x_0, 0), by repeated squaring of M.

    v' = μ v − ηλ x, or μ v − ηλ (x + μ v) with look-ahead; x' = x + v'.
    """
    quadratic, steps = Quadratic(2, 10.0), 64
    start = np.random.default_rng(seed).uniform(-10, 10, (2, 1))
    rule = Nesterov(rate, momentum) if look_ahead else Momentum(rate, momentum)
    points = path(rule, quadratic, start, steps)
    for i, eigenvalue in enumerate(quadratic.eigenvalues()):
        pull = rate * eigenvalue
        keep = momentum * (1 - pull) if look_ahead else momentum
        one_step = np.array([[1 - pull, keep], [-pull, keep]])
        for t in (1, 2, 17, steps):
            expected = np.linalg.matrix_power(one_step, t)[0, 0] * start[i, 0]
            assert points[t, i, 0] == pytest.approx(expected, abs=1e-11)


CONSTANT = np.array([[3.0], [-0.02]])
"""A gradient that is the same everywhere, under which the adaptive rules have closed forms."""


def displacements(rule: Optimizer, steps: int) -> Floats:
    """Of a rule under the constant gradient: `(steps, d)`."""
    x, state, taken = np.zeros((2, 1)), rule.init(np.zeros((2, 1))), []
    for step in range(1, steps + 1):
        displacement, state = rule.update(CONSTANT, state, x, step)
        taken.append(displacement[:, 0])
    return np.array(taken)


STEP = np.arange(1, 101)[:, None]
SIZE, NORM = np.abs(CONSTANT[:, 0]), float(np.hypot(3.0, 0.02))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (AdaGrad(0.1, 1e-3), 0.1 / (SIZE * np.sqrt(STEP) + 1e-3)),
        (AdaGrad(0.1, 1e-3, "norm"), 0.1 / np.sqrt(NORM**2 * STEP + 1e-3) + 0 * SIZE),
        (RMSprop(0.1, 0.9, 1e-3), 0.1 / (SIZE * np.sqrt(1 - 0.9**STEP) + 1e-3)),
        (RMSprop(0.1, 0.9, 1e-3, "norm"), 0.1 / (NORM * np.sqrt(1 - 0.9**STEP) + 1e-3) + 0 * SIZE),
        (Adam(0.1, 0.9, 0.999, 1e-3), 0.1 / (SIZE + 1e-3) + 0 * STEP),
        (Momentum(0.1, 0.9), 0.1 * (1 - 0.9**STEP) / (1 - 0.9) + 0 * SIZE),
    ],
    ids=["adagrad", "adagrad-norm", "rmsprop", "rmsprop-norm", "adam", "momentum"],
)
def test_a_constant_gradient(rule: Optimizer, expected: Floats) -> None:
    """Accumulators are then t g², (1 − βᵗ) g²; Adam's corrections cancel exactly: every step is −η g/(|g|+ε).

    1 − βᵗ is formed from t products in the rule: relative 1e-12 leaves room for β = 0.999 and small t.
    """
    np.testing.assert_allclose(displacements(rule, 100), -expected * CONSTANT[:, 0], rtol=1e-12)


# --- What every rule must do -------------------------------------------------------------------------------


def gradients(count: int, runs: int = 3) -> Floats:
    return np.random.default_rng(5).standard_normal((count, 2, runs))


def test_a_rule_is_pure(optimizer: Optimizer) -> None:
    """The same arguments twice give the same answer, and nothing that is handed in changes."""
    x, gradient = np.random.default_rng(6).standard_normal((2, 2, 3))
    state = optimizer.init(x)
    for step, gradient in enumerate(gradients(3), start=1):
        arrays = [x, gradient, *(part for part in state or () if isinstance(part, np.ndarray))]
        before = [array.copy() for array in arrays]
        for array in arrays:
            array.flags.writeable = False
        np.testing.assert_array_equal(optimizer.query(x, state), optimizer.query(x, state))
        first, _ = optimizer.update(gradient, state, x, step)
        again, following = optimizer.update(gradient, state, x, step)
        np.testing.assert_array_equal(first, again)
        for array, old in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, old)
        state = following


def test_the_first_step_goes_downhill(optimizer: Optimizer) -> None:
    x, gradient = np.zeros((2, 3)), gradients(1)[0]
    displacement, _ = optimizer.update(gradient, optimizer.init(x), x, 1)
    assert displacement.shape == x.shape
    assert ((displacement * gradient).sum(axis=0) < 0).all()


def test_a_rule_rests_at_a_minimizer(optimizer: Optimizer) -> None:
    """A gradient of 0 from the start moves nothing; an accumulator of 0 must not make it 0 / 0."""
    x = np.zeros((2, 3))
    state = optimizer.init(x)
    for step in (1, 2, 3):
        displacement, state = optimizer.update(np.zeros_like(x), state, x, step)
        np.testing.assert_array_equal(displacement, 0)


def test_a_rule_takes_arrays_of_the_standard(optimizer: Optimizer) -> None:
    """And gives the numbers of numpy."""
    x = np.random.default_rng(7).standard_normal((2, 3))
    strict_x = array_api_strict.asarray(x)
    state, strict_state = optimizer.init(x), optimizer.init(strict_x)
    for step, gradient in enumerate(gradients(5), start=1):
        query, strict_query = optimizer.query(x, state), optimizer.query(strict_x, strict_state)
        np.testing.assert_array_equal(np.asarray(strict_query), query)
        moved, state = optimizer.update(gradient, state, x, step)
        strict_gradient = array_api_strict.asarray(gradient)
        strict_moved, strict_state = optimizer.update(strict_gradient, strict_state, strict_x, step)
        np.testing.assert_array_equal(np.asarray(strict_moved), moved)
        x, strict_x = x + moved, strict_x + strict_moved


def test_only_nesterov_looks_ahead() -> None:
    x, v = np.array([[1.0], [2.0]]), np.array([[4.0], [-8.0]])
    np.testing.assert_array_equal(
        Nesterov(0.1, 0.25).query(x, Momentum().init(x)._replace(velocity=v)), [[2], [0]]
    )
    assert Momentum(0.1, 0.25).query(x, Momentum().init(x)) is x


# --- Stacking ----------------------------------------------------------------------------------------------


def test_stacking_repeats_what_differs_and_keeps_what_does_not() -> None:
    rule: Any = stack([Adam(0.1), Adam(0.2, beta1=0.8), Adam(0.1)], runs=2)
    np.testing.assert_array_equal(rule.learning_rate, [0.1, 0.1, 0.2, 0.2, 0.1, 0.1])
    np.testing.assert_array_equal(rule.beta1, [0.9, 0.9, 0.8, 0.8, 0.9, 0.9])
    assert rule.beta2 == 0.999
    assert stack([Adam(0.1)], runs=5) == Adam(0.1)


def test_a_stacked_rule_takes_the_steps_of_its_parts(optimizer: Any) -> None:
    """Bit for bit, whatever the numbers in which they differ."""
    changed = {
        f.name: 0.7 * getattr(optimizer, f.name) for f in fields(optimizer) if is_number(optimizer, f.name)
    }
    rules: list[Optimizer] = [
        optimizer,
        *(replace(optimizer, **{name: value}) for name, value in changed.items()),
    ]
    assert len({stacking_key(rule) for rule in rules}) == 1
    stacked, x = stack(rules, runs=3), np.random.default_rng(8).standard_normal((2, 3))
    beside = np.tile(x, len(rules))
    states, state = [rule.init(x) for rule in rules], stacked.init(beside)
    for step, gradient in enumerate(gradients(20), start=1):
        moved, state = stacked.update(np.tile(gradient, len(rules)), state, beside, step)
        for k, rule in enumerate(rules):
            alone, states[k] = rule.update(gradient, states[k], x, step)
            np.testing.assert_array_equal(moved[:, 3 * k : 3 * k + 3], alone)


def is_number(rule: Any, name: str) -> bool:
    return isinstance(getattr(rule, name), float)


def test_rules_that_differ_in_more_than_numbers_are_not_stacked() -> None:
    rules = [Momentum(), Nesterov(), AdaGrad(), AdaGrad(accumulator="norm"), RMSprop(), Adam()]
    assert len({stacking_key(rule) for rule in rules}) == len(rules)
    assert stacking_key(Momentum(0.1, 0.2)) == stacking_key(Momentum(0.3, 0.4))
