"""Filters of the solution: reasoning ends in the answer, context is knowledge and not the answer again."""

import re
from typing import Any

from nemo_sdg.curate.filters.common import Finding, answer_text, excerpt, number_value, numbers_in
from nemo_sdg.records import Frame, Kind
from nemo_sdg.text.normalize import tokens

STATEMENT = re.compile(
    r"(?:\b(?:the |my |our )?(?:correct |right |final |best |most likely )*(?:answer|(?:option|choice)(?= is))(?: to (?:this|the) (?:question|problem))?(?: is| must be| would be| should be|:|,? therefore,? is)"
    r"|####|\\boxed|\b(?:die )?(?:richtige |korrekte )?antwort(?: ist(?: also| daher)?| lautet(?: also| daher)?|:)"
    r"|\b(?:la )?respuesta(?: correcta| final)?(?: es|:)|\b(?:la )?(?:bonne )?réponse(?: correcte| finale)?(?: est|:)|答案(?:是|为|：|:)|(?:正解|答え)は|\bjibu ni\b)\s*:?\**",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+|(?<=[。！？])")
CONCLUSION = re.compile(
    r"\b(?:so|therefore|thus|hence|consequently|daher|deshalb|folglich|also|por (?:lo )?tanto|así que|donc|ainsi)\b|因此|所以|したがって|よって",
    re.IGNORECASE,
)
DENIAL = re.compile(
    r"\b(?:not|no|never|cannot|wrong|incorrect|rather|instead|unlike|false|nor|neither|nicht|kein\w*|falsch|ninguna?|incorrect[oa]|pas|faux)\b|n['’]t\b|不|ない|錯|错",
    re.IGNORECASE,
)
LABEL = re.compile(r"\W{0,4}(?:option |choice )?([A-J])(?:[).:,*\]]|\s*$|\.?\s*$)")


def reasoning_end(sample: dict[str, Any], *, tail: int = 400) -> Finding | None:
    """Drops reasoning whose final statement is another answer, and reasoning to a number that never arrives at it.

    Where the reasoning says `the answer is …`, that is compared. Otherwise a number must stand in the last `tail`
    characters, and a last
    sentence that concludes must not name another option alone. Free text and code have no final statement to compare.
    """
    reasoning, answer = (sample.get("reasoning") or "").strip(), answer_text(sample)
    if not reasoning or sample["kind"] in (Kind.free_text, Kind.code):
        return None
    stated = final_statement(reasoning)
    agrees = {Kind.multiple_choice: _agrees_choice, Kind.numeric: _agrees_number}.get(
        Kind(sample["kind"]), _agrees_text
    )
    if stated is not None:
        last = SENTENCE.split(reasoning)[-1]
        arrives = (
            number_value(answer) is not None and any(map(str.isdigit, last)) and _agrees_number(last, answer, sample)
        )
        return (
            None
            if arrives or agrees(stated, answer, sample)
            else ("reasoning_contradicts_answer", f"{excerpt(stated)} (answer: {excerpt(answer)})")
        )
    end = reasoning[-tail:]
    if sample["kind"] == Kind.numeric:
        return (
            None
            if _agrees_number(end, answer, sample)
            else ("reasoning_lacks_answer", f"{excerpt(reasoning[-70:])} (answer: {excerpt(answer)})")
        )
    if sample["kind"] == Kind.multiple_choice and sample["frame"] == Frame.selection:
        return _concludes_elsewhere(end, answer, sample)
    return None


def _concludes_elsewhere(end: str, answer: str, sample: dict[str, Any]) -> Finding | None:
    """The last sentence is a conclusion (`so …`, `therefore …`), denies nothing, and names one option, which is not
    the answer.
    """
    sentences = [sentence for sentence in SENTENCE.split(end) if sentence.strip()]
    last = sentences[-1] if sentences else ""
    if not CONCLUSION.search(last) or DENIAL.search(last):
        return None
    said = tokens(last)
    named = [choice for choice in sample["choices"] if _within(said, tokens(choice), min_letters=4)]
    if len(named) == 1 and named[0] != answer and not (set(tokens(answer)) - set(tokens(named[0]))) & set(said):
        return "reasoning_ends_elsewhere", f"{excerpt(named[0])} (answer: {excerpt(answer)})"
    return None


def final_statement(reasoning: str) -> str | None:
    r"""What follows the last \boxed or ####, else the last `the answer is`, up to the end of its sentence; None when
    nothing is stated.
    """
    statements = list(STATEMENT.finditer(reasoning))
    if not statements:
        return None
    marked = [match for match in statements if match.group().startswith(("\\", "#"))]
    match = (marked or statements)[-1]
    rest = reasoning[match.end() :].lstrip(" *:\"'“«")
    if match.group().lower().startswith("\\boxed"):
        return _braced(rest)
    if rest.startswith("$") or "\\" in rest[:40]:
        return rest.split("\n")[0][:300] or None
    stated = SENTENCE.split(rest, maxsplit=1)[0][:300].strip()
    return stated or None


def _braced(text: str) -> str | None:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return text[1:place] if place else None
    return None


def _agrees_choice(stated: str, answer: str, sample: dict[str, Any]) -> bool:
    said, gold = tokens(stated), tokens(answer)
    if _within(said, gold) or _within(gold, said):
        return True
    label = LABEL.match(stated)
    if label and (sample["answer"].get("label") or "") != "":
        return bool(label.group(1) == sample["answer"]["label"])
    others = [tokens(choice) for choice in sample["choices"] if choice != answer]
    return not any(said[: len(other)] == other or _within(said, other, min_letters=4) for other in others)


def _agrees_number(stated: str, answer: str, sample: dict[str, Any]) -> bool:
    value = number_value(answer)
    if value is None:
        gold = _squeeze(answer)
        return gold in _squeeze(stated) or sample["kind"] != Kind.numeric or not re.fullmatch(r"[\d.,$%\s-]+", answer)
    said = numbers_in(stated)
    if value in said or -value in said:
        return True
    if any(number != 0 and abs(number - value) <= abs(value) / 1000 for number in said):
        return True
    return str(value) in tokens(stated) or not any(letter.isdigit() for letter in stated)


def _agrees_text(stated: str, answer: str, sample: dict[str, Any]) -> bool:
    if number_value(answer) is not None:
        return _agrees_number(stated, answer, sample)
    said = set(tokens(stated))
    accepted = [answer, *(sample["answer"].get("aliases") or [])]
    return not said or any(said & set(tokens(text)) or _squeeze(text) in _squeeze(stated) for text in accepted)


def _squeeze(text: str) -> str:
    return re.sub(r"\\(?:left|right|text|mathrm|d|t)(?=[^a-zA-Z]|frac)|[\s$,.{}()]", "", text).casefold()


def _within(whole: list[str], part: list[str], *, min_letters: int = 1) -> bool:
    if not part or sum(map(len, part)) < min_letters:
        return False
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))


FILLER_WORDS = """
the a an is are was were be of to in on at and or that this it its so therefore thus correct right answer option choice question because as for with by
der die das ein eine ist sind war und oder die richtige antwort lautet el la los las un una es son y o respuesta correcta le les des est sont et ou réponse
know known fact true false yes no we you i
"""
FILLER = frozenset(FILLER_WORDS.split())


def context_restatement(sample: dict[str, Any], *, min_new_words: int = 2) -> Finding | None:
    """Context that brings fewer than `min_new_words` words beyond question, passage and answer, or announces the
    answer. Empty context passes.
    """
    context = sample.get("context") or ""
    if not context.strip():
        return None
    stated = STATEMENT.search(context)
    if stated and sample["kind"] not in (Kind.free_text, Kind.code):
        said = tokens(context[stated.end() :])[: len(tokens(answer_text(sample))) + 2]
        if _within(said, tokens(answer_text(sample))) or LABEL.match(context[stated.end() :].strip()):
            return "context_gives_answer", excerpt(context, stated.start())
    known = set(
        tokens(
            " ".join(
                (sample["question"], sample.get("passage") or "", answer_text(sample), *(sample.get("choices") or []))
            )
        )
    )
    new = [word for word in dict.fromkeys(tokens(context)) if word not in known and word not in FILLER]
    if len(new) < min_new_words:
        return "context_restates_answer" if _overlaps(
            context, answer_text(sample)
        ) else "context_restates_question", excerpt(context)
    return None


def _overlaps(context: str, answer: str) -> bool:
    return bool(set(tokens(context)) & (set(tokens(answer)) - FILLER))
