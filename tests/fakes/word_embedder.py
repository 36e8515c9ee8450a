"""A fake sentence embedder: a bag of words, each word a random direction. Order and stop words do not count."""

import hashlib

import numpy as np

STOCK = {"the", "a", "an", "of", "is", "what", "in", "how", "does", "do"}


class FakeEmbedder:
    def __init__(self, name: str | None) -> None:
        self.name = name

    def encode(self, texts: list[str]) -> np.ndarray:
        return np.array(
            [
                np.sum([direction(word) for word in text.split() if word not in STOCK] or [direction("")], axis=0)
                for text in texts
            ]
        )


def direction(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
    return np.random.default_rng(seed).normal(size=64)
