"""Filter of the solution: the reasoning ends in the answer, and not in another option, number, sign, unit or label."""

import re

from nemo_sdg.curate.filters.phrases import STEM, phrases, with_tokens, word_list
from nemo_sdg.curate.filters.solution.conclusion import (
    APPOSITION,
    concluded_letter,
    conclusion,
    denies,
    final_statement,
    named_letter,
    named_options,
)
from nemo_sdg.curate.filters.solution.letters import mislabelled, other_place, wrong_letter
from nemo_sdg.curate.filters.solution.mentions import labels, mentioned, squeeze
from nemo_sdg.curate.filters.solution.notation import has_other_signs, other_digits, other_operator
from nemo_sdg.curate.filters.solution.numbers.results import goes_on_from, is_check, is_reached, lost_sign
from nemo_sdg.curate.filters.solution.numbers.values import arrives, equal, has_magnitude
from nemo_sdg.curate.filters.solution.polarity import denies_what_is_asked, other_polarity
from nemo_sdg.curate.filters.solution.units import unit_differs
from nemo_sdg.curate.filters.view import Finding, View, contains, excerpt
from nemo_sdg.records import Kind
from nemo_sdg.text.numbers import Number, find_numbers, read_number

CONTRADICTS, ELSEWHERE, LACKS = "reasoning_contradicts_answer", "reasoning_ends_elsewhere", "reasoning_lacks_answer"


def reasoning_end(view: View, *, tail: int = 400) -> Finding | None:
    """Drops reasoning that ends in another answer, and reasoning to a number that never arrives at it.

    Where the reasoning says `the answer is …`, that is compared; else the clause that concludes the last sentence
    (`so …`, `therefore …`). A number must stand in the last `tail` characters, with its sign. A letter must name the
    answer's option. A formula must stand there with its own signs, a snippet of the program with its own comparison.
    Free text has no final statement to compare.
    """
    if not view.reasoning or view.kind == Kind.free_text:
        return None
    if view.kind == Kind.code:
        snippet = other_operator(view) if "`" in view.reasoning else None
        return _finding(view, CONTRADICTS, snippet) if snippet else None
    if any(sign in view.answer for sign in "<>≤≥≠[(\\"):
        stated = final_statement(view) or view.reasoning_sentences[-1]
        other = has_other_signs(view, stated)
        if other is not None:
            return _finding(view, CONTRADICTS, stated)
    gold = None if view.is_choice else read_number(view.answer, view.language)
    if view.is_choice:
        return _choice(view)
    if gold is not None or view.kind == Kind.numeric:
        return _number(view, gold, tail)
    return _text(view)


def _finding(view: View, reason: str, said: str) -> Finding:
    return reason, f"{excerpt(said.strip())} (answer: {excerpt(view.answer)})"


def _choice(view: View) -> Finding | None:
    stated = final_statement(view)
    last = view.reasoning_sentences[-1]
    if stated is None:
        last = SYMBOL.sub(r"\1\2", last)
    letter = named_letter(view, stated, bare=True) if stated else None
    letter = letter or named_letter(view, last)
    if letter and view.label and letter != view.label:
        beside = APPOSITION.search(last)
        appended = beside is not None and beside.group(1) == letter and not denies(view, last)
        if appended or not contains(view.tokens(last), view.tokens(view.answer)):
            return _finding(view, CONTRADICTS, last)
    if view.label and (concluded_letter(view, last) or view.label) != view.label:
        return _finding(view, CONTRADICTS, last)
    if other_place(view, last):
        return _finding(view, CONTRADICTS, last)
    if (mislabel := mislabelled(view) or wrong_letter(view)) is not None:
        return _finding(view, CONTRADICTS, mislabel)
    if stated is not None:
        if letter is not None or _agrees_with_option(view, stated):
            return None
        arrives = contains(view.tokens(last), view.tokens(view.answer)) and stated not in last
        return None if arrives else _finding(view, CONTRADICTS, stated)
    if _ends_in_other_label(view, last):
        return _finding(view, ELSEWHERE, last)
    clause = conclusion(view)
    if clause and _concludes_other_option(view, clause):
        return _finding(view, ELSEWHERE, clause)
    if _yes_no(view):
        concluded = CLAUSE.split(clause.lstrip(" ,،、，"))[0] if clause else CLAUSE.split(last)[-1]
        return _finding(view, ELSEWHERE, concluded) if denies_what_is_asked(view, concluded) else None
    return _finding(view, ELSEWHERE, last) if _names_another_option(view, last) else None


SYMBOL = re.compile(r"\b([^\W\d_])([\w-]*)\s?[(（]\1[)）]", re.IGNORECASE)
"""A word and its initial in brackets (`the coulomb (C)`): no option is named"""


def _ends_in_other_label(view: View, last: str) -> bool:
    """Whether the last word of a reasoning to a yes or a no is the other one (`…, so the answer: no`)."""
    if not _yes_no(view):
        return False
    said, gold = view.tokens(last), view.tokens(view.answer)
    if len(said) > 2 and not denies(view, CLAUSE.split(last)[-1]) and other_polarity(view, said):
        return True
    if len(said) < 3:
        return any(view.tokens(choice) == said for choice in view.choices) and said != gold
    if contains(said, gold) or not any(view.tokens(choice) == said[-1:] for choice in view.choices):
        return False
    words = with_tokens(phrases("yes", view.language) + phrases("no", view.language))
    return said[-1] in words and not denies(view, " ".join(view.tokens(CLAUSE.split(last)[-1])[:-1]))


CLAUSE = re.compile(r"[,;:،؛：，；—–]")


def _agrees_with_option(view: View, stated: str) -> bool:
    said, gold = view.tokens(stated), view.tokens(view.answer)
    if contains(said, gold) or contains(gold, said) or _same_number(view, stated, view.answer):
        return True
    others = [view.tokens(choice) for choice in view.choices if choice != view.answer]
    return not any(said[: len(other)] == other or contains(said, other, min_letters=4) for other in others)


def _same_number(view: View, stated: str, answer: str) -> bool:
    gold = read_number(answer, view.language)
    return gold is not None and any(equal(view, gold, found.number) for found in find_numbers(stated, view.language))


def _concludes_other_option(view: View, clause: str) -> bool:
    """Whether a conclusion begins with another label, or names other options without a denial and not the answer."""
    said, gold = view.tokens(clause), view.tokens(view.answer)
    others = [choice for choice in view.choices if choice != view.answer and view.tokens(choice)]
    first = [other for other in others if said[: len(view.tokens(other))] == view.tokens(other)]
    if said[: len(gold)] == gold:
        return False
    if first and _is_label(view, first[0]) and not contains(said, gold):
        return not denies(view, " ".join(said[len(view.tokens(first[0])) :]).replace(first[0], " ")) or _yes_no(view)
    if _yes_no(view) or denies(view, clause) or contains(said, gold) or _same_number(view, clause, view.answer):
        return False
    named = [choice for choice in named_options(view, clause) if choice != view.answer]
    if not named or set(gold) & (set(said) - {word for choice in named for word in view.tokens(choice)}):
        return False
    if all(read_number(choice, view.language) is not None for choice in named):
        return len(named) == 1 and len(find_numbers(clause, view.language)) == 1
    return any(sum(map(len, view.tokens(choice))) >= 4 or not choice.isascii() for choice in named)


def _names_another_option(view: View, last: str) -> bool:
    """Whether the last sentence names other options without a denial, and the answer stands neither in it nor in the
    one before it.
    """
    end = view.tokens(" ".join(view.reasoning_sentences[-2:]))
    stems = {word[:STEM] for word in end}
    little = word_list("filler")
    if any(
        word[:STEM] in stems
        for word in view.tokens(view.answer)
        if (len(word) > 2 or not word.isascii()) and word not in little
    ):
        return False
    if contains(end, view.tokens(view.answer)) or denies(view, last) or _same_number(view, last, view.answer):
        return False
    if not named_options(view, conclusion(view) or "") and _goes_through_others(view):
        return False
    return any(
        sum(map(len, view.tokens(choice))) >= 4 or not choice.isascii() or choice.isdigit()
        for choice in named_options(view, last)
    )


def _goes_through_others(view: View) -> bool:
    """Whether the reasoning names the answer and then speaks of two other options or more: why they are not it."""
    gold, others = view.tokens(view.answer), [choice for choice in view.choices if choice != view.answer]
    named: set[str] = set()
    for sentence in reversed(view.reasoning_sentences):
        said = view.tokens(sentence)
        if contains(said, gold):
            return len(named) > 1  # of one alone it may as well be the conclusion
        named.update(other for other in others if contains(said, _core(view, other)))
    return False


def _core(view: View, choice: str) -> list[str]:
    """The words of an option without an article before them."""
    words = view.tokens(choice)
    return words[1:] if len(words) > 1 and words[0] in word_list("filler") else words


def _is_label(view: View, choice: str) -> bool:
    return view.is_classification or view.folded(choice) in labels(view)


def _yes_no(view: View) -> bool:
    return bool(view.choices) and all(view.folded(choice).strip(" .") in labels(view) for choice in view.choices)


def _text(view: View) -> Finding | None:
    stated = final_statement(view)
    if stated is not None:
        return None if _agrees_with_text(view, stated) else _finding(view, CONTRADICTS, stated)
    if (digits := other_digits(view, _with_day(view.reasoning_sentences))) is not None:
        return _finding(view, ELSEWHERE, digits)
    if not mentioned(view):
        return _finding(view, LACKS, view.reasoning[-70:])
    clause = conclusion(view)
    answer = view.folded(view.answer).strip(" .!。")
    yes, no = phrases("yes", view.language, others=False), phrases("no", view.language, others=False)
    opposite = no if answer in yes else yes if answer in no else ()
    if clause and opposite:
        said = view.tokens(clause)
        if any(said[: len(view.tokens(word))] == view.tokens(word) for word in opposite):
            return _finding(view, ELSEWHERE, clause)
    return None


def _with_day(said: list[str]) -> str:
    """The last sentence, with the one before it where that ends in a number and a dot (`am 9. November`)."""
    return " ".join(said[-2:]) if len(said) > 1 and re.search(r"\d\.$", said[-2]) else said[-1]


def _agrees_with_text(view: View, stated: str) -> bool:
    said = set(view.tokens(stated))
    return not said or any(said & set(view.tokens(text)) or squeeze(text) in squeeze(stated) for text in view.accepted)


def _number(view: View, gold: Number | None, tail: int) -> Finding | None:
    stated = final_statement(view)
    last = _last_with_number(view)
    if gold is not None and stated and not find_numbers(stated, view.language) and not arrives(view, gold, stated):
        stated = None  # `no definite answer is possible`
    if gold is None:
        return None if stated is None or _agrees_as_written(view, stated) else _finding(view, CONTRADICTS, stated)
    if stated is not None:
        if any(arrives(view, gold, text) for text in (stated, last)) or not any(map(str.isdigit, stated)):
            return _unit(view, gold, stated)
        return _finding(view, CONTRADICTS, stated)
    if view.kind != Kind.numeric:
        return _unit(view, gold, last)
    end = view.reasoning[-tail:]
    if not arrives(view, gold, end):
        if is_reached(view, gold):
            return None
        reason = LACKS if not has_magnitude(view, gold, end) else CONTRADICTS
        return _finding(view, reason, view.reasoning[-70:])
    if goes_on_from(view, gold, last):
        return _finding(view, ELSEWHERE, last)
    if not arrives(view, gold, last):
        if is_reached(view, gold):
            return None
        return _finding(view, CONTRADICTS if has_magnitude(view, gold, last) else ELSEWHERE, last)
    if lost_sign(view, gold, last):
        return _finding(view, CONTRADICTS, last)
    return _unit(view, gold, last)


def _last_with_number(view: View) -> str:
    """The last sentence with a number in it that does not test the result."""
    for sentence in reversed(view.reasoning_sentences):
        if is_check(sentence):
            continue
        if find_numbers(sentence, view.language) or any(text and text in sentence for text in view.accepted[1:]):
            return sentence
    return ""


def _unit(view: View, gold: Number, text: str) -> Finding | None:
    return _finding(view, CONTRADICTS, text) if unit_differs(view, gold, text) else None


def _agrees_as_written(view: View, stated: str) -> bool:
    """For an answer that is not a number: a formula must stand in the statement, letter by letter."""
    gold = squeeze(view.answer)
    return gold in squeeze(stated) or not re.fullmatch(r"[\d.,$%\s-]+", view.answer)
