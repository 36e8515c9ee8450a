"""Filter of word salad: words in an order in which no sentence of the language has them."""

import functools
import itertools
import re
from pathlib import Path

from nemo_sdg.curate.filters.view import SOLUTION, Finding, View, excerpt
from nemo_sdg.records import Kind
from nemo_sdg.text.tables import read_table


def _rules() -> dict[str, list[list[str]]]:
    loaded: dict[str, list[list[str]]] = read_table(Path(__file__).with_name("word_order.yaml"))
    return loaded


@functools.cache
def _bigrams(language: str) -> frozenset[tuple[str, str]]:
    """The pairs of word_order.yaml."""
    rules = _rules().get(language, [])
    return frozenset(pair for first, second in rules for pair in itertools.product(first.split(), second.split()))


@functools.cache
def _firsts(language: str) -> frozenset[str]:
    """The first words of the pairs."""
    return frozenset(first for first, _ in _bigrams(language))


@functools.cache
def _pairs(language: str) -> re.Pattern[str]:
    """Two words of word_order.yaml in a row."""
    rules = _rules()[language]
    found = []
    for first, second in rules:
        found.append(rf"(?:{'|'.join(first.split())}) (?=(?:{'|'.join(second.split())})(?!\w))")
    return re.compile(rf"(?<![\w'’.-])(?:{'|'.join(found)})")


def word_salad(view: View, *, min_pairs: int = 2, words_each: int = 20) -> Finding | None:
    """A text with `min_pairs` pairs of function words or more that do not follow each other in its language (`the of`,
    `between is`), and one in `words_each` words or oftener; of a solution in so few words one pair is enough.

    Languages without a list are not judged. Titles say `knowledge of and attitudes to`, therefore a question needs two.
    """
    bigrams = _bigrams(view.language)
    if not bigrams or view.kind == Kind.code:
        return None
    for name, text in view.texts("question", *SOLUTION):
        if len(text) < MIN_LETTERS:
            continue
        folded = view.folded(text)
        firsts = _firsts(view.language)
        if bigrams.isdisjoint([pair for pair in itertools.pairwise(folded.split()) if pair[0] in firsts]):
            continue
        pattern = _pairs(view.language)
        found = pattern.search(folded)
        if found is None:
            continue
        num_words, num_pairs = folded.count(" ") + 1, len(pattern.findall(folded))
        needed = 1 if name != "question" and num_words <= words_each else min_pairs
        if num_pairs >= needed and num_pairs * words_each >= num_words:
            return "word_salad", f"{name}: {excerpt(folded, found.start())}"
    return None


MIN_LETTERS = 40
