import pickle
import struct
from pathlib import Path

import pytest

from nemo_sdg.errors import ConfigError
from nemo_sdg.export.packing.gguf import read_metadata
from nemo_sdg.export.packing.tokenizers import load_tokenizer
from nemo_sdg.storage import write_json
from tests.unit.export.packing_samples import byte_tokenizer

TEXT = "Straße 第1号 <eod> it 's\n\n\tdef f(): 'a' , b ."


def test_text_that_spells_the_end_of_document_stays_text() -> None:
    tokenizer = byte_tokenizer()
    (ids,) = tokenizer.encode([TEXT])
    assert tokenizer.eod not in ids
    assert tokenizer.decode([*ids, tokenizer.eod]) == TEXT


def test_a_pickled_tokenizer_encodes_the_same() -> None:
    tokenizer = byte_tokenizer()
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy.encode([TEXT]) == tokenizer.encode([TEXT])
    assert (copy.eod, copy.vocab_size, copy.name) == (tokenizer.eod, tokenizer.vocab_size, tokenizer.name)


def test_a_saved_tokenizer_opens_again(tmp_path: Path) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.save(tmp_path)
    opened = load_tokenizer(str(tmp_path))
    assert opened.encode([TEXT]) == tokenizer.encode([TEXT])
    assert (opened.eod, opened.vocab_size) == (256, 257)


def test_a_tokenizer_without_end_of_sequence_is_refused_in_one_line(tmp_path: Path) -> None:
    byte_tokenizer().save(tmp_path)
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})
    with pytest.raises(ConfigError, match="no end-of-sequence token") as caught:
        load_tokenizer(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["/nowhere/at/all", "nowhere.gguf"])
def test_a_tokenizer_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        load_tokenizer(name)
    assert "\n" not in str(caught.value)


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def test_gguf_metadata_of_every_shape(tmp_path: Path) -> None:
    path = tmp_path / "small.gguf"
    pairs = [
        _text("name") + struct.pack("<I", 8) + _text("ß"),
        _text("size") + struct.pack("<If", 6, 0.5),
        _text("flag") + struct.pack("<I?", 7, True),
        _text("tokens") + struct.pack("<IIQ", 9, 8, 2) + _text("a") + _text("bc"),
        _text("types") + struct.pack("<IIQ2i", 9, 5, 2, 3, -1),
    ]
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs))
    assert read_metadata(path) == {"name": "ß", "size": 0.5, "flag": True, "tokens": ["a", "bc"], "types": [3, -1]}


@pytest.mark.parametrize(
    "content", [b"GGML" + bytes(20), b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**62), b""]
)
def test_a_damaged_gguf_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.gguf"):
        read_metadata(path)
