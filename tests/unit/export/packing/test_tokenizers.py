import base64
import json
import pickle
import string
import struct
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend

from nemo_sdg.errors import ConfigError
from nemo_sdg.export.packing.fast_bpe import TEKKEN
from nemo_sdg.export.packing.packed_files import Losses
from nemo_sdg.export.packing.tokenizers import MANY, Tokenizer, load_saved, load_tokenizer
from nemo_sdg.storage import write_json
from nemo_sdg.storage.gguf import read_metadata
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


def test_a_tokenizer_is_opened_once_until_its_file_changes(tmp_path: Path) -> None:
    byte_tokenizer().save(tmp_path)
    opened = load_tokenizer(str(tmp_path))
    assert load_tokenizer(str(tmp_path)) is opened
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text().replace('"content": "<eod>"', '"content": "<end>"').replace('"<eod>"', '"<end>"'))
    config = tmp_path / "tokenizer_config.json"
    config.write_text(config.read_text().replace("<eod>", "<end>"))
    assert load_tokenizer(str(tmp_path)).digest != opened.digest


def test_many_characters_are_encoded_by_the_fast_encoder_to_the_same_ids() -> None:
    tokenizer = byte_tokenizer()
    few = tokenizer.encode([TEXT])
    assert "fast" not in vars(tokenizer)
    tokenizer.num_read = MANY
    assert tokenizer.encode([TEXT]) == few
    assert vars(tokenizer)["fast"] is not None


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


def bytes_with(*added: AddedToken, pieces: tuple[str, ...] = ()) -> Tokenizer:
    """byte_tokenizer with further added tokens, and with strings as pieces of its vocabulary."""
    content = json.loads(byte_tokenizer().backend.to_str())
    for piece in pieces:
        content["model"]["vocab"][piece] = len(content["model"]["vocab"])
        for end in range(2, len(piece) + 1):  # merges that spell the piece from left to right
            content["model"]["vocab"].setdefault(piece[:end], len(content["model"]["vocab"]))
            content["model"]["merges"].append([piece[: end - 1], piece[end - 1]])
    backend = Backend.from_str(json.dumps(content))
    backend.add_tokens(list(added))
    return Tokenizer(backend=backend, name="bytes", eod=256, vocab_size=backend.get_vocab_size())


MARKUP = ["<think>", "</think>", "<tool_call>", "[INST]", "｜DSML｜", "</dsml:", "<｜User｜>", "|||EMAIL|||"]


@pytest.mark.parametrize("special", [True, False])
def test_no_text_becomes_a_control_token_whether_it_is_special_or_not(special: bool) -> None:
    tokenizer = bytes_with(*(AddedToken(token, special=special, normalized=not special) for token in MARKUP))
    text = " and ".join(MARKUP) + "<eod>" + "".join(MARKUP)
    (ids,) = tokenizer.encode([text])
    assert len(tokenizer.control) == len(MARKUP) + 1
    assert not tokenizer.control & set(ids)
    assert ids == list(text.encode()) or tokenizer.decode(ids) == text
    plain = "no markup, 1 < 2 > 0 [sic]"
    assert tokenizer.encode([plain])[0] == tokenizer.backend.encode(plain, add_special_tokens=False).ids


def test_an_added_token_that_is_text_stays_one_token() -> None:
    tokenizer = bytes_with(AddedToken("        ", normalized=True), AddedToken("word", normalized=False))
    (ids,) = tokenizer.encode(["def f():\n        return 'word'"])
    assert {257, 258} <= set(ids)
    assert tokenizer.control == {256}
    assert tokenizer.decode(ids) == "def f():\n        return 'word'"


def test_a_control_token_that_is_a_piece_of_the_vocabulary_is_not_merged_from_text() -> None:
    tokenizer = bytes_with(AddedToken("</s>", special=True), pieces=("</s>",))
    ends = tokenizer.backend.token_to_id("</s>")
    (ids,) = tokenizer.encode(["an <s>old</s> price"])
    assert ends in tokenizer.control
    assert ends not in ids
    assert tokenizer.decode(ids) == "an <s>old</s> price"


def unigram(**options: Any) -> Tokenizer:
    letters = [(letter, -4.0) for letter in string.ascii_letters + string.digits + "<>/▁.é"]
    pieces = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), *letters, ("▁the", -2.0), ("price", -2.0)]
    backend = Backend(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    backend.add_special_tokens(["<unk>", "<s>", "</s>"])
    return Tokenizer(backend=backend, name="unigram", eod=2, vocab_size=len(pieces), **options)


def test_a_unigram_model_does_not_read_the_end_of_a_document_in_a_text() -> None:
    tokenizer = unigram()
    (ids,) = tokenizer.encode(["the <s>old price</s> <unk>"])
    assert not {0, 1, 2} & set(ids)
    assert tokenizer.decode(ids) == "the <s>old price</s> <unk>"


def test_what_a_tokenizer_loses_is_counted() -> None:
    losses, tokenizer = Losses(), unigram()
    for text in ["the price", "the price {is}", "the\nprice"]:
        losses.count(tokenizer, text, tokenizer.encode([text])[0])
    assert losses == Losses(unknown_tokens=3, changed_documents=2)
    losses = Losses()
    for text in ["Straße", "e\u0301", "日本\n\n"]:
        losses.count(byte_tokenizer(), text, byte_tokenizer().encode([text])[0])
    assert losses == Losses()
    composing = byte_tokenizer()
    composing.backend.normalizer = normalizers.NFC()
    losses.count(composing, "e\u0301", composing.encode(["e\u0301"])[0])
    assert losses == Losses(changed_documents=1)


def saved(backend: Backend, folder: Path, **config: Any) -> str:
    folder.mkdir(exist_ok=True)
    backend.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **config},
    )
    return str(folder)


def test_bos_begins_every_document_where_it_is_asked_for(tmp_path: Path) -> None:
    backend = byte_tokenizer().backend
    backend.add_special_tokens(["<bos>"])
    name = saved(backend, tmp_path / "with", eos_token="<eod>", bos_token="<bos>")
    tokenizer = load_tokenizer(name, bos=True)
    document = tokenizer.as_document(tokenizer.encode(["a <bos>"])[0])
    assert (document[0], document[-1], document.count(257)) == (257, 256, 1)
    assert tokenizer.decode(document) == "a <bos>"
    assert load_tokenizer(name).as_document([1]) == [1, 256]
    assert load_tokenizer(name).digest != tokenizer.digest
    tokenizer.save(tmp_path / "kept")
    kept = load_saved(tmp_path / "kept")
    assert (kept.bos, kept.digest) == (257, tokenizer.digest)
    assert pickle.loads(pickle.dumps(tokenizer)).as_document([1]) == [257, 1, 256]
    with pytest.raises(ConfigError, match=r"export\.bos=true needs a beginning-of-sequence token") as caught:
        load_tokenizer(saved(byte_tokenizer().backend, tmp_path / "without", eos_token="<eod>"), bos=True)
    assert "\n" not in str(caught.value)


def test_a_document_does_not_begin_with_what_ends_one(tmp_path: Path) -> None:
    """GPT-2's form: one token for both."""
    name = saved(byte_tokenizer().backend, tmp_path / "same", eos_token="<eod>", bos_token="<eod>")
    assert load_tokenizer(name).as_document([1]) == [1, 256]
    with pytest.raises(ConfigError, match=r"begin each document with <eod>.*two ends; set export\.bos=false") as caught:
        load_tokenizer(name, bos=True)
    assert "\n" not in str(caught.value)


def test_a_text_that_spells_a_byte_of_the_vocabulary_stays_text() -> None:
    """`<0x0A>` became a line end."""
    backend = unigram().backend
    content = json.loads(backend.to_str())
    content["model"]["byte_fallback"] = True
    content["model"]["vocab"] += [[f"<0x{byte:02X}>", 0.0] for byte in range(256)]
    content["decoder"] = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, content["decoder"]]}
    tokenizer = Tokenizer(backend=Backend.from_str(json.dumps(content)), name="bytes", eod=2, vocab_size=400)
    for text in ["a <0x0A> b", "<0x41><0x42>", "x<0x41", "{é} \n"]:
        (ids,) = tokenizer.encode([text])
        assert tokenizer.decode(ids) == text
        assert not tokenizer.changes(text, ids)
    newline = tokenizer.backend.token_to_id("<0x0A>")
    assert newline in tokenizer.encode(["a\nb"])[0]
    assert newline not in tokenizer.encode(["a<0x0A>b"])[0]


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (pre_tokenizers.Split(",", "removed"), "a, b"),
        (pre_tokenizers.WhitespaceSplit(), "a b"),
        (pre_tokenizers.Punctuation("removed"), "a. b"),
    ],
)
def test_what_the_splitting_of_a_text_drops_is_counted(step: Any, text: str) -> None:
    tokenizer = byte_tokenizer()
    last = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.backend.pre_tokenizer = pre_tokenizers.Sequence([step, last])
    assert tokenizer.changes(text, tokenizer.encode([text])[0])
    assert not tokenizer.changes("ab", tokenizer.encode(["ab"])[0])


def test_a_letter_that_ends_documents_is_counted_as_lost() -> None:
    backend = byte_tokenizer().backend
    backend.add_special_tokens(["!"])
    tokenizer = Tokenizer(backend=backend, name="bytes", eod=backend.token_to_id("!"), vocab_size=257)
    for text, lost in {"hello!": True, "hello": False}.items():
        (ids,) = tokenizer.encode([text])
        assert tokenizer.eod not in ids
        assert tokenizer.changes(text, ids) == lost


def test_the_form_of_t5_is_read_and_its_losses_are_counted(tmp_path: Path) -> None:
    """T5's own file is on the hub alone. This one has its form: a unigram model with nmt_nfkc, <pad>, </s> and <unk> as
    the first ids, no beginning, no bytes, and no token for braces and line ends.
    """
    import sentencepiece

    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join([f"What is the price of {n} apples? {string.ascii_letters}É<>/s" for n in range(300)]))
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines), model_prefix=str(tmp_path / "spiece"), vocab_size=300, model_type="unigram",
        hard_vocab_limit=False, minloglevel=2, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, character_coverage=1.0,
        normalization_rule_name="nmt_nfkc",
    )  # fmt: skip
    tokenizer = load_tokenizer(str(tmp_path / "spiece.model"))
    assert (tokenizer.eod, tokenizer.bos, tokenizer.unknown, tokenizer.control) == (1, None, 2, {0, 1})
    losses = Losses()
    for text in ["What is the price?", "two  spaces", "line\nbreak", "{x}", "price</s>", "①"]:
        (ids,) = tokenizer.encode([text])
        assert not tokenizer.control & set(ids)
        losses.count(tokenizer, text, ids)
    assert losses.changed_documents == 4, "spaces, the line end, braces, the digit in a circle"
    assert losses.unknown_tokens >= 2
    with pytest.raises(ConfigError, match=r"export\.bos=true needs a beginning-of-sequence token"):
        load_tokenizer(str(tmp_path / "spiece.model"), bos=True)


def word_pieces() -> Backend:
    backend = Backend(models.WordPiece({"[UNK]": 0, "[SEP]": 1, "a": 2}, unk_token="[UNK]"))
    backend.add_special_tokens(["[SEP]"])
    return backend


def lower_casing() -> Backend:
    backend = byte_tokenizer().backend
    backend.normalizer = normalizers.Lowercase()
    return backend


def accents_stripped() -> Backend:
    backend = byte_tokenizer().backend
    backend.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()])
    return backend


def few_letters() -> Backend:
    backend = Backend(models.Unigram([("<unk>", 0.0), ("<eod>", 0.0), ("▁", -1.0), ("a", -1.0)], unk_id=0))
    backend.add_special_tokens(["<eod>"])
    return backend


@pytest.mark.parametrize(
    ("make", "eos", "message"),
    [
        (word_pieces, "[SEP]", "is a WordPiece tokenizer, which cannot give back spaces"),
        (lower_casing, "<eod>", "is lossy: it reads 'A Capital É' as 'a capital é'"),
        (accents_stripped, "<eod>", "is lossy: it reads 'A Capital É' as 'A Capital E'"),
        (few_letters, "<eod>", "has no token for 61 of the Latin letters and digits"),
        (lambda: byte_tokenizer().backend, "</s>", "does not hold </s>, which transformers takes for its end"),
    ],
)
def test_a_tokenizer_that_cannot_give_back_texts_is_refused_in_one_line(
    tmp_path: Path, make: Any, eos: str, message: str
) -> None:
    name = saved(make(), tmp_path / "tokenizer", eos_token=eos)
    with pytest.raises(ConfigError, match=message) as caught:
        load_tokenizer(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("qwen.tiktoken", b"IQ== 0\nIg== 1\n", "is a tiktoken vocabulary .qwen.tiktoken."),
        ("tokenizer.model", b"IQ== 0\nIg== 1\n", "is a tiktoken vocabulary .tokenizer.model."),
        ("tokenizer.model", b"", "cannot be loaded"),
        ("tokenizer.model", b"\x0a\x0e\x0a\x05<unk>\x15", "cannot be loaded"),
        ("tokenizer.model", bytes(range(256)), "cannot be loaded"),
        ("tekken.json", b'{"config": {}}', "cannot be loaded"),
        ("vocab.txt", b"[PAD]\n[UNK]\n", "cannot be loaded"),
    ],
)
def test_other_files_are_read_or_refused_in_one_line(tmp_path: Path, file: str, content: bytes, message: str) -> None:
    (tmp_path / file).write_bytes(content)
    for name in (str(tmp_path), str(tmp_path / file)):
        with pytest.raises(ConfigError, match=message) as caught:
            load_tokenizer(name)
        assert "\n" not in str(caught.value)


def test_a_tekken_vocabulary_gives_tiktokens_ids(tmp_path: Path) -> None:
    words = [bytes([byte]) for byte in range(256)] + [b"th", b"the", b" the", b"in", b"ing", b" q", b" qu", b"zzz"]
    write_json(
        tmp_path / "tekken.json",
        {
            "config": {"pattern": TEKKEN, "default_vocab_size": 3 + len(words), "default_num_special_tokens": 3},
            "vocab": [
                {"rank": rank, "token_bytes": base64.b64encode(word).decode()} for rank, word in enumerate(words)
            ],
        },
    )
    tokenizer = load_tokenizer(str(tmp_path))
    original = tiktoken.Encoding(
        "t", pat_str=TEKKEN, mergeable_ranks={word: rank for rank, word in enumerate(words)}, special_tokens={}
    )
    for text in ["the thing, in the 12 zzz zzzz", "Straße </s> <s>\n\n  日本 quick"]:
        assert tokenizer.encode([text])[0] == [3 + number for number in original.encode_ordinary(text)]
        assert tokenizer.decode(tokenizer.encode([text])[0]) == text
    assert (tokenizer.eod, tokenizer.control) == (2, {0, 1, 2})


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize("byte_fallback", [True, False])
@pytest.mark.parametrize("rule", ["identity", "nmt_nfkc"])
def test_a_sentencepiece_model_alone_gives_sentencepieces_ids(
    tmp_path: Path, kind: str, byte_fallback: bool, rule: str
) -> None:
    import sentencepiece

    lines = tmp_path / "lines.txt"
    letters = " ".join(string.ascii_letters + string.digits + "É.,?!:<>/")
    lines.write_text("\n".join([f"Question {n}: what is the price of {n} apples? {letters}" for n in range(400)]))
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines), model_prefix=str(tmp_path / "tokenizer"), vocab_size=420, model_type=kind,
        byte_fallback=byte_fallback, normalization_rule_name=rule, hard_vocab_limit=False, minloglevel=2,
        remove_extra_whitespaces=rule != "identity", user_defined_symbols=["<think>"],
    )  # fmt: skip
    lines.unlink()
    (tmp_path / "tokenizer.vocab").unlink()
    tokenizer = load_tokenizer(str(tmp_path))
    original = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    for text in ["What is the price?", "of 12 apples, É: an APPLE. Question 7", "two  spaces   and <b>old</b>"]:
        assert tokenizer.encode([text])[0] == original.encode(text)
    (ids,) = tokenizer.encode(["a</s>b <think> <s>"])
    assert not tokenizer.control & set(ids)
    assert tokenizer.eod == original.eos_id() == 2


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
