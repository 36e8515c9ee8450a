"""Reads the solution in a reply of any form: answer, reasoning and context, or a reason why there is no solution.

    read_solution("<think>A? No.</think>**Context:** Air\\n**Answer: B**", kind="multiple_choice", options=["O2", "CO"])
        -> {"answer": "CO", "reasoning": "", "context": "Air", "trace": "A? No."}
    read_solution("I think it is 4, no, 5 …", kind="numeric", finish_reason="length") -> ("cut_at_max_tokens", "")

The order is: JSON, sections (tags, headings, labels), a last sentence that states the answer (boxed, `####`, `The
answer is`), a reply that is only an answer. Of several final answers the last one counts if the reply corrects the
earlier ones; without a correction the reply has no answer.
"""

import re
from dataclasses import replace

from nemo_sdg.generate.parsing.answers.agreements import option_agreed
from nemo_sdg.generate.parsing.answers.clauses import option_of, option_said
from nemo_sdg.generate.parsing.answers.corrections import corrected, is_corrected
from nemo_sdg.generate.parsing.answers.dress import fold, tidy_answer
from nemo_sdg.generate.parsing.answers.refusals import is_refusal
from nemo_sdg.generate.parsing.cleaning import clean, without_chatter, without_html, without_marks
from nemo_sdg.generate.parsing.drafts import Draft, final_answer_in, from_cut, from_json, from_sections, from_yaml
from nemo_sdg.generate.parsing.prose import MATHEMATICAL, concludes_with, from_prose
from nemo_sdg.generate.parsing.sources import without_sources
from nemo_sdg.generate.parsing.traces import CLOSING, separate
from nemo_sdg.records import Kind
from nemo_sdg.text.answers import surely_same
from nemo_sdg.text.blanks import without_long_blanks

CUT = ("length", "max_tokens", "max_output_tokens", "repetition")
WITHOUT_REPLY = {
    **dict.fromkeys(("refused", "content_filter", "sensitive", "safety"), "refused_by_engine"),
    "lost": "lost_request",
}
"""finish reason -> reason for which there is no text"""
REASONS = (
    "empty_output",
    "cut_at_max_tokens",
    "invalid_json",
    "schema",
    "refused_by_engine",
    "lost_request",
    "refused_by_model",
    "no_answer",
    "not_a_number",
    "answer_not_an_option",
    "contradictory_answers",
)
JSON_BEGUN = re.compile(r"\s*(?:```json\b|(?:```\w*\s*)?[{\[]\s*(?:[\"'{\[]|\Z))")


QUOTE = re.compile(r"^[ \t]*> ?", re.MULTILINE)
QUOTED = re.compile(r"\s*>\s+[^\W\d_*`\"“«]|\s*>\s+[*`\"“«]+[^\W\d_]")
"""an answer in Markdown's quotation, and no `> 5`"""


def read_solution(
    text: str, *, kind: str, options: list[str] | None = None, finish_reason: str = "stop", trace: str | None = None
) -> dict[str, str] | tuple[str, str]:
    """{answer, reasoning, context, trace}, or (reason, detail). `options` are in the order in which they were shown;
    the answer is then the text of one of them.
    """
    if finish_reason in WITHOUT_REPLY:
        return WITHOUT_REPLY[finish_reason], ""
    raw = clean(text or "")
    text, thinking = separate(raw, without_long_blanks(trace or ""), finish_reason=finish_reason)
    text, cut = without_marks(clean(text)), finish_reason in CUT
    if not text and not cut and not CLOSING.search(raw):
        text = final_answer_in(thinking)
    if not text:
        return ("cut_at_max_tokens", "thinking" if thinking else "") if cut else ("empty_output", "")
    draft = _drafted(text, kind, options, cut)
    if isinstance(draft, tuple):
        return draft
    read = _settled(draft, kind, options)
    if isinstance(read, tuple):
        return read
    return {**read, "trace": thinking}


def _drafted(text: str, kind: str, options: list[str] | None, cut: bool) -> Draft | tuple[str, str]:
    """The draft in a text, or (reason, detail). In a reply that was cut, only an answer before the cut counts."""
    draft = from_json(text, kind)
    if isinstance(draft, Draft):
        if is_corrected(after := text.rpartition("}")[2].lstrip("` \n")):
            draft.answer += "\n\n" + after
        around = None if draft.reasoning or draft.context else from_sections(text, kind)
        if around is None or not (around.reasoning and around.context):
            return draft
        return around if kind == Kind.code else replace(around, answer=draft.answer)
    if cut:
        return from_cut(text, kind, options) or ("cut_at_max_tokens", "")
    if draft is None:
        draft = from_yaml(text, kind)
    if draft is not None:
        return draft
    if JSON_BEGUN.match(text):
        return "invalid_json", ""
    if kind not in (Kind.code, Kind.free_text):
        strictly = kind == Kind.short_text or any("<" in option for option in options or ())
        text = without_html(text, strictly=strictly)
    found = from_sections(text, kind) or from_prose(text, kind, options)
    if found is None:
        return ("refused_by_model", text[:80]) if is_refusal(text) else ("no_answer", text[:80])
    return found


def _settled(draft: Draft, kind: str, options: list[str] | None) -> dict[str, str] | tuple[str, str]:
    """The solution from a draft, with its answer cleaned and checked, or (reason, detail)."""
    if kind != Kind.code:
        draft.answer = without_sources(draft.answer)
    if kind not in (Kind.code, Kind.free_text):
        final = corrected(draft.answer, kind, options)
        if final is None:
            return "contradictory_answers", draft.answer[:80]
        draft.answer = final
    answer = (
        None
        if options is None
        else option_of(draft.answer, options)
        or option_said(draft.answer, draft.reasoning, options)
        or option_agreed(draft.answer, options)
    )
    if answer is None and kind in (Kind.multiple_choice, Kind.short_text) and QUOTED.match(draft.answer):
        draft.answer = QUOTE.sub("", draft.answer)
        answer = None if options is None else option_of(draft.answer, options)
    if answer is None:
        answer = tidy_answer(_text_of(draft.answer) if kind == Kind.free_text else draft.answer, kind)
        if options is not None:
            refused = is_refusal(draft.answer)
            return "refused_by_model" if refused else "answer_not_an_option", answer[:80]
        if not answer.strip():
            return "no_answer", ""
        if kind != Kind.code and is_refusal(answer):
            return "refused_by_model", answer[:80]
        if kind == Kind.numeric and not MATHEMATICAL.search(answer):
            return "not_a_number", answer[:80]
    last = draft.answer.strip().rsplit("\n", 1)[1:]
    if options is not None and last and (option := concludes_with(last[0], options)) not in (None, answer):
        return "contradictory_answers", f"{answer[:40]} | {str(option)[:40]}"
    for rival in draft.rivals:
        if _differ(rival, answer, kind, options):
            return "contradictory_answers", f"{answer[:40]} | {rival.strip()[:40]}"
    return {"answer": answer, "reasoning": without_chatter(draft.reasoning), "context": without_chatter(draft.context)}


def _text_of(answer: str) -> str:
    """A text without chatter and notes around it; what is a quotation as a whole is written out."""
    answer = without_chatter(answer)
    lines = answer.split("\n")
    if all(line.lstrip().startswith(">") for line in lines if line.strip()):
        return "\n".join(QUOTE.sub("", line) for line in lines).strip()
    return answer


def _differ(rival: str, answer: str, kind: str, options: list[str] | None) -> bool:
    """Whether a rival surely states another answer."""
    if options is not None:
        other = option_of(rival, options)
        return other is not None and other != answer
    if kind == Kind.numeric:
        other = tidy_answer(rival, kind)
        return bool(re.search(r"\d", other)) and surely_same(other, answer, kind=kind) is False
    if kind == Kind.short_text:
        one_words, two_words = (set(re.findall(r"\w+", fold(tidy_answer(text, kind)))) for text in (rival, answer))
        return bool(one_words) and bool(two_words) and not one_words & two_words
    return False
