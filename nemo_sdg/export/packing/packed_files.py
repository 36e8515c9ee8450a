"""The files of one packed shard, written together: megatron-core's .bin and .idx, where each document comes from, and
the texts.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.execution.megatron_import import importing_megatron
from nemo_sdg.export.packing.tokenizers import Tokenizer
from nemo_sdg.storage import atomic_file

TEXT_SUFFIX = ".text.parquet"
ROW_GROUP = 8192
"""documents in a parquet row group"""


def import_indexed_dataset() -> Any:
    """megatron-core's module."""
    with importing_megatron():
        from megatron.core.datasets import indexed_dataset
    return indexed_dataset


@contextlib.contextmanager
def plain_files() -> Iterator[None]:
    """megatron-core opens files through NVIDIA's multi-storage client where that is installed: 60 µs a document, for
    nothing on a local file.
    """
    from megatron.core.msc_utils import MultiStorageClientFeature

    enabled = MultiStorageClientFeature.is_enabled()
    MultiStorageClientFeature.disable()
    try:
        yield
    finally:
        if enabled:
            MultiStorageClientFeature.enable()


class ShardWriter:
    """The four files of one packed shard and variant; they take their names together when the stack closes."""

    def __init__(self, prefix: Path, tokenizer: Tokenizer, files: contextlib.ExitStack) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        indexed = import_indexed_dataset()
        self.eod = tokenizer.eod
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
        self._text_schema = pa.schema(
            [
                (name, text)
                for name in ("uuid", "text", "license", "task", "family", "kind", "language", "origin", "model")
            ]
        )
        self.paths = [
            prefix.with_name(f"{prefix.name}{suffix}")
            for suffix in ("_text_document.bin", "_text_document.idx", ".docs.parquet", TEXT_SUFFIX)
        ]
        bin_file, self._idx_file, docs_file, text_file = (files.enter_context(atomic_file(path)) for path in self.paths)
        with plain_files():
            self._builder = indexed.IndexedDatasetBuilder(
                bin_file.name, dtype=indexed.DType.optimal_dtype(tokenizer.vocab_size)
            )
        self._docs = files.enter_context(pq.ParquetWriter(docs_file, self._docs_schema, compression="zstd"))
        self._texts = files.enter_context(pq.ParquetWriter(text_file, self._text_schema, compression="zstd"))
        self._rows: list[tuple[dict[str, Any], str, int]] = []
        self.num_documents = self.num_tokens = 0

    def add(self, sample: dict[str, Any], text: str, ids: list[int]) -> None:
        """Appends one document. `ids` gets its end-of-document id here."""
        ids.append(self.eod)
        self._builder.add_document(ids, [len(ids)])
        self._rows.append((sample, text, len(ids)))
        self.num_tokens += len(ids)
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        samples = [sample for sample, _, _ in self._rows]
        docs = {
            "document": list(range(self.num_documents, self.num_documents + len(samples))),
            **{name: [sample[name] for sample in samples] for name in ("sample_id", "seed_ids", "task", "family")},
            "num_tokens": [num_tokens for _, _, num_tokens in self._rows],
        }
        texts = {
            "uuid": [sample["sample_id"] for sample in samples],
            "text": [text for _, text, _ in self._rows],
            "license": [(sample.get("license") or {}).get("effective") for sample in samples],
            **{name: [sample[name] for sample in samples] for name in ("task", "family", "kind", "language", "origin")},
            "model": [(sample.get("generator") or {}).get("model") for sample in samples],
        }
        self._docs.write_table(pa.table(docs, schema=self._docs_schema))
        self._texts.write_table(pa.table(texts, schema=self._text_schema))
        self.num_documents += len(samples)
        self._rows.clear()

    def finish(self) -> None:
        if self._rows:
            self._flush()
        with plain_files():
            self._builder.finalize(self._idx_file.name)
