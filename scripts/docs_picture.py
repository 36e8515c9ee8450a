"""The picture of the way of the data, as SVG: the steps in the order that the pipeline has them, roles, and what goes
in and comes out.
"""

from html import escape
from itertools import pairwise

from nemo_sdg.pipeline.order import STEPS

DOES = {
    "catalog": ("which tasks may", "be seeds, and why"),
    "seeds": ("rows of training splits", "in one schema"),
    "questions": ("new ones after", "each seed"),
    "screened": ("questions are graded", "before votes are paid"),
    "answers": ("several independent", "solutions each"),
    "graded": ("reasoning is graded,", "difficulty measured"),
    "verified": ("the majority's answer,", "tests, gold answers"),
    "curated": ("filters, decontami-", "nation, duplicates"),
    "packed": ("Megatron .bin/.idx,", "one set a variant"),
    "blend": ("weights under caps,", "files for trainers"),
}
ROLES = {"questions": "writer", "screened": "judge", "answers": "solver", "graded": "judge, student"}
COLOURS = {
    False: {
        "ink": "#1c1e21",
        "dim": "#5c636b",
        "box": "#ffffff",
        "line": "#8a9199",
        "role": "#4b7a00",
        "stop": "#b3261e",
    },
    True: {
        "ink": "#e8eaed",
        "dim": "#a9b0b8",
        "box": "#20242b",
        "line": "#717983",
        "role": "#a5d64c",
        "stop": "#ff8a80",
    },
}
FOOT = (
    "every step: kept + dropped = in. Drops stay beside the step, each with its reason;",
    "a receipt for each shard and a ledger for each step say what is done and what shaped it.",
)
WIDTH, BOX, GAP, HIGH = 974, 172, 22, 78
TOP, ROW = 96, 190


def way_svg(*, dark: bool) -> str:
    """A picture WIDTH units wide; its letters are text, so that it can be searched and read aloud."""
    colour = COLOURS[dark]
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 470" role="img" aria-labelledby="title about" '
        'font-family="system-ui, sans-serif" font-size="15.5">',
        '<title id="title">The way of the data</title>',
        f'<desc id="about">{escape(" > ".join(STEPS))}. Drops are kept with their reasons.</desc>',
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{colour["line"]}"/></marker></defs>',
    ]
    places = {name: _place(number) for number, name in enumerate(STEPS)}
    for name, (x, y) in places.items():
        out += _box(name, x, y, colour)
    names = list(places)
    for one, other in pairwise(names):
        out.append(_arrow(places[one], places[other], colour))
    x, y = places["catalog"]
    out += _source(x, y, "lm-eval task files", colour)
    x, y = places["seeds"]
    out += _source(x, y, "training splits", colour)
    x, y = places["curated"]
    out += _guard(places["seeds"], (x, y), colour)
    bottom = TOP + ROW + HIGH
    for number, line in enumerate(FOOT):
        out.append(_text(WIDTH / 2, bottom + 56 + 20 * number, line, colour["dim"]))
    return "\n".join([*out, "</svg>"]) + "\n"


def _place(number: int) -> tuple[float, float]:
    column, row = number % 5, number // 5
    return 12 + column * (BOX + GAP), TOP + row * ROW


def _box(name: str, x: float, y: float, colour: dict[str, str]) -> list[str]:
    dashed = ' stroke-dasharray="5 4"' if name in ("screened", "graded") else ""
    lines = [
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{HIGH}" rx="8" fill="{colour["box"]}" stroke="{colour["line"]}"'
        f"{dashed}/>",
        _text(x + BOX / 2, y + 24, name, colour["ink"], 'font-weight="600" font-size="18"'),
        *(
            _text(x + BOX / 2, y + 47 + 19 * n, part, colour["dim"], 'font-size="14.5"')
            for n, part in enumerate(DOES[name])
        ),
    ]
    if role := ROLES.get(name):
        lines.append(_text(x + BOX / 2, y - 10, role, colour["role"], 'font-weight="600"'))
    return lines


def _arrow(one: tuple[float, float], other: tuple[float, float], colour: dict[str, str]) -> str:
    (x, y), (to_x, to_y) = one, other
    if y == to_y:
        path = f"M{x + BOX} {y + HIGH / 2}H{to_x - 2}"
    else:  # from the end of the first row to the beginning of the second
        path = f"M{x + BOX / 2} {y + HIGH}V{y + HIGH + 34}H{to_x + BOX / 2}V{to_y - 30}"
    return f'<path d="{path}" fill="none" stroke="{colour["line"]}" stroke-width="1.5" marker-end="url(#tip)"/>'


def _source(x: float, y: float, text: str, colour: dict[str, str]) -> list[str]:
    middle = x + BOX / 2
    return [
        _text(middle, y - 48, text, colour["ink"]),
        f'<path d="M{middle} {y - 40}V{y - 3}" stroke="{colour["line"]}" stroke-width="1.5" marker-end="url(#tip)"/>',
    ]


def _guard(seeds: tuple[float, float], curated: tuple[float, float], colour: dict[str, str]) -> list[str]:
    """The evaluation splits, which only stop what is like them."""
    top, stop, middle = 24, seeds[0] + BOX - 14, curated[0] + BOX - 24
    line = f'fill="none" stroke="{colour["stop"]}" stroke-width="1.5" stroke-dasharray="3 4"'
    return [
        _text(stop, top, "evaluation splits: they only stop what is like them", colour["stop"], 'text-anchor="start"'),
        f'<path d="M{stop} {top + 8}V{seeds[1] - 4}" {line}/>',
        f'<path d="M{stop + 400} {top - 5}H{WIDTH - 5}V{curated[1] - 26}H{middle}V{curated[1] - 4}" {line}/>',
    ]


def _text(x: float, y: float, text: str, fill: str, more: str = "") -> str:
    anchor = "" if "text-anchor" in more else ' text-anchor="middle"'
    return f'<text x="{x}" y="{y}" fill="{fill}"{anchor} {more}>{escape(text)}</text>'
