"""The words of lexicon.yaml."""

import functools
from pathlib import Path
from typing import Any

from nemo_sdg.text.tables import read_table


def lexicon() -> dict[str, Any]:
    words: dict[str, Any] = read_table(Path(__file__).with_name("lexicon.yaml"), typed=True)
    return words


@functools.cache
def listed(key: str, between: str | None = None) -> frozenset[str]:
    """The words of one entry, or its terms of several words with `between` between them."""
    return frozenset(term.strip() for term in str(lexicon()[key]).split(between))
