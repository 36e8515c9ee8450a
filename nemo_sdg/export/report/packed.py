"""Some packed documents as the tokens of the .bin file, each token with the part of the sample that it comes from:
layout `Question`, layout `:`, question ` Which`, …
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nemo_sdg.errors import DataError
from nemo_sdg.export.packed_shards import PREFIX_SUFFIX
from nemo_sdg.export.packing.indexed_dataset import DTYPES, HEADER_BYTES, MAGIC
from nemo_sdg.export.packing.tokenizers import Tokenizer, load_saved
from nemo_sdg.export.report.counts import read_json_or
from nemo_sdg.export.report.rows import Line, Unreadable, find_by_id
from nemo_sdg.records.lines import PackedReceipt

PARTS = ("passage", "question", "options", "context", "reasoning", "answer", "layout", "end")
NUM_SHOWN = 3
"""number of documents of a variant, of different families if there are enough"""
MAX_TOKENS = 500
"""number of tokens of a document that are shown"""


@dataclass(kw_only=True)
class PackedDocument:
    """A document as the page shows it."""

    variant: str
    prefix: str
    document: int
    task: str
    num_tokens: int
    tokens: list[tuple[str, str]]
    """part of the sample (one of PARTS), text of the token"""


def packed_documents(run_dir: Path) -> list[PackedDocument]:
    """For each variant, the documents with the smallest hashes of sample ids in the first shard of a family."""
    try:
        tokenizer = load_saved(run_dir / "packed" / "tokenizer")
    except (DataError, OSError, ValueError):
        return []
    shown = []
    for variant in sorted(path for path in (run_dir / "packed").glob("*") if path.is_dir()):
        firsts = [next(iter(sorted(family.glob("train/*.docs.parquet"))), None) for family in sorted(variant.glob("*"))]
        for path in [path for path in firsts if path is not None][:NUM_SHOWN]:
            try:
                shown.append(_document(run_dir, path, variant.name, tokenizer))
            except (DataError, OSError, ValueError, KeyError, IndexError, struct.error):
                continue  # damaged files are named by `check`; the page shows what can be read
    return shown


def _document(run_dir: Path, docs: Path, variant: str, tokenizer: Tokenizer) -> PackedDocument:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(docs).read_row_group(0, columns=["document", "sample_id", "task"]).to_pylist()
    row = min(table, key=lambda row: zlib.crc32(row["sample_id"].encode()))
    members = [other["sample_id"] for other in table if other["document"] == row["document"]]
    base = str(docs).removesuffix(".docs.parquet") + PREFIX_SUFFIX
    ids = read_document(Path(base), row["document"])
    receipts: Iterator[PackedReceipt] = (
        read_json_or(path, {}, PackedReceipt) for path in sorted((run_dir / "packed" / "receipts").glob("*.json"))
    )
    name = f"{Path(base).relative_to(run_dir)}.bin"
    inputs = next((receipt["inputs"] for receipt in receipts if name in receipt.get("outputs", {})), {})
    found = find_by_id([run_dir / path for path in inputs], "sample_id", set(members), Unreadable())
    texts = pieces(tokenizer, ids[:MAX_TOKENS])
    parts = parts_of("".join(texts), [found[member] for member in members if member in found])
    tokens, place = list[tuple[str, str]](), 0
    for number, text in zip(ids, texts, strict=False):
        control = number == tokenizer.eod or number == tokenizer.bos
        if control:
            tokens.append(("end", str(tokenizer.backend.id_to_token(number))))
        else:
            tokens.append((parts[min(place + (len(text) - len(text.lstrip())), len(parts) - 1)], text))
        place += len(text)
    return PackedDocument(
        variant=variant,
        prefix=name.removesuffix(".bin"),
        document=row["document"],
        task=row["task"],
        num_tokens=len(ids),
        tokens=tokens,
    )


def read_document(prefix: Path, document: int) -> list[int]:
    """Token ids of one document, read by Megatron's published layout of .idx and .bin."""
    import numpy as np

    with open(f"{prefix}.idx", "rb") as handle:
        head = handle.read(HEADER_BYTES)
        if head[:9] != MAGIC or head[17] not in DTYPES:
            raise DataError(f"{prefix}.idx is not a Megatron index")
        (num,) = struct.unpack_from("<Q", head, 18)
        handle.seek(HEADER_BYTES + 4 * document)
        (length,) = struct.unpack("<i", handle.read(4))
        handle.seek(HEADER_BYTES + 4 * num + 8 * document)
        (offset,) = struct.unpack("<q", handle.read(8))
    return [int(number) for number in np.fromfile(f"{prefix}.bin", DTYPES[head[17]], count=length, offset=offset)]


def pieces(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    """The text that each token adds. A character of several tokens is added by the last of them."""
    texts, begin, before = list[str](), 0, ""
    plain = [number for number in ids if number not in (tokenizer.eod, tokenizer.bos)]
    for end in range(1, len(plain) + 1):
        whole = str(tokenizer.backend.decode(plain[begin:end], skip_special_tokens=False))
        settled = whole if end == len(plain) else whole.rstrip("\ufffd")
        texts.append(settled[len(before) :])
        before = max(before, settled, key=len)
        if tokenizer.decodes_apart and settled == whole:
            begin, before = end, ""
    found = iter(texts)
    return ["" if number in (tokenizer.eod, tokenizer.bos) else next(found) for number in ids]


def parts_of(text: str, samples: list[Line]) -> list[str]:
    """For each character of a document, the part of a sample that it belongs to."""
    parts = ["layout"] * max(1, len(text))
    begin = 0
    for sample in samples:
        answer = str((sample.get("answer") or {}).get("text") or "").strip()
        named = [
            (name, str(sample.get(name) or "").strip()) for name in ("passage", "context", "question", "reasoning")
        ]
        places = {name: (text.find(words, begin), words) for name, words in named if words}
        ends = [place + len(words) for place, words in places.values() if place >= 0]
        last = max(ends, default=begin)
        asked, words = places.get("question", (-1, ""))
        told = places.get("reasoning", (-1, ""))[0]
        after = asked + len(words) if asked >= 0 else begin
        for choice in sample.get("choices") or ():
            place = text.find(str(choice).strip(), after, told if told >= 0 else len(text))
            if place >= 0 and choice:
                _fill(parts, place, len(str(choice).strip()), "options")
                after = place + len(str(choice).strip())
        for name, (place, words) in places.items():
            if place >= 0:
                _fill(parts, place, len(words), name)
        place = text.find(answer, max(last, after)) if answer else -1
        if place >= 0:
            _fill(parts, place, len(answer), "answer")
            begin = place + len(answer)
        else:
            begin = last
    return parts


def _fill(parts: list[str], place: int, length: int, name: str) -> None:
    parts[place : place + length] = [name] * min(length, len(parts) - place)
