"""The training of networks: gradients, the order of the data, stacks, measures, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neural_network import MLPClassifier

from dnnexp.config.schema import read
from dnnexp.core.activations import Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.data.bundled import Digits, Iris
from dnnexp.core.data.files import CSV
from dnnexp.core.data.synthetic import Moons, Spirals, Teacher
from dnnexp.core.differentiation import central_gradient, complex_gradient
from dnnexp.core.initializers import LSUV, LayerInitializer, Normal
from dnnexp.core.losses import SoftmaxCrossEntropy, SquaredError
from dnnexp.core.objectives import LeastSquares, NetworkTraining, learning
from dnnexp.core.objectives.learning import Learning
from dnnexp.core.optimizers import Adam
from dnnexp.core.problem import Problem
from dnnexp.core.stepping import Recording, descend
from dnnexp.core.streams import Streams

NETWORKS = [
    NetworkTraining(data=Moons(50), hidden=(5,)),
    NetworkTraining(data=Spirals(60, 3), hidden=(4, 3), activation=Tanh(), batch=None),
    NetworkTraining(data=Teacher(50, 3, targets=2), hidden=(6,), activation=Sigmoid()),
    NetworkTraining(data=Iris(), hidden=(4,), loss=SquaredError()),
    NetworkTraining(data=Iris(), hidden=()),
]
by_network = pytest.mark.parametrize("model", NETWORKS, ids=range(len(NETWORKS)))


def prepared(model: Learning, seed: int = 1) -> Any:
    return model.prepare(Streams(seed))


def stream(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- Value and gradient ------------------------------------------------------------------------------------


@by_network
def test_the_gradient_is_the_difference_quotient(model: NetworkTraining) -> None:
    """Round-off ε f / h and truncation h² f‴ / 6 of values of order one: near 1e-10."""
    ready = prepared(model)
    x = ready.draw(stream(), 3)
    quotient = central_gradient(ready.value, x)
    np.testing.assert_allclose(ready.gradient(x), quotient, rtol=0, atol=5e-9)


@by_network
def test_the_gradient_is_the_complex_step(model: NetworkTraining) -> None:
    """Exact to rounding, of means of terms of order one."""
    ready = prepared(model)
    x = ready.draw(stream(), 3)
    np.testing.assert_allclose(ready.gradient(x), complex_gradient(ready.value, x), rtol=1e-12, atol=1e-14)


@by_network
def test_value_and_gradient_are_means_of_those_of_the_rows(model: NetworkTraining) -> None:
    """Against the gradient checker's own backward pass, a row at a time."""
    ready = prepared(model)
    theta = ready.draw(stream(), 1)[:, 0]
    train = ready.split.train
    rows = [
        Problem(ready.network, theta, x[None], t[None], ready.model_loss)
        for x, t in zip(train.features, train.targets, strict=True)
    ]
    value = np.mean([p.loss.value(p.network.forward(theta, p.x).output, p.t) for p in rows])
    gradient = np.mean([p.network.gradient(theta, p.x, p.t, p.loss) for p in rows], axis=0)
    assert ready.value(theta) == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(ready.gradient(theta), gradient, rtol=1e-11, atol=1e-14)


def test_value_and_accuracy_are_scikit_learns() -> None:
    """scikit-learn's classifier with our parameters: its probabilities give the same loss."""
    ready = prepared(NetworkTraining(data=Digits(), hidden=(16,)))
    theta = ready.draw(stream(), 1)[:, 0]
    train = ready.split.train
    labels = train.targets.argmax(axis=1)
    reference = MLPClassifier((16,), max_iter=1).partial_fit(train.features, labels, classes=np.arange(10))
    layers = ready.network.layers(theta)
    reference.coefs_ = [layer.weights.T for layer in layers]
    reference.intercepts_ = [layer.biases for layer in layers]
    logarithms = reference.predict_log_proba(train.features)
    loss = -np.mean(logarithms[np.arange(len(labels)), labels])
    assert ready.value(theta) == pytest.approx(loss, rel=1e-12)
    measured = ready.measure(theta[:, None])
    assert measured["train_accuracy"] == [reference.score(train.features, labels)]


@by_network
def test_a_network_has_the_bits_that_it_has_alone(model: NetworkTraining) -> None:
    ready = prepared(model)
    x = ready.draw(stream(), 7)
    value, gradient, measured = ready.value(x), ready.gradient(x), ready.measure(x)
    for k in range(7):
        alone = x[:, k : k + 1].copy()
        np.testing.assert_array_equal(ready.value(alone), value[k : k + 1])
        np.testing.assert_array_equal(ready.gradient(alone), gradient[:, k : k + 1])
        for name, found in ready.measure(alone).items():
            np.testing.assert_array_equal(found, measured[name][k : k + 1])
    np.testing.assert_array_equal(ready.value(np.ascontiguousarray(x)), value)
    np.testing.assert_array_equal(ready.gradient(np.ascontiguousarray(x)), gradient)


@by_network
def test_many_networks_and_many_rows_are_taken_a_block_at_a_time(
    model: NetworkTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of networks change nothing; blocks of rows the order of a sum, to rounding."""
    ready = prepared(model)
    x = ready.draw(stream(), 7)
    value, gradient, measured = ready.value(x), ready.gradient(x), ready.measure(x)
    rows, width = len(ready.split.train.features), max(ready.network.widths)
    monkeypatch.setattr(learning, "_BLOCK_NUMBERS", 2 * rows * width)
    np.testing.assert_array_equal(ready.value(x), value)
    np.testing.assert_array_equal(ready.gradient(x), gradient)
    monkeypatch.setattr(learning, "_BLOCK_NUMBERS", 7 * width)
    np.testing.assert_allclose(ready.value(x), value, rtol=1e-14)
    np.testing.assert_allclose(ready.gradient(x), gradient, rtol=1e-12, atol=1e-15)
    for name, found in ready.measure(x).items():
        np.testing.assert_allclose(found, measured[name], rtol=1e-14)


# --- Mini-batches ------------------------------------------------------------------------------------------


def batches_of(ready: Any, steps: int, starts: int, seed: int = 5) -> Floats:
    """The rows that each step takes, by the only feature: `(steps, starts, batch)`.

    A linear model at θ = 0 has the gradient −mean(t x): powers of two in t tell which rows make it.
    """
    slope = ready.slope(stream(seed), starts)
    zero = np.zeros((ready.dimension, starts))
    return np.stack([-slope(zero, step)[1] * ready.batch for step in range(1, steps + 1)])


def tagged(rows: int, batch: int, folder: Path) -> Any:
    """A linear model of rows that carry a power of two as target, so that sums of them tell rows apart."""
    path = folder / f"tagged{rows}.csv"
    path.write_text("a,t\n" + "".join(f"1,{2**k}\n" for k in range(rows)))
    data = CSV(str(path), "t", validation=0.0, standardize=False)
    return prepared(LeastSquares(data=data, batch=batch))


@settings(max_examples=40)
@given(st.integers(1, 24), st.data(), st.integers(1, 4))
def test_an_epoch_takes_every_row_at_most_once(
    tmp_path_factory: pytest.TempPathFactory, rows: int, data: st.DataObject, starts: int
) -> None:
    batch = data.draw(st.integers(1, rows))
    a_pass = rows // batch
    taken = batches_of(tagged(rows, batch, tmp_path_factory.mktemp("rows")), 3 * a_pass, starts)
    sums = np.rint(taken).astype(int).reshape(3, a_pass, starts)
    for epoch in sums:
        for start in range(starts):
            assert all(int(tags).bit_count() == batch for tags in epoch[:, start])
            together = int(epoch[:, start].sum())
            assert together.bit_count() == a_pass * batch  # no row twice
            assert together < 2**rows


def test_every_start_and_every_epoch_has_its_own_order(tmp_path: Path) -> None:
    """Of 16 rows in batches of 4 there are 16! / 4!⁴ = 6·10⁷ orders: two are never the same by chance."""
    sums = batches_of(tagged(16, 4, tmp_path), 8, 3).reshape(2, 4, 3)
    orders = {tuple(sums[epoch, :, start]) for epoch in range(2) for start in range(3)}
    assert len(orders) == 6


def test_left_over_rows_come_in_other_epochs(tmp_path: Path) -> None:
    """Of 5 rows in batches of 4, each epoch leaves one out; over 60 epochs every row is left out at times."""
    sums = np.rint(batches_of(tagged(5, 4, tmp_path), 60, 1)).astype(int).ravel()
    assert set(sums) == {31 - 2**k for k in range(5)}


def test_more_starts_keep_the_batches_of_the_first_ones(tmp_path: Path) -> None:
    """Guards: one generator for all starts gave the first ones other orders from the second epoch on."""
    ready = tagged(12, 4, tmp_path)
    np.testing.assert_array_equal(batches_of(ready, 9, 5)[:, :2], batches_of(ready, 9, 2))


@by_network
def test_the_mean_of_an_epochs_gradients_is_the_whole_gradient(model: NetworkTraining) -> None:
    """Where the batch divides the rows; to the rounding of a sum of some hundred terms."""
    ready = prepared(replace(model, batch=8))
    rows = len(ready.split.train.features)
    assert rows % 8 == 0
    x = ready.draw(stream(), 3)
    slope = ready.slope(stream(5), 3)
    mean = np.mean([slope(x, step) for step in range(1, rows // 8 + 1)], axis=0)
    np.testing.assert_allclose(mean, ready.gradient(x), rtol=1e-10, atol=1e-14)


@by_network
def test_all_optimizers_see_the_same_batches(model: NetworkTraining) -> None:
    """In one block or in several: the points of three rules after one another, or of one alone."""
    ready = prepared(replace(model, batch=7))
    x = [ready.draw(stream(seed), 2) for seed in range(3)]
    together, slopes = ready.slope(stream(5), 2), [ready.slope(stream(5), 2) for _ in x]
    for step in range(1, 13):
        expected = [slope(part, step) for slope, part in zip(slopes, x, strict=True)]
        np.testing.assert_array_equal(
            together(np.concatenate(x, axis=1), step), np.concatenate(expected, axis=1)
        )


def test_a_full_batch_has_no_order() -> None:
    ready = prepared(NetworkTraining(data=Moons(50), batch=None))
    assert ready.slope(stream(), 2) is None


def test_the_penalty_is_in_the_gradient_of_every_batch() -> None:
    plain, penalised = (prepared(LeastSquares(data=Teacher(50, 3), batch=8, l2=l2)) for l2 in (0.0, 0.5))
    x = plain.draw(stream(), 2)
    difference = penalised.slope(stream(5), 2)(x, 1) - plain.slope(stream(5), 2)(x, 1)
    np.testing.assert_allclose(difference, 0.5 * x, rtol=1e-13)


@by_network
def test_training_a_stack_is_training_each_network_alone(model: NetworkTraining) -> None:
    """Bit for bit, over several epochs of Adam, the start's own batches among them."""
    ready = prepared(replace(model, batch=8))
    starts, steps = ready.draw(stream(), 4), 30

    def trained(x: Floats, place: int, count: int) -> Any:
        slope = ready.slope(stream(5), 4)

        def own(points: Floats, step: int) -> Floats:
            padded = np.zeros_like(starts)
            padded[:, place : place + count] = points
            return np.asarray(slope(padded, step)[:, place : place + count])

        recording = Recording(
            np.array([0, 10, steps]), np.array([0.5]), False, every_value=False, measure=ready.measure
        )
        return descend(Adam(learning_rate=0.05), ready.value, own, x, recording)

    together = trained(starts, 0, 4)
    assert (together.value[-1] < together.value[0]).all()
    for k in range(4):
        alone = trained(starts[:, k : k + 1].copy(), k, 1)
        np.testing.assert_array_equal(alone.final, together.final[:, k : k + 1])
        np.testing.assert_array_equal(alone.value, together.value[:, k : k + 1])
        for name, curve in alone.measured.items():
            np.testing.assert_array_equal(curve, together.measured[name][:, k : k + 1])


# --- Starts, measures, fields ------------------------------------------------------------------------------


def test_starts_are_draws_of_the_initializer_and_the_first_ones_stay() -> None:
    initializer = LayerInitializer(Normal(std=0.5), Normal(std=2.0))
    ready = prepared(NetworkTraining(data=Moons(50), hidden=(40, 30), initializer=initializer))
    few, many = (ready.draw(stream(3), count) for count in (2, 20))
    np.testing.assert_array_equal(few, many[:, :2])
    assert many.T.flags.c_contiguous  # each network's parameters are contiguous
    weights = np.concatenate([layer.weights.reshape(20, -1) for layer in ready.network.layers(many)], axis=1)
    biases = np.concatenate([layer.biases for layer in ready.network.layers(many)], axis=1)
    assert weights.std() == pytest.approx(0.5, rel=0.03)  # of 26 800: five standard errors are 2.2 %
    assert biases.std() == pytest.approx(2.0, rel=0.1)  # of 1440: 9.3 %


def test_the_default_initializer_is_hes() -> None:
    """Weights of variance 2 / fan_in, biases 0."""
    ready = prepared(NetworkTraining(data=Digits(), hidden=(100,)))
    first, _ = ready.network.layers(ready.draw(stream(), 1)[:, 0])
    assert first.weights.std() == pytest.approx(np.sqrt(2 / 64), rel=0.05)
    assert not first.biases.any()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (Moons(50), ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]),
        (Moons(50, validation=0.0), ["train_loss", "train_accuracy"]),
        (Teacher(50), ["train_loss", "validation_loss"]),
        (Teacher(50, validation=0.0), ["train_loss"]),
    ],
)
def test_what_is_measured(data: Any, expected: list[str]) -> None:
    ready = prepared(NetworkTraining(data=data, hidden=(4,)))
    x = ready.draw(stream(), 3)
    measured = ready.measure(x)
    assert list(measured) == list(ready.measures) == expected
    assert all(found.shape == (3,) for found in measured.values())
    np.testing.assert_array_equal(measured["train_loss"], ready.value(x))
    for part in ("train", "validation"):
        table = getattr(ready.split, part)
        if table is None:
            continue
        output = ready.network.forward(x[:, 1], table.features).output
        loss = ready.model_loss.value(output, table.targets) / len(table.features)
        assert measured[f"{part}_loss"][1] == pytest.approx(loss, rel=1e-14)
        if table.classes:
            right = output.argmax(axis=1) == table.targets.argmax(axis=1)
            assert measured[f"{part}_accuracy"][1] == right.mean()


def test_the_loss_follows_the_data_unless_named() -> None:
    assert NetworkTraining(data=Moons()).model_loss == SoftmaxCrossEntropy()
    assert NetworkTraining(data=Teacher()).model_loss == SquaredError()
    assert NetworkTraining(data=Moons(), loss=SquaredError()).model_loss == SquaredError()


def test_widths_come_from_the_data() -> None:
    model = NetworkTraining(data=Iris(), hidden=(7, 5))
    assert model.network.widths == (4, 7, 5, 3)
    assert model.dimension == 4 * 7 + 7 + 7 * 5 + 5 + 5 * 3 + 3


def test_a_network_has_no_known_minimum_and_costs() -> None:
    for model in (NetworkTraining(data=Moons()), NetworkTraining(data=Moons(), batch=None)):
        assert model.minimum is None
        assert model.minimizers() is None
        assert model.domain() is None
        assert model.is_costly
        assert model.draws


def errors(tree: dict[str, Any], cls: type = NetworkTraining) -> list[tuple[Any, str]]:
    config, found = read(cls, tree)
    assert config is None
    return found


def test_what_does_not_fit_the_data_is_refused() -> None:
    moons, few = {"name": "moons", "samples": 50}, {"name": "moons", "samples": 4}
    assert errors({"data": moons, "batch": 41}) == [
        (("batch",), "is 41, but of 50 rows, 0.2 of them held out, 40 are left to train on")
    ]
    assert errors({"data": {**few, "validation": 0.99}, "batch": None}) == [
        (("batch",), "is all rows, but of 4 rows, 0.99 of them held out, 0 are left to train on")
    ]
    assert errors({"data": {**few, "validation": 0.1}, "batch": 2}) == [
        (("data", "validation"), "is 0.1, of 4 rows less than one")
    ]
    assert errors({"data": "teacher", "loss": "softmax_cross_entropy"}) == [
        (("loss",), "needs classes, but the targets of teacher are numbers; use squared_error")
    ]


def test_a_loss_without_a_bound_is_refused() -> None:
    text = (
        "linear is not bounded below, so it cannot be trained; allowed: squared_error, softmax_cross_entropy"
    )
    assert errors({"data": "moons", "loss": "linear"}) == [(("loss",), text)]


def test_an_initializer_that_suits_no_layer_is_refused() -> None:
    """Hidden layers and the linear last one, each once; that one is critical without biases only."""
    tree: dict[str, Any] = {"data": "moons", "hidden": [5, 5], "initializer": "critical"}
    assert read(NetworkTraining, tree | {"activation": "tanh"})[1] == []
    (refused,) = errors(tree | {"activation": "softplus"})
    assert refused[0] == ("initializer", "weights")
    assert "softplus is never critical" in refused[1]
    with_biases = {"weights": "critical", "biases": {"name": "normal", "variance": 0.05}}
    (refused,) = errors(tree | {"activation": "tanh", "initializer": with_biases})
    assert refused[0] == ("initializer", "weights")
    assert refused[1].startswith("the last layer is linear: ")
    assert "sigma_b2: 0.05 given; identity" in refused[1]


def test_starts_that_need_data_see_the_training_rows() -> None:
    """Every network's layers have the deviation 1 on them, biases left out: here they are 0."""
    ready = prepared(NetworkTraining(data=Iris(), hidden=(7, 5), initializer=LayerInitializer(LSUV())))
    starts = ready.draw(stream(), 3)
    assert not np.array_equal(starts[:, 0], starts[:, 1])
    for z in ready.network.forward(starts, ready.split.train.features).pre:
        np.testing.assert_allclose(z.std(axis=(1, 2)), 1, rtol=1e-12)


def test_every_problem_of_a_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("a,t\n1,x\n?,y\n2,\n")
    data = {"name": "csv", "path": str(path), "target": "t"}
    assert errors({"data": data}) == [
        (("data", "path"), f"{path}:3: column 'a' must be a finite number, not '?'"),
        (("data", "path"), f"{path}:4: column 't' is empty; a class is a text or a number"),
    ]
