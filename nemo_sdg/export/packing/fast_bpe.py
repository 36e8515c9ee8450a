"""The same ids as a Hugging Face byte-level BPE tokenizer, by tiktoken, where that can be shown: 3 to 5 times the
tokens per CPU second.

Merging. tiktoken merges whichever adjacent pair forms a token of lowest rank; Hugging Face merges only the pairs
listed. They agree when ids rise with the order of merges and every token's own bytes merge into it. By induction over
ranks: if both agree below a token's rank, then a stretch of text that spells the token, and that no merge has crossed,
is in the same state in both, namely that of the token's bytes alone; it is one listed pair, so both merge it. A token
whose bytes end in three or more pieces is formed by neither; one that ends in two would be formed by tiktoken alone.
`FastBpe.of` checks this for the whole vocabulary, and gives None where it does not hold.

Splitting. A regular expression splits the text beforehand in both. The expressions taken are those of GPT-2, SmolLM
and KNOWN, on which the test compares both engines; another one may mean different things in them. The two engines know
different versions of Unicode: 93 digits and letters of Unicode 16 are split otherwise by tokenizers 0.22 than by
tiktoken 0.7. Texts with a character whose category has changed since Unicode 3.2, or that this Python does not know,
therefore go the slow way. The test compares over every character.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson

from nemo_sdg.export.packing.byte_bpe import byte_letters

if TYPE_CHECKING:
    import tiktoken
    import tokenizers

CONTRACTIONS, LETTERS, OTHERS = r"'(?:[sdmt]|ll|ve|re)", r" ?\p{L}+", r" ?[^\s\p{L}\p{N}]+"
GPT2 = rf"{CONTRACTIONS}|{LETTERS}| ?\p{{N}}+|{OTHERS}|\s+(?!\S)|\s+"
SINGLE_DIGITS = rf"\p{{N}}|{CONTRACTIONS}|{LETTERS}|{OTHERS}|\s+(?![^\s\p{{N}}])|\s+"
"""GPT-2's expression on what lies between single digits: a digit ends a piece, so that spaces before it stay
together
"""
ENDS = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA_3 = rf"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{ENDS}"
"""also that of GPT-4 (cl100k)"""
QWEN = LLAMA_3.replace("{1,3}", "")
LOWER, UPPER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
CASED = rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+%s|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*%s"
SLASH_ENDS = ENDS.replace(r"[\r\n]*", r"[\r\n/]*", 1)
TEKKEN = rf"{CASED % ('', '')}|\p{{N}}|{SLASH_ENDS}"
"""also that of Nemotron 3"""
O200K = CASED % (("(?i:'s|'t|'re|'ve|'m|'ll|'d)?",) * 2) + rf"|\p{{N}}{{1,3}}|{SLASH_ENDS}"
"""that of GPT-4o and gpt-oss"""
KNOWN = {LLAMA_3, QWEN, TEKKEN, O200K}
"""expressions on which both engines were compared over every character and on random texts; others go the other way"""
LONG_PIECE = re.compile(r"\S{1000}|\s{1000}")
"""tiktoken's time grows with the square of a piece's length; such texts go the other way"""
SETTLED_BEYOND_BMP = ((0x1F000, 0x1FAFF), (0x20000, 0x2A6D6))
"""pictures, which no engine takes for letters or digits, and the ideographs of Unicode 3.1"""


class FastBpe:
    """Encodes texts with tiktoken, and gives None for a text that it cannot encode exactly. It pickles."""

    def __init__(self, encoding: "tiktoken.Encoding", vocab_size: int, *, composes: bool) -> None:
        self.encoding = encoding
        self.vocab_size = vocab_size
        self.composes = composes
        """whether the tokenizer brings texts into Unicode's composed form (NFC) first"""

    @classmethod
    def of(cls, backend: "tokenizers.Tokenizer") -> "FastBpe | None":
        """None when tiktoken is not installed or the tokenizer is not of a kind that tiktoken runs exactly."""
        try:
            import tiktoken
        except ImportError:
            return None
        content = orjson.loads(backend.to_str())
        if content["added_tokens"] and not backend.encode_special_tokens:
            return None
        pattern, ranks = _pattern(content), _ranks(content)
        if pattern is None or ranks is None:
            return None
        vocab_size = max(ranks.values()) + 1
        # Bytes without a token: Hugging Face drops them. Here they get ids beyond the vocabulary, by which such texts
        # are told.
        for byte in range(256):
            ranks.setdefault(bytes([byte]), vocab_size + byte)
        encoding = tiktoken.Encoding("corpus", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        # What an expression does not match stays a piece of its own there and is lost here.
        if any(
            encoding.decode(encoding.encode_ordinary(character)) != character for character in _one_of_each_category()
        ):
            return None
        return cls(encoding, vocab_size, composes=content["normalizer"] is not None)

    def encode(self, text: str) -> list[int] | None:
        if len(text) >= 1000 and LONG_PIECE.search(text):
            return None
        if not text.isascii() and (
            unsettled().search(text) or (self.composes and not unicodedata.is_normalized("NFC", text))
        ):
            return None
        ids = self.encoding.encode_ordinary(text)
        return None if ids and max(ids) >= self.vocab_size else ids


@functools.cache
def unsettled() -> re.Pattern[str]:
    """Finds a character that two versions of Unicode may take for different things."""
    points = [point for point in range(0x10000) if not 0xD800 <= point <= 0xDFFF and not _is_settled(chr(point))]
    gaps = [
        (after + 1, before - 1)
        for (_, after), (before, _) in pairwise([(0, 0xFFFF), *SETTLED_BEYOND_BMP, (0x110000, 0)])
    ]
    ranges = [*((point, point) for point in points), *gaps]
    return re.compile("[" + "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in ranges) + "]")


def _is_settled(character: str) -> bool:
    """Whether letters, marks, digits and spaces are what they were in 2002; among other characters the expressions
    make no difference.
    """
    now, then = unicodedata.category(character), unicodedata.ucd_3_2_0.category(character)
    return now != "Cn" and (now == then or not {now[0], then[0]} & set("LMNZ"))


def _one_of_each_category() -> Iterator[str]:
    characters = {
        unicodedata.category(chr(point)): chr(point) for point in range(0xFFFF, -1, -1) if not 0xD800 <= point <= 0xDFFF
    }
    yield from characters.values()
    yield from "\t\n\r\x1c\x85\xa0\u2028\u3000"


def _pattern(content: dict[str, Any]) -> str | None:
    """The regular expression that splits a text, or None where it is not that alone."""
    if (content["normalizer"] or {"type": "NFC"})["type"] != "NFC" or not all(
        token["special"] for token in content["added_tokens"]
    ):
        return None
    pre_tokenizer = content["pre_tokenizer"] or {"type": ""}
    steps = pre_tokenizer["pretokenizers"] if pre_tokenizer["type"] == "Sequence" else [pre_tokenizer]
    if not steps or steps[-1]["type"] != "ByteLevel" or steps[-1]["add_prefix_space"]:
        return None
    *splits, last = steps
    if not splits:
        return GPT2 if last["use_regex"] else None
    if len(splits) > 1:
        return None
    (split,) = splits
    if last["use_regex"]:
        return SINGLE_DIGITS if _isolates_digits(split) else None
    own = _isolated_expression(split)
    return own if own in KNOWN else None


def _isolates_digits(split: dict[str, Any]) -> bool:
    return (split["type"] == "Digits" and split["individual_digits"]) or _isolated_expression(split) == r"\p{N}"


def _isolated_expression(split: dict[str, Any]) -> str | None:
    if split["type"] == "Split" and split["behavior"] == "Isolated" and not split["invert"]:
        expression = split["pattern"].get("Regex")
        return None if expression is None else str(expression)
    return None


def _ranks(content: dict[str, Any]) -> dict[bytes, int] | None:
    """Bytes of every token that can come up -> its id, or None where tiktoken would merge otherwise."""
    import tokenizers

    model = content["model"]
    if (
        model["type"] != "BPE"
        or model["dropout"]
        or model["byte_fallback"]
        or model["continuing_subword_prefix"]
        or model["end_of_word_suffix"]
    ):
        return None
    vocab: dict[str, int] = model["vocab"]
    merges = [tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge) for merge in model["merges"]]
    products = [vocab[left + right] for left, right in merges]
    if any(after < before for before, after in pairwise(products)):
        return None
    alphabet = {letter: byte for byte, letter in byte_letters().items()}
    names = [name for name in vocab if all(character in alphabet for character in name)]
    if products and any(vocab[name] >= products[0] for name in names if len(name) == 1):
        return None
    merged = tokenizers.Tokenizer(tokenizers.models.BPE(vocab, merges)).encode_batch_fast(
        names, add_special_tokens=False
    )
    pieces = {name: len(encoding) for name, encoding in zip(names, merged, strict=True)}
    # With ignore_merges a piece that spells a token is that token however it merges: tiktoken does the same with all
    # that it is given.
    if model["ignore_merges"] and 2 in pieces.values():
        return None
    return {
        bytes(alphabet[character] for character in name): vocab[name]
        for name in names
        if model["ignore_merges"] or pieces[name] == 1
    }
