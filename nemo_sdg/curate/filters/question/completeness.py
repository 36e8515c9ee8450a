"""Filters of questions that ask nothing, and of solutions and contexts that say nothing new."""

import functools
import itertools
import re
from collections.abc import Set

from nemo_sdg.curate.filters.phrases import STEM, content_of, knows, phrases, word_list
from nemo_sdg.curate.filters.question.imperative import asks_for_something
from nemo_sdg.curate.filters.view import WHOLE_WORD, Finding, View, contains, excerpt, sentences
from nemo_sdg.records import Frame, Kind
from nemo_sdg.text.normalize import has_any, is_spaceless, jaccard, tokens
from nemo_sdg.text.numbers import find_numbers

ASKING_MARKS = re.compile(r"[?？؟;⸮:：]|_{2,}|(?<!\w)_+(?!\w)|\.{3}|…|[=＝]|\bblank\b|\[mask\]", re.IGNORECASE)


def no_question(view: View) -> Finding | None:
    """A text that asks nothing: no question mark, no word that asks or asks for something, no gap to be filled.

    A question with options may be a stem that they go on from, unless it ends as a statement does and they do not.
    Languages whose words are not listed (phrases.yaml, asks) are not judged.
    """
    if view.sample.get("origin") == "seed":
        return None
    question = view.question
    if ASKING_MARKS.search(question) or "\n" in question.strip() or (view.is_choice and not _is_statement(view)):
        return None
    if view.language in ASKING_PARTS:
        asked = ASKING_PARTS[view.language].search(question)
        return None if asked or not any(map(is_spaceless, question)) else ("no_question", excerpt(question))
    if not knows("asks", view.language) or any(asks_for_something(one, view.language) for one in sentences(question)):
        return None
    asking, statements = phrases("asks", view.language), word_list("auxiliaries")
    for sentence in sentences(question):
        words = WHOLE_WORD.findall(view.folded(sentence))
        if words and (words[0] in asking or any(word in asking and word not in statements for word in words)):
            return None
    folded = view.folded(question)
    if any(" " in phrase and phrase in folded for phrase in asking):
        return None
    return "no_question", excerpt(question)


ASKING_PARTS = {
    "zh": re.compile(
        r"什么|哪|谁|几|多少|多[大长高远久重深宽快]|怎|何|吗|呢|请|选|求|计算|算|是否|能否|可否|下列|以下|下面|写|说明|说出|解释|判断|填|^[把将將试試改补補续續用]|"
        r"列举|简述|分析|比较|翻译|证明|找|指出|给出|描述|[(（]\s*[)）]|是[。.]?$|为[。.]?$|的是|甚麼|什麼|誰|嗎|請|選"
    ),
    "ja": re.compile(
        r"か[。.」]?(?:\s|$)|か[。]|何|なに|なん|どれ|どの|どち|どこ|どう|だれ|誰|いつ|なぜ|いく[つら]|選|答え|求め|なさい|せよ|よ[。.]$|"
        r"述べ|説明|教えて|計算|書[けきい]|ください|下さい|して[。.]?$|訳|挙げ|示|まとめ|は[。.]?$|ものは|のは"
    ),
    "ko": re.compile(
        r"까|나요|가요|는가|은가|인가|ㄴ가|니\s*$|무엇|무슨|어느|어떤|어떻|누구|누가|언제|어디|왜|몇|얼마|고르|고른|구하|구해|시오|세요|하라|"
        r"써라|쓰|설명|서술|답하|말하|것은|는\?|[은는][.]?$|해\s*줘|주세요|라[.]?$|계산"
    ),
}
"""What asks in languages whose sentences are not cut into words"""


def _is_statement(view: View) -> bool:
    """Whether a question with options is no stem and no label's subject: it ends in a full stop, and no option does."""
    return (
        view.frame in ("", "selection")
        and STATED.search(view.question.rstrip()) is not None
        and not view.passage
        and not any(STATED.search(choice.rstrip()) or len(view.tokens(choice)) > 6 for choice in view.choices)
    )


STATED = re.compile(r"[^.\s](?<!\bhere)(?<!\bthese)(?<!\bthis)(?<!\bthose)[.。।]$")


RELATIONS = "=≡⇔⇒→≈"
"""Signs between the steps of a derivation"""
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
    label = view.label.lower() if view.is_choice and view.label.lower() not in gold else ""
    left = [word for word in said if word not in filler and word != label]
    only_answer = contains(gold, left) and len(gold) - len(left) < 3
    names_only = len(said) <= 2 and (view.label.lower() in said or (gold and contains(said, gold)))
    same_words = set(gold).issuperset(left) and set(left) in (set(gold), set(gold) - filler)
    derived = sum(map(reasoning.count, RELATIONS)) > 1 + sum(map(answer.count, RELATIONS))  # `¬∀x ¬P(x) ≡ … ≡ ∃x P(x)`
    if not derived and (not left or only_answer or names_only or same_words or reasoning == answer):
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


def _calculates(view: View, said: list[str]) -> bool:
    """Whether a reasoning has a number that is neither the answer's nor said with the same word as in the question."""
    asked = view.tokens(view.question)
    known = set(itertools.pairwise(asked))
    numbers = set(filter(_is_number, asked))
    gold = {word for text in view.accepted for word in view.tokens(text)}
    for place, word in enumerate(said):
        if not _is_number(word) or word in gold:
            continue
        beside = tuple(said[place : place + 2]), tuple(said[max(0, place - 1) : place + 1])
        if word not in numbers or not (known.intersection(beside) or place == len(said) - 1):
            return True
    return False


def _is_number(word: str) -> bool:
    return word[0].isdigit()


def _only_restates(view: View, said: list[str], filler: frozenset[str]) -> bool:
    """Whether a reasoning says the answer twice or oftener and nothing else but words of the question: it gives no
    ground, rules no option out and calculates nothing.
    """
    if len(said) > 40 or not said or has_any(view.reasoning, "=+*/<>≈→"):
        return False
    answers = [view.tokens(text) for text in view.accepted]
    if _calculates(view, said) or any(map(is_spaceless, said)):
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
    return len(new) <= max(1, len(said) // 8) and not any(contains(said, other) for other in others)


def _only_asks_again(view: View, said: list[str]) -> bool:
    """Whether a reasoning has hardly a content word beside those of the question and does not come to the answer."""
    if view.kind == Kind.numeric or contains(said, view.tokens(view.answer)) or any(map(str.isdigit, view.reasoning)):
        return False
    told = content_of(view, view.reasoning)
    if len(told) < 6 or any(contains(said, view.tokens(choice)) for choice in view.choices):
        return False
    new = told - content_of(view, view.question)
    return 5 * sum(word.isalpha() for word in new) <= len(told)


def _times(said: list[str], answer: list[str]) -> int:
    size = len(answer)
    return sum(said[start : start + size] == answer for start in range(len(said) - size + 1)) if size else 0


@functools.cache
def phrase_words(language: str) -> frozenset[str]:
    """The words that announce an answer and a conclusion."""
    found = (*phrases("answer_is", language), *phrases("conclusion", language), *phrases("restating", language))
    return frozenset(word for phrase in found for word in tokens(phrase))


ABOUT_QUESTION = re.compile(
    r"\b(?:the question|this question|the task|the problem|the exercise|die aufgabe|le problème|el problema|"
    r"il problema|o problema|die frage|la question|la pregunta|la domanda|a pergunta|de vraag|pytanie|"
    r"otázka|frågan|spørgsmålet|spørsmålet|câu hỏi|pertanyaan|swali)\b|вопрос|питання|\bsoru\b|السؤال|प्रश्न|"
    r"题目|題目|问题是|問題は|質問|질문|문제는",
    re.IGNORECASE,
)


SOUGHT = re.compile(
    r"\b(?:we are told|(?:is|are) (?:asked|sought|wanted|to be found)|gesucht|gefragt|on cherche|on demande|se busca|"
    r"se pide|si cerca|si chiede|procura-se|pede-se|gevraagd)\b",
    re.IGNORECASE,
)
"""What a context that works with the numbers of a question does not say"""


def _explains_options(view: View, content: Set[str]) -> bool:
    """Whether a context speaks of each of the options (`a hypothesis is neutral if …`): it tells what they mean."""
    options = [content_of(view, choice) for choice in view.choices]
    return bool(options) and all(option and option <= content for option in options)


def _has_all_numbers(view: View) -> bool:
    """Whether a context holds every number of a question that has three or more, and no other one above two."""
    asked, told = (
        {found.number.value for found in find_numbers(text, view.language) if found.number.value > 2}
        for text in (view.question, view.context)
    )
    return len(asked) > 2 and asked == told


def _copies_options(view: View, new: Set[str], *, min_new_share: float = 0.5) -> bool:
    """Whether a context says all options again, and of its words that the question does not have less than
    `min_new_share` that they do not have either.
    """
    if len(view.choices) < 3:
        return False
    told = view.tokens(view.context)
    if not all(contains(told, view.tokens(choice)) for choice in view.choices):
        return False
    offered = set().union(*(content_of(view, choice) for choice in view.choices))
    return len(new - offered) < min_new_share * len(new)


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
    told = set(view.tokens(view.context))
    known = (view.tokens(text) for text in (view.question, view.passage, view.answer, *view.choices))
    if len(told.difference(word_list("filler"), *known)) >= min_new_words:
        content = content_of(view, view.context)
        if len(content) < LONG_CONTEXT:
            return None
        asked, read = content_of(view, view.question), content_of(view, view.passage)
        if len(asked) > 2 and len(asked & content) >= 0.8 * len(asked) and ABOUT_QUESTION.search(view.context):
            return "context_restates_question", excerpt(view.context)
        if len(content - asked) < min_new_share * len(content) and not _explains_options(view, content):
            return "context_restates_question", excerpt(view.context)
        if view.kind == Kind.numeric and SOUGHT.search(view.context) and _has_all_numbers(view):
            return "context_restates_question", excerpt(view.context)
        if not view.is_classification and _copies_options(view, content - asked):
            return "context_restates_question", excerpt(view.context)
        if read and len(content - asked - read) < min_new_beside_passage * len(content):
            return "context_restates_passage", excerpt(view.context)
        return None
    restates = told & (set(view.tokens(view.answer)) - word_list("filler"))
    return "context_restates_answer" if restates else "context_restates_question", excerpt(view.context)
