r"""The one reader of `\boxed{…}` and `\fbox{…}`.

last_box(r"So \boxed{2}, or rather \boxed{\frac{1}{2}}.")  ->  r"\frac{1}{2}"
last_box(r"\boxed 5")                                      ->  "5"
last_box(r"\boxed{5")                                      ->  None   (cut off)
last_boxes(r"x = \boxed{2} or x = \boxed{3}")               ->  ["2", "3"]
without_boxes(r"x = \boxed{5} m")                          ->  "x = 5 m"
"""

import itertools
import re
from dataclasses import dataclass

COMMAND = re.compile(r"\\f?box(?:ed)?(?![A-Za-z])\s*(?P<brace>\{)?|\\framebox\s*(?P<frame>\{)")
BARE = re.compile(r"(?:\\[A-Za-z]+|[-+]?\d+(?:[.,]\d+)*|[^\s\\{}$])")
BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
"""braces, and what a backslash makes of the character after it"""
DEEPEST = 20
"""boxes in boxes that are looked into; a deeper nest is a loop"""

JOINT = re.compile(
    r"(?:[A-Za-zα-ω](?:_?\{?\w{1,3}\}?)?'?\s*=|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]|[-•][ \t]++|"
    r"[\s$,;.、，；。&|*{}]|\\[()\[\],;:\\]|\\q?quad(?![A-Za-z])|\\(?:text|mathrm|mbox)(?=\s*\{)|"
    r"(?:and|or|und|oder|et|ou|y|o|e|и|или|en|of|i|lub|ve|veya|和|或|与|と|또는|و|أو)(?!\w))*+"
)
"""what stands between two boxes that are values of one answer: a comma, a conjunction, a name with an equals sign;
the repetition is possessive, so matching takes linear time
"""
APART = re.compile(r"(?=[^.。]*(?:[.。]|\n[ \t]*\n))[\s$.。*{}\\()\[\]]*+")
"""a full stop or an empty line and nothing that joins: the second box is a later answer"""
UNIT = re.compile(r"\s*(?:\\[ ,;:!]|~)*\s*\\(?:text|mathrm|mbox)(?![A-Za-z]).*|\s+[A-Za-z%°]+", re.DOTALL)
"""what a box has after the number that the box before it has alone"""
MOST_VALUES = 20
"""a longer row of boxes is a loop, and no list of values"""
DENIED = re.compile(
    r"(?:(?<!\w)(?:not|rather than|instead of|nicht|pas|non|nie|не)|不是|而非)\s*(?:\$|\\[(\[])?"
    r"\s*(?:\w{1,2}\s*=\s*)?\Z"
)
"""what comes before a box that a text denies: 2 in a box, not 3"""


@dataclass(frozen=True, slots=True)
class Box:
    """One box of a text: its content and the span of the whole command."""

    content: str
    start: int
    end: int


def find_boxes(text: str) -> list[Box]:
    """All complete boxes, in order; a box inside another one is part of its content."""
    found: list[Box] = []
    position, closing = 0, None
    while (command := COMMAND.search(text, position)) is not None:
        if closing is None:
            closing = _closing_braces(text, command.start())
        box = _read_box(text, command, closing)
        position = command.end() if box is None else box.end
        if box is not None:
            found.append(box)
    return found


def last_box(text: str) -> str | None:
    """The content of the last box, without spaces around it; None where there is none, or where it is cut off.

    A box that holds nothing but another box gives the inner content.
    """
    if "box" not in text:
        return None
    commands, boxes = list(COMMAND.finditer(text)), find_boxes(text)
    # Where the last command is cut off, an earlier box is a draft and not the answer.
    if not boxes or boxes[-1].end <= commands[-1].start():
        return None
    content = boxes[-1].content.strip()
    for _ in range(DEEPEST):
        inner = find_boxes(content)
        if len(inner) != 1 or inner[0].start or inner[0].end < len(content):
            break
        content = inner[0].content.strip()
    return content


def last_boxes(text: str) -> list[str]:
    """The content of the last box, after those of the boxes that a comma, a conjunction or nothing parts from it; []
    where there is none, or where it is cut off.
    """
    last = last_box(text)
    if last is None:
        return []
    boxes = find_boxes(text)
    while len(boxes) > 1 and DENIED.search(text, boxes[-2].end, boxes[-1].start):
        boxes.pop()
        last = last_box(text[boxes[-1].start : boxes[-1].end]) or ""
    contents = [last]
    for box, following in reversed(list(itertools.pairwise(boxes))):
        content = last_box(text[box.start : box.end])
        if content is None or JOINT.fullmatch(text, box.end, following.start) is None:
            break
        if APART.fullmatch(text, box.end, following.start) is not None:
            break
        if not (contents[0].startswith(content) and UNIT.fullmatch(contents[0], len(content))):
            contents.insert(0, content)
        if len(contents) > MOST_VALUES:
            return [last]
    return list(dict.fromkeys(contents))


def without_boxes(text: str, depth: int = DEEPEST) -> str:
    """The text with each complete box, down to `depth` boxes in boxes, replaced by its content."""
    out, position = [], 0
    for box in find_boxes(text) if depth else ():
        out += [text[position : box.start], without_boxes(box.content, depth - 1)]
        position = box.end
    return "".join([*out, text[position:]])


def _closing_braces(text: str, start: int) -> dict[int, int]:
    """Where each brace that is opened after `start` is closed, in one pass: a loop of boxes that are never closed has
    thousands of them.
    """
    closing, opened = dict[int, int](), list[int]()
    for brace in BRACES.finditer(text, start):
        if brace[0] == "{":
            opened.append(brace.start())
        elif brace[0] == "}" and opened:
            closing[opened.pop()] = brace.start()
    return closing


def _read_box(text: str, command: re.Match[str], closing: dict[int, int]) -> Box | None:
    if command["brace"] is None and command["frame"] is None:
        bare = BARE.match(text, command.end())
        return Box(bare[0], command.start(), bare.end()) if bare is not None else None
    end = closing.get(command.end() - 1)
    return None if end is None else Box(text[command.end() : end], command.start(), end + 1)
