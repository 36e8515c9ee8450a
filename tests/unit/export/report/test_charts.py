"""Figures of the report."""

import io
from typing import Any

import pytest

from nemo_sdg.export.report.sections import charts


def test_a_figure_is_laid_out_as_savefig_would() -> None:
    figures: list[Any] = []

    def paint(figure: Any, width: str) -> None:
        figures.append(figure)
        figure.subplots().set_yticks([0, 1], ["a label that needs room", "b"])

    drawing = charts.draw("labels", "two labels", lambda _: 120, paint)
    for figure, svg in zip(figures, (drawing.wide, drawing.narrow), strict=True):
        (axes,) = figure.axes
        found = axes.get_position().bounds
        assert "a label that needs room" in svg
        figure.set_layout_engine("constrained")
        figure.savefig(io.BytesIO(), format="svg")
        assert found[0] > 0.1, "room for the label"
        assert found == pytest.approx(axes.get_position().bounds, abs=0.03)
