"""The words of lexicon.yaml."""

import functools
import importlib.resources
from typing import Any

import yaml


@functools.cache
def lexicon() -> dict[str, Any]:
    text = (importlib.resources.files("nemo_sdg.text.forms") / "lexicon.yaml").read_text(encoding="utf-8")
    words: dict[str, Any] = yaml.safe_load(text)
    return words


@functools.cache
def listed(key: str, between: str | None = None) -> frozenset[str]:
    """The words of one entry, or its terms of several words with `between` between them."""
    return frozenset(term.strip() for term in str(lexicon()[key]).split(between))
