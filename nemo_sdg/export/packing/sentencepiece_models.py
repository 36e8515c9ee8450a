"""A SentencePiece model (tokenizer.model) as a Hugging Face fast tokenizer that gives the same ids.

The model is one protobuf message (sentencepiece_model.proto), read here by its wire format: the classes that the
package sentencepiece carries want a newer protobuf than trainers have. The conversion is compared with SentencePiece
itself on PROBES; a model that comes out otherwise is refused, because a near miss would be another tokenizer.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    import tokenizers

UNIGRAM, BPE = 1, 2
CONTROL, USER_DEFINED = 3, 4
VARINT, LENGTH, FIXED = 0, 2, {1: 8, 5: 4}
"""wire types; the last with their lengths in bytes"""
MAX_SHIFT = 63
PROBES = [
    "The quick brown fox, 12,345.67 (twice)!",
    "  two spaces before,   three within, one after ",
    "Question: which?\nA. one\nB. two\n\nAnswer: B",
    "def f(x):\n\tif x > 0:\n        return x ** 2  # {a: [b]}",
    "Straße, façade, naïve, Ünïcödé, ÉCOLE, e\u0301",
    "日本語のテキスト、中文文本。한국어 텍스트",
    "Здравствуй, мир! مرحبا بالعالم नमस्ते",
    "½ ² ① ﬁ Ａ １ … “quotes” – dash — 🙂👩‍👩‍👧",
    r"$x^2 + \frac{1}{2} \leq \sqrt{y}$ & 50% ~ _a_b_",
]


@dataclass(kw_only=True)
class Model:
    """The fields of a ModelProto that the conversion needs."""

    pieces: list[tuple[str, float, int]]
    """piece, score, type"""
    kind: int
    unknown: int
    byte_fallback: bool
    charsmap: bytes
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool


def read_model(data: bytes) -> Model:
    """Raises ValueError when the bytes are not such a message."""
    fields = read_message(data)
    pieces = []
    for raw in fields.get(1, []):
        piece = read_message(_bytes(raw))
        (score,) = struct.unpack("<f", _bytes(piece.get(2, [bytes(4)])[-1]))
        pieces.append((_bytes(piece[1][-1]).decode(), score, int(piece.get(3, [1])[-1])))
    trainer = read_message(_bytes(fields.get(2, [b""])[-1]))
    rules = read_message(_bytes(fields.get(3, [b""])[-1]))
    if not pieces:
        raise ValueError("it holds no pieces")
    return Model(
        pieces=pieces,
        kind=int(trainer.get(3, [UNIGRAM])[-1]),
        unknown=int(trainer.get(40, [0])[-1]),
        byte_fallback=bool(trainer.get(35, [0])[-1]),
        charsmap=_bytes(rules.get(2, [b""])[-1]),
        add_dummy_prefix=bool(rules.get(3, [1])[-1]),
        remove_extra_whitespaces=bool(rules.get(4, [1])[-1]),
    )


def read_message(data: bytes) -> dict[int, list[int | bytes]]:
    """Field number -> its values, in protobuf's wire format: varints as int, everything else as bytes."""
    fields: dict[int, list[int | bytes]] = {}
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        if kind == VARINT:
            value, place = _varint(data, place)
            fields.setdefault(key >> 3, []).append(value)
            continue
        if kind == LENGTH:
            size, place = _varint(data, place)
        elif kind in FIXED:
            size = FIXED[kind]
        else:
            raise ValueError(f"wire type {kind} at byte {place}")
        if place + size > len(data):
            raise ValueError("it ends in the middle of a field")
        fields.setdefault(key >> 3, []).append(data[place : place + size])
        place += size
    return fields


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data) or shift > MAX_SHIFT:
            raise ValueError("it ends in the middle of a number")
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a text should be")
    return value


def convert(path: Path, source: str) -> tuple["tokenizers.Tokenizer", int, int | None]:
    """The tokenizer, the id that ends a document and the one that begins a sequence. Raises ConfigError when it has
    no end of a sequence, or cannot be converted exactly.
    """
    try:
        import sentencepiece
    except ImportError as exc:
        raise MissingDependencyError(
            f"{source} is a SentencePiece model, which needs the package sentencepiece: install it, or give the "
            "model's tokenizer.json"
        ) from exc
    model = read_model(path.read_bytes())
    original = sentencepiece.SentencePieceProcessor(model_file=str(path))
    eod, bos = int(original.eos_id()), int(original.bos_id())
    if eod < 0:
        raise ConfigError(f"{source} has no end-of-sequence token, which ends a document; give another tokenizer")
    backend = _build(model, source)
    for text in PROBES:
        ours, theirs = backend.encode(text, add_special_tokens=False).ids, original.encode(text)
        if ours != theirs:
            raise ConfigError(
                f"{source} is a SentencePiece model that cannot be converted exactly ({text!r} comes out otherwise); "
                "give the model's tokenizer.json"
            )
    return backend, eod, None if bos < 0 else bos


def _build(model: Model, source: str) -> "tokenizers.Tokenizer":
    from tokenizers import AddedToken, Regex, decoders, models, normalizers
    from tokenizers import Tokenizer as Backend
    from transformers.convert_slow_tokenizer import generate_merges

    scores = [(piece, score) for piece, score, _ in model.pieces]
    unknown = scores[model.unknown][0]
    if model.kind == UNIGRAM:
        core: Any = models.Unigram(scores, unk_id=model.unknown, byte_fallback=model.byte_fallback)
    elif model.kind == BPE:
        vocab = {piece: number for number, (piece, _) in enumerate(scores)}
        merges = generate_merges(vocab, dict(scores))
        core = models.BPE(vocab, merges, unk_token=unknown, fuse_unk=True, byte_fallback=model.byte_fallback)
    else:
        raise ConfigError(f"{source} is a SentencePiece model of words or characters; give a BPE or unigram model")
    backend = Backend(core)
    steps: list[Any] = [normalizers.Precompiled(model.charsmap)] if model.charsmap else []
    if model.remove_extra_whitespaces:
        steps += [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    if model.add_dummy_prefix:
        steps.append(normalizers.Prepend("▁"))
    backend.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    decoding: list[Any] = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    if model.add_dummy_prefix:
        decoding.append(decoders.Strip(content=" ", left=1, right=0))
    backend.decoder = decoders.Sequence(decoding)
    backend.add_special_tokens([unknown, *(piece for piece, _, kind in model.pieces if kind == CONTROL)])
    backend.add_tokens([AddedToken(piece, normalized=False) for piece, _, kind in model.pieces if kind == USER_DEFINED])
    return backend
