"""Talk about the sample itself, made of parts by language (meta.yaml): a provided answer, a question handed over."""

import functools
import re
from pathlib import Path

from nemo_sdg.curate.filters.view import View, excerpt, is_quoted
from nemo_sdg.text.normalize import has_any
from nemo_sdg.text.tables import read_table

UNSPACED = frozenset(["zh", "ja", "ko", "th"])


def _parts() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = read_table(Path(__file__).with_name("meta.yaml"))
    return loaded


@functools.cache
def _given(language: str) -> re.Pattern[str] | None:
    """`the provided answer`, `la respuesta dada`, `the answer key`; what is given by somebody is another thing."""
    parts = _parts().get(language)
    if parts is None:
        return None
    given, answer = f"(?:{parts['given']})", f"(?:{parts['answer']})"
    if language in UNSPACED:
        return re.compile(f"{given}.?{answer}|{answer}(?:は|이|가|是|为)?{given}|{parts['key']}")
    edge, other = r"(?<!\w)", r"(?!\w)(?! (?:by|von|durch|par|por|da|dal|dalla|door|av|af|przez|de către|to|if)\b)"
    before = rf"{edge}{given} {answer}{other}"
    behind = "" if language in ("en", "de", "nl", "sv", "da", "no") else rf"|{edge}{answer} {given}{other}"
    return re.compile(rf"{before}{behind}|{edge}(?:{parts['key']})(?!\w)")


BRACKET = r"(?: ?[(（][^()（）\n]{0,120}[)）] ?(?=[:：]))?"


@functools.cache
def _handed_over(language: str) -> re.Pattern[str] | None:
    """`Here is your question: …`"""
    parts = _parts().get(language)
    if parts is None:
        return None
    gap = "" if language in UNSPACED else r"(?: [\w']+){0,4}? "
    return re.compile(rf"\W*(?:{parts['here']}){gap}(?:{parts['question']}){BRACKET}[^:：\n?؟？]{{0,30}}[:：]")


@functools.cache
def _signs(language: str) -> tuple[str, ...]:
    """How what is given and what is a key begin: without one of these a text mentions neither."""
    parts = _parts()[language]
    found = LITERAL.findall(f"|{parts['given']}|{parts['key']}".replace("(?:", "("))
    return tuple(dict.fromkeys(literal[:-1] if optional else literal for literal, optional in found))


LITERAL = re.compile(r"(?:(?<=\|)|^)(?![^(]*\))([^|\\()?\[\]*+.]+)(\??)")


def sample_talk(view: View) -> str | None:
    """Where the sample speaks of itself, for a detail; what the question speaks of too is its subject."""
    for language in dict.fromkeys((view.language, "en")):
        handed = _handed_over(language)
        if handed is not None and (":" in view.question or "：" in view.question):
            match = handed.match(view.folded(view.question))
            if match is not None:
                return f"question: {excerpt(view.question)}"
        given = _given(language)
        if given is None:
            continue
        names = ("context", "reasoning", "answer") if view.kind == "free_text" else ("context", "reasoning")
        for name, text in view.texts(*names):
            folded = view.folded(text)
            if not has_any(folded, _signs(language)):
                continue
            match = given.search(folded)
            if match and not is_quoted(folded, match.start()) and not given.search(view.folded(view.asked)):
                return f"{name}: {excerpt(folded, match.start())}"
    return None
