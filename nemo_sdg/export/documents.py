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

Variant `answer_only` leaves out the reasoning too, and `trace` puts the model's own thinking before it. A template is a
row of blocks, joined by empty lines; a block whose texts are empty is left out. The variants differ in one stretch of
text, which holds the context or the reasoning and what leads to it. The Question/Answer form is that of Nemotron-CC
(Su et al. 2024, arXiv:2412.02595).
"""

import functools
import re
import string
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from nemo_sdg.config import VARIANTS
from nemo_sdg.export.phrases import Phrases, phrases_of
from nemo_sdg.records import LABELS, Frame, Kind
from nemo_sdg.records.lines import SampleLine
from nemo_sdg.text.options import refer_to_letters, speaks_of_letters

SIBLINGS_APART = "\n\n"
"""text between the samples of one document"""

BACKGROUND, PASSAGE = "{w.background}{context}", "{w.passage}{passage}"
EXPLANATION = "{w.explanation}{knowledge}{reasoning}"

LETTERED = (
    (BACKGROUND, PASSAGE, "{w.question}{question}\n{lettered}\n{w.answer}{lettered_solution}"),
    ("{passage}", "{question}", "{bulleted}", EXPLANATION, "{w.answer}{answer}"),
    (
        "{context}",
        "{passage}",
        "{w.question}{question}",
        "{w.options}\n{bracketed}",
        "{reasoning}",
        "{w.final}{bracketed_answer}",
    ),
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
LAYOUTS = {
    "lettered": LETTERED,
    "letters": tuple(template for template in LETTERED if "{bulleted}" not in template),
    "classified": CLASSIFIED,
    "numeric": NUMERIC,
    "short_text": SHORT,
    "free_text": FREE,
    "code": CODE,
}
"""templates by kind; for kinds with options, by the form of the options"""

Template = tuple[tuple[str, tuple[str, ...]], ...]
"""Blocks, each with the texts that must not be empty for it to stand."""


class _Texts(dict[str, Any]):
    """A sample's texts; what a template makes of them (options in a layout, reasoning with answer) is composed when
    first asked for.
    """

    def __missing__(self, name: str) -> str:
        self[name] = text = COMPOSED[name](self)
        return text


def render_text(sample: Mapping[str, Any], variant: str) -> str:
    """The training text of a sample, or "" when it has no question or no answer.

    The template follows from the sample, whatever the variant, so that all variants share it.
    """
    return render_texts(sample, (variant,))[0]


def render_texts(line: Mapping[str, Any], variants: Sequence[str]) -> list[str]:
    """`render_text` for several variants; what they have in common is composed once."""
    sample = cast(SampleLine, line)
    texts = _read(sample)
    if not (texts["question"] and texts["answer"]):
        return [""] * len(variants)
    context, reasoning = (sample.get("context") or "").strip(), texts["reasoning"]
    template = _template(sample, has_reasoning=bool(reasoning))
    by_reasoning: dict[str, _Texts] = {reasoning: texts}
    rendered = []
    for variant in variants:
        assert variant in VARIANTS, variant
        shown = _reasoning_of(sample, variant, reasoning)
        if shown not in by_reasoning:
            by_reasoning[shown] = _Texts(_read(sample), reasoning=shown)
        texts = by_reasoning[shown]
        texts["context"] = context if variant == "context" else ""
        texts["knowledge"] = f"{context}\n" if texts["context"] else ""
        rendered.append(
            "\n\n".join(
                [block.format_map(texts).strip() for block, needed in template if all(texts[name] for name in needed)]
            )
        )
    return rendered


def render_turns(sample: SampleLine) -> tuple[str, str]:
    """The turns of a chat. User: passage, question and options. Assistant: reasoning and answer."""
    texts = _read(sample)
    shown, lettered = "", bool(texts["choices"]) and _layout(sample) != "classified"
    if texts["choices"]:
        shown = texts["lettered"] if lettered else texts["inline"]
    elif texts["assertions"]:
        shown = "\n".join(filter(None, (phrases_of(sample["language"]).tests, texts["tests"])))
    asked = "\n\n".join(filter(None, (texts["passage"], texts["question"], shown)))
    if sample["kind"] == Kind.code:
        return asked, "\n\n".join(filter(None, (texts["reasoning"], texts["code"])))
    answer = f"{_label(texts)}. {texts['answer']}" if lettered and _label(texts) else texts["answer"]
    return asked, "\n\n".join(filter(None, (texts["reasoning"], f"{texts['final']}{answer}")))


def _reasoning_of(sample: SampleLine, variant: str, reasoning: str) -> str:
    """The text of a variant between question and answer. A sample without a trace is shown as in no_context."""
    if variant == "answer_only":
        return ""
    if variant == "trace":
        return "\n\n".join(filter(None, ((sample.get("trace") or "").strip(), reasoning)))
    return reasoning


def _template(sample: SampleLine, *, has_reasoning: bool) -> Template:
    layout = _layout(sample)
    candidates = _templates(layout, sample["language"], has_reasoning)
    return candidates[zlib.crc32(sample["sample_id"].encode()) % len(candidates)]


def _layout(sample: SampleLine) -> str:
    """What LAYOUTS calls the form of a sample. Where its texts name options by letter, the letters are shown."""
    if not sample.get("choices"):
        return str(sample["kind"])
    if _speaks_of_letters(sample):
        return "letters"
    return "classified" if sample["frame"] == Frame.classification else "lettered"


def _speaks_of_letters(sample: SampleLine) -> bool:
    choices = sample["choices"] or []
    said = (sample.get("reasoning"), sample.get("context"), sample.get("trace"))
    return refer_to_letters(choices) or any(speaks_of_letters(text or "", len(choices)) for text in said)


@functools.cache
def _templates(layout: str, language: str, has_reasoning: bool) -> tuple[Template, ...]:
    """The templates of a layout in a language. Context inside an explanation needs reasoning to stand beside."""
    phrases = phrases_of(language)
    return tuple(
        tuple(_block(block, phrases) for block in blocks)
        for blocks in LAYOUTS.get(layout, SHORT)
        if has_reasoning or not any("{knowledge}" in block for block in blocks)
    )


def _block(block: str, phrases: Phrases) -> tuple[str, tuple[str, ...]]:
    """The block with its language's phrases filled in, and the texts that it needs."""
    filled = re.sub(r"\{w\.(\w+)\}", lambda match: str(getattr(phrases, match[1])), block)
    names = tuple(name for _, name, _, _ in string.Formatter().parse(filled) if name and name != "knowledge")
    return re.sub(r" +\n", "\n", filled), names


def _read(sample: SampleLine) -> _Texts:
    answer = (sample.get("answer") or {}).get("text") or ""
    return _Texts(
        passage=(sample.get("passage") or "").strip(),
        question=(sample.get("question") or "").strip(),
        reasoning=(sample.get("reasoning") or "").strip(),
        answer=answer.strip("\n") if sample["kind"] == Kind.code and answer.strip() else answer.strip(),
        choices=[choice.strip() for choice in sample.get("choices") or ()],
        assertions=sample.get("tests") or [],
        final=phrases_of(sample["language"]).final,
    )


def _labels(texts: _Texts) -> Sequence[str]:
    num = len(texts["choices"])
    return LABELS[:num] if num <= len(LABELS) else [str(number + 1) for number in range(num)]


def _label(texts: _Texts) -> str:
    """The label of the answer's option; none where the answer is not one of them."""
    return _labels(texts)[texts["choices"].index(texts["answer"])] if texts["answer"] in texts["choices"] else ""


def _after_reasoning(texts: _Texts, answer: str) -> str:
    return f"{texts['reasoning']}\n{texts['final']}{answer}" if texts["reasoning"] else answer


def _fenced(code: str) -> str:
    return code if not code or "```" in code else f"```python\n{code}\n```"


COMPOSED: dict[str, Callable[[_Texts], str]] = {
    "lettered": lambda texts: "\n".join(
        f"{label}. {choice}" for label, choice in zip(_labels(texts), texts["choices"], strict=True)
    ),
    "bracketed": lambda texts: "\n".join(
        f"({label}) {choice}" for label, choice in zip(_labels(texts), texts["choices"], strict=True)
    ),
    "bulleted": lambda texts: "\n".join(f"- {choice}" for choice in texts["choices"]),
    "inline": lambda texts: " / ".join(texts["choices"]),
    "bracketed_answer": lambda texts: f"({_label(texts)}) {texts['answer']}" if _label(texts) else texts["answer"],
    "lettered_solution": lambda texts: _after_reasoning(
        texts, f"{_label(texts)}. {texts['answer']}" if _label(texts) else texts["answer"]
    ),
    "solution": lambda texts: _after_reasoning(texts, texts["answer"]),
    "code": lambda texts: _fenced(texts["answer"]),
    "tests": lambda texts: _fenced("\n".join(texts["assertions"])),
}
"""Texts that templates name beyond the sample's own."""
