"""The heading of a case: its verdict in a colour of its own, and how many networks are shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure

from dnnexp.experiments.activations.figures.histograms import of_case
from dnnexp.experiments.activations.figures.verdicts import colour_of
from dnnexp.experiments.activations.verdicts import NAMES
from dnnexp.experiments.base import Result

Run = Callable[[str], Result]

SMALL = """
network: {layers: [30, 30, 20, 10]}
input: {name: normal, samples: 40}
activations: [relu, sigmoid]
initializers: [{label: he, weights: he}, {label: zeros, weights: zeros}]
"""


@pytest.fixture
def result(run_activations: Run) -> Result:
    return run_activations(SMALL)


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def test_the_heading_tells_the_verdict_in_its_colour(result: Result) -> None:
    for case, found in result.metrics["cases"].items():
        verdict = found["verdict"]
        figure = of_case(result, case)
        (told,) = [text for text in figure.texts if text.get_text().startswith(f"{verdict['name']}: ")]
        assert told.get_color() == colour_of(verdict["name"])
        assert " ".join(texts(figure).split()).count(verdict["evidence"]) == 1
        assert any(case in text.get_text() for text in figure.texts)


def test_every_verdict_has_a_colour_of_its_own() -> None:
    assert len({colour_of(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize(
    ("seeds", "width", "told"),
    [
        (1, 20, ""),
        (4, 20, "histograms: 4 networks pooled; verdict and numbers: by medians over 4"),
        (4, 600, "histograms: the first 2 networks pooled"),
        (3, 1100, "histograms: of the first network"),
    ],
)
def test_the_number_of_pooled_networks_is_told(
    run_activations: Run, seeds: int, width: int, told: str
) -> None:
    result = run_activations(f"""
network: {{layers: [{width}, {width}]}}
input: {{name: normal, samples: 4}}
seeds: {seeds}
loss: null
activations: [relu]
initializers: [{{label: he, weights: he}}]
""")
    text = " ".join(texts(of_case(result, "relu/he")).split())
    assert told in text
    assert ("histograms" in text) == bool(told)
