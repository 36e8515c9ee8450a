"""Contexts that lead to the answer: by elimination, by its letter, by steps of its solution."""

import re

from nemo_sdg.curate.filters.phrases import STEM, content_of
from nemo_sdg.curate.filters.solution.conclusion import OPTION_WORD, named_letter, speaks_of_letters
from nemo_sdg.curate.filters.solution.numbers.sums import plain, sides_of
from nemo_sdg.curate.filters.view import View, contains, excerpt, sentences
from nemo_sdg.text.normalize import is_spaceless
from nemo_sdg.text.numbers import find_numbers

LETTER_WORD = (
    rf"{OPTION_WORD}|letra|lettre|lettera|buchstabe|litera|písmeno|букв\w|harf\w*|bokstav\w*|kirjain|γράμμα|huruf|herufi|"
    r"الحرف|अक्षर|字母|글자"
)
NAMED = re.compile(rf"(?:{LETTER_WORD})\s*[:：]?\s*[\"'“«„「(（]?\**([A-J])\**[\"'”»“」)）]?(?![\w'’])", re.IGNORECASE)


def hint_in_context(view: View) -> str | None:
    """Where the context names the letter of the right option, or each option but the right one, or holds an equation of
    the solution whose result the question does not give; for a detail.
    """
    if view.is_choice and not view.is_classification:
        found = _letter(view) or _eliminates(view)
        if found is not None:
            return found
    return _step(view)


def _letter(view: View) -> str | None:
    """Where the context names the letter of the right option, and letters are not what the sample is about."""
    if not view.label or re.search(rf"{view.label}(?![A-Za-z0-9])", view.context) is None:
        return None
    if speaks_of_letters(view):
        return None
    for sentence in sentences(view.context):
        if view.label not in sentence:
            continue
        match = next((one for one in NAMED.finditer(sentence) if one.group(1) == view.label), None)
        if match is not None or named_letter(view, sentence) == view.label:
            return excerpt(sentence)
    return None


def _eliminates(view: View) -> str | None:
    """Whether the context names each of three options or more, but not the right one nor a word that it alone has,
    and speaks of what is asked. Numbers must stand in one sentence.
    """
    others = [view.tokens(choice) for choice in view.choices if choice != view.answer]
    gold = view.tokens(view.answer)
    if len(others) < 2 or not gold or not all(map(_is_name, others)):
        return None
    asked = view.tokens(view.question) + view.tokens(view.passage)
    if any(contains(asked, other) for other in others):
        return None
    told = view.tokens(view.context)
    if contains(told, gold) or not {word[:STEM] for word in gold}.isdisjoint(
        {word[:STEM] for word in told if len(word) >= STEM}
    ):
        return None
    core = {word[:4] for word in content_of(view, view.question)}
    if (
        len(core & {word[:4] for word in content_of(view, view.context)}) < min(len(core), max(2, 0.4 * len(core)))
        or not core
    ):
        return None  # something else is told of them
    numeric = any(word[0].isdigit() for other in others for word in other)
    parts = sentences(view.context) if numeric else [view.context]
    for part in parts:
        if all(contains(view.tokens(part), other) for other in others):
            return excerpt(part)
    return None


def _is_name(words: list[str]) -> bool:
    """Whether an option is short and of some letters, or a number of two digits or more."""
    if not words or len(words) > 4 + 6 * is_spaceless(words[0]):
        return False
    letters = sum(map(len, words))
    return letters >= 2 and (any(map(str.isdigit, words)) or letters >= 3 or is_spaceless(words[0]))


EQUATION = re.compile(
    r"((?:\d+\s?)?(?<![^\W\d_])[a-zA-Z](?![^\W\d_]))\s?=\s?([-−]?\d+(?:[.,]\d+)?)(?!\s?[\w^*/·+−(]|[.,]\d)"
)


def _step(view: View) -> str | None:
    """An equation of the context that stands in the reasoning too: of an unknown of the question (`3x = 18`), or a sum
    with a number of the question, and with a result that is not in the question.
    """
    if "=" not in view.context:
        return None
    asked = {found.number.value for found in find_numbers(f"{view.question} {view.passage}", view.language)}
    context, reasoning = plain(view.context), plain(view.reasoning)
    squeezed = re.sub(r"\s", "", reasoning)
    for match in EQUATION.finditer(context):
        variable = match.group(1)[-1]
        if not re.search(rf"(?<![^\W\d_]){variable}(?![^\W\d_])", plain(view.question)):
            continue
        if re.sub(r"\s", "", match.group()) in squeezed and match.group(2) not in view.question:
            return excerpt(context, match.start())
    if not asked:
        return None
    reached = {found.number.value for found in find_numbers(reasoning, view.language)}
    for chain in sides_of(context, view.language):
        last, first = chain[-1], chain[0]
        if first is None or last is None or last.operators or last.values[0] in asked or last.values[0] not in reached:
            continue
        written = re.sub(r"\^\(\d+\)|\^\d+", "", context[first.start : first.end])
        used = {found.number.value for found in find_numbers(written, view.language)}
        taken = {value for value in used if value > 2}  # exponents and doubling aside
        if taken and taken <= asked and last.values[0] > 9:
            return excerpt(context, first.start)
    return None
