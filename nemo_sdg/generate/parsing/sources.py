"""Takes the footnotes and the list of references off the end of an answer.

without_sources("dead pledge [1]\\n\\n[1] Oxford English Dictionary")  ->  "dead pledge"
"""

import re

from nemo_sdg.generate.parsing.headings import BULLET

NOTE = re.compile(r"[ \t]*\[(?P<number>\^?\d{1,2})\]:?[ \t]+\S")
MARK = re.compile(r"[ \t]?\[(?P<number>\^?\d{1,2})\](?!\()")
MARK_LAST = re.compile(r"\[\^?\d{1,2}\][.。*_]{0,3}\Z")
HEADING = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+)?[*_]{0,3}(?:references|sources|bibliography|works cited|further reading|"
    r"literatur(?:verzeichnis)?|quellen(?:verzeichnis)?|références|bibliographie|referencias|fuentes|bibliografía|"
    r"referências|bibliografia|riferimenti|fonti|bronnen|referenties|källor|referenser|źródła|zdroje|kaynaklar|"
    r"kaynakça|источники|литература|список литературы|джерела|daftar pustaka|referensi|tài liệu tham khảo|"
    r"المراجع|المصادر|संदर्भ सूची|参考文献|参考资料|參考文獻|출처|참고 ?문헌)[ \t]*[:：]?[*_]{0,3}[:：]?[ \t]*",
    re.IGNORECASE,
)


def without_sources(answer: str) -> str:
    """The answer without a last list of references under its own heading, and without footnotes of which the text above
    them ends in a mark.
    """
    if "\n" not in answer:
        return answer
    lines = answer.rstrip().split("\n")
    first = len(lines)
    while first > 0 and (
        not lines[first - 1].strip() or BULLET.match(lines[first - 1]) or NOTE.match(lines[first - 1])
    ):
        first -= 1
    if 0 < first < len(lines) and HEADING.fullmatch(lines[first - 1]) and (body := _body(lines[: first - 1])):
        return _without_marks(body, lines[first:])
    first = len(lines)
    while first > 0 and (not lines[first - 1].strip() or NOTE.match(lines[first - 1])):
        first -= 1
    body = _body(lines[:first])
    apart = first < len(lines) and not lines[first].strip()
    return _without_marks(body, lines[first:]) if apart and MARK_LAST.search(body) else answer


def _body(lines: list[str]) -> str:
    return "\n".join(lines).rstrip()


def _without_marks(body: str, notes: list[str]) -> str:
    """The text without the marks of the notes."""
    numbers = {found["number"] for line in notes if (found := NOTE.match(line))}
    return MARK.sub(lambda mark: "" if mark["number"] in numbers else mark[0], body)
