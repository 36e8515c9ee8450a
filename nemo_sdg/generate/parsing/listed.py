"""Reads the options that a reply lists, one per line, without their bullets, labels and marks.

read_options("A) iron\\nB) **gold** ✅")     -> ["iron", "gold"]
read_options("- E. coli\\n- S. aureus")       -> ["E. coli", "S. aureus"]     initials are no labels
"""

import re

from nemo_sdg.generate.parsing.answers.labels import ALPHABETS
from nemo_sdg.generate.parsing.headings import RULE

BULLET = re.compile(r"[ \t]*[-+*•–—][ \t]+(?=\S)|[ \t]*•(?=\S)")
QUOTED = re.compile(r"[ \t]*>[ \t]*(?=[-+*•–][ \t])")
LABEL = re.compile(
    r"[ \t]*(?P<bold>\*\*)?(?P<open>[(（])?(?P<label>[^\W_]|[ivx]{1,4}|[IVX]{1,4}|\d{1,2}|[①-⑳])"
    r"(?:(?P<close>[)）]|[.、．:：](?!\d))\*{0,2}|(?<=[①-⑳]))[ \t]*(?=\S)"
)
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
SERIES = (
    *(list(alphabet) for alphabet in ALPHABETS),
    [letter.lower() for letter in ALPHABETS[0]],
    [letter.lower() for letter in ALPHABETS[1]],
    [str(number) for number in range(1, 21)],
    list("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"),
    list("१२३४५६७८९"),
    list("١٢٣٤٥٦٧٨٩"),
    list(ROMAN),
    [number.upper() for number in ROMAN],
)
"""how lists are labelled, in their order"""
CHECKBOX = re.compile(r"\[[ xX✓✔]?\][ \t]+(?=\S)")
TICKED = re.compile(
    r"\s*(?:[✅✔☑✓]\ufe0f?|[*_]{0,2}[(\[](?:correct|right|richtig|correcta?)(?: (?:answer|option))?[)\]][*_]{0,2}|"
    r"(?:←|<-+)\s*(?:correct|right)(?: (?:answer|option))?)\s*$",
    re.IGNORECASE,
)


def read_options(text: str) -> list[str]:
    """The options, one per line, without bullet, label or a mark on the right one. If the others have bullets or
    labels, a line without one continues the option before it; one that stands apart ends the list.
    """
    lines = text.strip("\n").split("\n")
    if all(QUOTED.match(line) for line in lines if line.strip()):
        lines = [QUOTED.sub("", line) for line in lines]
    begins = [BULLET.match(line) is not None for line in lines]
    bulleted = sum(begins) >= 2
    if not bulleted:
        begins = _labelled(lines)
    if sum(begins) < 2:
        begins = [bool(line.strip()) and not RULE.fullmatch(line) for line in lines]
    last = max((number for number, begin in enumerate(begins) if begin), default=-1)
    options: list[str] = []
    apart = False
    for number, line in enumerate(lines):
        if begins[number]:
            options.append(BULLET.sub("", line, count=1).strip() if bulleted else line.strip())
        elif not line.strip():
            apart = apart or number > last
        elif options and not (apart and not line.startswith((" ", "\t"))):
            options[-1] += "\n" + line.strip()
    if options and all(CHECKBOX.match(option) for option in options):
        options = [CHECKBOX.sub("", option, count=1) for option in options]
    if len(options) > 1 and all(_labelled(options, numbers=not bulleted)):
        options = [_without_label(option) for option in options]
    tidy = [TICKED.sub("", option).strip() for option in options]
    return [option[2:-2] if option.startswith("**") and option.endswith("**") else option for option in tidy]


def _labelled(lines: list[str], *, numbers: bool = True) -> list[bool]:
    """Which lines have labels that follow each other from the first one: A, B, C, but not the initials in `E. coli`."""
    found = [LABEL.match(line) for line in lines]
    best = [False] * len(lines)
    for series in SERIES:
        if not numbers and series[0] == "1" and not any(one is not None and one["close"] == ")" for one in found):
            continue  # `- 1. Weltkrieg`
        wanted = iter(series)
        label = next(wanted)
        begins = []
        for one in found:
            begins.append(one is not None and one["label"] == label)
            if begins[-1]:
                label = next(wanted, "")
        strangers = [one for one, begin in zip(found, begins, strict=True) if one is not None and not begin]
        if sum(begins) > sum(best) and not any(one["label"] in series for one in strangers):
            best = begins
    return best


def _without_label(option: str) -> str:
    label = LABEL.match(option)
    if label is None:
        return option
    rest = option[label.end() :]
    whole = label["bold"] and "**" in rest and "**" not in label[0][2:]
    return rest.replace("**", "", 1).strip() if whole else rest
