"""Finds a solution in a reply that is a JSON object or has sections. The parts are not cleaned or checked here."""

import functools
import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.generate.parsing.answers.agreements import option_begun
from nemo_sdg.generate.parsing.answers.corrections import is_corrected
from nemo_sdg.generate.parsing.answers.dress import find_said
from nemo_sdg.generate.parsing.answers.programs import FENCE, program_of
from nemo_sdg.generate.parsing.cleaning import clean, without_chatter
from nemo_sdg.generate.parsing.headings import SECTIONS, heading_of
from nemo_sdg.generate.parsing.json_replies import read_cut_object, read_objects, read_string
from nemo_sdg.generate.parsing.sections import Section, find_sections, preamble
from nemo_sdg.generate.parsing.yaml_replies import read_fields
from nemo_sdg.records import Kind
from nemo_sdg.text.boxes import find_boxes

CORRECTS = re.compile(
    r"\b(?:wait|actually|correct(?:ion|ing|ed| (?:this|that|it|my\w*))|mistake\w*|error|oops|sorry|"
    r"apolog\w+|recheck|re-check|"
    r"double[- ]check\w*|"
    r"recalculat\w+|reconsider\w*|revis\w+|rather|on second thought|hold on|let me (?:verify|check|re)\w*|"
    r"hmm|no,|not right|"
    r"wrong|instead|moment|halt|fehler|korrektur|korrigier\w*|en realidad|perdón|corrección|attends|"
    r"erreur|corrigeons|"
    r"aspetta|errore|na verdade|espera|correção|подожди\w*|ошибк\w*|исправ\w*)\b|等等|不对|修正|更正|重新|"
    r"訂正|間違|잠깐|수정",
    re.IGNORECASE,
)
SUPPOSES = re.compile(
    r"\b(?:if|suppose|assum\w+|might|may|could|perhaps|maybe|draft|tentative|preliminary|initial\w*|first guess|"
    r"thought|someone|students?|tempt\w+|says?)\b[^.!?\n]*$",
    re.IGNORECASE,
)
DRAFTED = re.compile(
    r"^[^\w\n]*(?:(?:my |a |the )?(?:(?:first|rough|initial) )?(?:draft|attempt|version)|entwurf|borrador|brouillon|"
    r"bozza|rascunho|черновик|utkast|szkic|taslak|草稿|下書き|초안)(?!\w)[^\n]{0,40}$|"
    r"^[^\w\n]*(?:final|revised|corrected|improved) (?:version|reply|response)[^\w\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
"""a line above a draft, or above the final version behind it"""
CODE_FIELD = {"code", "program", "solution", "final code"}
FIELDS = SECTIONS.keys() | CODE_FIELD


@dataclass(slots=True)
class Draft:
    """The parts of a solution that were found, before they are cleaned."""

    answer: str
    context: str = ""
    reasoning: str = ""
    rivals: list[str] = field(default_factory=list)
    """other answers that the reply states as final and does not correct"""


def from_yaml(text: str, kind: str) -> Draft | None:
    """A draft from a reply that is a YAML document with an answer."""
    fields = _named(read_fields(text, set(FIELDS)) or {}, kind)
    if not (fields.get("answer") or "").strip():
        return None
    return Draft(
        answer=fields["answer"] or "", context=fields.get("context") or "", reasoning=fields.get("reasoning") or ""
    )


def from_json(text: str, kind: str) -> Draft | tuple[str, str] | None:
    """A draft from the last object that has an answer, since earlier objects may be drafts; (reason, detail) if there
    is only an object without an answer; None if there is none.
    """
    if (plain := read_string(text)) is not None:
        return Draft(answer=plain)
    objects = read_objects(text, FIELDS, latex=kind != Kind.code)
    problem: tuple[str, str] | None = None
    for value in map(_inner, reversed(objects)):
        fields = _named(value, kind)
        if "answer" not in fields:
            # braces in prose or in a program are not a JSON reply
            if fields and problem is None:
                problem = ("schema", "answer is missing")
            continue
        if "context" not in fields and "reasoning" not in fields and len(text) - len(str(value)) > 400:
            continue
        answer = fields["answer"]
        if answer is None or not answer.strip():
            problem = problem or ("schema", "answer: empty")
            continue
        return Draft(answer=answer, context=fields.get("context") or "", reasoning=fields.get("reasoning") or "")
    if problem is not None and not find_sections(text):
        return problem
    return None


def _inner(value: dict[str, Any]) -> dict[str, Any]:
    """The object itself, or the one that it holds alone, as in {"response": {"answer": "4"}}."""
    while len(value) == 1 and isinstance(inner := next(iter(value.values())), dict):
        if _field_name(str(next(iter(value)))) in FIELDS:
            break  # an answer with label and text
        value = inner
    return value


def _named(value: dict[str, Any], kind: str) -> dict[str, str | None]:
    """The fields of an object by the names of sections, each as text."""
    found: dict[str, str | None] = {}
    for key, item in value.items():
        name = _field_name(str(key))
        section = "answer" if kind == Kind.code and name in CODE_FIELD else SECTIONS.get(name)
        if section is not None and (section not in found or not found[section]):
            several = section == "answer" and isinstance(item, list) and len(set(map(_text, item))) > 1
            found[section] = None if several else _text(item)  # several answers count as no answer
    return found


@functools.lru_cache(maxsize=512)
def _field_name(key: str) -> str:
    return " ".join(key.casefold().replace("_", " ").replace("-", " ").split())


def _text(item: Any) -> str | None:
    """A field as text: the items of a list as lines; label and text of an answer that is an object with both."""
    if item is None:
        return None
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, list):
        return "\n".join(part for part in map(_text, item) if part)
    if isinstance(item, dict):
        parts = {str(key).casefold(): _text(part) for key, part in item.items()}
        label = next((parts[key] for key in ("label", "letter", "option", "key") if parts.get(key)), None)
        words = next((parts[key] for key in ("text", "value", "answer", "content") if parts.get(key)), None)
        return ". ".join(part for part in (label, words) if part) or None
    return clean(str(item))


def from_cut(text: str, kind: str, options: list[str] | None = None) -> Draft | None:
    """A draft from a reply that was cut, if the answer was complete because another part followed it, or names its
    option as far as it goes. The part that was cut is left out.
    """
    if "{" in text[:40] and (value := read_cut_object(text, FIELDS)) is not None:
        fields = _named(value, kind)
        if fields.get("answer"):
            return Draft(
                answer=fields["answer"] or "",
                context=fields.get("context") or "",
                reasoning=fields.get("reasoning") or "",
            )
        return None
    sections = find_sections(text)
    whole = [section for section in sections if section.closed or section is not sections[-1]]
    answers = [section for section in whole if section.name == "answer" and section.text.strip()]
    begun = sections[-1] if sections and sections[-1].name == "answer" and not sections[-1].closed else None
    if options is not None and begun is not None and text.endswith(begun.text):
        option = option_begun(begun.text, options)
        return None if option is None else from_sections(text.removesuffix(begun.text) + option, kind)
    if not answers or (sections[-1].name == "answer" and not sections[-1].closed):
        return None
    return _draft(text, whole, answers[-1])


def final_answer_in(thinking: str) -> str:
    """The section with the final answer at the end of thinking that was never closed; "" if there is none."""
    sections = find_sections(thinking)
    if not sections or sections[-1].name != "answer" or not sections[-1].final or "\n" in sections[-1].text:
        return ""
    return thinking[sections[-1].start :].strip()


def from_sections(text: str, kind: str) -> Draft | None:
    text = unfenced(text)
    sections = find_sections(text, prose=kind == Kind.free_text)
    answers = [section for section in sections if section.name == "answer" and section.text.strip()]
    if kind == Kind.code:
        answers = [section for section in answers if program_of(section.text).strip()] or [
            section for section in sections if FENCE.search(section.text)
        ]
    if not answers:
        return None
    chosen = answers[-1]
    if any(section.final for section in answers):
        chosen = [section for section in answers if section.final][-1]
    draft = _draft(text, sections, chosen)
    if chosen.closed and is_corrected(after := text[chosen.end :]):
        draft.answer += "\n\n" + after.strip()
    if kind in (Kind.code, Kind.free_text):
        return draft
    first = answers[0].start
    corrected = max((found.start() for found in CORRECTS.finditer(text, first, chosen.start)), default=-1)
    for rival in answers:
        # A `Final answer`, or an answer after a correction, replaces an earlier `Answer`.
        replaced = (chosen.final and not rival.final) or rival.start <= corrected
        if rival is chosen or (rival.start < chosen.start and replaced):
            continue
        draft.rivals.append(rival.text)
    draft.rivals = [*dict.fromkeys(draft.rivals), *_stated_last(draft.reasoning, draft.answer)]
    if not chosen.closed and len(boxes := find_boxes(text)) and boxes[-1].start >= chosen.end:
        draft.rivals.append(boxes[-1].content)
    return draft


def _draft(text: str, sections: list[Section], chosen: Section) -> Draft:
    sections = _without_drafts(text, sections, chosen)

    def joined(name: str) -> str:
        return "\n\n".join(s.text for s in sections if s.name == name and s is not chosen and s.text)

    reasoning = joined("reasoning")
    if not reasoning and not sections[0].closed:
        reasoning = preamble(text, sections)
    elif not reasoning:
        between = [text[one.end : two.start] for one, two in itertools.pairwise(sections)]
        reasoning = "\n\n".join(part.strip() for part in [preamble(text, sections), *between] if part.strip())
    return Draft(answer=chosen.text, context=joined("context"), reasoning=reasoning)


def _without_drafts(text: str, sections: list[Section], chosen: Section) -> list[Section]:
    """The sections from the context of a complete set on, if the text before it is called a draft and has all three
    names itself: `Draft: CONTEXT: … REASONING: … ANSWER: …`.
    """
    place = sections.index(chosen) - 2
    names = [section.name for section in sections[max(place, 0) : place + 3]]
    if place < 1 or names != ["context", "reasoning", "answer"]:
        return sections
    before = text[: sections[place].start]
    heads = [re.match(r"\W*(\w+)", text[one.start : one.end]) for one in sections[place : place + 3]]
    told = before.casefold()
    named = all(head is not None and head[1].casefold() in told for head in heads)
    return sections[place:] if named and DRAFTED.search(before) else sections


def _stated_last(reasoning: str, answer: str) -> list[str]:
    """The answer that the last paragraph of a reasoning states: a list of 0 or 1. A supposition is none, and nothing
    that is followed by `answer`, which the reply gives: `The answer Sunday forgets a day. So they plant on Monday.`
    """
    last = reasoning.strip().rsplit("\n\n", 1)[-1]
    found = [
        said
        for said in find_said(last)
        if not SUPPOSES.search(last[max(0, said.start - 100) : said.start]) and not CORRECTS.search(last[said.end :])
    ]
    if not found:
        return []
    return [] if _has(last[found[-1].end :], answer) else [found[-1].rest]


def _has(text: str, answer: str) -> bool:
    """Whether a text has an answer of more than a letter, not as a part of another word or number."""
    wanted = answer.strip(" \t\n.*_`$").casefold()
    begins, ends = (r"(?<![\w.,])" if wanted[:1].isascii() else "", r"(?![\w]|[.,]\d)" if wanted[-1:].isascii() else "")
    return len(wanted) > 1 and re.search(begins + re.escape(wanted) + ends, text.casefold()) is not None


ENVELOPE = re.compile(
    r"<(?P<name>output|response|result|reply|completion|assistant)>(?P<body>.*)</(?P=name)>", re.DOTALL | re.IGNORECASE
)
"""a tag around a whole reply"""


LED = re.compile(r"\A(?![`~]{3})[^\n]{1,200}[:：]\**[ \t]*\n\s*(?=[`~]{3})")
"""a line that leads to a fence"""


def unfenced(text: str) -> str:
    """The reply without the fence or the tag, such as <output>, if one encloses all of it; a line such as `Here it
    is:`, which is no heading itself, may stand before a fence around a reply in several sections.
    """
    text = text.strip()
    within = without_chatter(text) if "```" in text or "~~~" in text else text
    if (led := LED.match(within)) is not None and heading_of(led[0].split("\n")[0], 0) is None:
        within = within[led.end() :]
    for outer in (text, within):
        whole = FENCE.fullmatch(outer)
        markup = whole is not None and whole["language"].lower() in ("", "markdown", "md", "text", "xml")
        if whole and markup and (outer == text or len({one.name for one in find_sections(whole["body"])}) > 1):
            return whole["body"]
    tagged = ENVELOPE.fullmatch(text)
    return text if tagged is None else tagged["body"].strip()
