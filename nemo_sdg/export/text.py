"""A sample as training text: plain paragraphs, no chat tokens, the answer in words after the reasoning.

The same sample by one of its templates, as variant `context` and as `no_context`:

    Background: Plants need a gas of the      |
    air to build sugar.                       |
                                              |
    Question: Which gas do plants take in?    |  Question: Which gas do plants take in?
    A. oxygen                                 |  A. oxygen
    B. carbon dioxide                         |  B. carbon dioxide
    Answer: They build sugar from it.         |  Answer: They build sugar from it.
    The answer is: B. carbon dioxide          |  The answer is: B. carbon dioxide

A template is a row of blocks, joined by empty lines; a block whose texts are empty is left out. The variants differ in
one stretch of text, which holds the context and what leads to it. The Question/Answer form is that of Nemotron-CC
(Su et al. 2024, arXiv:2412.02595).
"""

import string
import zlib
from typing import Any

from nemo_sdg.export.phrases import NONE, PHRASES
from nemo_sdg.records import LABELS, Frame, Kind

VARIANTS = ("context", "no_context")

BACKGROUND, PASSAGE = "{w.background}{context}", "{w.passage}{passage}"
EXPLANATION = "{w.explanation}{knowledge}{reasoning}"

LETTERED = (
    (BACKGROUND, PASSAGE, "{w.question}{question}\n{lettered}\n{w.answer}{lettered_solution}"),
    ("{passage}", "{question}", "{bulleted}", EXPLANATION, "{w.answer}{answer}"),
    ("{context}", "{passage}", "{w.question}{question}", "{w.options}\n{bracketed}", "{reasoning}", "{w.final}{bracketed_answer}"),
    (PASSAGE, "{question}\n\n{lettered}", "{w.solution}{knowledge}{reasoning}", "{w.final}{answer}"),
)
CLASSIFIED = (
    (BACKGROUND, PASSAGE, "{w.question}{question}\n{w.options}{inline}\n{w.answer}{solution}"),
    ("{passage}", "{question} ({inline})", EXPLANATION, "{w.answer}{answer}"),
    ("{context}", "{passage}", "{question}\n{bulleted}", "{reasoning}", "{w.final}{answer}"),
)
NUMERIC = (
    (BACKGROUND, PASSAGE, "{w.question}{question}\n{w.answer}{solution}"),
    ("{passage}", "{w.problem}{question}", "{w.solution}{knowledge}{reasoning}", "{w.answer}{answer}"),
    ("{context}", "{passage}", "{question}", "{reasoning}", "{w.final}{answer}"),
)
SHORT = (
    (BACKGROUND, PASSAGE, "{w.question}{question}\n{w.answer}{solution}"),
    ("{passage}", "{question}", EXPLANATION, "{w.answer}{answer}"),
    ("{context}", PASSAGE, "{w.question}{question}", "{reasoning}", "{w.final}{answer}"),
)
FREE = (
    (BACKGROUND, PASSAGE, "{w.question}{question}", "{reasoning}", "{w.answer}{answer}"),
    ("{passage}", "{question}", "{knowledge}{reasoning}", "{answer}"),
    ("{context}", "{passage}", "{w.problem}{question}", "{w.explanation}{reasoning}", "{w.solution}{answer}"),
)
CODE = (
    (BACKGROUND, PASSAGE, "{w.question}{question}", "{w.tests}\n{tests}", "{w.answer}{reasoning}", "{code}"),
    ("{passage}", "{w.problem}{question}", "{w.tests}\n{tests}", EXPLANATION, "{w.solution}\n{code}"),
    ("{context}", "{passage}", "{question}", "{w.tests}\n{tests}", "{reasoning}", "{code}"),
)
TEMPLATES = {Kind.numeric: NUMERIC, Kind.short_text: SHORT, Kind.free_text: FREE, Kind.code: CODE}

Template = tuple[tuple[str, tuple[str, ...]], ...]
"""Blocks, each with the texts that must not be empty for it to stand."""


def _compile(templates: tuple[tuple[str, ...], ...]) -> tuple[tuple[Template, ...], tuple[Template, ...]]:
    """All templates, and those fit for a sample without reasoning: context inside an explanation needs one to stand in."""
    compiled: list[Template] = []
    plain: list[Template] = []
    for blocks in templates:
        template = tuple(
            (block, tuple(name for _, name, _, _ in string.Formatter().parse(block) if name and not name.startswith("w.") and name != "knowledge"))
            for block in blocks
        )
        compiled.append(template)
        if not any("{knowledge}" in block for block in blocks):
            plain.append(template)
    return tuple(compiled), tuple(plain)


_LETTERED, _CLASSIFIED = _compile(LETTERED), _compile(CLASSIFIED)
_BY_KIND = {str(kind): _compile(templates) for kind, templates in TEMPLATES.items()}


def render_text(sample: dict[str, Any], variant: str) -> str:
    """The training text of a sample, or "" when it has no question or no answer.

    The template follows from kind, frame, language and sample id alone, so that both variants share it.
    """
    assert variant in VARIANTS, variant
    fields = _texts(sample, with_context=variant == "context")
    if not (fields["question"] and fields["answer"]):
        return ""
    fields["w"] = PHRASES.get(sample["language"], NONE)
    template = _template(sample, has_reasoning=bool(fields["reasoning"]))
    fields = _with_solutions(fields)
    return "\n\n".join(block.format_map(fields).strip() for block, needed in template if all(fields[name] for name in needed))


def _template(sample: dict[str, Any], *, has_reasoning: bool) -> Template:
    if sample.get("choices"):
        templates = _CLASSIFIED if sample["frame"] == Frame.classification else _LETTERED
    else:
        templates = _BY_KIND.get(sample["kind"]) or _BY_KIND[Kind.short_text]
    candidates = templates[0] if has_reasoning else templates[1]
    return candidates[zlib.crc32(sample["sample_id"].encode()) % len(candidates)]


def _texts(sample: dict[str, Any], *, with_context: bool) -> dict[str, Any]:
    answer = (sample.get("answer") or {}).get("text") or ""
    context = (sample.get("context") or "").strip() if with_context else ""
    return {
        "context": context,
        "knowledge": f"{context}\n" if context else "",
        "passage": (sample.get("passage") or "").strip(),
        "question": (sample.get("question") or "").strip(),
        "reasoning": (sample.get("reasoning") or "").strip(),
        "answer": answer.strip("\n") if answer.strip() and sample["kind"] == Kind.code else answer.strip(),
        "choices": [choice.strip() for choice in sample.get("choices") or []],
        "tests": _fenced("\n".join(sample.get("tests") or [])) if sample.get("tests") else "",
    }


def _with_solutions(fields: dict[str, Any]) -> dict[str, Any]:
    """Adds the composed texts: options in their layouts, the answer as each names it, and reasoning with answer."""
    choices, answer, reasoning, final = fields["choices"], fields["answer"], fields["reasoning"], fields["w"].final
    labels = LABELS if len(choices) <= len(LABELS) else [str(number + 1) for number in range(len(choices))]
    label = labels[choices.index(answer)] if answer in choices else ""
    lettered_answer = f"{label}. {answer}" if label else answer
    return fields | {
        "lettered": "\n".join(f"{letter}. {choice}" for letter, choice in zip(labels, choices, strict=False)),
        "bracketed": "\n".join(f"({letter}) {choice}" for letter, choice in zip(labels, choices, strict=False)),
        "bulleted": "\n".join(f"- {choice}" for choice in choices),
        "inline": " / ".join(choices),
        "bracketed_answer": f"({label}) {answer}" if label else answer,
        "lettered_solution": f"{reasoning}\n{final}{lettered_answer}" if reasoning else lettered_answer,
        "solution": f"{reasoning}\n{final}{answer}" if reasoning else answer,
        "code": _fenced(answer),
    }


def _fenced(code: str) -> str:
    return code if "```" in code else f"```python\n{code}\n```"
