"""Tokenises samples in every variant, and joins samples to documents."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from nemo_sdg.config import ExportSection, Form
from nemo_sdg.export.documents import SIBLINGS_APART, render_texts
from nemo_sdg.export.packing.shard_plan import seed_of
from nemo_sdg.export.packing.tokenizers import Tokenizer
from nemo_sdg.records.lines import SampleLine


@dataclass(slots=True)
class Encoded:
    """One sample in all variants, in their order."""

    sample: SampleLine
    texts: list[str]
    ids: list[list[int]]


Document = tuple[list[Encoded], list[str], list[list[int]]]
"""samples, text and ids in each variant"""


def encode_samples(samples: list[SampleLine], export: ExportSection, tokenizer: Tokenizer) -> Iterator[Encoded]:
    texts = [render_texts(sample, export.variants) for sample in samples]
    columns = [tokenizer.encode([text[place] for text in texts]) for place in range(len(export.variants))]
    for sample, own, *ids in zip(samples, texts, *columns, strict=True):
        yield Encoded(sample, own, ids)


def join_documents(kept: list[Encoded], export: ExportSection, tokenizer: Tokenizer) -> Iterator[Document]:
    """The documents of the samples: one each, or siblings as many as fit into max_document_tokens in every variant."""
    if export.form is Form.single:
        for encoded in kept:
            yield [encoded], encoded.texts, encoded.ids
        return
    groups = [
        members
        for _, siblings in groupby(kept, key=lambda encoded: seed_of(encoded.sample))
        for members in _fitting(list(siblings), export, tokenizer)
    ]
    texts = [[SIBLINGS_APART.join(parts) for parts in zip(*(e.texts for e in group), strict=True)] for group in groups]
    columns = [tokenizer.encode([own[place] for own in texts]) for place in range(len(export.variants))]
    room = export.max_document_tokens - len(tokenizer.as_document([]))
    for group, own, *ids in zip(groups, texts, *columns, strict=True):
        # Where texts meet, a tokenizer may need more tokens than for each alone, or spell a control token.
        if all(len(column) <= room and tokenizer.control.isdisjoint(column) for column in ids):
            yield group, own, ids
        else:
            for encoded in group:
                yield [encoded], encoded.texts, encoded.ids


def _fitting(siblings: list[Encoded], export: ExportSection, tokenizer: Tokenizer) -> Iterator[list[Encoded]]:
    """Runs of siblings whose lengths, with what stands between them, fit in every variant."""
    (between,) = map(len, tokenizer.encode([SIBLINGS_APART]))
    room = export.max_document_tokens - len(tokenizer.as_document([]))
    group: list[Encoded] = []
    lengths: list[int] = []
    for encoded in siblings:
        added = [len(ids) for ids in encoded.ids]
        joined = [length + between + more for length, more in zip(lengths, added, strict=True)] if group else added
        if group and max(joined) > room:
            yield group
            group, joined = [], added
        group.append(encoded)
        lengths = joined
    if group:
        yield group
