"""The files of one packed shard, written together: megatron-core's .bin and .idx, where each document comes from, and
the texts.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from nemo_sdg.export.packed_shards import PREFIX_SUFFIX, TEXT_SUFFIX
from nemo_sdg.export.packing.indexed_dataset import IndexedWriter
from nemo_sdg.export.packing.tokenizers import Tokenizer
from nemo_sdg.records import content_id
from nemo_sdg.records.lines import SampleLine
from nemo_sdg.storage import atomic_file

ROW_GROUP = 8192
"""documents in a parquet row group"""


@dataclass(kw_only=True)
class Losses:
    """Counts of what a tokenizer loses of its texts."""

    unknown_tokens: int = 0
    """characters, or runs of them, without a token"""
    changed_documents: int = 0
    """documents that the ids do not give back as they were"""

    def count(self, tokenizer: Tokenizer, text: str, ids: list[int]) -> None:
        unknown = 0 if tokenizer.unknown is None else ids.count(tokenizer.unknown)
        self.unknown_tokens += unknown
        self.changed_documents += bool(unknown) or tokenizer.changes(text, ids)


class TextRow(TypedDict):
    """A document for people and `datasets`, as in TEXT_SUFFIX."""

    uuid: str
    text: str
    license: str | None
    task: str | None
    family: str | None
    kind: str | None
    language: str | None
    origin: str | None
    model: str | None
    models_used: str | None


def text_row(samples: list[SampleLine], text: str) -> TextRow:
    """The row of a document. Siblings differ in few of the columns; where they do, all are named."""
    ids = [sample["sample_id"] for sample in samples]
    return TextRow(
        uuid=ids[0] if len(ids) == 1 else content_id(*ids),
        text=text,
        license=_joined([(sample.get("license") or {}).get("effective") for sample in samples], " AND "),
        task=_joined([sample["task"] for sample in samples], ", "),
        family=_joined([sample["family"] for sample in samples], ", "),
        kind=_joined([sample["kind"] for sample in samples], ", "),
        language=_joined([sample["language"] for sample in samples], ", "),
        origin=_joined([sample["origin"] for sample in samples], ", "),
        model=_joined([(sample.get("generator") or {}).get("model") for sample in samples], ", "),
        models_used=_joined([_models_used(sample) for sample in samples], ", "),
    )


def _models_used(sample: SampleLine) -> str | None:
    """The models whose text a sample holds: of its question and of its kept solution."""
    generator = sample.get("generator") or {}
    writer = (generator.get("writer") or {}).get("model")
    return ", ".join(sorted({model for model in (writer, generator.get("model")) if model})) or None


def _joined(values: list[str | None], separator: str) -> str | None:
    """The parts of several values, each once, sorted; None where there is none. A single value is left as it is."""
    if len(values) == 1:
        return values[0]
    parts = {part for value in values if value for part in value.split(separator)}
    return separator.join(sorted(parts)) or None


class ShardWriter:
    """The four files of one packed shard and variant; they take their names together when the stack closes."""

    def __init__(self, prefix: Path, tokenizer: Tokenizer, files: contextlib.ExitStack) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.tokenizer = tokenizer
        text = pa.string()
        self._docs_schema = pa.schema(
            [
                ("document", pa.int64()),
                ("sample_id", text),
                ("seed_ids", pa.list_(text)),
                ("task", text),
                ("family", text),
                ("num_tokens", pa.int32()),
            ]
        )
        self._text_schema = pa.schema([(name, text) for name in TextRow.__annotations__])
        self.paths = [
            prefix.with_name(f"{prefix.name}{suffix}")
            for suffix in (f"{PREFIX_SUFFIX}.bin", f"{PREFIX_SUFFIX}.idx", ".docs.parquet", TEXT_SUFFIX)
        ]
        bin_file, self._idx_file, docs_file, text_file = (files.enter_context(atomic_file(path)) for path in self.paths)
        self._indexed = IndexedWriter(bin_file, tokenizer.vocab_size)
        self._docs = files.enter_context(pq.ParquetWriter(docs_file, self._docs_schema, compression="zstd"))
        self._texts = files.enter_context(pq.ParquetWriter(text_file, self._text_schema, compression="zstd"))
        self._document_rows: list[tuple[Any, ...]] = []
        self._text_rows: list[TextRow] = []
        self.num_documents = self.num_tokens = 0
        self.losses = Losses()

    def add(self, samples: list[SampleLine], text: str, ids: list[int]) -> None:
        """Appends one document, by the ids of its text."""
        self.losses.count(self.tokenizer, text, ids)
        ids = self.tokenizer.as_document(ids)
        self._indexed.add(ids)
        number = self.num_documents + len(self._text_rows)
        for sample in samples:  # the sample itself, with all its votes, is not held
            facts = sample["sample_id"], sample["seed_ids"], sample["task"], sample["family"]
            self._document_rows.append((number, *facts, len(ids)))
        self._text_rows.append(text_row(samples, text))
        self.num_tokens += len(ids)
        if len(self._text_rows) == ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        columns = [list(column) for column in zip(*self._document_rows, strict=True)]
        self._docs.write_table(pa.table(columns, schema=self._docs_schema))
        self._texts.write_table(pa.Table.from_pylist(self._text_rows, schema=self._text_schema))
        self.num_documents += len(self._text_rows)
        self._document_rows.clear()
        self._text_rows.clear()

    def finish(self) -> None:
        if self._text_rows:
            self._flush()
        self._indexed.finish(self._idx_file)
