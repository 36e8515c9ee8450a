"""Filters of wording: refusals, assistant chatter, leaked prompt, placeholders, answers given away, material that is
not there.
"""

import re
from typing import Any

from nemo_sdg.curate.filters.common import Finding, answer_text, excerpt, texts
from nemo_sdg.records import Frame, Kind
from nemo_sdg.text.normalize import tokens

WRITTEN = ("question", "choices", "answer", "context", "reasoning")


def _first(pattern: re.Pattern[str], sample: dict[str, Any], names: tuple[str, ...]) -> str | None:
    for name, text in texts(sample, *names):
        match = pattern.search(text)
        if match:
            return f"{name}: {excerpt(text, match.start())}"
    return None


REFUSAL = re.compile(
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b|\bI(?:'m| am) (?:just |only )?an? (?:AI\b|(?:large )?language model)"
    r"|\bI(?:'m| am) (?:sorry|afraid),? (?:but |that )?I (?:can(?:no|')t|am (?:not able|unable)|am not allowed|do not have|don't have)"
    r"|\bI (?:can(?:no|')t|am unable to|'m unable to) (?:assist|help) (?:you )?(?:with|in)\b"
    r"|\bI (?:can(?:no|')t|am unable to|'m unable to) (?:fulfil+|comply with|answer|provide) (?:th(?:is|at|e)|your|an answer)\b"
    r"|\bmy (?:training data|knowledge cutoff|programming)\b"
    r"|\bals (?:eine? )?(?:KI|künstliche Intelligenz|Sprachmodell)\b|\bcomo (?:una? )?(?:IA|inteligencia artificial|modelo de lenguaje)\b"
    r"|\ben tant qu(?:e modèle de langage|'IA|’IA|'intelligence artificielle)|作为(?:一个|一名)?(?:AI|人工智能|语言模型)|(?:AI|言語モデル)として",
    re.IGNORECASE,
)


def refusal(sample: dict[str, Any]) -> Finding | None:
    """`As an AI …`, `I'm sorry, but I cannot …`, in what was written (a passage of the dataset may quote such a
    sentence).
    """
    found = _first(REFUSAL, sample, WRITTEN)
    return ("refusal", found) if found else None


CHATTER = re.compile(
    r"\A\W*(?:sure|certainly|of course|absolutely|great question|okay)[,!.:]+\s+(?:here(?:'s| is| are)|I(?:'ll| can| will|'d| would)|let(?:'s| me| us)|below)\b|\A\W*(?:sure|certainly|of course|absolutely)!"
    r"|\bI(?:'d| would) be (?:happy|glad) to (?:help|assist|explain)\b|\bI(?:'m| am) (?:happy|glad|here) to (?:help|assist)\b"
    r"|\b(?:I )?hope this (?:helps|clarifies|explanation)\b|\blet me know if (?:you|there|this)\b|\bfeel free to (?:ask|reach|let)\b"
    r"|\bhow (?:can|may) I (?:help|assist) you\b|\bis there anything else\b.{0,40}\bhelp\b|\bhere(?:'s| is| are) (?:the|a|an|your|one|my) (?:new |similar |original |rewritten )?"
    r"(?:question|problem|answer|response|solution|example|JSON)s?\b[^.?!]{0,60}:|\bthank you for (?:your question|asking|the question)\b"
    r"|\bIch helfe (?:Ihnen|dir) gerne?\b|\bhoffe,? (?:das|dies) hilft\b|\bespero que (?:esto|te|le) (?:ayude|sirva)\b|\bj'espère que cela\b|希望(?:这|对你|以上)\S{0,6}帮助",
    re.IGNORECASE,
)


def assistant_chatter(sample: dict[str, Any]) -> Finding | None:
    """Talk to a user around the content: `Sure! Here is …`, `I hope this helps`, `Let me know if …`."""
    found = _first(CHATTER, sample, WRITTEN)
    return ("assistant_chatter", found) if found else None


MARKUP = re.compile(
    r"<\|[a-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>|</?think>|<(?:start|end)_of_turn>|\A\s*</?s>|</s>\s*\Z"
    r"|^\s*#{2,3} ?(?:Instructions?|Input|Response|System|Task)\b|^\s*(?:Human|Assistant|User|System) ?:"
    r"|\"(?:question|answer|choices|options|reasoning|context)\"\s*:\s*[\"\[{]|\A\s*```json|(?<![\\\w^_}{])\{\{ ?[a-z_][\w.]{2,40}(?: ?\|[^{}\n]{0,40})? ?\}\}|\{%-? ?\w+.{0,60}%\}",
    re.IGNORECASE | re.MULTILINE,
)
TASK_TALK = re.compile(
    r"\b(?:the|this|each|given|provided) (?:seed|few-shot|in-context) (?:question|example|problem|item)s?\b"
    r"|\bsimilar to the (?:example|question|problem|one)s? (?:above|below|given|provided|shown)\b"
    r"|\b(?:examples?|questions?) (?:above|given above|provided above|shown above)\b"
    r"|\b(?:new|original|rewritten|generated) (?:question|problem)(?: ?\d+)? ?:|\b(?:write|create|generate) (?:a|one|another) (?:new|similar|different) (?:question|problem|item)\b"
    r"|\b(?:right|correct|gold|final) answer (?:is|was|has been) (?:given|provided|known)\b|\b(?:given|provided) that the (?:right|correct) answer is\b|^\W*Right answer ?:"
    r"|\bwrite a new one\b|\byou (?:write|answer|solve|judge) (?:multiple-choice |mathematics |small programming )?(?:questions|problems|items|tasks|answers)\b|\breply with JSON\b"
    r"|\b(?:valid|in) JSON\b(?: format| object)?\b.{0,30}\b(?:only|respond|return|output)\b|\b(?:respond|return|output) (?:only )?(?:with |in |a )?(?:valid )?JSON\b",
    re.IGNORECASE,
)
LABELLED = re.compile(
    r"^[ \t>*#]*(?:Question|Answer|Options?|Choices|Frage|Antwort|Pregunta|Respuesta|Réponse)(?: ?\d{1,3})? ?\**:",
    re.MULTILINE,
)
QUESTION_LABEL = re.compile(r"^[ \t>*#]*(?:Question|Problem|Frage|Pregunta|Q)(?: ?\d{1,3})? ?\**:", re.MULTILINE)


def prompt_leak(sample: dict[str, Any], *, phrases: list[str] = []) -> Finding | None:  # noqa: B006
    """Chat markup, JSON or template residue, talk about the task of writing, `Question:`/`Answer:` labels, a second
    question after the solution.

    `phrases` adds sentences of one's own prompts, found in any case.
    """
    markup = ("question", "choices", "context", "reasoning") if sample["kind"] == Kind.code else WRITTEN
    found = (
        _first(MARKUP, sample, markup)
        or _first(TASK_TALK, sample, ("question", "context", "reasoning"))
        or _first(LABELLED, sample, ("question", "choices"))
    )
    if found:
        return "prompt_leak", found
    reasoning = sample.get("reasoning") or ""
    match = QUESTION_LABEL.search(reasoning)
    if match and match.start() > 0:
        return "prompt_leak", f"reasoning: {excerpt(reasoning, match.start())}"
    for name, text in texts(sample, *WRITTEN):
        lowered = text.lower()
        for phrase in phrases:
            if phrase.lower() in lowered:
                return "prompt_leak", f"{name}: {phrase}"
    return None


PLACEHOLDER = re.compile(
    r"\[(?:insert|your|add|fill|name of|placeholder)\b[^\]\n]{0,60}\]|<(?:your|insert|the|new)?[ _]?(?:question|answer|passage|text|reasoning|context|option)s?(?: here)?>"
    r"|\b(?:your|the) (?:question|answer|text|explanation|reasoning) (?:goes )?here\b|\blorem ipsum\b|(?-i:\bTODO:|\bTBD\b)",
    re.IGNORECASE,
)
EMPTY_WORD = re.compile(
    r"(?:string|text|\.{3,}|…|n/?a|null|undefined|(?:question|reasoning|context|explanation)(?: text)?)\W*",
    re.IGNORECASE,
)
BARE_OPTION = re.compile(
    r"(?:option|choice|answer|distractor|wrong answer)s? ?#?(?:[A-J]|\d{1,2})?|\.{3,}|…|string", re.IGNORECASE
)


def placeholder(sample: dict[str, Any]) -> Finding | None:
    """Text that stands for a text: `[insert name]`, `<answer>`, `string`, options that only say `Option A`."""
    names = ("question", "context", "reasoning") if sample["kind"] == Kind.code else WRITTEN
    found = _first(PLACEHOLDER, sample, names)
    if found:
        return "placeholder", found
    for name, text in texts(sample, "question", "context", "reasoning"):
        if EMPTY_WORD.fullmatch(text.strip()):
            return "placeholder", f"{name}: {excerpt(text)}"
    choices = sample.get("choices") or []
    bare = [choice for choice in choices if BARE_OPTION.fullmatch(choice.strip())]
    return ("placeholder", f"choices: {excerpt(' | '.join(bare))}") if len(bare) >= 2 else None


ANNOUNCED = (
    r"(?:\b(?:the |correct |right |final )*answer(?: to (?:this|the) question)?(?: is|:)|\bthe correct (?:option|choice) is|\bcorrect:|####|"
    r"\b(?:die )?(?:richtige )?antwort(?: ist| lautet|:)|\b(?:la )?respuesta(?: correcta)?(?: es|:)|\b(?:la )?(?:bonne )?réponse(?: est|:)|答案(?:是|为|：)|正解は|答えは)\s*[\"'“«(]?\s*"
)
GIVEAWAY = re.compile(ANNOUNCED, re.IGNORECASE)


def answer_in_question(sample: dict[str, Any], *, min_words: int = 4) -> Finding | None:
    """The question announces its answer (`… Answer: Paris`), or states at length the one option that is right and none
    of the others.

    A passage may hold the answer, and so may a question that names all its options, or one about a proposed answer
    (classification).
    """
    question, answer = sample["question"], answer_text(sample)
    gold = tokens(answer)
    if not gold or sample["kind"] in (Kind.code, Kind.free_text) or sample["frame"] == Frame.classification:
        return None
    for match in GIVEAWAY.finditer(question):
        if tokens(question[match.end() : match.end() + 2 * len(answer) + 20])[: len(gold)] == gold:
            return "answer_in_question", excerpt(question, match.start())
    if sample["kind"] != Kind.multiple_choice or len(gold) < min_words:
        return None
    asked = tokens(question)
    if _contains(asked, gold) and not any(
        _contains(asked, tokens(choice)) for choice in sample["choices"] if choice != answer
    ):
        return "answer_in_question", excerpt(answer)
    return None


def _contains(whole: list[str], part: list[str]) -> bool:
    return bool(part) and any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))


DRAWING = "figure|diagram|graph|chart|picture|image|illustration|photo(?:graph)?|drawing|plot|map"
SCAN = "x-?ray|radiograph|electrocardiogram|ECG|EKG|scan|micrograph|ultrasound|tracing"
FIGURE = re.compile(
    rf"\b(?:(?P<shown>{DRAWING}|table|{SCAN})s?\b(?: (?:is|are|as|of|the|a|\w+)){{0,4}} (?:(?:shown|given|pictured|depicted) )?(?:below|above|to the (?:right|left)|on the (?:right|left))\b"
    rf"|(?:shown|pictured|depicted|illustrated|given|seen) (?:in|on) the (?P<there>{DRAWING}|table|{SCAN})s?\b"
    rf"|(?:see|refer to|look at|consult|study|in|from|use) (?:the|this) (?:following |attached |accompanying )?(?P<used>figure|diagram|graph|chart|picture|image|illustration|photograph)\b"
    rf"|(?:the|this) (?:following|attached|accompanying) (?P<named>figure|diagram|chart|picture|image|map|illustration|photograph)\b"
    r"|(?:siehe|in der|auf der|auf dem) (?:abbildung|grafik|bild|diagramm|karte|tabelle)|en la (?:figura|imagen|gráfica|tabla)\b|sur (?:la figure|l'image|le schéma)|如图|下图|上图)",
    re.IGNORECASE,
)
PASSAGE = re.compile(
    r"\b(?:according to|based on|from|in|as (?:stated|described|mentioned) in) (?:the|this) (?:above |following |given |provided |preceding )?"
    r"(?:passage|paragraph|article|excerpt|text above|text below|dialogue|dialog|conversation|story above|reading)\b"
    r"|\b(?:passage|paragraph|article|excerpt|text|story|dialogue) (?:above|below)\b|\bthe author of (?:the|this) (?:passage|article|text)\b|\bthe passage (?:says|states|mentions|suggests|implies|describes)\b"
    r"|\b(?:laut|gemäß|nach) (?:dem|diesem) (?:text|abschnitt|artikel)\b|\bim (?:obigen|folgenden) text\b|\bsegún el (?:texto|pasaje|artículo)\b|\bd'après le (?:texte|passage)\b|根据(?:上文|短文|文章|以上)",
    re.IGNORECASE,
)
OPTIONS = re.compile(
    r"\bwhich (?:one )?of (?:the following|these)\b(?! (?:\w+ ){0,3}\()|\bselect (?:one|all) of the following\b|\bwelche[rs]? der folgenden\b|\bcuál de (?:las|los) siguientes\b|下列(?:哪|选项)",
    re.IGNORECASE,
)
LISTED = re.compile(r"\n|:\s*\S|\([A-Da-d1-4]\)|\b(?:A|1)[.)]\s|,.*\bor\b|\[asy\]|\\begin\{|;")
DRAWN = re.compile(r"\[asy\]|\\begin\{(?:tabular|array|table)|\|.*\|.*\||<table")


def missing_material(sample: dict[str, Any], *, long_question: int = 600) -> Finding | None:
    """The question needs a figure, a passage or options that the sample does not have.

    A question of more than `long_question` characters, or with 100 after the mention, is taken to carry its own
    passage; a drawn figure ([asy], a
    table) is there.
    """
    question = sample["question"]
    if not sample.get("passage") and len(question) <= long_question:
        match = FIGURE.search(question)
        if match and not DRAWN.search(question) and not _introduced(question, match):
            return "missing_figure", excerpt(question, match.start())
        match = PASSAGE.search(question)
        if match and len(question) - match.end() < 100:
            return "missing_passage", excerpt(question, match.start())
    match = OPTIONS.search(question)
    if match and sample["kind"] != Kind.multiple_choice and not sample.get("passage") and not LISTED.search(question):
        return "missing_options", excerpt(question, match.start())
    return None


def _introduced(question: str, match: re.Match[str]) -> bool:
    """Whether the figure is part of the story (`a scale drawing … in the drawing`)."""
    noun = next((name for name in match.groupdict().values() if name), "")
    return bool(
        noun and re.search(rf"\ban? (?:\w+ ){{0,3}}{re.escape(noun)}\b", question[: match.start()], re.IGNORECASE)
    )
