"""Which option an answer of several lines or clauses names: its first one, or the label at its end.

option_of("carbon dioxide, because leaves take it in", options)    ->  "carbon dioxide"
option_of("about 2.83 s, i.e. option (C)", options)                ->  options[2]
"""

import re

from nemo_sdg.generate.parsing.answers.dress import undressed
from nemo_sdg.generate.parsing.answers.leads import OPTION_NOUNS, SO
from nemo_sdg.generate.parsing.answers.options import by_named_label, by_text, match_option, names_another

CLAUSE = re.compile(r"[,;–—]|\s-\s|[.。]\s")
BECAUSE = re.compile(
    r"[,;–—\s-]*(?:because|since|given that|weil|da|denn|car|parce que|puisque|porque|ya que|pois|já que|perché|poiché|"
    r"omdat|want|eftersom|fordi|ponieważ|потому что|так как|поскольку|бо|тому що|çünkü|لأن|क्योंकि|因为|因為|なぜなら|"
    r"왜냐하면)(?!\w)",
    re.IGNORECASE,
)
"""how the reason of an answer begins; what it says of other options is no other answer"""
JOINT = re.compile(r"\s*(?P<arrow>[→⇒➔⟹⟶]|[=-]>)\s*|[;:,：，；]\s*|\s[–—-]\s|\s+(?=[(（])|[.。]\s+")
"""what parts an answer from the label behind it: `2.83 s, i.e. option (C)`, `I and III → C`"""
THAT_IS = re.compile(
    rf"(?:and\s+)?(?:i\.\s?e\.|that is|namely|which is|d\.\s?h\.|das heißt|das ist|c['’]est-à-dire|soit|es decir|o sea|"
    rf"ou seja|isto é|cioè|ossia|dvs\.?|то есть|т\.\s?е\.|czyli|yani|tức là|yaitu|即|也就是|つまり|즉|{SO})"
    r"(?!\w)[\s,，:]*",
    re.IGNORECASE,
)
LONGEST_LINE = 400


def option_of(answer: str, options: list[str]) -> str | None:
    """The option that an answer names; in an answer of several lines, that of the first line which names one."""
    lines = [line.strip() for line in answer.split("\n") if line.strip()]
    for part in dict.fromkeys([answer.strip(), *lines[:3], *(line.split(" because ")[0] for line in lines[:1])]):
        if (option := match_option(part, options)) is not None:
            return option
    if not lines:
        return None
    cut = CLAUSE.split(lines[0])[0].strip()
    option = match_option(cut, options) if cut != lines[0] else None
    if option is None:
        return _labelled_last(lines[0], options)
    tail = lines[0][len(cut) :]
    return None if not BECAUSE.match(tail) and names_another(tail, option, options) else option


def _labelled_last(line: str, options: list[str]) -> str | None:
    """The option whose label ends a line, behind words that name no other one: `≈ 2.83 s, i.e. option (C)`. A bare
    letter must agree with the text of its option, or be said to be the conclusion.
    """
    joints = list(JOINT.finditer(line)) if len(line) <= LONGEST_LINE else []
    for joint in joints[:-3:-1]:
        head, tail = line[: joint.start()], line[joint.end() :]
        inner = tail[1:-1] if tail[:1] in ("(", "（") and tail[-1:] in (")", "）") else tail
        lead = THAT_IS.match(inner)
        said = undressed(inner[lead.end() :] if lead else inner)
        option = by_named_label(said, options)
        if option is None or names_another(head, option, options):
            continue
        if joint["arrow"] or lead or len(said.strip(" .!。*")) > 1 or by_text(head, options) == option:
            return option
    return None


def option_said(answer: str, reasoning: str, options: list[str]) -> str | None:
    """The option of a bare number that is none of them, where the reasoning calls one so: `5 is listed as option 2`."""
    number = answer.strip(" .*#()")
    if len(number) > 2 or not number.isascii() or not number.isdigit() or not 0 < int(number) <= len(options):
        return None
    called = rf"\b(?:{OPTION_NOUNS})\s*(?:#|no\.?|number)?\s*\(?{int(number)}\)?(?![\w.,]*\d)"
    return options[int(number) - 1] if re.search(called, reasoning, re.IGNORECASE) else None
