"""Reads a reply that is a YAML document with the names of sections as its keys, in a fence or bare.

read_fields('```yaml\\nanswer: Rust\\ncontext: "Types."\\n```', {"answer", "context"})  ->  {"answer": "Rust", …}
"""

import re

import yaml

from nemo_sdg.generate.parsing.answers.programs import FENCE
from nemo_sdg.generate.parsing.json_replies import escape_latex

LONGEST = 20_000
KEY = re.compile(r"^(?P<name>[^\W\d_][\w -]{1,40}):(?=[ \n])", re.MULTILINE)
QUOTED = re.compile(r"^[^\W\d_][\w -]{1,40}:[ \t]+(?:[\"']|[|>][+-]?[ \t]*$)", re.MULTILINE)
"""a value that is quoted or a block, by which a bare document differs from labels"""
DOUBLY_QUOTED = re.compile(r"^[^\W\d_][\w -]{1,40}:[ \t]+\"[^\n]*\\[^\n]*$", re.MULTILINE)


def read_fields(text: str, names: set[str]) -> dict[str, str] | None:
    """The fields of a reply that is nothing but a YAML document of texts whose keys are all in `names`; None for any
    other text, for keys that are said twice, and for one that is no valid YAML.
    """
    if len(text) > LONGEST or KEY.search(text) is None:
        return None
    whole = FENCE.fullmatch(text.strip())
    if whole is not None and whole["language"].lower() in ("yaml", "yml"):
        text = whole["body"]
    elif whole is not None or QUOTED.search(text) is None:
        return None
    text = text.removeprefix("---\n").strip()
    keys = [found["name"].strip().casefold().replace("_", " ") for found in KEY.finditer(text)]
    if not text[:1].isalpha() or len(keys) < 2 or len(set(keys)) < len(keys) or not names.issuperset(keys):
        return None
    text = DOUBLY_QUOTED.sub(lambda line: escape_latex(line[0]), text) if "\\" in text else text
    try:
        found = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or len(found) != len(keys):
        return None
    texts = {str(key): value for key, value in found.items() if isinstance(value, str)}
    return texts if len(texts) == len(found) else None
