"""The answer in what a model wrote as its answer: without boxes, bold, fences and `The answer is`; an option by its
text or label.

tidy_answer("**The answer is \\\\boxed{42}.**", "numeric")          -> "42"
match_option("Option B: carbon dioxide", ["oxygen", "carbon dioxide"]) -> "carbon dioxide"
program_of("Here it is:\\n```python\\ndef f(): …\\n```\\nDone.")     -> "def f(): …"
"""

import ast
import re
import unicodedata

from nemo_sdg.records import LABELS, Kind

BE = r"(?:\s+(?:is|was|are|would be|must be|should be|ist|lautet|wäre|est|es|è|é|ni))"
LEAD = (
    r"(?:(?:so|thus|hence|therefore|consequently|in conclusion|also|daher|donc|por (?:lo )?tanto|quindi|所以|因此|よって|従って)\s*[,，、:]?\s*)?"
    r"(?:(?:the|my|our|die|la|le|a|il|het|das)\s+)?"
    r"(?:(?:final|correct|right|best|richtige|korrekte|endgültige|bonne|juiste|правильный)\s+)*"
    r"(?:(?:answer|antwort|lösung|respuesta|réponse|risposta|resposta|antwoord|jibu|ответ)(?:\s+(?:correcta|correcte|finale?|corretta|correta|sahihi))?"
    rf"(?:{BE}\s*[::]?\s+|\s*[::]\s*)"
    r"|(?:正确|最终|正しい|最終的な)?的?(?:答案|答え|解答|正解|答|정답|답)\s*(?:是|为|為|は|은|:|:)\s*)"
)
"""What introduces an answer: `The final answer is`, `Antwort:`, `答案是`. A verb or a colon belongs to it."""
OPENING = re.compile(rf"^{LEAD}(?P<rest>\S.*)$", re.IGNORECASE | re.DOTALL)
SAID = re.compile(rf"(?:(?<=\s)|(?<=[*_(,.。，])|^){LEAD}(?P<rest>\S.*?)\s*$", re.IGNORECASE | re.MULTILINE)
CLOSING = re.compile(r"\s*(?:です|だ|である|입니다)\s*[.。]?$")
OPTION_WORD = re.compile(
    rf"^(?:{LEAD})?(?:it(?:'s| is)\s+)?(?:(?:so|thus|hence|therefore),?\s*)?(?:the\s+)?(?:(?:correct|right|best)\s+)*"
    rf"(?:option|choice|answer|letter|opción|opção|opzione|選択肢|选项|보기)(?:{BE}\b)?\s*[::]?\s*(?:option\s+)?(?P<rest>\S.*)$",
    re.IGNORECASE | re.DOTALL,
)
IT_IS = re.compile(r"^it(?:'s| is)\s+(?P<rest>\S.*)$", re.IGNORECASE | re.DOTALL)
WRAPPING = re.compile(
    r"^(?:\*\*(?P<bold>[^*].*)\*\*|\*(?P<italic>[^*]+)\*|__(?P<under>.+)__|`+(?P<ticks>[^`]+)`+|\$\$?(?P<dollars>[^$]+)\$\$?|\\\((?P<round>.+)\\\)|\\\[(?P<square>.+)\\\]"
    r"|\\(?:text\w*|math(?:rm|bf|sf)|mbox)\s*\{(?P<text>[^{}]*)\})$",
    re.DOTALL,
)
QUOTES = ('""', "''", "“”", "„“", "«»", "‘’", "「」", "『』")
LABELLED = re.compile(
    r"^(?:(?P<open>[(\[{<])\s*)?(?P<label>[A-Za-z])(?:\s*[)\]}>])?(?P<part>\s*[.:\-–—)]+\s*|\s+|$)?(?P<rest>.*)$",
    re.DOTALL,
)
IS_RIGHT = re.compile(
    r"^(?P<text>.*\S)\s+(?:is|was)\s+(?:the\s+)?(?:correct|right|best|true)(?:\s+(?:answer|option|choice|one))?$|^(?P<label>\(?[A-Z]\)?)[,;:.]?\s+(?:because|since)\b.*$",
    re.DOTALL,
)
LABEL_LAST = re.compile(r"^(?P<text>.*\S)\s*[(\[](?P<label>[A-Z])[)\]]$", re.DOTALL)
FENCE = re.compile(
    r"^[ \t]*(?P<fence>```|~~~)[ \t]*(?P<language>[A-Za-z0-9_+-]*)[^\n`]*\n(?P<body>.*?)(?:\n[ \t]*(?P=fence)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


def fold(text: str) -> str:
    """For comparing what was written with what was shown: width, case and spaces do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .。")


def unboxed(text: str) -> str | None:
    """The content of the last `\\boxed{…}`, braces balanced."""
    start = max(text.rfind("\\boxed{"), text.rfind("\\fbox{"))
    if start == -1:
        return None
    depth, opening = 0, text.index("{", start)
    for position in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[opening + 1 : position].strip() or None
    return None


def undressed(text: str, *, quotes: bool = False) -> str:
    """Without bold, code ticks, dollar signs, \\text{} and, if asked for, quotation marks that stand around the
    whole.
    """
    while True:
        text = text.strip()
        if found := WRAPPING.match(text):
            text = next(group for group in found.groups() if group is not None)
        elif quotes and any(len(text) > 1 and text[0] == pair[0] and text[-1] == pair[1] for pair in QUOTES):
            text = text[1:-1]
        else:
            return text


def without_lead(text: str) -> str:
    """Without `The answer is`; a title such as `The Answer Is You` keeps its own."""
    found = OPENING.match(text)
    if found is None or re.match(r"\w+ \w+ Is ", text):
        return text
    rest = found["rest"].strip()
    if not rest.isascii():
        rest = CLOSING.sub("", rest)
    return rest or text


def last_said(text: str) -> str | None:
    """What follows the last `The answer is` of a text, up to the end of its line."""
    found = list(SAID.finditer(text))
    return CLOSING.sub("", found[-1]["rest"]) if found else None


def tidy_answer(answer: str, kind: str) -> str:
    """An answer without the wrapping that belongs to no answer: fences, boxes, `The answer is`, a closing full stop."""
    answer = answer.strip()
    if kind == Kind.code:
        return program_of(answer)
    if kind == Kind.free_text:
        fenced = FENCE.fullmatch(answer)
        return fenced["body"].strip("\n") if fenced else answer
    if (boxed := unboxed(answer)) is not None:
        answer = boxed
    answer = undressed(without_lead(undressed(answer)), quotes=kind == Kind.short_text)
    return (
        answer[:-1].rstrip()
        if answer.endswith((".", "。")) and not answer.endswith("..") and kind == Kind.numeric
        else answer
    )


def program_of(text: str) -> str:
    """The program in a text: as it is where it is Python; else its fenced blocks, all of them where they make one
    program, or the first that does.
    """
    text = text.strip("\n")
    blocks = [
        found["body"].strip("\n")
        for found in FENCE.finditer(text)
        if found["language"].lower() not in ("json", "text", "output", "bash", "sh", "console")
    ]
    if not blocks or is_python(text):
        return text.strip() if blocks else text
    defining = [
        block
        for block in blocks
        if is_python(block) and re.search(r"^\s*(?:async\s+)?(?:def|class)\s|^\w+\s*=\s*lambda\b", block, re.MULTILINE)
    ]
    return defining[0] if defining else blocks[0]


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def match_option(answer: str, options: list[str]) -> str | None:
    """The option that an answer names, by its text, by its label in the order shown, or by both when they agree.

    As written first: an option may itself be a letter, or be told from another by case alone (genotypes BB, Bb, bb).
    """
    boxed = unboxed(answer)
    plain = undressed(boxed or answer, quotes=True)
    led = undressed(without_lead(plain), quotes=True)
    candidates = [answer, plain, led]
    if found := OPTION_WORD.match(led) or OPTION_WORD.match(plain) or IT_IS.match(led):
        candidates.append(undressed(CLOSING.sub("", found["rest"]), quotes=True))
    if found := IS_RIGHT.match(candidates[-1].rstrip(" .!")):
        candidates.append(undressed(found["text"] or found["label"], quotes=True))
    for candidate in dict.fromkeys(candidates):
        if (option := _by_text(candidate, options)) is not None or (
            option := _by_label(candidate, options)
        ) is not None:
            return option
    return None


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
    return option if option is not None and (not rest or _by_text(rest, options) == option) else None


def _at(label: str, options: list[str]) -> str | None:
    index = LABELS.index(label)
    return options[index] if index < len(options) else None
