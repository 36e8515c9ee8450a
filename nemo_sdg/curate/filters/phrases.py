"""Phrases of the filters, by language, from phrases.yaml; a sample is searched for those of its language and English.

A phrase is looked for in folded text (lower case, plain apostrophes, single spaces), between word boundaries.
"""

import functools
import itertools
from dataclasses import dataclass
from pathlib import Path

from nemo_sdg.curate.filters.view import WORD, View, excerpt, is_quoted
from nemo_sdg.text.normalize import has_any, is_spaceless, tokens
from nemo_sdg.text.tables import read_table


@functools.cache
def word_list(name: str) -> frozenset[str]:
    """A list of words.yaml, for all languages at once; its words also as tokens are written."""
    return with_tokens(tuple(read_table(Path(__file__).with_name("words.yaml"))[name].split()))


@functools.cache
def with_tokens(wanted: tuple[str, ...]) -> frozenset[str]:
    """Words and phrases, each also as `tokens` writes it, which has one spelling for `ı` and `i`, `ى` and `ي`."""
    written = (" ".join(tokens(phrase)) for phrase in wanted if not phrase.isascii() and "'" not in phrase)
    return frozenset([*wanted, *written])


@functools.cache
def _lists() -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = read_table(Path(__file__).with_name("phrases.yaml"))
    return loaded


@dataclass(frozen=True)
class _Index:
    """Phrases by their longest word, so that a text is asked only for those that may stand in it."""

    by_word: dict[str, list[str]]
    words: frozenset[str]
    others: list[str]
    """without a word of a script that writes spaces"""


class PhraseList(tuple[str, ...]):
    """Phrases, and their index, which is made once: a list is looked for in many texts."""

    @functools.cached_property
    def looked_up(self) -> _Index:
        by_word: dict[str, list[str]] = {}
        others = []
        for phrase in self:
            words = [word for word in WORD.findall(phrase) if not any(map(is_spaceless, word))]
            # the words at a phrase's ends may be parts of longer ones only where a sign stands between
            if words:
                by_word.setdefault(max(words, key=len), []).append(phrase)
            else:
                others.append(phrase)
        return _Index(by_word, frozenset(by_word), others)


@functools.cache
def phrases(name: str, language: str, *, others: bool = True) -> PhraseList:
    """The list's phrases of a language, longest first; with `others` also the English and the Chinese ones, the
    languages that models fall back on.
    """
    by_language = _lists()[name]
    languages = dict.fromkeys([language, *(("en", "zh") if others else ())])
    found = [phrase for one in languages for phrase in by_language.get(one, [])]
    return PhraseList(sorted(dict.fromkeys(found), key=len, reverse=True))


def knows(name: str, language: str) -> bool:
    """Whether the list has phrases of the language itself."""
    return language in _lists()[name]


def find_phrases(folded: str, wanted: PhraseList, words: frozenset[str] | None = None) -> list[tuple[int, str]]:
    """(start, phrase) of each of the phrases that stands in the text between word boundaries, its first place each.
    `words` are the text's, where they are known.
    """
    index = wanted.looked_up
    words = frozenset(WORD.findall(folded)) if words is None else words
    candidates = [] if folded.isascii() else [*index.others]
    if not index.words.isdisjoint(words):
        candidates += [phrase for word in index.words & words for phrase in index.by_word[word]]
    if not candidates:
        return []
    found = []
    for phrase in candidates:
        start = folded.find(phrase)
        while start >= 0 and not _bounded(folded, start, start + len(phrase)):
            start = folded.find(phrase, start + 1)
        if start >= 0:
            found.append((start, phrase))
    return sorted(found)


def may_hold(folded: str, wanted: PhraseList, words: frozenset[str]) -> bool:
    """Whether one of the phrases may stand in a text of these words: a first look, never False where one does."""
    if folded.isascii():
        return bool(find_phrases(folded, wanted, words))
    return has_any(folded, wanted)


def _bounded(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return (not before.isalnum() or not text[start].isalnum() or is_spaceless(text[start])) and (
        not after.isalnum() or not text[end - 1].isalnum() or is_spaceless(text[end - 1])
    )


def spoken(view: View, name: str, *fields: str, opening: bool = False, beside_answer: bool = False) -> str | None:
    """Where one of the list's phrases is said in the fields, for a detail; None where it is not, or is the subject.

    A phrase between quotation marks is spoken of, and so is one that stands in the question or the passage too. With
    `opening` a phrase counts only where it begins a sentence, with `beside_answer` only where the text is not the
    answer said again.
    """
    wanted = phrases(name, view.language)
    for field, text in view.texts(*fields):
        folded = view.folded(text)
        if beside_answer:
            folded = functools.reduce(lambda rest, said: rest.replace(view.folded(said), " "), view.accepted, folded)
        for start, phrase in find_phrases(folded, wanted, None if beside_answer else view.words(text)):
            if opening and not _begins_sentence(folded, start):
                continue
            if is_quoted(folded, start):
                continue
            if field not in ("question", "choices") and find_phrases(view.folded(view.asked), PhraseList((phrase,))):
                continue
            return f"{field}: {excerpt(folded, start)}"
    return None


def _begins_sentence(folded: str, start: int) -> bool:
    before = folded[:start].rstrip(" \"'“«„¡¿([*")
    return not before or (before[-1] in ".!?:…。！？।؟،,、，;—–-" and not (before[-1] in ",،、，" and start > 12))


STEM = 5
"""Letters by which inflected words are compared"""


def content_words(words: list[str], leave_out: frozenset[str] = frozenset()) -> set[str]:
    """Words of four letters or more by their first five, numbers, and pairs of characters where no spaces are
    written.
    """
    common = word_list("common")
    found = {
        word[:STEM]
        for word in set(words)
        if (len(word) > 3 or word[0].isdigit()) and word not in common and word not in leave_out
    }
    if "".join(words).isascii():
        return found
    return found | {
        one + other
        for one, other in itertools.pairwise(words)
        if not one.isascii() and is_spaceless(one) and is_spaceless(other)
    }


def content_of(view: View, text: str) -> frozenset[str]:
    """The content words of one of a sample's texts."""
    found = view.content.get(text)
    if found is None:
        found = view.content[text] = frozenset(content_words(view.tokens(text)))
    return found
