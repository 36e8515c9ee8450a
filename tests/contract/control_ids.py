"""Looks for control ids in packed datasets, with Megatron's own reader."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nemo_sdg.execution.megatron_import import importing_megatron
from nemo_sdg.export.packing.tokenizers import Tokenizer


def import_indexed_dataset() -> Any:
    """megatron-core's module, to read what was packed."""
    with importing_megatron():
        from megatron.core.datasets import indexed_dataset
    return indexed_dataset


def find_control_ids(prefix: Path, tokenizer: Tokenizer) -> Iterator[tuple[int, int]]:
    """(document, id) of every control id inside a document of a packed dataset, and (document, last id) of every
    document that does not end in the end-of-document id. A beginning-of-sequence id may stand first where the
    tokenizer puts one.
    """
    dataset = import_indexed_dataset().IndexedDataset(str(prefix))
    control = np.array(sorted(tokenizer.control), dtype=np.int64)
    for document in range(len(dataset)):
        ids = np.asarray(dataset[document], dtype=np.int64)
        if ids[-1] != tokenizer.eod:
            yield document, int(ids[-1])
        begins = tokenizer.bos is not None and ids[0] == tokenizer.bos
        for found in ids[int(begins) : -1][np.isin(ids[int(begins) : -1], control)]:
            yield document, int(found)
