"""Outputs of programs: compared sign by sign, once the dress and the sentence around them are off.

same_output("It prints `[1, 2]`.", "[1,2]", "What does print(x) output?", "en")  ->  True
same_output("[1, 2]", "(1, 2)", "What does print(x) output?", "en")              ->  False
same_output("5.0", "5", "What does print(10 / 2) output?", "en")                 ->  False
"""

import ast
import functools
import re

from nemo_sdg.text.forms import aligning, framing
from nemo_sdg.text.forms.lexicon import listed
from nemo_sdg.text.programs import parse_expression

_ASKS = re.compile(
    r"\bprint(?:s|ed)?\b|\boutputs?\b|console\.log|\bdisplay|\breturn(?:s|ed)?\b|\braise|\bgibt\b.*\baus\b|\bausgabe|"
    r"\baffiche|\brenvoie|\bdevuelve|\bretorna|\brestituisce|\bzwraca|возвращает|\bliefert\b|\bimprime|\bstampa|\bimprimir|\bwypisze|\bskriver\b|\byazdır|\bçıktı|\bвывед|\bвывод|\bвиведе|\brun\b|execut|"
    r"输出|打印|出力|출력|يطبع|आउटपुट|mencetak|keluaran|\bin ra\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"`|\w\(|\[.*\]|\w\.\w+\(|==|\+=|//|%s|\blambda\b|\bfor\b.*:|\bdef\b|\{.*\}|;$", re.DOTALL)
_CALLS_PRINT = re.compile(
    r"\b(?:print(?:f|ln)?|repr|puts)\s*\(|\becho\s|console\.log|\bcout\s*<<|System\.out|\bdef \w+\(|^import \w+$",
    re.MULTILINE,
)
_PROGRAM_PRINTS = re.compile(
    r"\b(?:what|which \w+) (?:does|do|will|would) (?:\w+ ){1,4}?(?:program|code|script|snippet|loop|"
    r"statement|function)s?(?: below| above)?\s+(?:print|output|"
    r"display)\b|\bwhat (?:is|gets|will be|does it) (?:printed|output|"
    r"displayed)\b.{0,40}\b(?:program|code|script|snippet|loop)\b|"
    r"\boutput of (?:\w+ ){0,4}?(?:program|code|script|snippet|loop)\b|"
    r"\b(?:programm|skript|programme|programa|programma|kod|"
    r"програм\w*|програма|программ\w*|код|скрипт)\b.{0,60}?\b(?:ausgegeben|gibt\b.{0,40}\baus|"
    r"affiche(?:nt|r)?|imprime|stampa|выв(?:одит|едет)|wypisze|yazdır\w*|skriver)\b|"
    r"\b(?:ausgabe|sortie|salida|saída)\b.{0,40}\b(?:program|code|script|snippet|loop|programms?|"
    r"programme|programa|programma)\b|(?:程序|代码|程式|プログラム|コード|프로그램|코드).{0,30}?(?:输出|輸出|打印|出力|출력)|"
    r"(?:输出|輸出|打印|出力|출력).{0,30}?(?:程序|代码|程式|プログラム|コード|프로그램|코드)",
    re.IGNORECASE | re.DOTALL,
)
_ASKS_VALUE = re.compile(
    r"\bvalue\b|\bevaluat|\bresult|\bwert\b|\bergebnis|\bvaleur\b|\brésultat|\bvalor\b|\bvalore\b|\bresultado|"
    r"\brisultato|значени|результат|结果|值|結果|결과|값",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(
    r"\b(?:python|javascript|typescript|java|ruby|perl|php|haskell|rust|golang|kotlin|scala|lua|bash|numpy|pandas)\b|"
    r"\bC(?:\+\+|#)",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(r"`[^`]*[-+*/%()\[\]<>=][^`]*`|\b\w+\([^()]*\)|\d\s*[-+*/%]{1,2}\s*\d")
_ASKS_NAME = re.compile(r"\W*(?:which|who|why|where|how)\b", re.IGNORECASE)
_FENCE = re.compile(r"```[\w+-]*[ \t]*\n?(?P<body>.*?)\n?```", re.DOTALL)
_TICKS = re.compile(r"``?([^`]+)``?|\*\*([^*\n]+)\*\*")
_QUOTED = re.compile(r"[«“„\"「『]\s?([^«»“”„\"「」『』]+?)\s?[»”“\"」』]")
_OPENING, _CLOSING = "\"'“„«「『", "\"'”“»」』"
_BOLD_LABEL = re.compile(r"^\*\*([^*\n]+[:：])\*\*")
_REMARK = re.compile(
    r"\s+[–—-]{1,2}\s+[^`\d]*$|\s*[,;]\s+(?:since|car|так как)\b[^`]*$|\s*因为[^`]*$"
    r"|[,;]?\s+(?:because|weil|porque|perché|parce que|потому что|omdat)\s[^`]*$"
)
_ASIDE = re.compile(r"\s*[(（][^()（）]*[^\W\d_]{3}[^()（）]*[)）]\s*[.。]?$")
_LABEL = re.compile(r"^\W*(?:[^\W\d_]+\s){0,2}[^\W\d_]+\s?[:：]\s*(?=\S)")
_ERROR = re.compile(
    r"(?P<name>(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Iteration|Warning|Exit))(?:\s*:.*)?", re.DOTALL
)
_HAN = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3041-\u309f]")
_WORDS = listed("output_words")


def asks_output(question: str) -> bool:
    """Whether a question shows code and asks what it prints, gives or raises."""
    return len(question) > 8 and _asks_output(question)


@functools.lru_cache(maxsize=1 << 12)
def _asks_output(question: str) -> bool:
    if _CALLS_PRINT.search(question) is not None:
        return _ASKS.search(question) is not None
    if _PROGRAM_PRINTS.search(question) is not None:
        return True
    if "`" not in question and ("\\" in question or "$" in question):
        return False  # f(x) of mathematics
    if _ASKS.search(question) is not None and _CODE.search(question) is not None:
        return True
    return (
        _LANGUAGE.search(question) is not None
        and _ASKS_VALUE.search(question) is not None
        and _EXPRESSION.search(question) is not None
        and _ASKS_NAME.match(question) is None
    )


def same_output(a: str, b: str, question: str, language: str) -> bool:
    """Whether two answers give the same output: the same signs but for spaces at the end of lines, marks of quotation
    around it, and the way in which Python writes the same literal. An error is the same by its class.
    """
    ones, others = _outputs(a, question, language), _outputs(b, question, language)
    return any(_equal(one, other) for one in ones for other in others)


def _outputs(text: str, question: str, language: str) -> list[str]:
    """The output as it may be meant: the whole text, what is set off in it, what a sentence says of it."""
    text = text.strip("\n").rstrip()
    text = _BOLD_LABEL.sub(r"\1 ", _REMARK.sub("", text) or text)
    found = [text]
    for pattern in (_FENCE, _TICKS, _QUOTED):
        spans = list(pattern.finditer(text))
        if spans:
            if len(spans) == 1 and _is_frame(
                text[: spans[0].start()] + " " + text[spans[0].end() :], question, language
            ):
                found.append(next(group for group in spans[0].groups() if group is not None))
            return [*found, *map(_unquoted, found)]
    bare = _ASIDE.sub("", text)
    found.append(bare)
    if (label := _LABEL.match(bare)) is not None and _is_frame(label[0], question, language):
        found.append(bare[label.end() :])
    bare = re.sub(r"(?<=[\w'\])}])(?:입니다|이다|です|である)?[.。]$", "", bare)
    found.append(bare)
    words = list(re.finditer(r"\S+", bare))
    while len(words) > 1 and _is_frame(words[-1][0], question, language, code=False):
        words = words[:-1]
        bare = bare[: words[-1].end()]
        found.append(bare)
    taken = 0
    while taken < len(words) - 1 and _is_frame(words[taken][0], question, language, code=False):
        taken += 1
        if all(len(word[0]) == 1 for word in words[: taken + 1]):
            continue  # a is an output too
        rest = bare[words[taken].start() :]
        found += [rest, rest.rstrip(".。")]
    if (
        not bare.isascii()
        and (joined := re.match(r"[^\x00-\x7f]+?(?:是|为|為|は|：)\s*(?=[\x21-\x7f])", bare)) is not None
    ):
        found.append(re.sub(r"\s*(?:です|になります)?[。.]?$", "", bare[joined.end() :]))
    return [*found, *map(_unquoted, found)]


def _is_frame(text: str, question: str, language: str, *, code: bool = True) -> bool:
    """Whether words around an output say only that it is one. A word of code in the question is none of them."""
    text = _ASIDE.sub("", text.strip())
    if framing.denies(text):
        return False
    text = _HAN.sub(r" \g<0> ", text)
    if _KANA.search(text):
        text = " ".join(_KANA.sub(" ", text))
    words = aligning.words(text)
    if re.search(r"\d", text) or "one" in words or not (words or code):
        return False
    unsaid = [word for word in words if word not in _WORDS]
    asked = re.sub(r"`[^`]*`|\w+\([^)]*\)|[\"'][^\"']*[\"']", " ", question)
    return framing.frame_alone(" ".join(unsaid), asked, language) if unsaid else True


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] in _OPENING and text[-1] in _CLOSING:
        return text[1:-1].strip(" ")
    return text


def _equal(one: str, other: str) -> bool:
    one, other = (re.sub(r"^(-?)(?=\.\d)", r"\g<1>0", side.strip("\n")) for side in (one, other))
    lines, others = ([line.rstrip() for line in side.strip("\n").rstrip().split("\n")] for side in (one, other))
    if lines == others:
        return one.strip() != ""
    error, other_error = _ERROR.fullmatch(one.strip(" .")), _ERROR.fullmatch(other.strip(" ."))
    if error is not None and other_error is not None:
        alone = one.strip(" .") == error["name"] or other.strip(" .") == other_error["name"]
        return alone and error["name"] == other_error["name"]
    tree = _literal(one)
    return tree is not None and tree == _literal(other)


def _literal(text: str) -> str | None:
    """A literal as Python reads it, without its layout: [1,2] and [1, 2], .5 and 0.5; parsed, never run."""
    if not re.fullmatch(r"[\[({].*[\])}]", text.strip(), re.DOTALL) or len(text) > 2000:
        return None
    tree = parse_expression(text.strip())
    return None if tree is None else ast.dump(tree)
