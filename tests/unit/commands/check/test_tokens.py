"""The tokens of packed documents are compared with their texts; what is not tokenised again still has its ends."""

from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.commands.check.packed.tokens import Tokens
from nemo_sdg.export.packing.indexed_dataset import IndexedWriter

EOD, BOS = 9, 8


class Letters:
    """A tokenizer whose ids are the places of letters."""

    control = frozenset({EOD, BOS})

    def __init__(self, bos: int | None) -> None:
        self.bos = bos

    def encode(self, texts: list[str]) -> list[list[int]]:
        return [[ord(letter) - ord("a") for letter in text] for text in texts]

    def as_document(self, ids: list[int]) -> list[int]:
        return [*([] if self.bos is None else [self.bos]), *ids, EOD]


@pytest.mark.parametrize(
    ("bos", "documents", "found"),
    [
        (None, [[0, 1, EOD], [2, EOD], [3, EOD]], ""),
        (BOS, [[BOS, 0, 1, EOD], [BOS, 2, EOD], [BOS, 3, EOD]], ""),
        (None, [[0, 1, EOD], [2, 2], [3, EOD]], "document 1 does not begin and end"),
        (None, [[0, 1, EOD], [], [3, EOD]], "document 1 does not begin and end"),
        (BOS, [[BOS, 0, 1, EOD], [2, 2, EOD], [BOS, 3, EOD]], "document 1 does not begin and end"),
        (None, [[0, 1, EOD], [EOD, EOD], [3, EOD]], "document 1 holds the control id 9"),
        (None, [[0, 0, EOD], [2, EOD], [3, EOD]], "the tokens of document 0 are not those of its text"),
    ],
)
def test_documents_that_are_not_tokenised_again_have_their_ends(
    tmp_path: Path, bos: int | None, documents: list[list[int]], found: str
) -> None:
    with open(tmp_path / "x_text_document.bin", "wb") as ids, open(tmp_path / "x_text_document.idx", "wb") as index:
        writer = IndexedWriter(ids, 10)
        for document in documents:
            writer.add(document)
        writer.finish(index)
    tokenizer: Any = Letters(bos)
    tokens = Tokens(tokenizer, tmp_path, "x", [len(document) for document in documents])
    odd = tokens.odd(0, [memoryview(text) for text in (b"ab", b"c", b"d")], stride=3)
    assert [found in line for line in odd] == ([True] if found else [])
