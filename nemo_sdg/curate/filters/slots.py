"""Filter of text that stands for a text which nobody wrote."""

import re
from collections.abc import Iterator

from nemo_sdg.curate.filters.view import WRITTEN, Finding, View, excerpt, is_quoted
from nemo_sdg.records import LABELS, Kind
from nemo_sdg.text.normalize import has_any

PLACEHOLDER = re.compile(
    r"\[(?:insert|your|add|fill|name of|placeholder|enter)\b[^\]\n]{0,60}\]"
    r"|<(?:your|insert|the|new|explain|write|add|fill|put|enter)?[ _]?"
    r"(?:question|answer|passage|text|reasoning|context|option|explanation|solution)s?(?: here)?>"
    r"|<(?:explain|insert|write|describe|fill in|add|enter|put)\b[^<>\n]{3,80}>"
    r"|\b(?:your|the|final) (?:question|answer|text|explanation|reasoning) (?:goes )?here\b"
    r"|<placeholder\b[^<>]*>|\bplaceholder (?:text\b|"
    r"for (?:an? |the |your )?(?:context|passage|question|reasoning|explanation)\b)"
    r"|[(\[](?:to be (?:completed|filled in|added|written)|à compléter|a completar|por completar|da completare|"
    r"noch (?:zu )?(?:ergänzen|auszufüllen)|in te vullen|do uzupełnienia|doplnit|заполнить|дополнить|待补充|待填写|"
    r"要記入|작성 필요|cần bổ sung|doldurulacak)[)\]]"
    r"|\blorem ipsum\b|(?-i:\bTODO:|\bTBD\b)"
    r"|(?-i:\b(?:[XY]{4,}|(?:has|is|was|called|named|by|of|with|have) XXX)\b(?! ?[\w.]*\.(?:com|org)))"
    r"|(?-i:\bX{3,4} (?:kg|g|mg|km|m|cm|mm|l|L|ml|h|min|s|%|€|\$|euros?|dollars?)(?!\w))",
    re.IGNORECASE,
)
NAMED_SLOT = re.compile(
    r"\[(?!MASK|CLS|SEP|PAD|UNK|REDACTED|BLANK|SIC)(?:[A-Z][A-Z]{2,}(?:[ _][A-Z]+){0,4}|"
    r"[A-ZÀ-ÖØ-ÞĄĆĘŁŃŚŹŻČĎĚŇŘŠŤŮŽĞİŞА-ЯЁІЇЄҐΑ-Ω]{3,}(?:[ _][A-ZÀ-ÖØ-ÞĄĆĘŁŃŚŹŻČĎĚŇŘŠŤŮŽĞİŞА-ЯЁІЇЄҐΑ-Ω]+){0,4})\](?!\()"
)
TEMPLATE_SLOT = re.compile(r"(?<![\\\w^_}{])\{\{ ?[a-z_][\w.]{1,40}(?: ?\|[^{}\n]{0,40})? ?\}\}|\{%-? ?\w+.{0,60}%\}")
UPPER_SLOT = re.compile(
    r"<(?!(?:EOS|BOS|PAD|UNK|MASK|CLS|SEP)>)[A-ZÀ-ÖØ-ÞĄĆĘŁŃŚŹŻČĎĚŇŘŠŤŮŽĞİŞА-ЯЁІЇЄҐΑ-Ω]{3,}"
    r"(?:[ _][A-ZÀ-ÖØ-ÞĄĆĘŁŃŚŹŻČĎĚŇŘŠŤŮŽĞİŞА-ЯЁІЇЄҐΑ-Ω]{2,}){0,5}>"
)
LOWER_SLOT = re.compile(
    r"(?<![\w<\\])<(?!(?:eos|bos|pad|unk|mask|cls|sep)>)[a-zß-öø-ÿ]{3,}(?:[ _][a-zß-öø-ÿ]{2,}){0,3}>(?![^<>]{0,200}</)"
    r"|(?<![\w$\\^{_}])\{[A-ZÄÖÜ][a-zà-ÿ]{3,}\}(?![}$^_])"
    r"|(?<![\w$\\^{_}])\{(?:[a-z]{2,}(?:_[a-z]{2,}){1,3}|name|city|country|number|topic|subject|question|answer|word|"
    r"language|title|date|year|person|place|object|passage|context)\}(?![}$^_])"
    r"|\[(?:姓名|名字|名称|城市|国家|地点|日期|数字|人名|地名|名前|氏名|都市名|国名|이름|도시|날짜|숫자|اسم|الاسم|المدينة|नाम|शहर|तारीख)\]"
)
BRACKETED = re.compile(r"\s*[\[<{【]\s*[^\]>}】\d=+*^]*[^\W\d_]{3}[^\]>}】=+*^]*[\]>}】]\s*\.?")
"""An option that is all in brackets, with a word in them"""
OPENING = frozenset("[<{【")
SLOT_PARTS = [
    *(
        "[",
        "<",
        "{",
        " here",
        "ipsum",
        "todo:",
        "tbd",
        "xxx",
        "placeholder",
        "option ",
        "choice ",
        "answer ",
        "(to be ",
    ),
    *(
        "(à ",
        "(a ",
        "(por ",
        "(da ",
        "(noch ",
        "(in te",
        "(do ",
        "(dopln",
        "(запол",
        "(допол",
        "(待",
        "(要",
        "(작",
        "(cần",
    ),
    "(doldur",
]
"""In a text whose folded form has none of these nothing counts as a slot"""
OPTION_TEXT = re.compile(r"(?:option|choice|answer)s? ?\w? (?:text|value)(?: here)?$", re.IGNORECASE)
"""A text that is all of it a slot"""
UPPER_PARTS = ("XX", "YY", "XYX", "YXY")
BRACKETED_PARTS = tuple(part for part in SLOT_PARTS if part[0] == "(")
WORD_PARTS = ("ipsum", "todo:", "tbd", "placeholder")
HERE_PARTS = tuple(f"{word} here" for word in ("question", "answer", "text", "explanation", "reasoning", "goes"))
SLOTS = ((NAMED_SLOT, "["), (UPPER_SLOT, "<"), (TEMPLATE_SLOT, "{"), (LOWER_SLOT, "[<{"))
"""Each with the signs without one of which it does not match"""
BARE_ANSWER = re.compile(r"(?:option|choice|answer) \(?[A-J]\)?\.?|\([A-J]\)", re.IGNORECASE)
EMPTY_WORD = re.compile(
    r"(?:string|text|\.{3,}|…|n/?a|null|none|undefined|(?:question|reasoning|context|explanation)(?: text)?)\W*",
    re.IGNORECASE,
)
BARE_OPTION = re.compile(
    r"(?:option|choice|answer|distractor|wrong answer|opción|respuesta|réponse|antwort|opzione|risposta|opção|resposta|"
    r"optie|antwoord|opcja|odpowiedź|možnost|odpověď|вариант|ответ|варіант|відповідь|seçenek|cevap|خيار|الخيار|विकल्प|选项|"
    r"選択肢|보기|선택지|lựa chọn|đáp án|pilihan|opsi|alternativ|svar|επιλογή|vaihtoehto|אפשרות)s? ?#?"
    r"(?:[A-J]|\d{1,2})?|\.{3,}|…|string",
    re.IGNORECASE,
)


def _slots(text: str, folded: str) -> Iterator[re.Match[str]]:
    """The first slot of each form in a text."""
    match = OPTION_TEXT.match(text)
    if match is None and _may_hold_placeholder(text, folded):
        match = PLACEHOLDER.search(text)
    if match is not None:
        yield match
    for pattern, signs in SLOTS:
        if has_any(text, signs) and (match := pattern.search(text)) is not None:
            yield match


def _may_hold_placeholder(text: str, folded: str) -> bool:
    """A first look, never False where PLACEHOLDER is found."""
    return (
        has_any(text, "[<")
        or has_any(folded, WORD_PARTS)
        or has_any(text, UPPER_PARTS)
        or ("(" in text and has_any(folded, BRACKETED_PARTS))
        or (" here" in folded and has_any(folded, HERE_PARTS))
    )


def _is_open_slot(view: View, match: re.Match[str]) -> bool:
    """Whether a slot in quotation marks is one that a template left: the rest of the sample does not speak of it."""
    if match.re not in (NAMED_SLOT, UPPER_SLOT) or "`" in view.question:
        return False
    others = (view.passage, view.answer, view.reasoning, view.context, view.question.replace(match.group(), "", 1))
    return not any(match.group() in text for text in others)


def placeholder(view: View) -> Finding | None:
    """Text that stands for a text: `[insert name]`, `<answer>`, `[COUNTRY]`, `string`, options that only say `Option
    A`.
    """
    names = ("question", "context", "reasoning") if view.kind == Kind.code else WRITTEN
    for name, text in view.texts(*names):
        folded = view.folded(text)
        for match in _slots(text, folded):
            if not has_any(folded, SLOT_PARTS):
                break
            if is_quoted(text, match.start() + 1) and not _is_open_slot(view, match):
                continue
            if match.re not in (PLACEHOLDER, OPTION_TEXT) and view.is_technical:
                continue
            return "placeholder", f"{name}: {excerpt(text, match.start())}"
    names = ("question", "context", "reasoning", *(("answer",) if view.kind == Kind.free_text else ()))
    for name, text in view.texts(*names):
        if EMPTY_WORD.fullmatch(text.strip()):
            return "placeholder", f"{name}: {excerpt(text)}"
    if len(view.choices) > 2 and [choice.strip(" .()") for choice in view.choices] == list(LABELS[: len(view.choices)]):
        return "placeholder", f"choices: {excerpt(' | '.join(view.choices))}"
    if not view.is_choice and BARE_ANSWER.fullmatch(view.answer.strip()):
        return "placeholder", f"answer: {view.answer}"
    bare = [choice for choice in view.choices if BARE_OPTION.fullmatch(choice.strip())]
    if not bare:
        bare = [choice for choice in view.choices if choice.lstrip()[:1] in OPENING and BRACKETED.fullmatch(choice)]
        bare = bare if 2 <= len(bare) < len(view.choices) and "[" not in view.question and not view.is_technical else []
    return ("placeholder", f"choices: {excerpt(' | '.join(bare))}") if len(bare) >= 2 else None
