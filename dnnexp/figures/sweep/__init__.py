"""The plots of a sweep: how many keys vary decides which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from dnnexp.figures.layout import message
from dnnexp.figures.sweep.curves import curves
from dnnexp.figures.sweep.maps import heat_map, scatter, share_of_cells
from dnnexp.figures.sweep.names import file_names
from dnnexp.figures.sweep.parallel import parallel
from dnnexp.figures.sweep.rows import categories, repeats
from dnnexp.figures.sweep.study import Measure, Study

_MOST_PANELS = 4
_LEAST_SHARE = 0.3
"""Share of a heat map's cells that the sweep has; with fewer, the settings are drawn as points."""


def figures(
    sweep: Any, document: Mapping[str, Any], known: Sequence[str] = ()
) -> Iterator[tuple[str, Figure]]:
    """The figures of a sweep's config and the document of its `results.json`.

    No key that varies: the repeats as points. One: curves, or rows if its values are not numbers. Two: a heat
    map for each metric, or points where most combinations are not there. Three or more: parallel coordinates.
    The curves of metrics of a `known` name, such as an optimizer's, have the style of its place there.
    """
    study = Study.of(sweep, document, known)
    counts = document["counts"]
    if not study.measures or not counts["complete"]:
        text = "no job is complete" if study.measures else "no metrics are named"
        yield "metrics", message(study.title("results"), text, study.notes([]))
    elif len(study.axes) < 2:
        yield from _shared(study)
    else:
        names = file_names([measure.label for measure in study.measures])
        for name, measure in zip(names, study.measures, strict=True):
            yield name, _single(study, measure)


def _shared(study: Study) -> Iterator[tuple[str, Figure]]:
    """`metrics`, where a few panels hold all quantities; otherwise a figure for each."""
    panels = study.panels()
    if len(panels) <= _MOST_PANELS:
        yield "metrics", _of_panels(study, panels)
        return
    labels = [panel[0].label if len(panel) == 1 else panel[0].quantity for panel in panels]
    for name, panel in zip(file_names(labels), panels, strict=True):
        yield name, _of_panels(study, [panel])


def _of_panels(study: Study, panels: list[list[Measure]]) -> Figure:
    if not study.axes:
        return repeats(study, panels)
    (axis,) = study.axes
    return curves(study, axis, panels) if axis.is_numeric else categories(study, axis, panels)


def _single(study: Study, measure: Measure) -> Figure:
    if len(study.axes) > 2:
        return parallel(study, measure)
    return heat_map(study, measure) if share_of_cells(study.axes) >= _LEAST_SHARE else scatter(study, measure)
