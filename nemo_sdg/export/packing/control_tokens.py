"""Control tokens: ids that have a meaning for a trainer or a server. No text of a sample may become one.

    "<s>old price</s>"       with </s> as end of document: 2 documents, 3 ends
    "first <think> about it" with <think> as one id: the model learns that thinking starts in the middle of a question

A tokenizer reaches such an id in two ways: it splits added tokens off a text, and its vocabulary may hold the same
string as an ordinary piece. `text_only` closes both: the tokenizer that it makes gives the same ids for all other
text. What is packed is looked at again by its ids by `nemo-sdg check`.
"""

import re
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import tokenizers

BYTE_NAMES_APART = {
    "type": "Split",
    "pattern": {"Regex": r"<(?=0x[0-9A-Fa-f]{2}>)"},
    "behavior": "Isolated",
    "invert": False,
}
"""parts `<0x0A>` in a text, which a vocabulary with byte fallback has as a piece: the text would become a line end"""
UNREACHABLE = "\ufdd0"
"""a noncharacter of Unicode: begins the name that a control token has in `text_only`"""
BRACKETED = re.compile(r"[<\[{(|｜⟨〈].*[>\]})|｜⟩〉:]", re.DOTALL)
"""a token that is not special but is written like markup: <think>, [INST], ｜DSML｜, </dsml:. Others that are added,
such as runs of spaces or letters, are text
"""


def control_tokens(content: dict[str, Any]) -> dict[str, int]:
    """Name -> id, of a tokenizer.json. The unknown token is none: it stands for characters, see Tokenizer.unknown."""
    unknown = unknown_id(content)
    return {
        token["content"]: token["id"]
        for token in content["added_tokens"]
        if token["id"] != unknown and (token["special"] or BRACKETED.fullmatch(token["content"].strip()))
    }


def unknown_id(content: dict[str, Any]) -> int | None:
    """The id that stands for what the vocabulary has no token for."""
    model = content["model"]
    if model["type"] == "Unigram":
        return model["unk_id"] if model["unk_id"] is None else int(model["unk_id"])
    name = model.get("unk_token")
    found = model["vocab"].get(name) if name else None
    return None if found is None else int(found)


def text_only(content: dict[str, Any]) -> "tokenizers.Tokenizer":
    """The same tokenizer, except that no text becomes a control token. Ids stay what they were."""
    from tokenizers import Tokenizer as Backend

    unknown = unknown_id(content)
    hidden = control_tokens(content) | {
        token["content"]: token["id"] for token in content["added_tokens"] if token["id"] == unknown
    }
    names = {name: f"{UNREACHABLE}{number}" for name, number in hidden.items()}
    model = dict(content["model"])
    if isinstance(model["vocab"], dict):
        model["vocab"] = {names.get(name, name): number for name, number in model["vocab"].items()}
    else:
        model["vocab"] = [[names.get(name, name), score] for name, score in model["vocab"]]
    if "merges" in model:
        pairs = (pair.split(" ", 1) if isinstance(pair, str) else pair for pair in model["merges"])
        model["merges"] = [pair for pair in pairs if not {*pair, "".join(pair)} & names.keys()]
    if model.get("unk_token") in names:
        model["unk_token"] = names[model["unk_token"]]
    added = [
        {**token, "content": names[token["content"]], "special": True, "normalized": False}
        if token["content"] in names
        else token
        for token in content["added_tokens"]
    ]
    plain = {**content, "model": model, "added_tokens": added, "post_processor": None}
    if model.get("byte_fallback"):
        steps = [step for step in (content["pre_tokenizer"], BYTE_NAMES_APART) if step]
        plain["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": steps}
    backend = Backend.from_str(orjson.dumps(plain).decode())
    backend.encode_special_tokens = True
    return backend
