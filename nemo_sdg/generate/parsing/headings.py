"""The lines of a reply that are headings or labels of sections, by their names in many languages.

heading_of("**Answer:** B", 0).section   ->  "answer"
heading_of("Answers vary.", 0)           ->  None
"""

import re
from dataclasses import dataclass, replace
from importlib.resources import files

import yaml

NAMES: dict[str, str] = yaml.safe_load((files(__package__) / "section_names.yaml").read_text("utf-8"))
SECTIONS = {name.replace("_", " "): section for section, names in NAMES.items() for name in names.casefold().split()}
FINAL = re.compile(
    r"\bfinal\b|\bcorrected\b|\brevised\b|\bupdated\b|korrigiert|修正|訂正|수정|"
    r"\bendgültig|\bfinale\b|最终|最終|окончательн|итогов|النهائ|最后|최종|nihai|cuối cùng|akhir|अंतिम|চূড়ান্ত"
)
HEAD = re.compile(
    r"[ \t]*+(?P<mark>(?:(?:\#{1,6}+|>|[-+•*](?=[ \t])|\d{1,2}+[.)](?=[ \t])|"
    r"[^\w\s<*_#\"'`\\$(\[{【「«|=&^%@])[ \t]*+){0,4}+)"
    r"(?P<open>\*{1,3}+|_{1,2}+|【|\[|「)?(?:[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f\u200d]++[ \t]*+)?"
    r"(?:\d{1,2}+[.)][ \t]++)?(?:[Ss]tep[ \t]++\d++[:.][ \t]++)?"
    r"(?P<name>[^\W\d_][^:：=*【】\[\]「」()#<>$\\]{0,47}+)(?:\((?P<aside>[^()]{0,40}+)\)[ \t]*+)?"
    r"(?P<tail>[:：=][ \t]*+(?:\*{1,3}+|_{1,2}+(?=\s|$)|】|\]|」)?|】[ \t]*+[:：]?|"
    r"(?:\*{1,3}+|\]|」)[ \t]*+(?:[:：]|[-–—]++[ \t]|$|(?=\S))|$)"
)
"""the head of a line; quantifiers are possessive, so matching is fast for every line"""
BULLET = re.compile(r"[ \t]*(?:[-+*•–][ \t]|\d{1,2}[.)][ \t])")
DASH = re.compile(r"\s[-–—]+\s")
SIGNS_LAST = re.compile(r"[ \t]*[\u2190-\u2bff\U0001f000-\U0001faff]+\ufe0f?\Z")
"""emoji behind a name"""
FRAMED = re.compile(
    r"[ \t]*+(?:[=~`:]{1,40}+|-{2,40}+|[–—]{1,40}+|\\(?:sub)?section\*?\{|"
    r"(?:part|section|teil|partie|parte|sección|часть)[ \t]*+\d{1,2}[ \t]*+[:.—–-])[ \t]*+"
    r"(?P<name>[^\W\d_][^=~`:{}\n]{0,47}?)[ \t]*+[=~`:}–—-]{0,40}+[ \t]*+",
    re.IGNORECASE,
)
"""a heading between signs on a line of its own: `=== ANSWER ===`, `\\section{Answer}`, `Part 3: Answer`"""
LONGEST_HEAD = 140
_UNSEEN = dict.fromkeys(map(ord, "\u00a0\u200b\u200e\u200f\u202f\u2060\ufeff"), " ")
"""spaces and marks of no width around a heading; each stands for one character, so positions stay"""
RULE = re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,}|={3,})[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that begins a section, or that would begin one in a reply of another form."""

    name: str
    section: str
    start: int
    body: int
    """position at which its text begins"""
    opened: str
    """emphasis that its label opens and does not close"""
    aside: str
    final: bool
    mark: str
    """what stands before the name: -, with emphasis or brackets; # for Markdown's headings, > in a quotation; or
    nothing"""
    labelled: bool
    """whether a colon or the like follows the name"""
    level: int
    """number of # before the name; 0 without, or in a quotation"""

    @property
    def form(self) -> str:
        return "#" * self.level or self.mark

    def text(self, text: str, end: int) -> str:
        """What stands under the heading, up to `end`."""
        body = text[self.body : end]
        return trimmed(_without_mark(body, self.opened) if self.opened else body) or self.aside


def heading_of(line: str, start: int, names: dict[str, str] = SECTIONS) -> Heading | None:
    """The heading that a line is, by the names of the sections; `start` is the position of the line."""
    whole = line if line.isascii() else line.translate(_UNSEEN)
    whole = whole.rstrip(" \t#") if line.startswith("#") else whole  # `## Answer ##`
    if len(whole) <= LONGEST_HEAD and (framed := FRAMED.fullmatch(whole)) is not None:
        inner = heading_of(f"**{framed['name'].strip()}**", start, names)
        return None if inner is None else replace(inner, body=start + len(line))
    head = HEAD.match(whole[:LONGEST_HEAD])
    if head is None:
        return None
    name, body, tail = (
        head["name"].strip(" \t_"),
        len(line) if head.end() == len(whole) else head.end(),
        head["tail"].strip(" \t*_"),
    )
    dash = DASH.search(head["name"])
    if dash is not None:
        name, body, tail = name[: dash.start()], head.start("name") + dash.end(), "-"
    name = SIGNS_LAST.sub("", name)
    name = " ".join(name.casefold().replace("’", "'").replace("_", " ").split())
    section = names.get(name)
    if section is None:
        return None
    marked = bool(head["mark"].strip(" \t-+•*>") or head["open"])
    if tail[:1] in ("=", "-", "–", "—"):
        if section != "answer" and not head["open"] and not (dash and head["name"][: dash.start()].isupper()):
            return None
    elif not tail and not (marked or section in ("context", "reasoning", "answer")):
        return None  # a heading without a colon needs a mark, or must be one of the three main names
    opened = head["open"] or ""
    if not tail and len(line) > body and not opened:
        return None
    return Heading(
        name=name,
        section=section,
        start=start,
        body=start + body,
        opened="" if opened in head["tail"] else opened,
        aside=(head["aside"] or "").strip(),
        final=bool(FINAL.search(name)),
        mark=_mark_of(line, head),
        labelled=bool(tail),
        level=0 if ">" in head["mark"] else head["mark"].count("#"),
    )


def _mark_of(line: str, head: re.Match[str]) -> str:
    if ">" in head["mark"]:
        return ">"
    return "#" if "#" in head["mark"] else f"{'-' if BULLET.match(line) else ''}{head['open'] or ''}"


def _without_mark(body: str, mark: str) -> str:
    """The body without the closing mark of an emphasis that was opened before its label: `60**` becomes `60`."""
    closing = {"【": "】", "[": "]", "「": "」"}.get(mark, mark)
    place = body.find(closing)
    return body if place == -1 else body[:place] + body[place + len(closing) :]


def trimmed(text: str) -> str:
    """The text without horizontal rules at its ends."""
    lines = text.strip().split("\n")
    while lines and (RULE.fullmatch(lines[-1]) or not lines[-1].strip()):
        lines.pop()
    while lines and (RULE.fullmatch(lines[0]) or not lines[0].strip()):
        lines.pop(0)
    return "\n".join(lines).strip()


def is_option(line: str, heading: Heading, headings: list[Heading], last: str) -> bool:
    """Whether a line that could be a heading is one of the options that are being listed: `- knowledge`, or
    `- Theory: what explains many facts`. An option has the bullet that the heading of the list does not have. Without
    bullets, it follows another one (`last` is the line before) and is nothing but a name.
    """
    if not headings or headings[-1].section != "options":
        return False
    if BULLET.match(line):
        return not headings[-1].mark.startswith("-") and not (heading.section == "answer" and heading.labelled)
    bare = not heading.labelled and not heading.mark
    return bare and heading.section != "answer" and bool(last.strip()) and not BULLET.match(last)
