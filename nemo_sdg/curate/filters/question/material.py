"""Filter of questions that need a figure, a passage, a listing or options that the sample does not have."""

import functools
import itertools
import re
from pathlib import Path

from nemo_sdg.curate.filters.view import Finding, View, excerpt, is_quoted, sentences
from nemo_sdg.records import Kind
from nemo_sdg.text.normalize import is_spaceless
from nemo_sdg.text.tables import read_table

LISTED = re.compile(r"\n|[:：]\s*\S|\([A-Da-d1-4]\)|\b(?:A|1)[.)]\s|,.*\bor\b|[，、].*还是|\[asy\]|\\begin\{|;")
DRAWN = re.compile(r"\[asy\]|\\begin\{(?:tabular|array|table|tikz)|\|.*\|.*\||<table|\\includegraphics")
SHOWN = re.compile(
    r"```|`[^`\n]{6,}`|[\"“«„「『‘][^\"”»“」』’]{15,}[\"”»“」』’]|(?<!\w)'[^'\n]{15,}'(?!\w)|\$[^$\s\d][^$\n]+\$|\\\[|\n\s*\S|->|→"
)
"""Code, a quotation, a formula, a line of its own: material, and no mention of it"""
DRAWING = re.compile(
    r"figure|diagram|graph|chart|picture|image|illustration|photo(?:graph)?|drawing|plot|map|table|scan|tracing"
)


IMAGED = re.compile(r"image|picture|photo|scan", re.IGNORECASE)
IMAGING = re.compile(
    r"camera|detector|lens|mirror|projector|telescope|microscope|scanner|screen|film|x-?rays?\b|telescop|painter|"
    r"paints?\b|photographer|photographs?\b|satellite|drone",
    re.IGNORECASE,
)
"""What makes an image: where a question speaks of it first, the image is a part of its story"""
ABOVE = re.compile(
    r"above|oben|obig|ci-dessus|précéd|anterior|arriba|acima|sopra|precedent|bovenstaand|powyż|výše|выше|вище|yukarı|上述|以上|上の|위"
)
"""What follows a question with options are the options; what stands above them is missing."""


AMONG_OPTIONS = re.compile(r"\s?(?:[^\W\d_]{0,3}?中[,，]?(?:哪|不|没|与|和)|のうち|の中で|중)")
"""Behind `the following …`: the options are meant"""


@functools.cache
def _pattern(name: str, language: str) -> re.Pattern[str]:
    """The mentions in a language, and those in English, as one pattern."""
    by_language = _patterns()[name]
    found = list(by_language.get(language, [])) + (by_language["en"] if language != "en" else [])
    found += _pointing(name, language)
    edges = itertools.groupby(found, lambda pattern: next((edge for edge in EDGES if pattern.startswith(edge)), ""))
    joined = [f"{edge}(?:{'|'.join(one.removeprefix(edge) for one in together)})" for edge, together in edges]
    return re.compile("|".join(joined), re.IGNORECASE)


EDGES = (r"\b", r"(?<!\w)")
"""How patterns begin, in all their alternatives. Adjacent patterns with the same beginning share it: `re` would test it
for each of them at each character.
"""


def _patterns() -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = read_table(Path(__file__).with_name("material.yaml"))
    return loaded


ATTACHED = frozenset(["zh", "ja", "ko", "th", "ar", "fa", "he"])
"""Languages that write other words right beside a noun"""


COMPOUNDING = frozenset(["de", "nl", "sv", "da", "no", "fi", "hu"])
"""Languages that write `bar chart` as one word"""


def _pointing(name: str, language: str) -> list[str]:
    """Mentions made of the parts in pointers.yaml: `according to … table`, `table … below`, `below … table`."""
    parts: dict[str, str] = read_table(Path(__file__).with_name("pointers.yaml")).get(language, {})
    if name not in parts:
        return []
    noun, there = f"(?:{parts[name]})", f"(?:{parts['there']})"
    if name == "figure" and language in COMPOUNDING:
        noun = rf"(?:\w*{noun})"
    if language == "de":
        noun += "(?:e?s|e?n|e)?"  # `des abgebildeten Diagramms`
    if language in ATTACHED:
        edge, gap = "", r"[ 的]?[^\W\d_]{0,2}"
    else:
        edge, gap = r"(?!\w)", r"(?:[ '’][^\W\d_]+){0,1}[ '’]"
    found = [rf"(?<!\w){there}{gap}{noun}{edge}" if edge else f"{there}{gap}{noun}"]
    if edge and language not in ("fi", "hu", "tr", "hi", "bn"):
        found.append(rf"(?<!\w){noun} (?:[^\W\d_]+ ){{0,2}}{there}{edge}")
    if name == "figure" and "look" in parts:
        seen = rf"(?:(?<=[.!?:] )|^)(?:{parts['look']}) ?(?:[^\W\d_]+[ '’]){{0,2}}{noun}"
        found.append(rf"{seen}(?!\w)(?! [$\\]| [A-Zf](?:_|\b))")
    if parts["as"]:
        found.append(
            rf"(?<!\w)(?:{parts['as']}){gap}(?:[^\W\d_]+ )?{noun}{edge}" if edge else f"(?:{parts['as']}){gap}{noun}"
        )
    if "after" in parts:
        found.append(f"{noun} ?(?:{parts['after']})")
    return found


def missing_material(view: View, *, long_question: int = 600, min_material: int = 60) -> Finding | None:
    """The question points at a figure, a passage, a listing or options that the sample does not have.

    A question of more than `long_question` characters carries its own material; so does one with a passage, a drawn
    figure ([asy], a table), a quotation, a formula, or `min_material` characters beside the mention that ask nothing.
    The graph K_5, the image of f and a picture book are not pictures.
    """
    question = view.question
    match = _pattern("options", view.language).search(question)
    if match and not view.is_choice and not view.passage and not LISTED.search(question):
        return "missing_options", excerpt(question, match.start())
    if view.passage or len(question) > long_question or DRAWN.search(question):
        return None
    # a program is asked for with its arguments (`the given list`)
    for name in ("figure", "passage", *(() if view.kind == Kind.code else ("listing",))):
        match = _pattern(name, view.language).search(question)
        if match is None or is_quoted(question, match.start() + 1):
            continue
        if name == "listing" and view.is_choice and not ABOVE.search(match.group()):
            continue
        if view.is_choice and AMONG_OPTIONS.match(question[match.end() :]):
            continue
        if name == "figure" and _introduced(question, match):
            continue
        if not _carries(name, question, match, min_material):
            return f"missing_{name}", excerpt(question, match.start())
    return None


def _carries(name: str, question: str, match: re.Match[str], min_material: int) -> bool:
    """Whether the question holds what it points at: shown beside the mention, or told in sentences that ask nothing.
    Words do not replace a figure, unless the sentence says so (`the graph below is described in words: …`).
    """
    if SHOWN.search(question[match.end() :]) or SHOWN.search(question[: match.start()]):
        return True
    after = re.match(r"(?:(?![.!?]\s|[。！？\n]).)*?[:：]\s*(.+)", question[match.end() :], re.DOTALL)
    if after and not (sentences(after.group(1)) or ["?"])[0].rstrip().endswith(("?", "？", "؟")):
        return True
    if name == "figure":
        return False
    rest = sentences(question[match.start() :])
    if ONE_SENTENCE.search(rest[0]) and any(STATED.search(said) and not BIDS.search(said) for said in rest[1:]):
        return True
    if _told(question[match.end() :]) >= min_material:
        return True
    return name == "listing" and _told(question[: match.start()]) >= min_material


ONE_SENTENCE = re.compile(
    r"\b(?:sentence|sa[tz]{2}|phrase|frase|zin|mening)|предложени|речення|zdani|\bvět|cümle|(?<![短本全课課])文(?!章)|句|문장",
    re.IGNORECASE,
)
"""What is pointed at is one sentence, which may follow as it is (`Setze den Satz ins Passiv. Er schlug den …`)"""
STATED, BIDS = re.compile(r"[.。!！।]$"), re.compile(r"よ。$|(?:こと|なさい|ください|시오|세요)[。.]$")


def _told(text: str) -> int:
    """Characters of the sentences that ask nothing, the one at the edge of the mention left out."""
    told = [sentence for sentence in sentences(text)[:-1] if not sentence.rstrip().endswith(("?", "？", "؟"))]
    return sum(len(sentence) * (3 if is_spaceless(sentence[0]) else 1) for sentence in told)


def _introduced(question: str, match: re.Match[str]) -> bool:
    """Whether the drawing is part of the story (`a scale drawing … in the drawing`)."""
    noun, before = DRAWING.search(match.group().lower()), question[: match.start()]
    if noun and IMAGED.search(noun.group()) and IMAGING.search(before):
        return True
    return bool(noun and re.search(rf"\ban? (?:\w+ ){{0,3}}{noun.group()}\b", before, re.IGNORECASE))
