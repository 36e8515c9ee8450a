"""Cleans the answer that a model wrote (removes boxes, bold, fences and `The answer is`), and finds the option that it
names by text or label.

tidy_answer("**The answer is \\\\boxed{42}.**", "numeric")          -> "42"
match_option("Option B: carbon dioxide", ["oxygen", "carbon dioxide"]) -> "carbon dioxide"
"""

import re
import unicodedata
from dataclasses import dataclass

from nemo_sdg.generate.parsing.leads import BE, LEAD, MARKS
from nemo_sdg.generate.parsing.programs import FENCE, program_of
from nemo_sdg.records import LABELS, Kind
from nemo_sdg.text.boxes import last_box
from nemo_sdg.text.rivals import is_of_another

OPENING = re.compile(rf"^{LEAD}(?P<rest>\S.*)$", re.IGNORECASE | re.DOTALL)
SAID_START = re.compile(rf"(?:(?<=\s)|(?<=[*_(,.。，：；、])|^){LEAD}(?=\S)", re.IGNORECASE | re.MULTILINE)
SENTENCE_ENDS = re.compile(r"(?<![\s.(\[*][A-Za-z])(?<!\b[A-Za-z]{2})[.!?](?:\s+(?=[A-Z\"“(*\\])|\s*$)|[。！？]")
ARTICLE = re.compile(r"^(?:the|a|o|la|le|el|die|der|das|de|het)\s+(?=[(\[*]*[A-Z][)\]*.]*$)", re.IGNORECASE)
CLOSING = re.compile(r"\s*(?:です|だ|である|입니다)\s*[.。]?$")
OPTION_WORD = re.compile(
    rf"^(?:{LEAD})?(?:it(?:'s| is)\s+)?(?:(?:so|thus|hence|therefore),?\s*)?(?:the\s+)?(?:(?:correct|right|best)\s+)*"
    rf"(?:option|choice|answer|letter|opción|opção|opzione|選択肢|选项|보기)(?:{BE}\b)?\s*[::]?\s*(?:option\s+)?(?P<rest>\S.*)$",
    re.IGNORECASE | re.DOTALL,
)
WORD = r"[\w%°$€£+\-−]+"
DENIES = re.compile(
    r"\b(?:not|n't|never|neither|nor|no|except|unlike|rather|instead|without|nicht|kein\w*|pas|ni|non|não|nem|niet|geen|"
    r"не|нет|nie|inte|ikke|değil)\b|n't\b|[不没非無无]",
    re.IGNORECASE,
)
LISTED = r"[,;/&+]\s*[*(]*[A-Z][*)]*(?:\s*$|[.:)]\s)"
"""another label, as in `B, C` and `B. steam, C. ice`"""
ANOTHER_LABEL = re.compile(rf"[(\[][A-Z][)\]]|\b(?:option|choice)\s+[A-Z]\b|\b(?:and|or)\s+[A-Z]\b|{LISTED}")
ALSO = re.compile(r"\b(?:and|or|und|oder|et|ou|y|o|e|и|или|en|as well as|plus)\b|[和或与及、]", re.IGNORECASE)
IT_IS = re.compile(r"^it(?:'s| is)\s+(?P<rest>\S.*)$", re.IGNORECASE | re.DOTALL)
WRAPPING = re.compile(
    r"^(?:\*\*(?P<bold>[^*].*)\*\*|\*(?P<italic>[^*]+)\*|__(?P<under>.+)__|`+(?P<ticks>[^`]+)`+|\$\$?(?P<dollars>[^$]+)\$\$?|\\\((?P<round>.+)\\\)|\\\[(?P<square>.+)\\\]"
    r"|\\(?:text\w*|math(?:rm|bf|sf)|mbox)\s*\{(?P<text>[^{}]*)\})$",
    re.DOTALL,
)
QUOTES = ('""', "''", "“”", "„“", "«»", "‘’", "「」", "『』")
WRAPS = frozenset("*_`$\\" + "".join(pair[0] for pair in QUOTES))
"""first characters of wrapped texts"""
LABELLED = re.compile(
    r"^(?:(?P<open>[(\[{<【「])\s*)?(?P<label>[A-Za-z])(?:\s*[)\]}>】」])?(?P<part>\s*[.:\-–—)]+\s*|\s+|$)?(?P<rest>.*)$",
    re.DOTALL,
)
IS_RIGHT = re.compile(
    r"^(?P<text>.*\S)\s+(?:is|was)\s+(?:the\s+)?(?:correct|right|best|true)(?:\s+(?:answer|option|choice|one))?$|^(?P<label>\(?[A-Z]\)?)[,;:.]?\s+(?:because|since)\b.*$",
    re.DOTALL,
)
LABEL_LAST = re.compile(r"^(?P<text>.*\S)\s*[(\[](?P<label>[A-Z])[)\]]$", re.DOTALL)
BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
MARKED = re.compile(r"\*\*([^*\n]+)\*\*|(?<![*\w])\*([^*\s][^*\n]*)\*(?![*\w])")
QUANTITY = re.compile(
    r"^[^\d=\\$]{4,}?(?:(?<!\w)(?:is|are|was|were|equals|costs?|totals?|ist|sind|beträgt|kostet|est|sont|es|son|é|è|são)\s+|"
    r"(?:是|为|為|等于|は|은|는)\s*|[:：]\s*)(?P<value>[-+−]?\s?[$€£¥]?\d[^:：=]{0,40})$"
)
"""a sentence that ends in a number: `Total cost: 310`, `The area is 36 square metres`"""
LATEX_TEXT = re.compile(r"\\(?:text\w*|math(?:rm|bf|sf|it)|mbox)\s*\{([^{}]*)\}")
CONCLUDES = re.compile(r"^(?:[∴⇒→➔⟹=≡]|\\(?:therefore|Rightarrow|implies)\b|####?)\s*")
GLOSS = re.compile(r"^(?P<text>[^()（）]*[^\W\d_][^()（）]*\S)\s+[(（][^\W\d][^()（）\d]*[)）]$")
"""a short text with an explanation in brackets: `Paris (France)`"""


def fold(text: str) -> str:
    """The text without differences of width, case and spaces, for comparing an answer with the options."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .。")


def undressed(text: str, *, quotes: bool = False) -> str:
    """The text without bold, code ticks, dollar signs, \\text{} and, with `quotes`, quotation marks around the whole;
    a single bold mark of a pair is removed too.
    """
    while True:
        text = text.strip()
        if text[:1] not in WRAPS and "**" not in text:
            return text
        if text.count("**") == 1:
            text = text.replace("**", "", 1)
        elif text.endswith((".", "。")) and WRAPPING.match(text[:-1]):
            text = text[:-1]
        elif found := WRAPPING.match(text):
            text = next(group for group in found.groups() if group is not None)
        elif quotes and any(len(text) > 1 and text[0] == pair[0] and text[-1] == pair[1] for pair in QUOTES):
            text = text[1:-1]
        else:
            return text


def without_lead(text: str) -> str:
    """The text without a leading `The answer is`; a title such as `The Answer Is You` is unchanged."""
    found = OPENING.match(text)
    if found is None or re.match(r"\w+ \w+ Is ", text):
        return text
    rest = found["rest"].strip()
    if not rest.isascii():
        rest = CLOSING.sub("", rest)
    return rest or text


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that states an answer: the answer, and the position of the sentence."""

    rest: str
    start: int
    end: int


def find_said(text: str, *, most: int = 2) -> list[Said]:
    """The answers that a text states last, in order: those of its last lines with `The answer is` or the like, until
    there are at least `most`. Each goes up to the end of its sentence.
    """
    lowered = text.lower()
    present = [mark for mark in MARKS if mark in lowered]
    if not present:
        return []
    found: list[Said] = []
    end = len(text)
    while end > 0 and len(found) < most:
        begin = text.rfind("\n", 0, end) + 1
        line = text[begin:end].lower()
        if any(mark in line for mark in present):
            found = _said_in(text, begin, end) + found
        end = begin - 1
    return found


def _said_in(text: str, begin: int, end: int) -> list[Said]:
    starts = [start for start in SAID_START.finditer(text, begin, end) if not is_of_another(text, start.start())]
    found = []
    for start, following in zip(starts, [*starts[1:], None], strict=False):
        until = end if following is None else following.start()
        stop = SENTENCE_ENDS.search(text, start.end(), until)
        rest = text[start.end() : stop.start() if stop else until].strip()
        if not rest.isascii():
            rest = CLOSING.sub("", rest)
        if rest:
            found.append(Said(rest, start.start(), stop.end() if stop else until))
    return found


def without_said(text: str, said: Said) -> str:
    """The text without its last sentence, if that sentence only states the answer and has its own line."""
    line = text.rfind("\n", 0, said.start) + 1
    alone = not text[line : said.start].strip(" *_#>-") and not text[said.end :].strip(" *_.")
    return text[:line].strip() if alone and text[:line].strip() else text


def tidy_answer(answer: str, kind: str) -> str:
    """An answer without fences, boxes, `The answer is`, a closing full stop, and text on later lines."""
    answer = answer.strip()
    if kind == Kind.code:
        return program_of(answer)
    if kind == Kind.free_text:
        fenced = FENCE.fullmatch(answer)
        return fenced["body"].strip("\n") if fenced else answer
    boxed = last_box(answer)
    answer = boxed if boxed is not None else first_statement(answer)
    answer = undressed(without_lead(undressed(answer)), quotes=kind == Kind.short_text)
    answer = undressed(CONCLUDES.sub("", answer))
    marked = [bold or italic for bold, italic in MARKED.findall(answer)]
    if len(marked) == 1 and len(answer.split()) > len(marked[0].split()) + 1:
        answer = undressed(marked[0])
    elif kind == Kind.numeric and (found := QUANTITY.match(answer)):
        answer = found["value"]
    if answer.endswith((".", "。")) and not answer.endswith("..") and (kind == Kind.numeric or _is_name(answer)):
        answer = undressed(answer[:-1], quotes=kind == Kind.short_text)
    if kind == Kind.short_text and (found := GLOSS.match(answer)):
        answer = found["text"]
    return answer


def first_statement(answer: str) -> str:
    """The first line of an answer, with the next line if it ends in a colon; lines of mathematics stay together."""
    lines = [line.strip() for line in answer.split("\n") if line.strip()]
    if not lines:
        return ""
    if lines[0] in ("\\[", "$$", "\\("):
        return " ".join(lines)
    return lines[1] if len(lines) > 1 and lines[0].endswith((":", "：")) else lines[0]


def _is_name(answer: str) -> bool:
    """Whether the full stop at the end of a short text closes a sentence and not an abbreviation."""
    return (
        len(answer.split()) <= 8
        and "." not in answer[:-1]
        and len(answer.rstrip(".").split()[-1:][0] if answer.rstrip(".").split() else "") > 3
    )


def match_option(answer: str, options: list[str]) -> str | None:
    """The option that an answer names by its text, by its label in the order shown, or by both if they agree.

    The exact text is compared first: an option may be a letter, or differ from another only in case (BB, Bb, bb).
    """
    wanted = answer.strip()
    if len(exact := {option for option in options if option.strip() == wanted}) == 1:
        return exact.pop()
    plain = undressed(last_box(answer) or answer, quotes=True)
    if "\\" in plain:
        plain = undressed(re.sub(r"\\[ ,;:!]|~", " ", LATEX_TEXT.sub(r"\1", plain)), quotes=True)
    led = undressed(without_lead(plain), quotes=True)
    candidates = [answer, plain, led, ARTICLE.sub("", led)]
    if found := OPTION_WORD.match(led) or OPTION_WORD.match(plain) or IT_IS.match(led):
        candidates.append(undressed(CLOSING.sub("", found["rest"]), quotes=True))
    if found := IS_RIGHT.match(candidates[-1].rstrip(" .!")):
        candidates.append(undressed(found["text"] or found["label"], quotes=True))
    bold = BOLD.findall(answer)
    if len(bold) == 1:
        candidates.append(undressed(bold[0], quotes=True))
    for candidate in dict.fromkeys(candidates):
        if (option := _by_text(candidate, options)) is not None or (
            option := _by_label(candidate, options)
        ) is not None:
            return option
    return _by_name(candidates[-1], options)


def _by_name(text: str, options: list[str]) -> str | None:
    """The only option whose text is in a sentence without a negation: `the carbon dioxide of the air`. Sentences that
    begin with a label are not used: their label and text do not agree.
    """
    if (
        DENIES.search(text)
        or ANOTHER_LABEL.search(text)
        or ((found := LABELLED.match(text)) and (found["open"] or found["part"]) and found["rest"])
    ):
        return None
    folded = f" {' '.join(re.findall(WORD, fold(text)))} "
    named = {option: " ".join(re.findall(WORD, fold(option))) for option in options}
    found_in = [option for option, words in named.items() if words and f" {words} " in folded]
    longest = [
        option
        for option in found_in
        if not any(other != option and f" {named[option]} " in f" {named[other]} " for other in found_in)
    ]
    if len(longest) != 1 or len(named[longest[0]]) <= 3:
        return None
    return None if ALSO.search(folded.replace(f" {named[longest[0]]} ", "  ", 1)) else longest[0]


def _by_text(text: str, options: list[str]) -> str | None:
    for form in (
        str.strip,
        lambda value: unicodedata.normalize("NFC", value).strip(" .。!"),
        fold,
        lambda value: fold(value).rstrip("!"),
    ):
        wanted = form(text)
        found = list(dict.fromkeys(option for option in options if form(option) == wanted))
        if len(found) == 1:
            return found[0]
        if found:
            return None
    return None


def _by_label(text: str, options: list[str]) -> str | None:
    text = unicodedata.normalize("NFKC", text).strip()
    text = text.removesuffix("。").removesuffix(".").removesuffix("!").strip()
    if found := LABEL_LAST.match(text):
        named = _by_text(undressed(found["text"], quotes=True), options)
        return named if named is not None and _at(found["label"], options) == named else None
    found = LABELLED.match(text)
    if found is None:
        return None
    rest = undressed(found["rest"].strip(), quotes=True)
    if rest.startswith("(") and rest.endswith(")") and _by_text(rest, options) is None:
        rest = rest[1:-1]
    bracketed = found["open"] is not None
    if rest and not found["part"] and not bracketed:
        return None  # the first letter of a word
    option = _at(found["label"].upper(), options)
    if option is None or not rest or _by_text(rest, options) == option:
        return option
    return option if (found["part"] or bracketed) and _explains(rest, option, options) else None


def _explains(rest: str, option: str, options: list[str]) -> bool:
    """Whether the text after a label explains that option: its text and more, or a sentence without an option."""
    words, text = re.findall(WORD, fold(rest)), fold(rest)
    if not any(word.isalpha() for word in words):
        return False
    if text.startswith(fold(option)):
        longer = [other for other in options if other != option and text.startswith(fold(other))]
        more = rest[len(option) :]
        return not any(len(other) > len(option) for other in longer) and not (
            text[len(fold(option)) :][:1].isalnum() or re.search(LISTED, more)
        )
    return len(words) > 3 and not names_another(rest, option, options)


def names_another(text: str, option: str, options: list[str]) -> bool:
    """Whether a text names an option other than `option`, by its text or its label."""
    joined = f" {' '.join(re.findall(WORD, fold(text)))} "
    others = [other for other in options if other != option]
    return bool(ANOTHER_LABEL.search(text)) or any(
        f" {' '.join(re.findall(WORD, fold(other)))} " in joined for other in others
    )


def _at(label: str, options: list[str]) -> str | None:
    index = LABELS.index(label)
    return options[index] if index < len(options) else None
