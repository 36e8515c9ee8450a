"""Reads JSON objects in a reply, and repairs the errors that models make in JSON.

    read_objects('Here:\\n```json\\n{"answer": "4"} // done\\n```')     -> [{"answer": "4"}]
    read_objects('{"reasoning": "They "breathe".", "answer": "B"}') -> [{"reasoning": 'They "breathe".', "answer": "B"}]

LaTeX with single backslashes is kept: `\\\\frac` is not a form feed. Newlines and tabs are kept too: in `\\\\nu` after
a full stop, or before an equals sign, `u` is a variable on a new line. Nothing is evaluated; numbers keep their
spelling.
"""

import itertools
import json
import re
from typing import Any

COMMANDS = frozenset(
    """
    neg nearrow nwarrow nless nleq nleqslant ngtr ngeq ngeqslant nsubseteq nsubset nsupseteq nsupset nexists
    ni nin norm nolimits nonumber nu ne neq nabla not notin notag natural ncong nmid nparallel nprec npreceq
    nsim nsucc nsucceq ntriangleleft ntrianglerighteq nvdash nvDash nLeftarrow nRightarrow nLeftrightarrow
    nleftarrow nrightarrow nleftrightarrow newline newcommand newpage noindent normalsize numberwithin
    nobreakspace nocite node therefore tilde tan tanh tbinom tfrac thinspace thickspace thickapprox thicksim
    top to times text textbf textit textrm texttt textsf textsc textnormal textup textcolor textstyle
    textsuperscript textsubscript textdegree textmu textquotesingle textbackslash textasciitilde textless
    textgreater theta tau triangle triangledown triangleleft trianglelefteq triangleright trianglerighteq
    triangleq twoheadrightarrow twoheadleftarrow tag tiny table tabular tableofcontents title
    tdplotsetmaincoords tr Tr trace tright rm rvert rVert rceil rfloor rangle right rightarrow rightarrowtail
    rightharpoonup rightharpoondown rightleftarrows rightleftharpoons rightrightarrows rightsquigarrow
    rightthreetimes rho ref relax root rbrace rbrack rgroup rmoustache risingdotseq rtimes rule raisebox
    renewcommand rank rad rot
    """.split()  # noqa: SIM905  a list of 150 words is read in lines
)
"""LaTeX commands that begin with a letter which JSON reads as an escape, n, r or t; those with b or f need no list,
since texts contain no backspace or form feed"""
MAX_ATTEMPTS = 20
"""maximum number of braces of a text that are tried as the start of an object"""
ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\([bfnrt])([A-Za-z]*)")
INVALID_ESCAPE = re.compile(r'(?<!\\)((?:\\\\)*)\\(?![\\"/bfnrtu])|(?<!\\)((?:\\\\)*)\\(?=u(?![0-9a-fA-F]{4}))')
DOUBTFUL = {"nu", "ne", "ni", "nless", "nexists", "nmid", "nsim", "ncong", "nparallel", "to", "tan", "top", "tag"}
"""commands that could also be a newline or tab before a word or a variable"""
SPOKEN_KEY = re.compile(r"""(?:(?<=[{,\n])|^)\s*(["'])([A-Za-z_ ]{3,24})\1\s*:\s*""")
SMART_KEY_QUOTES = re.compile(r"(?<=[{,:\n])\s*[“”„]|[“”](?=\s*[:,}\n])")
SMART_OBJECT = re.compile(r"\{\s*[“”„]\w+[“”]\s*:")
"""curly quotation marks where JSON has straight ones"""
PROPER = re.compile(r"\\\\[A-Za-z]{2,}")
ENVIRONMENT = re.compile(r"(?<!\\)(?:\\\\)*\\begin\{(?P<name>[A-Za-z]+\*?)\}.*?\\end\{(?P=name)\}", re.DOTALL)
"""a LaTeX environment that was written with single backslashes"""
ROW_BREAK = re.compile(r"(?<!\\)\\\\(?=\\?(?!\\))")
COMMENT = re.compile(r"//[^\n\"]*$|/\*.*?\*/|\#[^\n\"]*$", re.MULTILINE)
TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Numbers keep their spelling (1.50, 10**400), since an answer is text.
_DECODER = json.JSONDecoder(strict=False, parse_float=str, parse_int=str, parse_constant=_no_constant)


def read_objects(text: str, keys: set[str], *, latex: bool = True) -> list[dict[str, Any]]:
    """All JSON objects at the top level of a text, in order. In an object that does not parse, the names in `keys` are
    searched. Objects that are not closed are left out.
    """
    if "{" not in text:
        return []
    candidates = [text]
    if "\\" in text:
        escaped = escape_latex(text) if latex else text
        repaired = INVALID_ESCAPE.sub(lambda match: f"{match.group(1) or match.group(2) or ''}\\\\", escaped)
        candidates = [escaped, repaired]
    for candidate in dict.fromkeys(candidates):
        if found := _strict(candidate):
            return found
    last = candidates[-1]
    tidied = TRAILING_COMMA.sub("", COMMENT.sub("", last))
    if tidied != last and (found := _strict(tidied)):
        return found
    spoken = _spoken(SMART_KEY_QUOTES.sub('"', last) if SMART_OBJECT.search(last) else last, keys)
    return [spoken] if spoken else []


def read_cut_object(text: str, keys: set[str]) -> dict[str, Any] | None:
    """The complete fields of an object that was cut off, without the field that was cut."""
    start = text.find("{")
    marks = list(SPOKEN_KEY.finditer(text, start + 1)) if start != -1 else []
    fields: dict[str, Any] = {}
    for mark, following in itertools.pairwise(marks):
        value = text[mark.end() : following.start()].strip().rstrip(",").rstrip()
        if mark[2].strip().casefold().replace("_", " ") in keys and len(value) > 1 and value[0] == value[-1] == '"':
            fields[mark[2]] = _unescaped(escape_latex(value[1:-1]))
    return fields or None


def read_string(text: str) -> str | None:
    """The text of a reply that is one JSON string."""
    if not (text.startswith('"') and text.endswith('"') and len(text) > 1):
        return None
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def escape_latex(text: str) -> str:
    """Doubles the backslash of each LaTeX command that JSON would read as a control character, and those of a row
    break in an environment that JSON would read as one backslash.
    """
    if "begin{" in text:
        text = ENVIRONMENT.sub(lambda found: ROW_BREAK.sub(r"\\\\\\\\", found[0]), text)
    return ESCAPED.sub(lambda found: _escaped(found, text), text)


def _escaped(found: re.Match[str], text: str) -> str:
    before, letter, rest = found.groups()
    word = letter + rest
    if not rest or not _is_command(word, text, found):
        return found[0]
    return f"{before}\\\\{word}"


def _is_command(word: str, text: str, found: re.Match[str]) -> bool:
    """Whether `\\word` is LaTeX; else its first letter is a control character."""
    if word[0] in "bf":
        return True  # texts have no backspace or form feed before a letter
    if word not in COMMANDS:
        return False
    if word not in DOUBTFUL:
        return True
    place, end = found.start(), found.end()
    if re.match(r"\s*=(?!=)", text[end : end + 8]):
        return False  # u = 3
    if PROPER.search(text):
        return False  # the text escapes other commands, so this is a newline
    if _in_mathematics(text, place):
        return True
    previous = text[place - 1 : place]
    return previous not in tuple(".!?:;,。！？：；，)") and not text[:place].endswith("\\n")


def _in_mathematics(text: str, place: int) -> bool:
    """Whether a position is between dollar signs, or between \\( and \\)."""
    line = text[max(0, place - 400) : place]
    if (start := max(line.rfind('": "'), line.rfind('":"'))) != -1:
        line = line[start + 3 :]
    opened = max(line.rfind("\\("), line.rfind("\\["), line.rfind("\\begin"))
    closed = max(line.rfind("\\)"), line.rfind("\\]"), line.rfind("\\end"))
    return opened > closed or line.count("$") % 2 == 1


def _strict(text: str) -> list[dict[str, Any]]:
    found, position = [], text.find("{")
    attempts = 0
    while position != -1 and attempts < MAX_ATTEMPTS:
        attempts += 1
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            if isinstance(value, dict):
                found.append(value)
        position = text.find("{", end)
    return found


def _spoken(text: str, keys: set[str]) -> dict[str, Any] | None:
    """The fields of an object that does not parse (quotes in its texts, single quotes), found by the keys that it
    contains; None if the object is not closed.
    """
    end = text.rfind("}")
    start = text.find("{")
    if start == -1 or end < start or text[end + 1 :].strip().strip("`]} \n\t.;")[:200].count('"') > 1:
        return None
    body = text[start:end]
    marks = [mark for mark in SPOKEN_KEY.finditer(body) if mark[2].strip().casefold().replace("_", " ") in keys]
    fields: dict[str, Any] = {}
    for number, mark in enumerate(marks):
        until = marks[number + 1].start() if number + 1 < len(marks) else len(body)
        value = body[mark.end() : until].strip().rstrip(",").rstrip()
        if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
            fields[mark[2]] = _unescaped(value[1:-1])
        elif re.fullmatch(r"-?[\d.,]+|null|None|true|false|True|False", value):
            fields[mark[2]] = None if value in ("null", "None") else value
        else:
            return None
    return fields or None


def _unescaped(text: str) -> str:
    inner = re.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', text.replace("\\'", "'"))
    try:
        value = _DECODER.decode(f'"{inner}"')
    except (ValueError, RecursionError):
        return text
    return str(value)
