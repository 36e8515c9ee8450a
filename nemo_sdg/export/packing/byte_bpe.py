"""A tiktoken vocabulary (tokens as bytes, in the order of their ranks) as a Hugging Face byte-level BPE tokenizer.

tiktoken merges whichever adjacent pair forms the token of lowest rank, and takes a piece that is a token as it is.
Hugging Face wants the merges spelled out: a token's own is the pair that its bytes end in when only tokens of lower
rank merge. A token whose bytes end in more than two pieces is formed by neither, and is met as a whole piece alone
(`ignore_merges`).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tokenizers


def byte_level_bpe(ranks: list[bytes], *, pattern: str, specials: list[str]) -> "tokenizers.Tokenizer":
    """Ids are the place in `specials`, then len(specials) + rank."""
    from tokenizers import Regex, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as Backend

    letters = byte_letters()
    order = {token: rank for rank, token in enumerate(ranks)}
    names = ["".join(letters[byte] for byte in token) for token in ranks]
    vocab = {name: number for number, name in enumerate([*specials, *names])}
    merges = []
    for rank, token in enumerate(ranks):
        parts = merged(token, order, below=rank) if len(token) > 1 else [token]
        if len(parts) == 2:
            left, right = ("".join(letters[byte] for byte in part) for part in parts)
            merges.append((left, right))
    backend = Backend(models.BPE(vocab, merges, ignore_merges=True))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(specials)
    return backend


def merged(piece: bytes, order: dict[bytes, int], *, below: int) -> list[bytes]:
    """The piece after merging the pair of lowest rank again and again, with tokens of ranks below `below` alone."""
    parts = [piece[place : place + 1] for place in range(len(piece))]
    while len(parts) > 1:
        found = [(order.get(parts[place] + parts[place + 1], below), place) for place in range(len(parts) - 1)]
        rank, place = min(found)
        if rank >= below:
            break
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts


def byte_letters() -> dict[int, str]:
    """GPT-2's printable stand-in for each byte: itself where it is printable in Latin-1, else the characters from
    U+0100 on.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + place) for place, byte in enumerate(others)}
