"""Matplotlib figures as SVG for a page: colours are CSS variables, texts stay text, and there are no inline styles.

Each figure is drawn twice, for a wide page and for a phone, so that its letters keep their size; CSS shows one of them.
"""

import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WIDTHS = {"wide": 720, "narrow": 340}
"""pixels"""
COLORS = [f"#0000{number:02x}" for number in range(1, 7)]
INK, FAINT, GRID = "#0000a1", "#0000a2", "#0000a3"
VARIABLES = {color: f"var(--c{number})" for number, color in enumerate(COLORS, 1)} | {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    GRID: "var(--grid)",
}
"""colours for Matplotlib that are replaced by CSS variables of the page's theme"""
TICK_PAD = 8
"""points between an axis and its numbers, so that the first number of x does not touch the last one of y"""
MAX_LABEL = {"wide": 34, "narrow": 18}
SVG = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}href"
DROPPED_STYLES = {"font", "font-family", "mix-blend-mode", "isolation"}

Series = dict[str, Sequence[float | None]]
Curves = dict[str, tuple[Sequence[float], Sequence[float]]]
"""series -> (x, y)"""


@dataclass(kw_only=True)
class Drawing:
    """One figure in both widths."""

    wide: str
    narrow: str


def draw(name: str, describe: str, height: Callable[[str], int], paint: Callable[[Any, str], None]) -> Drawing:
    """Draws a figure in both widths. `paint(figure, width)` fills a Matplotlib figure; `name` makes its ids unique on
    the page; `describe` is its text for screen readers.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": "nemo_sdg",
        "text.parse_math": False,
        "font.size": 12,
        "font.family": "DejaVu Sans",
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": GRID,
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": GRID,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "legend.frameon": False,
    }
    out = {}
    for width, pixels in WIDTHS.items():
        with matplotlib.rc_context(settings):  # type: ignore[arg-type]
            figure = Figure(figsize=(pixels / 72, height(width) / 72), dpi=72, layout="constrained")
            figure.patch.set_visible(False)
            paint(figure, width)
            for axes in figure.axes:
                axes.patch.set_visible(False)
            # `savefig` would draw the whole figure once more, only to lay it out
            canvas: Any = FigureCanvasSVG(figure)
            layout = figure.get_layout_engine()
            assert layout is not None
            layout.execute(figure)
            figure.set_layout_engine("none")
            buffer = io.BytesIO()
            canvas.print_svg(buffer, metadata={"Creator": None, "Date": None, "Format": None, "Type": None})
        out[width] = _clean(buffer.getvalue(), f"{name}-{width}", describe)
    return Drawing(**out)


def _clean(svg: bytes, prefix: str, describe: str) -> str:
    """Turns style attributes into presentation attributes, which the content security policy allows; makes ids unique;
    removes metadata.
    """
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(svg)
    used = set(re.findall(rb'(?:url\(#|href="#)([^)"]+)', svg))
    for element in list(root.iter()):
        for child in list(element):
            if child.tag.rsplit("}", 1)[-1] in ("metadata", "style"):
                element.remove(child)
        attributes = dict(element.attrib)
        element.attrib.clear()
        for name, value in attributes.items():
            if name == "style":
                _move_style(element, value)
            elif name == "id":
                if value.encode() in used:
                    element.set("id", f"{prefix}-{value}")
            elif name == XLINK:
                element.set("href", value.replace("#", f"#{prefix}-", 1))
            else:
                element.set(name, value.replace("url(#", f"url(#{prefix}-"))
        for name in ("fill", "stroke"):
            if element.get(name) in VARIABLES:
                element.set(name, VARIABLES[element.attrib[name]])
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", describe)
    return ElementTree.tostring(root, encoding="unicode")


def _move_style(element: Any, style: str) -> None:
    for part in style.split(";"):
        name, _, value = part.partition(":")
        name, value = name.strip(), value.strip()
        if name == "font" and (size := re.search(r"([\d.]+)px", value)):
            element.set("font-size", size[1])
        elif name == "font-size":
            element.set("font-size", value.removesuffix("px"))
        elif name and name not in DROPPED_STYLES:
            element.set(name, value)


def label(text: str, width: str) -> str:
    """A name that fits beside an axis; control characters, which XML forbids, become question marks."""
    plain = "".join(char if char.isprintable() else "?" for char in text)
    return plain if len(plain) <= MAX_LABEL[width] else f"{plain[: MAX_LABEL[width] - 1]}…"


def number(value: float) -> str:
    """1234567 as 1.2M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def bars(name: str, describe: str, labels: Sequence[str], series: Series, *, unit: str) -> Drawing:
    """Horizontal bars, one group per label, with their values beside them."""
    thick = 0.8 / len(series)
    longest = max((value for values in series.values() for value in values if value is not None), default=0.0) or 1.0

    def paint(figure: Any, width: str) -> None:
        axes = figure.subplots()
        for place, (title, values) in enumerate(series.items()):
            where = [row + (place - (len(series) - 1) / 2) * thick for row in range(len(labels))]
            axes.barh(where, [value or 0.0 for value in values], thick * 0.92, color=COLORS[place], label=title)
            for y, value in zip(where, values, strict=True):
                if value is not None:
                    axes.text(value + longest * 0.01, y, number(value), va="center", fontsize=10)
        axes.set_yticks(range(len(labels)), [label(text, width) for text in labels])
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xlim(0, longest * 1.15)
        _few_ticks(axes, width)
        axes.grid(visible=False, axis="y")
        _finish(figure, axes, len(series), xlabel=unit, width=width)

    return draw(
        name,
        describe,
        lambda _: 70 + len(labels) * (22 * len(series) if len(series) > 1 else 24) + (24 if len(series) > 1 else 0),
        paint,
    )


def columns(name: str, describe: str, labels: Sequence[str], series: Series, *, xlabel: str, ylabel: str) -> Drawing:
    """Vertical bars over a few ordered classes."""
    thick = 0.86 / len(series)

    def paint(figure: Any, width: str) -> None:
        axes = figure.subplots()
        for place, (title, values) in enumerate(series.items()):
            where = [column + (place - (len(series) - 1) / 2) * thick for column in range(len(labels))]
            axes.bar(where, [value or 0.0 for value in values], thick * 0.94, color=COLORS[place], label=title)
        every = max(1, -(-len(labels) // (16 if width == "wide" else 7)))
        axes.set_xticks(range(0, len(labels), every), [label(text, width) for text in labels[::every]])
        axes.grid(visible=False, axis="x")
        axes.yaxis.set_major_formatter(lambda value, _: number(value))
        _finish(figure, axes, len(series), xlabel=xlabel, ylabel=ylabel, width=width)

    return draw(name, describe, lambda width: 250 if width == "wide" else 260, paint)


def lines(
    name: str, describe: str, panels: Sequence[tuple[str, Curves]], *, xlabel: str, from_zero: bool = True
) -> Drawing:
    """Panels below each other with one x axis: (axis title, {series: (x, y)})."""

    def paint(figure: Any, width: str) -> None:
        every = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        titles = list(dict.fromkeys(title for _, series in panels for title in series))
        for axes, (ylabel, series) in zip(every, panels, strict=True):
            for title, (x, y) in series.items():
                axes.plot(
                    x,
                    y,
                    color=COLORS[titles.index(title) % len(COLORS)],
                    label=title,
                    linewidth=1.6,
                    marker="o" if len(x) < 30 else None,
                    markersize=3,
                )
            if from_zero:
                axes.set_ylim(bottom=0)
            axes.yaxis.set_major_formatter(lambda value, _: number(value))
            axes.set_ylabel(ylabel)
        _few_ticks(every[-1], width)
        _finish(figure, every[-1], len(titles), xlabel=xlabel, ylabel=panels[-1][0], width=width, legend_of=every[0])

    return draw(name, describe, lambda _: 90 + 150 * len(panels), paint)


def intervals(
    name: str, describe: str, labels: Sequence[str], points: Sequence[tuple[float, float, float]], *, unit: str
) -> Drawing:
    """One row per (value, low, high), with a line at zero."""

    def paint(figure: Any, width: str) -> None:
        axes = figure.subplots()
        rows = range(len(labels))
        axes.axvline(0, color=INK, linewidth=1)
        axes.hlines(rows, [low for _, low, _ in points], [high for _, _, high in points], color=COLORS[0], linewidth=3)
        axes.plot([value for value, _, _ in points], rows, "o", color=COLORS[1], markersize=7)
        axes.set_yticks(rows, [label(text, width) for text in labels])
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        _few_ticks(axes, width)
        _finish(figure, axes, 1, xlabel=unit, width=width)

    return draw(name, describe, lambda _: 80 + 26 * len(labels), paint)


def _finish(
    figure: Any, axes: Any, num_series: int, *, xlabel: str, width: str, ylabel: str = "", legend_of: Any = None
) -> None:
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    for each in figure.axes:
        each.tick_params(length=0)
        each.tick_params(axis="x", pad=TICK_PAD)
    if num_series > 1:
        handles, titles = (legend_of or axes).get_legend_handles_labels()
        figure.legend(
            handles,
            titles,
            loc="outside upper left",
            ncols=num_series if width == "wide" else min(2, num_series),
            fontsize=11,
        )


def _few_ticks(axes: Any, width: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=7 if width == "wide" else 4))
    axes.xaxis.set_major_formatter(lambda value, _: number(value))
