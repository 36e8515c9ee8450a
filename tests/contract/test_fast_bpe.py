"""FastBpe gives the same token ids as the Hugging Face tokenizers that it replaces."""

import json
import pickle
import unicodedata
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend

from nemo_sdg.export.packing.fast_bpe import LLAMA_3, O200K, QWEN, TEKKEN, FastBpe
from nemo_sdg.export.packing.tokenizers import Tokenizer, load_tokenizer
from tests.unit.export.packing_samples import byte_tokenizer

EXPRESSIONS = {"llama_3": LLAMA_3, "qwen": QWEN, "tekken": TEKKEN, "o200k": O200K}
SHAPES = ["embedded", "gpt2", *EXPRESSIONS]


def own_expression(expression: str) -> Any:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(expression), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def shaped(embedded: Tokenizer, shape: str) -> Tokenizer:
    """The embedded model's vocabulary of 49,152 tokens behind the splitting of another family, whose own vocabularies
    are not to be had here.
    """
    backend = Backend.from_str(embedded.backend.to_str())
    if shape == "gpt2":
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    elif shape != "embedded":
        backend.pre_tokenizer = own_expression(
            {"llama_3": LLAMA_3, "qwen": QWEN, "tekken": TEKKEN, "o200k": O200K}[shape]
        )
    if shape == "qwen":
        backend.normalizer = normalizers.NFC()
    return Tokenizer(backend=backend, name=shape, eod=embedded.eod, vocab_size=embedded.vocab_size)


@pytest.fixture(scope="module")
def embedded() -> Tokenizer:
    return load_tokenizer(None)


@pytest.fixture(scope="module", params=SHAPES)
def tokenizer(request: pytest.FixtureRequest, embedded: Tokenizer) -> Tokenizer:
    tokenizer = shaped(embedded, request.param)
    assert tokenizer.fast is not None
    return tokenizer


def expected(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encoder.encode_batch_fast(texts, add_special_tokens=False)]


def assert_same(tokenizer: Tokenizer, texts: list[str]) -> None:
    for text, ids, wanted in zip(texts, tokenizer.encode(texts), expected(tokenizer, texts), strict=True):
        assert ids == wanted, repr(text)


def texts_around(characters: list[str]) -> Iterator[str]:
    """Every character beside letters, digits, spaces, line ends, apostrophes and itself; ideographs, which no rule
    tells apart, in company.
    """
    alike = [
        character
        for character in characters
        if ord(character) >= 0x3400 and unicodedata.category(character) in ("Lo", "Co")
    ]
    for start in range(0, len(alike), 50):
        some = alike[start : start + 50]
        yield " ".join(some) + "".join(some) + "1".join(some)
    for character in sorted(set(characters) - set(alike)):
        yield "{} a{}b {} 1{}1'{} a'{}e  {}{}x'{}\n {}\t{}\n{}".replace("{}", character)


def test_every_character_of_unicode(tokenizer: Tokenizer) -> None:
    fast = tokenizer.fast
    assert fast is not None
    planes = [*range(0xD800), *range(0xE000, 0x40000), *range(0xE0000, 0xF0000)]
    characters = [character for character in map(chr, planes) if fast.encode(f"{character}.") is not None]
    assert len(characters) > 100_000
    assert_same(tokenizer, list(texts_around(characters)))


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def test_real_rows_of_many_languages(tokenizer: Tokenizer, hub: Path) -> None:
    rows = [json.loads(line) for path in sorted(hub.rglob("*.jsonl")) for line in islice(path.open(), 20)]
    texts = [text for row in rows for text in strings(row)]
    assert sum(not text.isascii() for text in texts) > 500
    assert_same(tokenizer, texts)
    assert tokenizer.fast is not None
    assert sum(tokenizer.fast.encode(text) is not None for text in texts) > 0.95 * len(texts)


FRAGMENTS = [
    *" \t\n\r\x0b\x0c\x1c\x85\xa0\u3000\u200b\u2028", "  ", "\r\n", "\n\n", "0", "12", "1234567",
    "٣٤", "½", "²", "'", "'s", "'LL", "'ſ", "’t", "it 's", "I'm'd",
    "a", "Word", " the", "çé", "e\u0301", "ß", "İ", "日本語", "ひらがな", "한국어", "हिन्दी", "ৎ", "العربية",
    "ไทย", "👩‍👩‍👧", "🩷", "\U00010d40", "!", "...", "=>", "//", "```python\n", "    return x",
    "<|im_end|>", "<|endoftext|>", "<|im_start|>user", "[INST]", "</s>", "\x00", "\ufeff", "\ufffd",
    "_", "-", "$x^2$",
]  # fmt: skip


@settings(max_examples=150)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=30).map("".join))
def test_whatever_stands_side_by_side(tokenizer: Tokenizer, text: str) -> None:
    assert_same(tokenizer, [text])


@pytest.mark.parametrize("piece", ["a", "ab1", "=", "日本", " ", "\n", " \t", "'s", "é", "\u0301a", "1"])
@pytest.mark.parametrize("length", [990, 3000])
def test_long_pieces(tokenizer: Tokenizer, piece: str, length: int) -> None:
    text = piece * (length // len(piece))
    assert_same(tokenizer, [text, f"before {text} after", f"{text}\n"])


def test_text_that_spells_control_tokens_stays_text(tokenizer: Tokenizer) -> None:
    text = "".join(FRAGMENTS)
    (ids,) = tokenizer.encode([text])
    assert tokenizer.eod not in ids
    assert tokenizer.decode([*ids, tokenizer.eod]) == (
        unicodedata.normalize("NFC", text) if tokenizer.name == "qwen" else text
    )


def test_it_pickles_with_the_tokenizer(embedded: Tokenizer) -> None:
    copy = pickle.loads(pickle.dumps(embedded))
    assert copy.fast.encode("it 's  3 o'clock") == expected(embedded, ["it 's  3 o'clock"])[0]


def small(merges: list[tuple[str, str]], *more: str, order: list[str] | None = None, **options: Any) -> Backend:
    """All bytes, then the products of the merges in `order`, then further tokens."""
    products = order or ["".join(pair) for pair in merges]
    vocab = {
        token: number for number, token in enumerate([*sorted(pre_tokenizers.ByteLevel.alphabet()), *products, *more])
    }
    backend = Backend(models.BPE(vocab, merges, **options))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return backend


def test_a_token_that_its_bytes_do_not_form() -> None:
    """bc is merged before anything with a or d: abcd can only come up as a whole piece, and only with ignore_merges."""
    for ignore_merges in (False, True):
        backend = small([("b", "c"), ("a", "b"), ("c", "d")], "abcd", ignore_merges=ignore_merges)
        tokenizer = Tokenizer(backend=backend, name="small", eod=0, vocab_size=backend.get_vocab_size())
        assert tokenizer.fast is not None
        assert_same(tokenizer, ["abcd", "abcde", "xabcd abcd abc bcd ab", "abcdabcd"])
    assert FastBpe.of(small([("b", "c")], "abc", ignore_merges=True)) is None


@pytest.mark.parametrize(
    "backend",
    [
        small([("a", "b"), ("b", "c")], order=["bc", "ab"]),
        small([("a", "b")], dropout=0.1),
        small([("a", "b")], byte_fallback=True),
        Backend(models.WordLevel({"a": 0}, unk_token="a")),
        Backend(models.Unigram([("a", 0.0)])),
    ],
)
def test_other_models_go_the_slow_way(backend: Backend) -> None:
    assert FastBpe.of(backend) is None


@pytest.mark.parametrize(
    "splitting",
    [
        pre_tokenizers.ByteLevel(add_prefix_space=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        pre_tokenizers.Whitespace(),
        pre_tokenizers.Metaspace(),
        pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), pre_tokenizers.ByteLevel(add_prefix_space=False)]),
        pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        ),
        own_expression(r"\p{N}+|\p{L}+"),
        own_expression(QWEN.replace("[\\r\\n]*", "[\\r\\n/]*")),
        own_expression(r"\p{L}++|\p{N}{1,3}+|[^\s\p{L}\p{N}]++|\s+(?!\S)|\s+"),
        own_expression(r"\p{L}+|[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"),
    ],
)
def test_other_splittings_go_the_slow_way(splitting: Any) -> None:
    """The last one leaves digits unmatched: there they stay a piece, tiktoken would lose them."""
    backend = small([("a", "b")])
    assert FastBpe.of(backend) is not None
    backend.pre_tokenizer = splitting
    assert FastBpe.of(backend) is None


def test_a_normalizer_or_a_word_of_its_own_goes_the_slow_way() -> None:
    backend = small([("a", "b")])
    backend.normalizer = normalizers.Lowercase()
    assert FastBpe.of(backend) is None
    backend = small([("a", "b")])
    backend.add_tokens(["own word"])
    assert FastBpe.of(backend) is None
    backend = small([("a", "b")])
    backend.add_special_tokens(["<eod>"])
    assert FastBpe.of(backend) is None  # until text that spells it is text
    backend.encode_special_tokens = True
    assert FastBpe.of(backend) is not None


def test_without_merges_and_with_a_byte_missing() -> None:
    assert byte_tokenizer().fast is not None
    vocab = {token: number for number, token in enumerate(sorted({*pre_tokenizers.ByteLevel.alphabet()} - {"q"}))}
    backend = Backend(models.BPE(vocab, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = Tokenizer(backend=backend, name="no q", eod=0, vocab_size=255)
    assert tokenizer.fast is not None
    assert tokenizer.fast.encode("quiet") is None
    assert_same(tokenizer, ["quiet", "loud"])
