"""Data sets, and the objectives on them, against scikit-learn, least squares and difference quotients."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression as Reference

from dnnexp.core.activations import Tanh
from dnnexp.core.data import Data, DataError
from dnnexp.core.data.bundled import BreastCancer, Digits, Iris
from dnnexp.core.data.files import CSV, NPZ
from dnnexp.core.data.synthetic import Moons, Spirals, Teacher
from dnnexp.core.differentiation import central_gradient, hessian
from dnnexp.core.objectives import Learning, LeastSquares, LogisticRegression, NetworkTraining
from dnnexp.core.streams import Streams


@pytest.mark.parametrize(
    "data", [Teacher(200, 5), Spirals(200, 3), Moons(200), Iris(), BreastCancer()], ids=str
)
def test_a_split_is_a_partition_standardised_by_its_training_part(data: Data) -> None:
    split = data.split(Streams(3))
    assert split.validation is not None
    rows = len(split.train.features) + len(split.validation.features)
    assert rows == data.shape().rows
    assert len(split.validation.features) == data.held_out() == round(0.2 * rows)
    np.testing.assert_allclose(split.train.features.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(split.train.features.std(axis=0), 1, rtol=1e-12)
    again = data.split(Streams(3)).train.features
    np.testing.assert_array_equal(again, split.train.features)
    assert not np.array_equal(data.split(Streams(4)).train.targets, split.train.targets)


def test_digits_are_scikit_learns_and_a_constant_feature_is_0() -> None:
    raw = Digits(standardize=False, validation=0.0).split(Streams(0)).train
    np.testing.assert_array_equal(raw.features, load_digits().data)
    np.testing.assert_array_equal(raw.targets.argmax(axis=1), load_digits().target)
    assert (Digits().split(Streams(0)).train.features[:, 0] == 0).all()


BAD = {
    "a,b,t\n1,2,x\n3,oops,y\n": "bad.csv:3: column 'b' must be a finite number, not 'oops'",
    "a,b,t\n1,2,x\n3,nan,y\n": "bad.csv:3: column 'b' must be a finite number, not 'nan'",
    "a,b,t\n1,2,x\n3,4\n": "bad.csv:3: has 2 cells where the header has 3",
    "a,b,u\n1,2,x\n": "bad.csv:1: has no column 't'",
    "a,b,t\n1,2,x\n3,4,x\n": "the target has one class only, 'x'",
    "a,a,t\n1,2,x\n": "bad.csv:1: has two columns 'a'",
    "a,b,t\n": "bad.csv: has no row below its header",
    "a,b,t\n1,2,\n2,3,x\n": "bad.csv:2: column 't' is empty",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_csv_names_file_and_row(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.csv").write_text(text)
    with pytest.raises(ValueError, match="path: ") as caught:
        CSV("bad.csv", "t")
    assert BAD[text] in str(caught.value)


def test_a_csv_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "good.csv"
    path.write_text("\ufeffa,kind,b\n1,dog,2\n3,cat,4.5\n5,dog,6\n")
    table = CSV(str(path), "kind").table(np.random.default_rng(0))
    assert table.classes == ("cat", "dog")
    assert table.features.tolist() == [[1, 2], [3, 4.5], [5, 6]]
    assert table.targets.tolist() == [[0, 1], [1, 0], [0, 1]]
    numbers = CSV(str(path), "b", features=("a",)).table(np.random.default_rng(0))
    assert (numbers.classes, numbers.targets.tolist()) == (None, [[2], [4.5], [6]])


def test_an_npz_file(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(
        path, X=np.arange(6.0).reshape(3, 2), y=np.array(["a", "b", "a"]), z=np.array([1.0, np.inf, 2.0])
    )
    assert NPZ(str(path)).shape().has_classes
    with pytest.raises(ValueError, match=r"z\[1\] \(row 2\) holds inf"):
        NPZ(str(path), target="z")
    with pytest.raises(ValueError, match="has no array 'w'"):
        NPZ(str(path), target="w")
    with pytest.raises(DataError, match="cannot be read"):
        _missing(tmp_path)


def _missing(folder: Path) -> Any:
    part = object.__new__(NPZ)
    object.__setattr__(part, "path", str(folder / "none.npz"))
    return part._read()


def prepared(objective: Learning) -> Any:
    return objective.prepare(Streams(1))


SMALL = [
    LeastSquares(data=Teacher(60, 3, targets=2), l2=0.1),
    LogisticRegression(data=Iris(), l2=0.1),
    NetworkTraining(data=Moons(50), hidden=(5,), activation=Tanh()),
    NetworkTraining(data=Teacher(50, 3), hidden=(4, 3), activation=Tanh()),  # no kinks
]


@pytest.mark.parametrize("small", SMALL, ids=lambda o: f"{o.name}-{o.data.name}")
def test_the_gradient_is_the_difference_quotient(small: Learning) -> None:
    """Truncation and round-off of central differences are near 1e-10 for values of order one."""
    ready = prepared(small)
    x = ready.draw(np.random.default_rng(0), 3) * 0.5
    expected = central_gradient(lambda points: ready.value(points), x)
    np.testing.assert_allclose(ready.gradient(x), expected, rtol=0, atol=2e-8)


def test_least_squares_has_its_minimum() -> None:
    ready = prepared(LeastSquares(data=Teacher(200, 5, noise=1.0)))
    minimizer = ready.minimizers()
    np.testing.assert_allclose(ready.gradient(minimizer), 0, atol=1e-13)
    train = ready.split.train
    design = np.concatenate([train.features, np.ones((len(train.features), 1))], axis=1)
    residual = np.linalg.lstsq(design, train.targets)[1][0]
    assert ready.minimum == pytest.approx(residual / (2 * len(design)), rel=1e-12)


def test_logistic_regression_has_scikit_learns_minimum() -> None:
    """Without biases there is a penalty on the weights alone in both: the features have mean 0."""
    ready = prepared(LogisticRegression(data=Iris(), l2=0.05))
    minimizer = ready.minimizers()
    np.testing.assert_allclose(ready.gradient(minimizer), 0, atol=1e-12)
    train = ready.split.train
    design = np.concatenate([train.features, np.ones((len(train.features), 1))], axis=1)
    reference = Reference(C=1 / (0.05 * len(design)), fit_intercept=False, tol=1e-12, max_iter=10_000)
    reference.fit(design, train.targets.argmax(axis=1))
    weights = np.concatenate([minimizer[:12, 0].reshape(3, 4), minimizer[12:]], axis=1)
    np.testing.assert_allclose(weights, reference.coef_, atol=1e-6)
    assert np.linalg.eigvalsh(hessian(ready, minimizer[:, 0])).min() == pytest.approx(0.05, rel=1e-6)


def test_every_epoch_is_a_permutation_and_the_mean_of_its_gradients_is_the_whole_one() -> None:
    ready = prepared(NetworkTraining(data=Moons(50), hidden=(4,), batch=10))
    x = ready.draw(np.random.default_rng(0), 3)
    slope = ready.slope(np.random.default_rng(5), 3)
    epoch = np.mean([slope(x, step) for step in range(1, 5)], axis=0)  # 40 training rows
    np.testing.assert_allclose(epoch, ready.gradient(x), atol=1e-14)
    first, again = ready.slope(np.random.default_rng(5), 3), ready.slope(np.random.default_rng(5), 3)
    twice = np.asfortranarray(np.concatenate([x, x], axis=1))
    alone, beside = first(x, 1), again(twice, 1)
    np.testing.assert_array_equal(beside, np.concatenate([alone, alone], axis=1))
    assert not np.allclose(first(x[:, [0, 0, 0]].copy(order="F"), 2)[:, 0], first(x[:, [0, 0, 0]], 3)[:, 1])


def test_measures_are_means_over_the_parts() -> None:
    ready = prepared(NetworkTraining(data=Moons(50), hidden=(4,)))
    x = ready.draw(np.random.default_rng(0), 2)
    measured = ready.measure(x)
    assert tuple(measured) == ready.measures
    np.testing.assert_allclose(measured["train_loss"], ready.value(x))
    output = ready.network.forward(x[:, 1], ready.split.validation.features).output
    right = output.argmax(axis=1) == ready.split.validation.targets.argmax(axis=1)
    assert measured["validation_accuracy"][1] == right.mean()


def test_too_few_rows_and_no_classes_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"batch: is 100, but of 50 rows, 0\.2 of them held out, 40 are left"
    ):
        NetworkTraining(data=Moons(50), batch=100)
    with pytest.raises(ValueError, match="data: must have classes"):
        LogisticRegression(data=Teacher())
