"""Reads scores with reasons in a judge's reply.

## Review                               ->  ({"stands_alone": 5.0, "one_right_answer": 2.0},
The date is missing.                         {"review": "The date is missing.", "one_right_answer": "two fit"})
## Scores
stands_alone: 5 - nothing is missing
one_right_answer: 2 - two fit
"""

import re

from nemo_sdg.generate.parsing.cleaning import clean, without_marks
from nemo_sdg.generate.parsing.json_replies import read_objects

LINE = re.compile(
    r"^[\s>*_`#\-•|]*(?P<name>[A-Za-z][A-Za-z_ ]{2,40}?)[\s*_`|]*[:=|：][\s*_`|]*"
    r"(?P<score>[1-5](?:\.\d+)?)(?![\d.])(?:\s*/\s*5)?"
    r"[\s*_`|]*(?:[-–—:(.,]\s*(?P<reason>.*?))?[\s*_`|)]*$",
    re.MULTILINE,
)
REVIEW = re.compile(
    r"^[\s#*_]*review[\s*_:]*$(?P<text>.*?)^[\s#*_]*scores?[\s*_:]*$", re.IGNORECASE | re.MULTILINE | re.DOTALL
)


def read_scores(text: str, names: tuple[str, ...]) -> tuple[dict[str, float], dict[str, str]]:
    """(scores, reasons) of the named criteria; the last score of a name counts."""
    text = without_marks(clean(text))
    scores: dict[str, float] = {}
    reasons: dict[str, str] = {}
    if review := REVIEW.search(text):
        reasons["review"] = review["text"].strip()
    for found in LINE.finditer(text):
        name = "_".join(found["name"].casefold().split()).strip("_")
        if name in names:
            scores[name] = float(found["score"])
            if found["reason"]:
                reasons[name] = found["reason"].strip()
    if not scores:
        for value in read_objects(text, {name.replace("_", " ") for name in names}):
            for name in names:
                if re.fullmatch(r"[1-5](?:\.\d+)?", str(value.get(name, "")).strip()):
                    scores[name] = float(value[name])
    return scores, reasons
