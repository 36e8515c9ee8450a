"""Filters of texts that stop in the middle, ask nothing, or say nothing."""

import functools
import re

from nemo_sdg.curate.filters.phrases import STEM, content_words, knows, phrases, word_list
from nemo_sdg.curate.filters.view import Finding, View, contains, excerpt, sentences
from nemo_sdg.records import Frame, Kind
from nemo_sdg.text.normalize import is_spaceless, jaccard, tokens

END = re.compile(r"[.!?…。！？:：;؟۔।॥።៕၊။|)\]}>*\"'”’»」』`$\d%°\]-]\s*$")
"""How a finished text may end: a sentence's end, what closes, a digit, a unit"""
ATTACHED = {
    "ko": (
        "의",
        "을",
        "를",
        "와",
        "과",
        "에서",
        "하는",
        "라는",
        "되는",
        "에게",
        "으로",
        "하고",
        "하며",
        "이며",
        "지만",
    ),
    "ja": ("を", "に", "と", "で", "への", "という", "して", "から", "ので", "ており"),
    "zh": ("的", "和", "与", "在", "把", "被", "对", "以及", "因为", "如果", "并且"),
}
"""Particles written without a space after which a sentence goes on"""
EXCERPT_END = 70
NO_FULL_STOP = frozenset(["th", "lo", "km", "my", "bo", "dz"])
"""Languages whose sentences end without a mark"""
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
LIST_OR_CODE = re.compile(r"^\s*(?:[-*•]|\d+[.)]|[A-Da-d][.)])\s|```|^\s{4}|[{}\\=]|\|", re.MULTILINE)


def cut_off(view: View, *, min_words: int = 6) -> Finding | None:
    """A text that stops in the middle: after an article or a conjunction, or, where all its other sentences end as
    sentences do, in a last one of at least `min_words` words that does not.

    Lists, code and formulas may end as they like, and so may the stem of a question with options.
    """
    for name, text in view.texts("question", "context", "reasoning"):
        if name == "question" and (view.is_choice or view.kind == Kind.code):
            if view.is_choice and _asks_half(view, text):
                return "question_cut_off", excerpt(text[-EXCERPT_END:])
            continue
        if _is_cut(view, text, question=name == "question", prose=name == "context", min_words=min_words):
            return f"{name}_cut_off", excerpt(text[-EXCERPT_END:])
    if view.kind == Kind.free_text and _is_cut(view, view.answer, question=False, prose=False, min_words=min_words):
        return "answer_cut_off", excerpt(view.answer[-EXCERPT_END:])
    return None


def _asks_half(view: View, text: str) -> bool:
    """Whether the stem of a question with options is cut: it has no end and asks for nothing though its options are
    whole sentences, or its last sentence begins to ask (`How long does`) and stops at a word that goes on.
    """
    text = text.rstrip()
    if not text[-1:].isalpha():
        return False
    last = sentences(text)[-1]
    whole = all(len(choice.split()) > 2 and SENTENCE.fullmatch(choice.strip()) for choice in view.choices)
    if whole and _num_words(last) > 3 and not _asks(view, last):
        return True
    words = re.findall(r"[\w'-]+", view.folded(last))
    return (
        1 < len(words) <= 4
        and words[0] in phrases("interrogative", view.language, others=False)
        and words[-1]
        in (*phrases("dangling", view.language, others=False), *phrases("unfinished", view.language, others=False))
    )


SENTENCE = re.compile(r"[^\W\d_a-zà-ÿа-я].*[.!?。]|[^\x00-\u02ff].*[。।۔]", re.DOTALL)
"""An option that begins and ends as a sentence does; no stem goes on in it"""


def _only_begins(view: View, text: str) -> bool:
    """Whether a question stops behind the words that ask (`Why`, `How much does`)."""
    words = re.findall(r"[\w'-]+", view.folded((sentences(text) or [""])[-1]))
    asking = phrases("interrogative", view.language, others=False)
    going_on = {*asking, *phrases("unfinished", view.language, others=False)}
    going_on |= {*phrases("dangling", view.language, others=False)}
    begins = " ".join(words).startswith(tuple(word for word in asking if " " in word)) or words[:1] in [
        [word] for word in asking
    ]
    if not words or len(words) > 4 or not begins or not text[-1].isalpha():
        return False
    rest = " ".join(words)
    for phrase in sorted((word for word in going_on if " " in word), key=len, reverse=True):
        rest = rest.replace(phrase, "")
    return all(word in going_on for word in rest.split())


def _inside_word(view: View, text: str) -> bool:
    """Whether a text stops within a word that the other texts spell to its end: `veloci` of `velocidade`."""
    last = (view.folded(text).split() or [""])[-1]
    if len(last) < 4 or not last.isalpha() or any(map(is_spaceless, last)):
        return False
    words = frozenset().union(*(view.words(other) for _, other in view.texts("question", "context", "reasoning")))
    elsewhere = view.folded(" ".join(other for _, other in view.texts("question", "context", "reasoning")))
    longer = any(len(word) >= len(last) + 3 and word.startswith(last) for word in words)
    return longer and len(re.findall(rf"(?<!\w){re.escape(last)}(?!\w)", elsewhere)) == 1


def _is_cut(view: View, text: str, *, question: bool, prose: bool, min_words: int) -> bool:
    text = text.rstrip()
    if not text or view.language in NO_FULL_STOP or (END.search(text) and not _stops_in_number(view, text)):
        return False
    if text[-1] in ",،、，" or (view.language in ATTACHED and text.endswith(ATTACHED[view.language])):
        return True
    last_words = " ".join(view.folded(text).split()[-5:])
    ending = phrases("dangling", view.language, others=False)
    if not question:
        ending += phrases("dangling_statement", view.language, others=False)
    if len(text.split()) > 3 and any(last_words.endswith(" " + word) for word in ending):
        # a letter alone may be the name of a quantity, an option or a vitamin
        return len(text.split()[-1]) > 1 or text[-1].islower()
    if _inside_word(view, text) or (question and _only_begins(view, text)):
        return True
    *before, last = sentences(text)
    if before and is_spaceless(text[-1]) and len(last) >= 6 and not question:
        ends = sum(sentence[-1] in "。！？" for sentence in before)
        if ends == len(before) and not LIST_OR_CODE.search(text) and not re.search(r"[：:]", last):
            return True
    if prose and not before and _num_words(last) >= 2 * min_words and not LIST_OR_CODE.search(text):
        return True
    if question and not before and _asks(view, last):
        return False
    if not before or LIST_OR_CODE.search(text) or not all(END.search(sentence) for sentence in before):
        return False
    if question and _asks(view, last):
        return text[-1].isalpha()
    return _num_words(last) >= (min_words if not question else 4)


def _stops_in_number(view: View, text: str) -> bool:
    """Whether a text of an explanation whose sentences all have their ends stops behind a digit."""
    if view.kind != Kind.free_text or not text[-1].isdigit() or LIST_OR_CODE.search(text):
        return False
    *before, last = sentences(text)
    return len(before) > 1 and all(FULL_STOP.search(one) for one in before) and _num_words(last) >= 6


FULL_STOP = re.compile(r"[.!?…。！？؟۔।][\"'”’»」』)]*$")


def _asks(view: View, sentence: str) -> bool:
    first = re.findall(r"[\w'-]+", view.folded(sentence))[:1]
    return bool(first) and first[0] in phrases("asks", view.language)


def _num_words(text: str) -> int:
    return sum(1 if word.isascii() else max(1, _ideographs(word) // 2) for word in WORD.findall(text))


def _ideographs(word: str) -> int:
    return sum("\u3040" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3" for letter in word)


ASKING_MARKS = re.compile(r"[?？؟;⸮:：]|_{2,}|\.{3}|…|[=＝]|\bblank\b|\[mask\]", re.IGNORECASE)


def no_question(view: View) -> Finding | None:
    """A text that asks nothing: no question mark, no word that asks or asks for something, no gap to be filled.

    Questions with options may be stems. Languages whose words are not listed (phrases.yaml, asks) are not judged.
    """
    if view.is_choice or view.sample.get("origin") == "seed" or not knows("asks", view.language):
        return None
    question = view.question
    if ASKING_MARKS.search(question) or "\n" in question.strip():
        return None
    asking, statements = phrases("asks", view.language), word_list("auxiliaries")
    for sentence in sentences(question):
        words = re.findall(r"[\w'-]+", view.folded(sentence))
        if words and (words[0] in asking or any(word in asking and word not in statements for word in words)):
            return None
    folded = view.folded(question)
    if any(" " in phrase and phrase in folded for phrase in asking):
        return None
    return "no_question", excerpt(question)


ONE_TEXT = 0.85
"""Jaccard similarity of the words of context and reasoning from which they are one text"""


def empty_solution(view: View) -> Finding | None:
    """An answer that holds nothing, or nothing but the question; reasoning that only says the answer or the question
    again; reasoning and context that are one text.
    """
    answer, reasoning = view.answer.strip(), view.reasoning
    gold, asked = view.tokens(answer), view.tokens(view.question)
    if view.kind == Kind.free_text and not view.is_technical:
        if not any(map(str.isalnum, answer)) or (view.frame == Frame.explanation and len(gold) < 2):
            return "answer_is_empty", excerpt(answer)
        if len(gold) > 4 and contains(asked, gold):
            return "answer_restates_question", excerpt(answer)
    if not reasoning or view.kind == Kind.code or "\n" in answer:
        return None
    said, filler = view.tokens(reasoning), word_list("filler")
    left = [word for word in said if word not in filler]
    only_answer = contains(gold, left) and len(gold) - len(left) < 3
    names_only = len(said) <= 2 and (view.label.lower() in said or (gold and contains(said, gold)))
    if not left or only_answer or names_only or set(left) == set(gold) or reasoning == answer:
        return "reasoning_restates_answer", excerpt(reasoning)
    if len(said) > 3 and contains(asked, said):
        return "reasoning_restates_question", excerpt(reasoning)
    if view.kind != Kind.free_text and _only_restates(view, said, filler):
        return "reasoning_restates_answer", excerpt(reasoning)
    if view.kind != Kind.free_text and _only_asks_again(view, said):
        return "reasoning_restates_question", excerpt(reasoning)
    if len(said) > 5 and jaccard(set(view.tokens(view.context)), set(said)) >= ONE_TEXT:
        return "context_is_the_reasoning", excerpt(reasoning)
    return None


def _only_restates(view: View, said: list[str], filler: frozenset[str]) -> bool:
    """Whether a reasoning says the answer twice or oftener and nothing else but words of the question: it gives no
    ground, rules no option out and calculates nothing.
    """
    if len(said) > 40 or not said or any(sign in view.reasoning for sign in "=+*/<>≈→"):
        return False
    answers = [view.tokens(text) for text in view.accepted]
    numbers = set(re.findall(r"\d+", view.reasoning)) - set(re.findall(r"\d+", view.answer))
    if numbers or any(map(is_spaceless, said)):
        return False
    if answers[0] and contains(view.tokens(view.question), answers[0]):
        return False
    times = max((_times(said, answer) for answer in answers), default=0)
    if times < 2:
        return False
    known = filler.union(view.tokens(view.question), *answers, phrase_words(view.language))
    stems = {word[:STEM] for word in known}
    new = {word for word in said if word not in known and word[:STEM] not in stems and len(word) > 1}
    others = [view.tokens(choice) for choice in view.choices if choice != view.answer]
    return len(new) <= 1 and not any(contains(said, other) for other in others)


def _only_asks_again(view: View, said: list[str]) -> bool:
    """Whether a reasoning has hardly a content word beside those of the question and does not come to the answer."""
    if view.kind == Kind.numeric or any(map(str.isdigit, view.reasoning)) or contains(said, view.tokens(view.answer)):
        return False
    told = content_words(said)
    if len(told) < 6 or any(contains(said, view.tokens(choice)) for choice in view.choices):
        return False
    new = told - content_words(view.tokens(view.question))
    return 5 * sum(word.isalpha() for word in new) <= len(told)


def _times(said: list[str], answer: list[str]) -> int:
    size = len(answer)
    return sum(said[start : start + size] == answer for start in range(len(said) - size + 1)) if size else 0


@functools.cache
def phrase_words(language: str) -> frozenset[str]:
    """The words that announce an answer and a conclusion."""
    found = (*phrases("answer_is", language), *phrases("conclusion", language), *phrases("restating", language))
    return frozenset(word for phrase in found for word in tokens(phrase))


LONG_CONTEXT = 8  # content words from which a context's share of new ones is told


def context_restatement(
    view: View, *, min_new_words: int = 2, min_new_share: float = 0.45, min_new_beside_passage: float = 0.25
) -> Finding | None:
    """Context that brings fewer than `min_new_words` words beyond question, passage and answer, or, in a longer one,
    says again what is asked or read: of its content words less than `min_new_share` are not in the question, or less
    than `min_new_beside_passage` neither there nor in the passage. Empty context passes.

    Passages are apart, since a context shares their words: the second halves of 1,497 real ones, taken as contexts of
    the first, were dropped 45 times where a passage was part of the question.
    """
    if not view.context:
        return None
    known = word_list("filler").union(
        *(view.tokens(text) for text in (view.question, view.passage, view.answer, *view.choices))
    )
    told = set(view.tokens(view.context))
    if len(told - known) >= min_new_words:
        content = content_words(view.tokens(view.context))
        if len(content) < LONG_CONTEXT:
            return None
        asked, read = content_words(view.tokens(view.question)), content_words(view.tokens(view.passage))
        if len(content - asked) < min_new_share * len(content):
            return "context_restates_question", excerpt(view.context)
        if read and len(content - asked - read) < min_new_beside_passage * len(content):
            return "context_restates_passage", excerpt(view.context)
        return None
    restates = told & (set(view.tokens(view.answer)) - word_list("filler"))
    return "context_restates_answer" if restates else "context_restates_question", excerpt(view.context)
