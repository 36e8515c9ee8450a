"""Filters of contexts and answers about something else."""

import functools
import re

from nemo_sdg.curate.embed import Embedder
from nemo_sdg.curate.filters.phrases import content_of, content_words
from nemo_sdg.curate.filters.view import Finding, View, contains, excerpt
from nemo_sdg.records import Frame, Kind
from nemo_sdg.text.normalize import is_spaceless

LATIN = frozenset(
    ["de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "ro", "ca", "pl", "cs", "fi", "id", "sw", "hu"]
)
SAME_LANGUAGE = 0.05
"""What two texts of another language than English are nearer to each other by being in one language"""


FORMULA = re.compile(r"[=<>≤≥^\\]")
COMMAND = re.compile(r"\\[a-zA-Z]+")


def context_off_topic(
    view: View, *, min_words: int = 8, max_shared: float = 0.05, max_similarity: float = 0.2
) -> Finding | None:
    """A context in Latin letters of `min_words` content words or more, of which question, options, answer and reasoning
    have `max_shared` at most, and whose sentence embedding is farther than `max_similarity` (cosine) from both question
    and reasoning.

    Words alone cannot tell: a general rule (`a fall at a constant rate takes …`) often shares none with its question.
    Only contexts that share hardly any are embedded, by all-MiniLM-L6-v2, which knows English; of other languages only
    those that share none, and no sums, whose rules share no words with them. Raises
    MissingDependencyError where the package with the model is not installed.
    """
    if not view.context or (view.language != "en" and (view.language not in LATIN or view.kind == Kind.numeric)):
        return None
    told = content_of(view, view.context)
    if len(told) < min_words:
        return None
    asked = f"{view.question} {' '.join(view.choices)} {view.answer}"
    others = (view.question, view.passage, view.answer, view.reasoning, *view.choices)
    shared = max_shared * len(told) if view.language == "en" else 0
    if sum(len(told & content_of(view, text)) for text in others) > shared:
        return None
    matter = content_of(view, COMMAND.sub(" ", f"{view.question} {view.reasoning}"))
    if FORMULA.search(view.question) and sum(word.isalpha() for word in matter) < min_words:
        return None  # of a formula alone nobody can tell what it is about
    context, *vectors = _embedder().encode([view.context, asked, *([view.reasoning] if view.reasoning else [])])
    similarity = max(float(context @ other) for other in vectors)
    max_similarity += 0 if view.language == "en" else SAME_LANGUAGE
    return ("context_off_topic", f"{similarity:.2f}: {excerpt(view.context)}") if similarity < max_similarity else None


@functools.cache
def _embedder() -> Embedder:
    return Embedder(None)


def answer_off_topic(view: View, *, min_words: int = 8, max_shared: float = 0.08) -> Finding | None:
    """An explanation of `min_words` content words or more, of which question, passage and reasoning have
    `max_shared` at most: it answers another question.
    """
    if view.kind != Kind.free_text or view.frame != Frame.explanation or not view.reasoning:
        return None
    said = content_of(view, view.answer)
    if len(said) < min_words:
        return None
    known = set().union(*(content_of(view, text) for text in (view.question, view.passage, view.reasoning)))
    return ("answer_off_topic", excerpt(view.answer)) if len(said & known) <= max_shared * len(said) else None


def reasoning_off_topic(view: View, *, min_words: int = 6) -> Finding | None:
    """A reasoning of `min_words` content words or more that shares none with question, passage, options, answer and
    context, be it by the beginnings of words alone, and does not come to the answer: it solves another question.
    """
    if not view.reasoning or view.kind == Kind.code or (view.is_choice and view.label in view.reasoning):
        return None
    said = view.tokens(view.reasoning)
    if contains(said, view.tokens(view.answer)):
        return None
    beginnings = _beginnings(said)
    known: set[str] = set()
    for text in (view.question, view.passage, view.context, *view.accepted, *view.choices):
        known |= _beginnings(view.tokens(text))
        if not beginnings.isdisjoint(known):
            return None
    return ("reasoning_off_topic", excerpt(view.reasoning)) if min(len(beginnings), len(known)) >= min_words else None


def _beginnings(words: list[str]) -> set[str]:
    """The first four letters of content words, and single ideographs."""
    found = {word[:4] for word in content_words(words) if not word[0].isdigit()}
    if "".join(words).isascii():
        return found
    return found | {word for word in words if is_spaceless(word) and "\u3400" <= word[0] <= "\u9fff"}
