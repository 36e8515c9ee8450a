r"""Whether two answers are the same answer to a question, by kind and language.

    same_answer("3,5", "3.5", kind="numeric", language="de")                ->  True
    same_answer("60%", "60", kind="numeric")                                ->  False
    same_answer("60%", "60", kind="numeric", question="What percentage?")   ->  True
    same_answer("July 4, 1776", "4 July 1776", kind="short_text")           ->  True
    same_answer("A-", "A", kind="short_text")                               ->  False

Equal text is equal, whatever it says. Beyond that: options are equal by their text; numbers by value, in units that
measure the same; mathematics by structure and value; short texts by their words, dates, numbers and numerals; sentences
by what they share, as long as their numbers and negations agree; programs by their syntax tree.
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from nemo_sdg.records import Kind
from nemo_sdg.text import forms, mathematics, options, sentences, short_answers, words
from nemo_sdg.text.blanks import without_long_blanks
from nemo_sdg.text.latex import plain
from nemo_sdg.text.numbers import read_number
from nemo_sdg.text.numbers.spelled import base_language
from nemo_sdg.text.programs import same_program

FREE_TEXT_SIMILARITY = 1.0
"""Share of words, as F1, from which two answers in sentences count as one: all of them, in their order;
verify.free_text_similarity changes it"""


def same_answer(
    a: str,
    b: str,
    *,
    kind: str,
    question: str = "",
    language: str = "en",
    family: str = "",
    similarity: float = FREE_TEXT_SIMILARITY,
) -> bool:
    """Whether two answers to a question are the same. Symmetric and reflexive.

    kind: multiple_choice, numeric, short_text, free_text or code. question: what it asks for decides whether a unit, a
    percent sign or a scale may be left out. family: `math` reads numbers among short texts as mathematics.
    Expressions may start a child process with math-verify; raises MissingDependencyError where it is not installed.
    """
    sure = surely_same(a, b, kind=kind, question=question, language=language, family=family, similarity=similarity)
    if sure is not None:
        return sure
    return mathematics.equal(without_long_blanks(a), without_long_blanks(b), question=question, language=language)


def surely_same(
    a: str,
    b: str,
    *,
    kind: str,
    question: str = "",
    language: str = "en",
    family: str = "",
    similarity: float = FREE_TEXT_SIMILARITY,
) -> bool | None:
    """`same_answer` without starting anything: None where only math-verify can tell. Cheap enough for an event loop."""
    spaces_count = kind == Kind.code or (kind == Kind.short_text and forms.asks_output(question))
    if a == b or (not spaces_count and _spaced(a) == _spaced(b)):
        return True
    a, b = without_long_blanks(a), without_long_blanks(b)
    match Kind(kind):
        case Kind.multiple_choice:
            return _same_option(a, b, question, language)
        case Kind.code:
            return same_program(a, b)
        case Kind.free_text:
            return sentences.similar(a, b, language=language, threshold=similarity)
        case Kind.numeric:
            a, b = _with_degrees(a, b), _with_degrees(b, a)
            if forms.written_apart(a, b, question, language) or mathematics.named_apart(a, b, question):
                return False
            return mathematics.surely_equal(a, b, question=question, language=language)
        case Kind.short_text:
            if forms.asks_output(question):
                return forms.same_output(a, b, question, language)
            a, b = forms.with_one_arrow(a), forms.with_one_arrow(b)
            if _spaced(a) == _spaced(b):
                return True
            if not _same_case(a, b, question) or _told_apart(a, b, question, language):
                return False
            if _same_label(a, b):
                return True
            if mathematics.is_bracketed(a) and mathematics.is_bracketed(b):
                return mathematics.surely_equal(a, b, question=question, language=language)
            if short_answers.equal(a, b, question=question, language=language):
                return True
            if is_mathematical(a, b, family=family, language=language):
                return mathematics.surely_equal(a, b, question=question, language=language)
            return False


_MINUTES = re.compile(r"\s*\d[\d.]*\s*['′]\s*")
_IN_DEGREES = re.compile(r"\d\s*(?:°|\^?\{?\\circ|deg)")


def _with_degrees(angle: str, other: str) -> str:
    """15' beside an angle in degrees is 0° 15'."""
    return f"0° {angle}" if _MINUTES.fullmatch(angle) and _IN_DEGREES.search(other) else angle


def _told_apart(a: str, b: str, question: str, language: str) -> bool:
    """Whether two short texts do not say the same: by the form that is asked for, or by what they name."""
    return (
        forms.written_apart(a, b, question, language)
        or forms.contracted_apart(a, b)
        or forms.other_gender(a, b, base_language(language))
        or mathematics.named_apart(a, b, question)
    )


def is_mathematical(a: str, b: str, *, family: str = "", language: str = "en") -> bool:
    """Whether two short texts are compared as mathematics: one of them is an expression, or the task is of mathematics
    and one of them a number.
    """
    if mathematics.is_expression(a) or mathematics.is_expression(b) or mathematics.are_equations(a, b):
        return True
    return family == "math" and (read_number(a, language) or read_number(b, language)) is not None


def group_answers(answers: Sequence[str], same: Callable[[str, str], bool | None]) -> list[list[int]]:
    """Positions of equal answers together, the largest group first; the same groups whatever the order of the answers.

    Equality of answers is not transitive: `5` equals `5 km` and `5 kg`. A group is a set of answers that all equal each
    other, the one with the most answers first. Where two such sets are equally large, what they share belongs to none
    of them and stands alone.
    """
    if len(set(answers)) < 2:
        return [list(range(len(answers)))] if answers else []
    weights = Counter(answers)
    texts = sorted(weights)
    equal = {text: {text} for text in texts}
    for one, other in itertools.combinations(texts, 2):
        if same(one, other):
            equal[one].add(other)
            equal[other].add(one)
    groups: list[set[str]] = []
    left = set(texts)
    while left:
        sets = _largest_sets(left, equal, weights)
        shared = {text for text in left if sum(text in each for each in sets) > 1}
        groups += [{text} for text in shared] or sets
        left -= shared or set().union(*sets)
    positions = [[place for place, answer in enumerate(answers) if answer in group] for group in groups]
    return sorted(positions, key=lambda group: (-len(group), group[0]))


def _largest_sets(texts: set[str], equal: dict[str, set[str]], weights: Counter[str]) -> list[set[str]]:
    """The sets of mutually equal texts that hold the most answers (Bron and Kerbosch's maximal cliques)."""
    best: list[set[str]] = []
    most = 0

    def extend(chosen: set[str], candidates: set[str], excluded: set[str]) -> None:
        nonlocal best, most
        if not candidates and not excluded:
            weight = sum(weights[text] for text in chosen)
            if weight >= most:
                best, most = ([*best, chosen] if weight == most else [chosen]), weight
            return
        pivot = max(sorted(candidates | excluded), key=lambda text: len(candidates & equal[text]))
        for text in sorted(candidates - (equal[pivot] - {pivot}) if pivot in candidates else candidates - equal[pivot]):
            neighbours = equal[text] - {text}
            extend(chosen | {text}, candidates & neighbours, excluded & neighbours)
            candidates, excluded = candidates - {text}, excluded | {text}

    extend(set(), set(texts), set())
    return best


def is_settled(answers: Sequence[str], *, language: str = "en") -> bool:
    """Whether no further answer could equal some of these equal answers and not the others: all are the same words, or
    numbers with the same unit, scale and sign of percentage.
    """
    if len(set(answers)) == 1 or len({words.normalize(answer, language) for answer in answers}) == 1:
        return True
    numbers = [read_number(answer, language) for answer in answers]
    return (
        None not in numbers
        and len({(n.unit.dimensions, n.percent, n.scale, n.ordinal) for n in numbers if n is not None}) == 1
        and all(n.places < 6 for n in numbers if n is not None)
    )


def _spaced(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


_LABEL = re.compile(
    r"(?:the\s+)?(?:(?:correct|right)\s+)?(?:option|answer|choice|antwort(?:möglichkeit)?|auswahl|réponse|proposition|choix|respuesta|alternativa|resposta|"
    r"risposta|opzione|opción|opção|optie|antwoord|alternativ|svar|вариант|ответ|варіант|відповідь|odpowiedź|opcja|"
    r"seçenek|cevap|şık|الخيار|الإجابة|الجواب|विकल्प|उत्तर|pilihan|jawaban|đáp án|lựa chọn|选项|選項|答案|选|"
    r"選択肢|正解|答え|"
    r"선택지|보기|정답|답)?\s*(?:[:：]|is\b|是|为|為|は|은|는)?\s*"
    r"\(?([A-Za-zА-ЕЖа-ежأبجدهو])(?:[).:、]|\s+is (?:the )?(?:correct|right)(?: (?:answer|option|one))?[.]?$|"
    r"\s*(?:です|입니다)?[。.]?$)\s*",
    re.IGNORECASE,
)
_LISTED_OPTION = re.compile(r"(?:^|(?<=\s))\(?([A-J])[.)]\s+(.+?)(?=\s+\(?[A-J][.)]\s|\n|$)")
_ASKS_CASE = re.compile(
    r"\bsymbol|\bformula|\bprint|\boutput|\bgenotype|\ballele|\bcase\b|\bcapitali[sz]|\bcapital letter|\b(?:upper|"
    r"lower)-?case|großbuchstab|kleinbuchstab|majuscul|mayúscul|maiúscul|"
    r"maiuscol|minuscul|minúscul|\bvariable|\bcommand|\bsubstance|\bidentifier",
    re.IGNORECASE,
)


def _same_option(a: str, b: str, question: str, language: str) -> bool:
    """Options by their text, or by their label where the text is not there; the question may list them."""
    listed = {label: text.strip() for label, text in _LISTED_OPTION.findall(question)}
    (label, text), (other_label, other) = (_read_option(side, listed) for side in (a, b))
    if label is not None and other_label is not None and label != other_label and not listed:
        return False
    if text and other:
        if _ungrouped(text) == _ungrouped(other) or mathematics.tight(text) == mathematics.tight(other):
            return True
        if options.signs(text) != options.signs(other):
            return False
        return _same_case(text, other, question) and words.same_words(text, other, language)
    return label is not None and label == other_label


def _ungrouped(text: str) -> str:
    """Without the commas that part thousands of a number."""
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", _spaced(text))


def _same_label(a: str, b: str) -> bool:
    """Whether two short texts are the label of an option and nothing else: 答案：A, (A)."""
    (label, text), (other_label, other) = (_read_option(side, {}) for side in (a, b))
    alone = label is not None and not text and not other
    return (
        alone and label == other_label and all(re.search(rf"\b{label}\b|[^\x00-\x7f]{label}", side) for side in (a, b))
    )


def _read_option(text: str, listed: dict[str, str]) -> tuple[str | None, str]:
    """(label, text) of an option; `**C. lime**`, `(C)`, `Option C`, `选项C`. A missing text is looked up."""
    bare = plain(text.strip().strip("*_").strip())
    bare = unicodedata.normalize("NFKC", bare) if not bare.isascii() and len(bare) < 8 else bare
    found = _LABEL.match(bare)
    if found is None:
        return None, bare
    label, rest = found[1].upper(), bare[found.end() :].strip().strip("*").strip()
    return label, rest or listed.get(label, "")


def _same_case(a: str, b: str, question: str) -> bool:
    """Whether two texts may be told apart by their case: symbols of one or two letters, or where the question is about
    symbols, formulas or what a program prints.
    """
    if a == b or a.casefold() != b.casefold():
        return True
    lower = a.strip(".").casefold()
    is_symbol = len(lower) < 3 and lower.isascii() and lower not in _SHORT_WORDS and not forms.is_polar(lower)
    return not is_symbol and not _ASKS_CASE.search(question)


_SHORT_WORDS = ("so", "he", "it", "we", "us", "up", "in", "on", "at", "ox", "go", "me", "my", "by", "an", "is", "or")
