"""Filter of questions that hold their own answer."""

import re

from nemo_sdg.curate.filters.phrases import STEM, content_words, find_phrases, phrases, with_tokens, word_list
from nemo_sdg.curate.filters.solution.conclusion import announcements, conclusion
from nemo_sdg.curate.filters.view import Finding, View, contains, excerpt, is_quoted, sentences
from nemo_sdg.records import Kind
from nemo_sdg.text.normalize import is_spaceless
from nemo_sdg.text.numbers import find_numbers, read_number


def answer_in_question(view: View, *, min_words: int = 4, min_coverage: float = 0.6) -> Finding | None:
    """The question announces its answer (`… Answer: Paris`), states it in a sentence before it asks for it, or says at
    length the one option that is right and none of the others.

    A passage may hold the answer, and so may a question that names all its options, or one about a proposed answer
    (classification).
    """
    question, answer = view.question, view.answer
    gold = view.tokens(answer)
    if not gold or view.kind in (Kind.code, Kind.free_text) or view.is_classification:
        return None
    if view.kind == Kind.numeric:
        min_coverage = max(min_coverage, 0.8)  # the same number may stand there for something else
    for match in announcements(view, question):
        if view.tokens(question[match.end() : match.end() + 2 * len(answer) + 20])[: len(gold)] == gold:
            return "answer_in_question", excerpt(question, match.start())
    if _appended(view, gold):
        return "answer_in_question", excerpt(question)
    others = [view.tokens(choice) for choice in view.choices if choice != answer]
    *before, last = sentences(question) or [""]
    if _cited(view, gold, others) or _counted(view, last) or (len(before) == 1 and _said_before(view, before[0], last)):
        return "answer_in_question", excerpt(question)
    if 0 < len(before) < 3:
        asked = content_words(view.tokens(last), frozenset(gold))
        for sentence in before:
            said = view.tokens(sentence)
            if (
                contains(said, gold)
                and not contains(view.tokens(last), gold)
                and not any(contains(said, other) for other in others)
                and (len(asked) > 1 or (asked and _right_behind(said, gold, asked)))
                and len(asked & content_words(said)) >= min_coverage * len(asked)
            ):
                return "answer_in_question", excerpt(sentence)
    if view.is_choice and _presupposed(view, gold, others):
        return "answer_in_question", excerpt(question)
    if not view.is_choice or len(gold) < min_words:
        return None
    words = view.tokens(question)
    if contains(words, gold) and not any(contains(words, other) for other in others):
        return "answer_in_question", excerpt(answer)
    return None


QUESTION = re.compile(
    r"\b(?:the|this) (?:question|problem|text|statement|sentence)\b|\b(?:frage|aufgabe|aufgabenstellung|satz|text)\b|"
    r"\bl'énoncé|\bla question|\b(?:la|el) (?:pregunta|enunciado)|\b(?:la domanda|il testo|testo del)|"
    r"\b(?:a pergunta|o enunciado|na pergunta|no enunciado)|\bde (?:vraag|opgave)\b|\b(?:frågan|spørgsmålet)|"
    r"\b(?:pytani|zadani|treści)|\b(?:otáz|zadán)|вопрос|услови|питанн|\bsoru(?:da|nun)|السؤال|प्रश्न|"
    r"题目|题干|題目|問題文|質問文|문제에|질문에|문제 속|\b(?:đề bài|câu hỏi)|\b(?:dalam soal|dalam pertanyaan|"
    r"soal menyebut)|\bswali",
    re.IGNORECASE,
)
WORKED_OUT = re.compile(r"[=+×*/÷<>]|\d\s*[-−–·]\s*\d")


def _cited(view: View, gold: list[str], others: list[list[str]]) -> bool:
    """Whether the reasoning takes the answer from the question (`the horse is called white in the question`), which
    holds it and no other option, and works nothing out.
    """
    if view.passage or len(view.reasoning_sentences) > 3:
        return False
    asked = view.tokens(view.question)
    if not contains(asked, gold) or any(contains(asked, other) for other in others):
        return False
    if WORKED_OUT.search(view.reasoning) or not QUESTION.search(view.reasoning) or _is_riddle(view):
        return False
    return not is_quoted(view.question, view.question.casefold().find(view.answer.casefold()))


def _is_riddle(view: View) -> bool:
    """Whether a question counts several, and the reasoning concludes in more than one sentence which of them is meant
    (`Tim's mother has three children, …`).
    """
    if view.is_choice or len(view.reasoning_sentences) < 2 or not conclusion(view):
        return False
    counted = re.search("[两兩二三四五六七八九十]", view.question)
    return bool(counted) or any(found.number.value > 1 for found in find_numbers(view.question, view.language))


def _said_before(view: View, before: str, last: str) -> bool:
    """Whether the one sentence before the question holds the answer and otherwise no word that is not asked again
    (`The capital of France is Paris. What is the capital of France?`).
    """
    told, asked = view.tokens(before), view.tokens(last)
    gold = next((words for words in map(view.tokens, view.accepted) if words and contains(told, words)), None)
    if (
        gold is None
        or contains(asked, gold)
        or any(contains(told, view.tokens(one)) for one in view.choices if one != view.answer)
    ):
        return False
    rest = [word for word in told if word not in gold and word not in word_list("filler")]
    if len(rest) < (2 if not is_spaceless(rest[0]) else 4) if rest else True:
        return False
    if view.kind == Kind.numeric and sum(map(str.isdigit, rest)) > 0:
        return False
    stems = {word[:STEM] for word in asked}
    return sum(word[:STEM] in stems for word in rest) >= 0.8 * len(rest) and len(rest) * 2 >= _num_asked(view, asked)


def _num_asked(view: View, asked: list[str]) -> int:
    """How many words of a question say what it is about."""
    asking = {word for phrase in with_tokens(phrases("asks", view.language)) for word in phrase.split()}
    return sum(word not in asking and word not in word_list("filler") for word in asked)


HOW_MANY = re.compile(
    r"\b(?:how many|wie ?viele|combien (?:de |d')|cuánt[oa]s|quant[ie] |quant[oa]s |hoeveel|ile |kolik|"
    r"hur många|hvor mange|kaç|"
    r"berapa(?: banyak)?|bao nhiêu|hány|câte?|câți|kuinka monta|montako|πόσ(?:α|ες|οι))\s*|(?:сколько|скільки|"
    r"كم|कितने|कितनी)\s+",
    re.IGNORECASE,
)


YEAR = re.compile(
    r"\b(?:(?:which|what) year|welche[ms]? jahr|(?:quelle|en quelle) année|(?:qué|cuál) año|(?:quale|che) anno|"
    r"(?:que|qual) ano|welk jaar|którym roku|jakim roku|kterém roce|vilket år|hvilket år|hangi yıl\w*|tahun berapa|"
    r"năm nào|ποια χρονιά|ποιο έτος|minä vuonna|melyik évben|(?:ce|care) an|mwaka gani)\b|каком году|якому році|"
    r"(?:أي|اي) (?:عام|سنة)|किस (?:वर्ष|साल)|哪一?年|何年|몇 ?년|어느 해|באיזו שנה",
    re.IGNORECASE,
)


def _counted(view: View, last: str) -> bool:
    """Whether the sentence that asks for a number tells it (`How many sides has a figure of six sides?`), and no other
    number.
    """
    if YEAR.search(last) and view.kind == Kind.numeric and not view.passage:
        years = [one.number.value for one in find_numbers(view.question, view.language) if one.number.value > 99]
        gold = read_number(view.answer, view.language)
        return gold is not None and set(years) == {gold.value}
    found = HOW_MANY.search(last)
    gold = read_number(view.answer, view.language) if found else None
    if found is None or gold is None:
        return False
    noun = (view.tokens(last[found.end() :]) or [""])[0]
    if len(noun) < 3 or view.passage or len(find_numbers(view.question, view.language)) > 2:
        return False
    numbers = [one for one in find_numbers(last, view.language) if one.number.value > 1]
    if len(numbers) != 1 or numbers[0].number.value != gold.value:
        return False
    after = view.tokens(last[numbers[0].end :])[:1] or view.tokens(last[numbers[0].start :])[1:2]
    return bool(after) and after[0][:STEM] == noun[:STEM]


def _right_behind(said: list[str], gold: list[str], asked: set[str]) -> bool:
    """Whether a sentence begins with the answer and says the one word that is asked for right behind it (`Lake Baikal,
    which is the deepest, … Which lake is the deepest?`).
    """
    return said[: len(gold)] == gold and bool(asked & content_words(said[len(gold) : len(gold) + 5]))


def _appended(view: View, gold: list[str]) -> bool:
    """Whether the question says its answer right behind a `namely`."""
    folded = view.folded(view.question)
    for start, phrase in find_phrases(
        folded, phrases("namely", view.language, others=False), view.words(view.question)
    ):
        if contains(view.tokens(folded[start + len(phrase) :])[: len(gold) + 2], gold):
            return True
    return False


def _presupposed(view: View, gold: list[str], others: list[list[str]]) -> bool:
    """Whether the question says beforehand what it asks for (`knowing that the whale is a mammal, …`) and names no
    other option.
    """
    if sum(map(len, gold)) < 3 or read_number(view.answer, view.language) is not None:
        return False
    folded = view.folded(view.question)
    found = find_phrases(folded, phrases("presupposing", view.language), view.words(view.question))
    if not found:
        return False
    said = view.tokens(folded[found[0][0] :].split(",")[0] if "," in folded[found[0][0] :] else folded[found[0][0] :])
    return (contains(said, gold) or _same_stems(said, gold)) and not any(
        contains(view.tokens(view.question), other) for other in others
    )


def _same_stems(said: list[str], gold: list[str]) -> bool:
    return all(len(word) >= STEM for word in gold) and {word[:STEM] for word in gold} <= {word[:STEM] for word in said}
