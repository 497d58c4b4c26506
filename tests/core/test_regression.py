"""LinearModel models on data: their minima against other methods, their gradients, their bits."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import linear_model

from dnnexp.core.arrays import Floats
from dnnexp.core.data.bundled import BreastCancer, Digits, Iris
from dnnexp.core.data.files import NPZ
from dnnexp.core.data.synthetic import Moons, Spirals, Teacher
from dnnexp.core.differentiation import complex_gradient, hessian
from dnnexp.core.losses import SoftmaxCrossEntropy
from dnnexp.core.objectives import LeastSquares, LogisticRegression, regression
from dnnexp.core.objectives.regression import LinearModel, OneLogit
from dnnexp.core.streams import Streams

MODELS = [
    LeastSquares(data=Teacher(80, 3)),
    LeastSquares(data=Teacher(60, 4, targets=3), l2=0.3),
    LeastSquares(data=Iris()),
    LogisticRegression(data=Moons(60)),
    LogisticRegression(data=BreastCancer(), l2=0.1),
    LogisticRegression(data=Iris(), l2=1e-2),
    LogisticRegression(data=Spirals(90, 5), l2=2.0),
]
IDS = [f"{model.name}-{model.data.name}-{model.penalty:g}" for model in MODELS]
by_model = pytest.mark.parametrize("model", MODELS, ids=IDS)


def prepared(model: LinearModel, seed: int = 1) -> Any:
    return model.prepare(Streams(seed))


def parameters(ready: Any, theta: Floats) -> tuple[Floats, Floats]:
    """W `(k, d)` and b `(k,)` by the documented layout."""
    features = ready.split.train.features.shape[1]
    outputs = len(theta) // (features + 1)
    return theta[: outputs * features].reshape(outputs, features), theta[outputs * features :]


def by_hand(ready: Any, theta: Floats) -> float:
    """The documented formulas, a row at a time."""
    weights, biases = parameters(ready, theta)
    train, total = ready.split.train, 0.0
    for x, t in zip(train.features, train.targets, strict=True):
        y = weights @ x + biases
        if ready.name == "least_squares":
            total += 0.5 * float(np.sum((y - t) ** 2))
        elif len(y) == 1:
            total += float(np.log(1 + np.exp(y[0])) - t[1] * y[0])
        else:
            total -= float(np.log(np.exp(y) / np.exp(y).sum()) @ t)
    return total / len(train.features) + float(ready.l2) / 2 * float(theta @ theta)


@by_model
def test_the_value_is_the_documented_formula(model: LinearModel) -> None:
    """Sums of some hundred terms: a relative rounding of about 100 ε."""
    ready = prepared(model)
    x = ready.draw(np.random.default_rng(0), 4)
    assert x.shape == (ready.dimension, 4)
    np.testing.assert_allclose(ready.value(x), [by_hand(ready, theta) for theta in x.T], rtol=1e-13)


@by_model
def test_the_gradient_is_the_complex_step(model: LinearModel) -> None:
    """Both are exact to rounding, of terms that are as large as the gradient or features times targets."""
    ready = prepared(model)
    x = ready.draw(np.random.default_rng(0), 3)
    np.testing.assert_allclose(ready.gradient(x), complex_gradient(ready.value, x), rtol=1e-11, atol=1e-13)


@by_model
def test_points_of_any_shape_and_order(model: LinearModel) -> None:
    """A run gets the bits that it has alone, wherever it stands and in whatever order memory is."""
    ready = prepared(model)
    x = ready.draw(np.random.default_rng(0), 12)
    value, gradient = ready.value(x), ready.gradient(x)
    assert value.shape == (12,)
    for k in range(12):
        np.testing.assert_array_equal(ready.value(x[:, k].copy()), value[k])
        np.testing.assert_array_equal(ready.gradient(x[:, k].copy()), gradient[:, k])
        np.testing.assert_array_equal(ready.value(x[:, k : k + 1].copy()), value[k : k + 1])
    np.testing.assert_array_equal(ready.value(np.ascontiguousarray(x)), value)
    np.testing.assert_array_equal(ready.gradient(np.ascontiguousarray(x)), gradient)
    shape = (ready.dimension, 3, 4)
    np.testing.assert_array_equal(ready.value(x.reshape(shape)), value.reshape(3, 4))
    np.testing.assert_array_equal(ready.gradient(x.reshape(shape)), gradient.reshape(shape))


@by_model
def test_the_minimum_is_attained_where_the_gradient_vanishes(model: LinearModel) -> None:
    """The gradient is a mean of terms of order one: it vanishes to a few ε."""
    ready = prepared(model)
    minimizer = ready.minimizers()
    assert minimizer.shape == (ready.dimension, 1)
    assert np.linalg.norm(ready.gradient(minimizer)) < 2e-14
    assert ready.value(minimizer)[0] == ready.minimum
    near = minimizer + 1e-3 * np.random.default_rng(0).standard_normal((ready.dimension, 200))
    assert (ready.value(near) > ready.minimum).all()


@by_model
def test_the_hessian_at_the_minimum_has_the_curvature_of_the_penalty_at_least(model: LinearModel) -> None:
    ready = prepared(model)
    curvatures = np.linalg.eigvalsh(hessian(ready, ready.minimizers()[:, 0]))
    assert curvatures[0] >= model.penalty * (1 - 1e-9) - 1e-13


def design(ready: Any) -> Floats:
    features = ready.split.train.features
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)


@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_least_squares_solves_the_normal_equations(l2: float) -> None:
    """(XᵀX / n + λ I) θ = Xᵀ t / n: condition numbers are below 100 here."""
    ready = prepared(LeastSquares(data=Teacher(200, 5, targets=2), l2=l2))
    x, t = design(ready), ready.split.train.targets
    expected = np.linalg.solve(x.T @ x / len(x) + l2 * np.eye(6), x.T @ t / len(x)).T
    weights, biases = parameters(ready, ready.minimizers()[:, 0])
    np.testing.assert_allclose(weights, expected[:, :-1], rtol=0, atol=1e-13)
    np.testing.assert_allclose(biases, expected[:, -1], rtol=0, atol=1e-13)


def test_least_squares_with_too_few_rows_takes_the_solution_of_least_norm() -> None:
    ready = prepared(LeastSquares(data=Teacher(10, 20)))
    x, t = design(ready), ready.split.train.targets
    assert ready.minimum < 1e-28
    theta = ready.minimizers()[:, 0]
    np.testing.assert_allclose(theta, np.linalg.pinv(x) @ t[:, 0], rtol=0, atol=1e-13)


def test_least_squares_is_scikit_learns_ridge() -> None:
    """Ridge minimises ‖X w − t‖² + α‖w‖²: α = n λ."""
    ready = prepared(LeastSquares(data=Teacher(100, 4), l2=0.2))
    x, t = design(ready), ready.split.train.targets
    ridge = linear_model.Ridge(alpha=len(x) * 0.2, fit_intercept=False, solver="cholesky").fit(x, t[:, 0])
    np.testing.assert_allclose(ready.minimizers()[:, 0], ridge.coef_, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("data", "l2"),
    [(BreastCancer(), 1e-3), (Moons(200), 0.1), (Iris(), 1e-3), (Spirals(200, 4), 0.05)],
    ids=["breast_cancer", "moons", "iris", "spirals"],
)
def test_logistic_regression_is_scikit_learns(data: Any, l2: float) -> None:
    """C = 1/(n λ), of a design with a column of ones so that the bias is penalised there, too.

    scikit-learn stops at a gradient of 1e-10 (of the mean loss times C n): the coefficients are off by at
    most its size over the least curvature, 1e-10 / λ, which 1e-6 of their size allows for.
    """
    ready = prepared(LogisticRegression(data=data, l2=l2))
    x, t = design(ready), ready.split.train.targets.argmax(axis=1)
    reference = linear_model.LogisticRegression(
        C=1 / (len(x) * l2), fit_intercept=False, tol=1e-10, max_iter=100_000, solver="newton-cg"
    ).fit(x, t)
    weights, biases = parameters(ready, ready.minimizers()[:, 0])
    found = np.concatenate([weights, biases[:, None]], axis=1)
    np.testing.assert_allclose(found, reference.coef_, rtol=0, atol=1e-6 * np.abs(reference.coef_).max())


def test_digits_have_a_minimum_though_some_pixels_are_constant() -> None:
    ready = prepared(LogisticRegression(data=Digits(), l2=1e-2))
    assert ready.dimension == 650
    assert np.linalg.norm(ready.gradient(ready.minimizers())) < 2e-14


@pytest.mark.parametrize("data", [Iris(), BreastCancer(), Moons(20, noise=0.0)], ids=lambda data: data.name)
@pytest.mark.parametrize("l2", [1e-8, 1e-30, 5e-324])
def test_separable_classes_with_a_tiny_penalty_have_a_minimum_or_none(data: Any, l2: float) -> None:
    """Without a penalty the minimum would be at infinity; none is better than a wrong one."""
    ready = prepared(LogisticRegression(data=data, l2=l2))
    assert (ready.minimum is None) == (ready.minimizers() is None)
    assert ready.minimum is not None or l2 < 1e-8
    if ready.minimum is not None:
        assert np.linalg.norm(ready.gradient(ready.minimizers())) < 2e-14


def test_a_problem_that_is_too_large_has_no_known_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LeastSquares(data=Teacher(10, 3000))  # 3001 parameters
    assert prepared(model).minimum is None
    monkeypatch.setattr(regression, "_MAX_PARAMETERS", 3001)
    assert prepared(model).minimum < 1e-25
    monkeypatch.setattr(regression, "_MAX_PRODUCTS", 8 * 3001**2 - 1)  # 8 training rows
    assert prepared(model).minimum is None


@pytest.mark.parametrize("standardize", [True, False])
def test_numbers_of_any_size_have_a_minimum_or_none(standardize: bool, tmp_path: Path) -> None:
    """As large and as small as files may hold them: no warning, no error."""
    path = str(tmp_path / "large.npz")
    x = np.random.default_rng(0).uniform(-1, 1, (40, 3)) * [1e100, 1.0, 1e-300]
    np.savez(path, X=x, y=np.arange(40) % 2)
    models: list[LinearModel] = [
        LogisticRegression(data=NPZ(path, task="classification", standardize=standardize)),
        LeastSquares(data=NPZ(path, standardize=standardize)),
    ]
    for model in models:
        least = prepared(model).minimum
        assert least is None or 0 <= least < 0.7  # log 2 is that of θ = 0


def test_an_objective_that_is_not_prepared_has_a_dimension_but_no_minimum() -> None:
    model = LogisticRegression(data=BreastCancer())
    assert model.dimension == 31  # one logit
    assert LogisticRegression(data=Iris()).dimension == 15
    assert model.minimum is None
    with pytest.raises(RuntimeError, match="the objective logistic_regression has no data before"):
        model.value(np.zeros((31, 1)))


def test_preparing_again_gives_other_data_and_another_minimum() -> None:
    first = prepared(LeastSquares(data=Teacher(50, 3)), seed=1)
    before = first.minimum
    second = first.prepare(Streams(2))
    assert first.minimum == before
    assert second.minimum == LeastSquares(data=Teacher(50, 3)).prepare(Streams(2)).minimum != before


@by_model
def test_mini_batches_keep_the_minimum_of_all_rows(model: LinearModel) -> None:
    ready, batched = prepared(model), prepared(replace(model, batch=16))
    assert batched.is_costly
    assert not ready.is_costly
    assert batched.minimum == ready.minimum
    assert ready.slope(np.random.default_rng(0), 2) is None


def test_one_logit_is_two_of_which_one_is_0() -> None:
    generator = np.random.default_rng(0)
    loss, y = OneLogit(), np.linspace(-800, 800, 50).reshape(25, 2, 1)
    t = loss.example_targets(generator, 50, 1).reshape(25, 2, 2)
    expected = np.where(t[..., 1] == 1, np.logaddexp(0, -y[..., 0]), np.logaddexp(0, y[..., 0]))
    np.testing.assert_allclose(loss.value(y, t), expected.sum(axis=-1), rtol=1e-14, atol=1e-15)
    assert loss.gradient(y, t).shape == y.shape
    step = np.full_like(y, 0.25)
    np.testing.assert_allclose(
        loss.difference(y + step, y - step, t), loss.value(y + step, t) - loss.value(y - step, t), atol=1e-12
    )
    both = np.concatenate([np.zeros_like(y), y], axis=-1)
    np.testing.assert_array_equal(loss.value(y, t), SoftmaxCrossEntropy().value(both, t))


def test_accuracies_of_one_logit_and_of_several() -> None:
    for data in (Moons(100), Iris()):
        ready = prepared(LogisticRegression(data=data))
        train = ready.split.train
        weights, biases = parameters(ready, ready.minimizers()[:, 0])
        y = train.features @ weights.T + biases
        guess = (y[:, 0] > 0).astype(int) if y.shape[1] == 1 else y.argmax(axis=1)
        share = np.mean(guess == train.targets.argmax(axis=1))
        assert ready.measure(ready.minimizers())["train_accuracy"] == [share]
        assert share > 0.8  # moons and irises are nearly separable by lines


def test_the_measured_loss_is_without_the_penalty() -> None:
    ready = prepared(LeastSquares(data=Teacher(50, 3), l2=10.0))
    x = ready.draw(np.random.default_rng(0), 5)
    measured = ready.measure(x)
    assert tuple(measured) == ready.measures == ("train_loss", "validation_loss")
    np.testing.assert_allclose(ready.value(x) - measured["train_loss"], 5 * np.sum(x**2, axis=0), rtol=1e-13)


def test_starts_are_standard_normal_and_the_first_ones_stay() -> None:
    ready = prepared(LeastSquares(data=Teacher(50, 3)))
    few, many = (ready.draw(np.random.default_rng(3), count) for count in (2, 5000))
    np.testing.assert_array_equal(few, many[:, :2])
    assert many.T.flags.c_contiguous  # each run's parameters are contiguous
    np.testing.assert_allclose(many.std(axis=1), 1, atol=0.05)  # five standard errors


def test_logistic_regression_needs_classes() -> None:
    with pytest.raises(ValueError, match=r"^data: must have classes, but the targets of teacher "):
        LogisticRegression(data=Teacher())
