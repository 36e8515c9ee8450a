"""Looks for control ids in packed datasets, with Megatron's own reader."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nemo_sdg.export.packing.packed_files import import_indexed_dataset
from nemo_sdg.export.packing.tokenizers import Tokenizer


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
