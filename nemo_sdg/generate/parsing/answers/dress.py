"""Takes the dress off the answer that a model wrote: boxes, bold, fences, quotes and `The answer is`.

tidy_answer("**The answer is \\\\boxed{42}.**", "numeric")  ->  "42"
find_said("Six. So the answer is 7.")                     ->  [Said(rest="7", …)]
"""

import re
import unicodedata
from dataclasses import dataclass

from nemo_sdg.generate.parsing.answers.leads import LEAD, MARKS, find_leads
from nemo_sdg.generate.parsing.answers.programs import FENCE, program_of
from nemo_sdg.generate.parsing.answers.statements import joined, statement_of
from nemo_sdg.records import Kind
from nemo_sdg.text.boxes import last_boxes
from nemo_sdg.text.numbers import numbers_equal, read_number
from nemo_sdg.text.rivals import is_of_another

OPENING = re.compile(rf"^{LEAD}(?P<rest>\S.*)$", re.IGNORECASE | re.DOTALL)
BEGINS_SENTENCE = r"A-Z\"“«(*\\À-ÖØ-ÞĆČĐĞİŁŚŞŠŹŻŽΑ-ΩЀ-Я\u0590-\u0fff\u1100-\u11ff\uac00-\ud7af"
"""capitals, the letters of scripts that have none, and marks"""
NO_SHORT_WORD = (
    r"(?<![\s.(\[*][^\W\d_])(?<!\b[A-Za-z]{2})(?<![\s.(\[*][^\W\d_][\u0900-\u0dff\u0e31-\u0e4e])(?<!\b(?:ул|им|св|Дж))"
)
"""behind no initial, alone or with its vowel sign (А., மு.), and no abbreviation of two letters"""
SENTENCE_ENDS = re.compile(rf"{NO_SHORT_WORD}[.!?؟۔](?:\s+(?=[{BEGINS_SENTENCE}])|\s*$)|[。！？।]")
CLOSING = re.compile(r"\s*(?:です|だ|である|입니다)\s*[.。]?$")
WRAPPING = re.compile(
    r"^(?:\*\*(?P<bold>[^*](?:(?!\*\*).)*)\*\*|\*(?P<italic>[^*]+)\*|__(?P<under>(?:(?!__).)+)__|`+(?P<ticks>[^`]+)`+|"
    r"\$\$?(?P<dollars>[^$]+)\$\$?|\\\((?P<round>(?:(?!\\\)).)+)\\\)|\\\[(?P<square>(?:(?!\\\]).)+)\\\]"
    r"|\\(?:text\w*|math(?:rm|bf|sf)|mbox)\s*\{(?P<text>[^{}]*)\})$",
    re.DOTALL,
)
TICKED = re.compile(r"\A(`{1,2})(?P<line>[^`\n]+)\1\Z")
"""a program of one line between backticks"""
PYTHON = re.compile(r"__[a-z]+(?:_[a-z]+)*__(?:\.py)?|\*\*kw\w*")
"""names of Python that look like emphasis"""
QUOTES = ('""', "''", "“”", "„“", "«»", "‘’", "「」", "『』")
WRAPS = frozenset("*_`$\\" + "".join(pair[0] for pair in QUOTES))
"""first characters of wrapped texts"""
MARKED = re.compile(r"\*\*([^*\n]+)\*\*|(?<![*\w])\*([^*\s][^*\n]*)\*(?![*\w])")
QUANTITY = re.compile(
    r"^[^\d=\\$]{4,}?(?:(?<!\w)(?:is|are|was|were|equals|costs?|totals?|ist|sind|beträgt|kostet|est|sont|es|son|é|è|são)\s+|"
    r"(?:是|为|為|等于|は|은|는)\s*|[:：]\s*)(?P<value>[-+−]?\s?[$€£¥]?\d[^:：=]{0,40})$"
)
"""a sentence that ends in a number: `Total cost: 310`, `The area is 36 square metres`"""
CONCLUDES = re.compile(r"^(?:[∴⇒→➔⟹=≡✅✔☑✓👉🎯]\ufe0f?|\\(?:therefore|Rightarrow|implies)\b|####?+)\s*(?=\S)")
EXPLAINED = re.compile(
    r"^(?P<text>(?:[^\s,.;:!?]++\s++){0,5}[^\s,.;:!?]++(?<=[\w*\"”»]))"
    r"(?:,\s+(?:because|since|as it|as they|weil|da|car|"
    r"parce que|porque|ya que|pois|perché|poiché|omdat|потому что|так как|поскольку)\s|"
    r"\s+[—–]\s+(?:the|a|an|which|who|der|die|das|ein|eine|le|la|el|un|une|una)\s).*$",
    re.DOTALL,
)
"""what explains a short text: `Paris, because it is the seat`, `Paris — the capital of France`"""
GLOSS = re.compile(r"^(?P<text>[^()（）]*[^\W\d_][^()（）]*\S)\s+[(（][^\W\d][^()（）\d]*[)）]$")
"""a short text with an explanation in brackets: `Paris (France)`"""


LONGEST_GLOSSED = 400
AGAIN = re.compile(r"^(?P<text>[^()]*?[^()\s\\])(?:\s*\\q?quad|\\[,;:! ])*\s*[(（](?P<again>[^()]*\d[^()]*)[)）]$")


def fold(text: str) -> str:
    """The text without differences of width, case and spaces, for comparing an answer with the options."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .。।۔")


def undressed(text: str, *, quotes: bool = False) -> str:
    """The text without bold, code ticks, dollar signs, \\text{} and, with `quotes`, quotation marks around the whole;
    a single bold mark of a pair is removed too.
    """
    while True:
        text = text.strip()
        if (text[:1] not in WRAPS and "**" not in text) or PYTHON.fullmatch(text):
            return text
        if text.count("**") == 1 and len(text) > 2 and not (text[0] == text[-1] == "`"):
            text = text.replace("**", "", 1)
        elif text.endswith((".", "。")) and WRAPPING.match(text[:-1]):
            text = text[:-1]
        elif found := WRAPPING.match(text):
            text = next(group for group in found.groups() if group is not None)
        elif quotes and any(_is_quoted(text, *pair) for pair in QUOTES):
            text = text[1:-1]
        else:
            return text


def _is_quoted(text: str, opening: str, closing: str) -> bool:
    """Whether one pair of quotation marks encloses the text, and not a first and a last word each its own."""
    inner = re.sub(r"(?<=\w)['’](?=\w)", "", text[1:-1])
    return len(text) > 1 and text[0] == opening and text[-1] == closing and closing not in inner


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
    starts = [start for start in find_leads(text, begin, end) if not is_of_another(text, start.start())]
    found = []
    for start, following in zip(starts, [*starts[1:], None], strict=False):
        until = end if following is None else following.start()
        stop = SENTENCE_ENDS.search(text, start.end(), until)
        rest = text[start.end() : stop.start() if stop else until].strip()
        if following is None and not rest.strip(" :：*_"):
            rest = text[end:].strip()  # the answer is on the lines after `The answer is:`
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
        program = program_of(answer)
        return TICKED.sub(r"\g<line>", program)
    if kind == Kind.free_text:
        fenced = FENCE.match(answer)
        return fenced["body"].strip("\n") if fenced and fenced.end() == len(answer) else answer
    boxes = last_boxes(answer)
    answer = joined(boxes, kind) if boxes else statement_of(answer, kind)
    answer = undressed(without_lead(undressed(answer)), quotes=kind == Kind.short_text)
    answer = undressed(CONCLUDES.sub("", answer))
    marked = [bold or italic for bold, italic in MARKED.findall(answer)]
    if len(marked) == 1 and len(answer.split()) > len(marked[0].split()) + 1:
        answer = undressed(marked[0])
    elif len(marked) > 1:
        answer = MARKED.sub(lambda found: found[1] or found[2], answer)
    elif kind == Kind.numeric and (found := QUANTITY.match(answer)):
        answer = found["value"]
    if kind == Kind.short_text:
        answer = EXPLAINED.sub(r"\g<text>", answer)
    ends = answer.endswith(".") and not answer.endswith("..") and (kind == Kind.numeric or _is_name(answer))
    if ends or answer.endswith(("。", "।", "۔")):
        answer = undressed(answer[:-1], quotes=kind == Kind.short_text)
    if kind == Kind.numeric:
        return _said_once(answer)
    if (
        kind == Kind.short_text
        and len(answer) < LONGEST_GLOSSED
        and answer.endswith((")", "）"))
        and (found := GLOSS.match(answer))
    ):
        answer = found["text"]
    return answer


def _said_once(answer: str) -> str:
    """A quantity without the same one in brackets behind it, in another unit: `5 m (500 cm)`."""
    found = AGAIN.match(answer) if len(answer) < LONGEST_GLOSSED and answer.endswith((")", "）")) else None
    if found is None:
        return answer
    one, other = read_number(found["text"]), read_number(found["again"])
    if one is None or other is None or not (one.unit.dimensions and other.unit.dimensions):
        return answer
    return found["text"] if one.unit != other.unit and numbers_equal(one, other) else answer


def _is_name(answer: str) -> bool:
    """Whether the full stop at the end of a short text closes a sentence and not an abbreviation."""
    return (
        len(answer.split()) <= 8
        and "." not in answer[:-1]
        and len(answer.rstrip(".").split()[-1:][0] if answer.rstrip(".").split() else "") > 3
    )
