"""The tokenizer that a corpus is packed with: ids for texts, texts for ids, and what it loses on the way."""

import functools
import hashlib
import string
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.packing.byte_bpe import byte_letters
from nemo_sdg.export.packing.control_tokens import control_tokens, text_only, unknown_id
from nemo_sdg.export.packing.fast_bpe import FastBpe
from nemo_sdg.export.packing.tokenizer_files import Opened, files_of_tokenizer, open_tokenizer
from nemo_sdg.storage import read_json, write_bytes, write_json

if TYPE_CHECKING:
    import tokenizers

TOKENIZER_FILE, CONFIG_FILE = "tokenizer.json", "tokenizer_config.json"
WHOLE_WORDS = ("WordPiece", "WordLevel")
"""models that forget where the spaces were"""
SPLITTERS = ("ByteLevel", "Digits", "Split", "Punctuation")
"""pre-tokenizers that drop nothing, unless they remove what they split at"""
PROBE = "A Capital É"
MANY = 3_000_000
"""characters: on fewer, the fast encoder saves less time than it takes to make, 0.6 s for 49,000 tokens"""


@dataclass(kw_only=True)
class Tokenizer:
    """A Hugging Face fast tokenizer with what packing needs to know of it. It pickles, settings included."""

    backend: "tokenizers.Tokenizer"
    name: str
    """as configured; the embedded model's name for null"""
    eod: int
    """id that ends a document"""
    bos: int | None = None
    """id that begins every document, where export.bos asks for it"""
    vocab_size: int
    """largest id + 1"""
    num_read: int = field(default=0, init=False, repr=False, compare=False)
    """characters encoded so far, or expected"""

    def __post_init__(self) -> None:
        self.backend.no_truncation()
        self.backend.no_padding()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.backend.to_str(), self.name, self.eod, self.bos, self.vocab_size, self.fast)

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text, without special tokens: text that spells one stays text."""
        self.num_read += sum(map(len, texts))
        fast = self.fast if self.num_read > MANY or "fast" in self.__dict__ else None
        encoded = [fast.encode(text) for text in texts] if fast else [None] * len(texts)
        rest = [text for text, ids in zip(texts, encoded, strict=True) if ids is None]
        slow = iter(self.encoder.encode_batch_fast(rest, add_special_tokens=False) if rest else ())
        return [next(slow).ids if ids is None else ids for ids in encoded]

    def as_document(self, ids: list[int]) -> list[int]:
        """The ids of a text with what begins and ends a document."""
        return [*([] if self.bos is None else [self.bos]), *ids, self.eod]

    @functools.cached_property
    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = orjson.loads(self.backend.to_str())
        return content

    @functools.cached_property
    def encoder(self) -> "tokenizers.Tokenizer":
        """The backend without its control tokens."""
        return text_only(self._content)

    @functools.cached_property
    def fast(self) -> FastBpe | None:
        """The encoder by tiktoken; None where that would not be exact."""
        return FastBpe.of(self.encoder)

    @functools.cached_property
    def control(self) -> frozenset[int]:
        """Ids that stand in no document but at its ends."""
        begins = [] if self.bos is None else [self.bos]
        return frozenset([self.eod, *begins, *control_tokens(self._content).values()])

    @functools.cached_property
    def unknown(self) -> int | None:
        return unknown_id(self._content)

    @functools.cached_property
    def _lost_bytes(self) -> bytes | None:
        """The bytes that a byte-level vocabulary has no token for; None for vocabularies of another kind."""
        content = orjson.loads(self.encoder.to_str())  # where a control token is a byte, that byte is lost
        steps = (content["pre_tokenizer"] or {}).get("pretokenizers", [content["pre_tokenizer"] or {}])
        normalizer = content["normalizer"] or {"type": "NFC"}
        plain = normalizer["type"] == "NFC" or normalizer.get("normalizers") == []
        if not plain or content["model"]["type"] != "BPE" or not steps or steps[-1].get("type") != "ByteLevel":
            return None
        if any(step["type"] not in SPLITTERS or step.get("behavior") == "Removed" for step in steps):
            return None
        vocab = content["model"]["vocab"]
        return bytes(byte for byte, letter in sorted(byte_letters().items()) if letter not in vocab)

    @functools.cached_property
    def decodes_apart(self) -> bool:
        """Whether the text of tokens is that of the first ones and that of the others, where no character is parted."""
        return type(self.backend.decoder).__name__ == "ByteLevel"

    @functools.cached_property
    def _composes(self) -> bool:
        normalizer = self._content["normalizer"]
        return normalizer is not None and normalizer["type"] == "NFC"

    def changes(self, text: str, ids: list[int]) -> bool:
        """Whether the ids of a text give back another text: letters, line ends or spaces were normalised away."""
        lost = self._lost_bytes
        if lost is None:
            return self.decode(ids).lstrip(" ") != text.lstrip(" ")
        if self._composes and not unicodedata.is_normalized("NFC", text):
            return True
        data = text.encode() if lost else b""
        return len(data.translate(None, lost)) != len(data)

    @functools.cached_property
    def digest(self) -> str:
        """Identity of what it does: the same vocabulary and rules give the same digest, whatever the name."""
        return hashlib.sha256(f"{self.eod} {self.bos} {self.backend.to_str()}".encode()).hexdigest()

    def decode(self, ids: list[int]) -> str:
        """The text of one document's ids; what begins and ends the document is left out."""
        begin = int(bool(ids) and self.bos is not None and ids[0] == self.bos)
        end = len(ids) - int(bool(ids) and ids[-1] == self.eod)
        return str(self.backend.decode(ids[begin:end], skip_special_tokens=False))

    def save(self, folder: Path) -> list[Path]:
        """Writes a folder that transformers' AutoTokenizer and `load_tokenizer` open; returns its files."""
        write_bytes(folder / TOKENIZER_FILE, self.backend.to_str(pretty=True).encode())
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": self.backend.id_to_token(self.eod),
            "clean_up_tokenization_spaces": False,
            "name": self.name,
        }
        if self.bos is not None:
            config |= {"bos_token": self.backend.id_to_token(self.bos), "begins_documents": True}
        write_json(folder / CONFIG_FILE, config)
        return [folder / TOKENIZER_FILE, folder / CONFIG_FILE]


def _restore(backend: str, name: str, eod: int, bos: int | None, vocab_size: int, fast: FastBpe | None) -> Tokenizer:
    import tokenizers

    tokenizer = Tokenizer(
        backend=tokenizers.Tokenizer.from_str(backend), name=name, eod=eod, bos=bos, vocab_size=vocab_size
    )
    tokenizer.fast = fast
    return tokenizer


def load_tokenizer(name: str | None, *, bos: bool = False) -> Tokenizer:
    """Opens a folder, a file, a hub id, or, for None, the tokenizer of the embedded model; see tokenizer_files.

    With `bos`, documents will begin with the tokenizer's beginning-of-sequence id. What was opened last is given again
    while its files are the same: a start asks three times, and each takes seconds for a large vocabulary.
    Raises ConfigError in one line when it cannot be opened, names no end of a sequence (or no beginning of its own,
    with `bos`), or cannot give back what it reads.
    """
    files = files_of_tokenizer(name)
    return _load_known(name, bos, files) if files else _load(name, bos=bos)


def _load(name: str | None, *, bos: bool) -> Tokenizer:
    opened = open_tokenizer(name)
    if bos and opened.bos is None:
        raise ConfigError(
            f"export.bos=true needs a beginning-of-sequence token, {opened.source} has none; set export.bos=false"
        )
    if bos and opened.bos == opened.eod:
        raise ConfigError(
            f"export.bos=true would begin each document with {opened.backend.id_to_token(opened.eod)}, which ends one "
            f"in {opened.source}: every document would have two ends; set export.bos=false"
        )
    tokenizer = _make(opened, bos=opened.bos if bos else None)
    _refuse_lossy(tokenizer, opened)
    return tokenizer


@functools.lru_cache(maxsize=2)
def _load_known(name: str | None, bos: bool, files: tuple[Any, ...]) -> Tokenizer:
    return _load(name, bos=bos)


def _refuse_lossy(tokenizer: Tokenizer, opened: Opened) -> None:
    """Raises ConfigError for a tokenizer that drops spaces, capitals or accents from every text. What others lose (a
    character without a token, a line end) is counted in packing.
    """
    kind = tokenizer._content["model"]["type"]
    if kind in WHOLE_WORDS:
        raise ConfigError(
            f"{opened.source} is a {kind} tokenizer, which cannot give back spaces and line ends; give the tokenizer "
            "of a generative model"
        )
    letters = string.ascii_letters + string.digits
    # by the slow encoder: the fast one takes a second to make
    *encoded, probe = tokenizer.encoder.encode_batch_fast([*letters, PROBE], add_special_tokens=False)
    missing = [letter for letter, one in zip(letters, encoded, strict=True) if tokenizer.unknown in one.ids]
    if missing:
        raise ConfigError(
            f"{opened.source} has no token for {len(missing)} of the Latin letters and digits ({missing[0]!r}, …); "
            "give the tokenizer of a generative model"
        )
    found = tokenizer.decode(probe.ids).strip()
    if found != PROBE and _plain(found) == _plain(PROBE):
        raise ConfigError(
            f"{opened.source} is lossy: it reads {PROBE!r} as {found!r}; give a tokenizer that keeps capitals and "
            "accents"
        )


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character) and character != " ")


def load_saved(folder: Path) -> Tokenizer:
    """What `Tokenizer.save` wrote. Raises DataError when it is not there or damaged."""
    from tokenizers import Tokenizer as Backend

    config = read_json(folder / CONFIG_FILE)
    try:
        backend = Backend.from_str((folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
        eod = int(backend.token_to_id(config["eos_token"]))
        bos = int(backend.token_to_id(config["bos_token"])) if config.get("begins_documents") else None
        return _make(Opened(backend=backend, name=str(config["name"]), source=str(folder), eod=eod, bos=bos), bos=bos)
    except Exception as exc:  # tokenizers raises a plain one
        raise DataError(
            f"{folder} is not the tokenizer that packing wrote there ({exc}); remove it and run again"
        ) from exc


def _make(opened: Opened, *, bos: int | None) -> Tokenizer:
    ids = opened.backend.get_vocab(with_added_tokens=True).values()
    size = max([opened.eod, *ids]) + 1
    return Tokenizer(backend=opened.backend, name=opened.name, eod=opened.eod, bos=bos, vocab_size=size)
