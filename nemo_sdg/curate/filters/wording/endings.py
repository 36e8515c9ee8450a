"""Filter of texts that stop in the middle."""

import re
import unicodedata

from nemo_sdg.curate.filters.phrases import content_words, phrases
from nemo_sdg.curate.filters.solution.mentions import labels
from nemo_sdg.curate.filters.view import WHOLE_WORD, Finding, View, excerpt, sentences
from nemo_sdg.records import Kind
from nemo_sdg.text.normalize import is_spaceless

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
COPULA = ("是", "等于", "属于")
"""Behind which a yes or a no says nothing"""
EXCERPT_END = 70
NO_FULL_STOP = frozenset(["th", "lo", "km", "my", "bo", "dz"])
"""Languages whose sentences end without a mark"""
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
LIST_OR_CODE = re.compile(r"^\s*(?:[-*•]|\d+[.)]|[A-Da-d][.)])\s|```|^\s{4}|[{}\\=]|\|", re.MULTILINE)


FENCES = re.compile(r"```.*?```", re.DOTALL)


def cut_off(view: View, *, min_words: int = 6) -> Finding | None:
    """A text that stops in the middle: after an article or a conjunction, or, where all its other sentences end as
    sentences do, in a last one of at least `min_words` words that does not.

    Lists, code and formulas may end as they like, and so may the stem of a question with options.
    """
    for name, text in view.texts("question", "context", "reasoning"):
        if name == "question" and FENCES.sub("", text).count("```"):
            return "question_cut_off", excerpt(text[-EXCERPT_END:])
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
    words = WHOLE_WORD.findall(view.folded(last))
    if words and all(view.folded(choice).strip(" .") in labels(view) for choice in view.choices):
        spaceless = text.endswith(COPULA) or text.endswith(ATTACHED.get(view.language, ("\n",)))
        return spaceless or words[-1] in phrases("dangling", view.language, others=False)
    if len(words) < 2 or words[0] not in phrases("interrogative", view.language, others=False):
        return False
    if len(words) > 3 and not content_words(words, frozenset([*going_on(view), "least"])):
        return True  # `Which of the following is the most`
    before = sentences(text)[:-1]
    if before and len(words) > 3 and all(FULL_STOP.search(one) for one in before) and _is_fragment(view, words[-1]):
        return True
    if words[-1] in phrases("dangling", view.language, others=False) and (view.language != "en" or len(words[-1]) > 2):
        return True  # which of … and the: no option goes on from a question that has asked
    return len(words) <= 4 and words[-1] in (
        *phrases("dangling", view.language, others=False),
        *phrases("unfinished", view.language, others=False),
    )


def going_on(view: View) -> tuple[str, ...]:
    """Words behind which a question goes on."""
    lists = ("interrogative", "unfinished", "dangling")
    return tuple(word for name in lists for word in phrases(name, view.language, others=False))


def _is_fragment(view: View, last: str) -> bool:
    """Whether a last word of two or three letters is the beginning of a longer one in the sample and stands nowhere as
    a word.
    """
    if not 1 < len(last) < 4 or not last.isalpha() or is_spaceless(last):
        return False
    elsewhere = view.words(f"{view.context} {view.reasoning} {' '.join(view.choices)}")
    return last not in elsewhere and any(
        word.startswith(last) for word in elsewhere | (view.words(view.question) - {last})
    )


SENTENCE = re.compile(r"[^\W\d_a-zà-ÿа-я].*[.!?。]|[^\x00-\u02ff].*[。।۔]", re.DOTALL)
"""An option that begins and ends as a sentence does; no stem goes on in it"""


def _only_begins(view: View, text: str) -> bool:
    """Whether a question stops behind the words that ask (`Why`, `How much does`)."""
    words = WHOLE_WORD.findall(view.folded((sentences(text) or [""])[-1]))
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
    if not text or view.language in NO_FULL_STOP or (_may_end(text) and not _stops_in_number(view, text)):
        return False
    if not question and _ends_in_answer(view, text):
        return False
    if text[-1] in ",،、，" or (view.language in ATTACHED and text.endswith(ATTACHED[view.language])):
        return True
    last_words = " ".join(view.folded(text).split()[-5:])
    ending: tuple[str, ...] = phrases("dangling", view.language, others=False)
    if not question:
        ending += phrases("dangling_statement", view.language, others=False)
    if len(text.split()) > 3 and any(last_words.endswith(" " + word) for word in ending):
        # a letter alone may be the name of a quantity, an option or a vitamin
        return len(text.split()[-1]) > 1 or text[-1].islower()
    if _inside_word(view, text) or (question and _only_begins(view, text)):
        return True
    *before, last = sentences(text)
    if not question and _is_list(last):
        return False
    if before and is_spaceless(text[-1]) and len(last) >= 6 and not question:
        ends = sum(sentence[-1] in "。！？" for sentence in before)
        if ends == len(before) and not LIST_OR_CODE.search(text) and not re.search(r"[：:]", last):
            return True
    if prose and before and all(FULL_STOP.search(one) for one in before) and text[-1].isalpha():
        return _num_words(last) >= min_words and not LIST_OR_CODE.search(last)
    if prose and not before and _num_words(last) >= 2 * min_words and not LIST_OR_CODE.search(text):
        return DEFINED.match(text) is None
    if question and not before and _asks(view, last):
        return False
    if not before or LIST_OR_CODE.search(text) or not all(END.search(sentence) for sentence in before):
        return False
    if question and _asks(view, last):
        return text[-1].isalpha()
    return _num_words(last) >= (min_words if not question else 4)


def _may_end(text: str) -> bool:
    """Whether a text ends in a mark, or in a word that no prose is cut behind: `x₁`, `m/s²`, `notes.txt`."""
    if END.search(text[-1]) or unicodedata.category(text[-1]) in CLOSING or text[-1] == "∎":
        return True
    last = text.split()[-1].strip("\"'“”‘’«»()")
    return last.isascii() and any(sign in last for sign in "0123456789./_@\\") and text[-1].isalpha()


CLOSING = frozenset(["Pe", "Pf", "So", "Sc", "Sk", "No", "Nl"])
"""Of characters: closing brackets and quotation marks, symbols, signs of currencies, raised figures"""


def _ends_in_answer(view: View, text: str) -> bool:
    """Whether the answer is what a text ends in, perhaps with a unit behind it (`The line is: Hi guest`)."""
    if text != view.reasoning:
        return False
    for answer in filter(None, map(str.strip, view.accepted)):
        end, said = view.tokens(text[-2 * len(answer) - 20 :]), view.tokens(answer)
        with_unit = any(map(str.isdigit, answer)) and said == end[-len(said) - 1 : -1]
        if text.endswith(answer) or (said and (said == end[-len(said) :] or with_unit)):
            return True
    return False


def _is_list(text: str) -> bool:
    """Whether a text is of short items with commas between them."""
    items = COMMA.split(text)
    return len(items) > 3 and max(max(len(item.split()), sum(map(is_spaceless, item)) // 2) for item in items) <= ITEM


COMMA = re.compile(r"[,،、，;；]\s*")
ITEM = 5
"""Words that an item of a list hardly has more of"""
DEFINED = re.compile(r"[^\W\d_][^.:：!?\n]{1,40}[:：]\s")
"""What is defined before its definition, as in a glossary (`Photosynthesis: the process by which …`)"""


def _stops_in_number(view: View, text: str) -> bool:
    """Whether a text of an explanation whose sentences all have their ends stops behind a digit."""
    if view.kind != Kind.free_text or not text[-1].isdigit() or LIST_OR_CODE.search(text):
        return False
    *before, last = sentences(text)
    return len(before) > 1 and all(FULL_STOP.search(one) for one in before) and _num_words(last) >= 6


FULL_STOP = re.compile(r"[.!?…。！？؟۔।][\"'”’»」』)]*$")


def _asks(view: View, sentence: str) -> bool:
    first = WHOLE_WORD.findall(view.folded(sentence))[:1]
    return bool(first) and first[0] in phrases("asks", view.language)


def _num_words(text: str) -> int:
    return sum(1 if word.isascii() else max(1, _ideographs(word) // 2) for word in WORD.findall(text))


def _ideographs(word: str) -> int:
    return sum("\u3040" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3" for letter in word)
