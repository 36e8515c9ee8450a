"""Shingles (runs of 5 characters) of many questions at once, their exact Jaccard similarity, and the bands that find
the similar ones.

Character shingles need no word boundaries, so they hold for Chinese and Thai as for English; of 100 characters one
changed word costs about 0.2 of similarity. All arithmetic is over whole batches in numpy: no Python loop over
characters.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

WIDTH = 5
_LOGOGRAMS = 0x2E80
"""from here on (Han, kana, Hangul, …) a character says about as much as two letters and counts twice"""
NUM_HASHES = 128
"""slots of a MinHash signature; a power of two is rensa's fast path (3.5 µs a question against 8.1 with 126)"""
PAIRS_AT_ONCE = 256
_PASSAGE_SALT = np.uint64(0xD6E8FEB86659FD93)


def mix(values: Hashes) -> Hashes:
    """Spreads every bit over the whole word, in place (the finaliser of SplitMix64, less its first xor)."""
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(29)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(32)
    return values


@dataclass(slots=True)
class Shingles:
    """Shingle hashes of n questions, with repetitions; question i has its main part in parts 2i and its passage in
    part 2i + 1.
    """

    hashes: Hashes
    part_offsets: npt.NDArray[np.int64]
    """2n + 1 positions in `hashes`"""

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        return self.part_offsets[::2]


def shingle(parts: list[tuple[str, str]], *, salts: Hashes, tasks: Hashes, templates: Hashes) -> Shingles:
    """Shingles of (main, passage) pairs.

    salts: one per question; questions of different salt have no shingle in common (their numbers differ).
    tasks: one per question; a shingle whose hash, xor the task's, stands in the sorted `templates` is that task's
    template and does not count, unless nothing else is there.
    """
    text = "".join([f"{main.ljust(WIDTH)}\0{passage and passage.ljust(WIDTH)}\0" for main, passage in parts])
    hashes, boundary = _hash_windows(text)
    ends = np.flatnonzero(boundary)
    counts = np.maximum(np.diff(ends, prepend=-1) - WIDTH, 0)
    inside = np.ones(len(hashes), dtype=bool)
    for offset in range(WIDTH):
        inside[np.minimum(ends - offset, len(hashes) - 1)[ends >= offset]] = False
    hashes = hashes[inside]
    if counts[1::2].any():
        hashes ^= np.repeat(np.tile([np.uint64(0), _PASSAGE_SALT], len(parts)), counts)
    mix(hashes)
    if len(templates):
        part = np.repeat(np.arange(2 * len(parts)), counts)
        question = part >> 1
        keep = ~_contains(templates, hashes ^ tasks[question])
        bare = np.bincount(question[keep], minlength=len(parts)) == 0
        keep |= bare[question]
        hashes, counts = hashes[keep], np.bincount(part[keep], minlength=2 * len(parts))
    hashes ^= np.repeat(salts, counts.reshape(-1, 2).sum(axis=1))
    return Shingles(hashes, np.concatenate([[0], np.cumsum(counts)]))


def _hash_windows(text: str) -> tuple[Hashes, npt.NDArray[np.bool_]]:
    """The sum of code << 8 * place for every window of WIDTH characters, and which characters are boundaries (NUL).

    In ASCII that is the window's own bytes, so one unaligned load of 8 bytes and a mask do for it.
    """
    if text.isascii():
        data = np.frombuffer(text.encode() + b"\0" * (8 - WIDTH), dtype=np.uint8)
        num = len(text) - WIDTH + 1
        windows: Hashes = np.ndarray(num, dtype="<u8", buffer=data, strides=(1,))
        return windows & np.uint64((1 << 8 * WIDTH) - 1), data[: len(text)] == 0
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    codes = np.repeat(codes, 1 + (codes >= _LOGOGRAMS))
    num = len(codes) - WIDTH + 1
    hashes = codes[:num].astype(np.uint64)
    for place in range(1, WIDTH):
        hashes += codes[place : place + num].astype(np.uint64) << np.uint64(8 * place)
    return hashes, codes == 0


def _contains(sorted_values: Hashes, values: Hashes) -> npt.NDArray[np.bool_]:
    """Membership; a table over the low 16 bits turns most values away before the binary search."""
    table = np.zeros(1 << 16, dtype=bool)
    table[sorted_values.astype(np.uint16)] = True
    found = table[values.astype(np.uint16)]
    likely = np.flatnonzero(found)
    position = np.searchsorted(sorted_values, values[likely])
    position[position == len(sorted_values)] = 0
    found[likely] = sorted_values[position] == values[likely]
    return found


def choose_bands(threshold: float) -> tuple[int, int]:
    """(bands, rows): the most selective split of the signature that misses a pair at the threshold itself in at most 1
    of 200 cases.

    A pair of similarity s shares a band of r rows with probability s**r, so b bands miss it with (1 - s**r)**b
    (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4). At 0.8: 21 bands of 6 rows, missing 0.17%; 14 bands
    of 8 miss 7.7%.
    """
    for rows in range(NUM_HASHES, 0, -1):
        bands = NUM_HASHES // rows
        if (1 - threshold**rows) ** bands <= 1 / 200:
            return bands, rows
    raise AssertionError(f"one row of {NUM_HASHES} bands misses a pair at {threshold}")


def sign(shingles: Shingles, *, bands: int, rows: int) -> Hashes:
    """Band keys, shape (bands, questions): two questions that share a key in a band are candidates. MinHash by rensa
    (R-MinHash).
    """
    import rensa

    offsets = shingles.offsets.astype(np.uint64)
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(shingles.hashes, offsets, NUM_HASHES, 1)
    signatures = np.array(matrix.to_rows(), dtype=np.uint32)[:, : bands * rows].reshape(len(offsets) - 1, bands, rows)
    keys = np.zeros((len(offsets) - 1, bands), dtype=np.uint64)
    for row in range(rows):
        keys = mix(keys + signatures[:, :, row])
    return np.ascontiguousarray(keys.T)


def similarities(shingles: Shingles, left: Indices, right: Indices) -> npt.NDArray[np.float64]:
    """Exact Jaccard similarity of the pairs (left[k], right[k]): the smaller of main part and passage, so that a
    shared passage alone, or a shared stem over two passages, does not make two questions one. Two empty parts are
    alike.
    """
    both = [_part_similarities(shingles, kind, left, right) for kind in (0, 1)]
    return np.minimum(*both)


def _part_similarities(shingles: Shingles, kind: int, left: Indices, right: Indices) -> npt.NDArray[np.float64]:
    """One sort a pair tells both counts: of keys `hash, side`, distinct keys are |A| + |B| and distinct hashes are |A
    or B|.
    """
    starts = shingles.part_offsets[kind:-1:2]
    lengths = shingles.part_offsets[kind + 1 :: 2] - starts
    total = lengths[left] + lengths[right]
    result = np.ones(len(left))
    order = np.argsort(total, kind="stable")
    order = order[total[order] > 0]
    for begin in range(0, len(order), PAIRS_AT_ONCE):
        chunk = order[begin : begin + PAIRS_AT_ONCE]
        keys = np.full((len(chunk), total[chunk[-1]]), np.iinfo(np.uint64).max)
        for side, questions, column in (
            (0, left[chunk], np.zeros(len(chunk), dtype=np.int64)),
            (1, right[chunk], lengths[left[chunk]]),
        ):
            num = lengths[questions]
            within = np.arange(num.sum()) - np.repeat(np.cumsum(num) - num, num)
            hashes = shingles.hashes[within + np.repeat(starts[questions], num)]
            keys[np.repeat(np.arange(len(chunk)), num), within + np.repeat(column, num)] = hashes >> np.uint64(
                2
            ) << np.uint64(1) | np.uint64(side)
        keys.sort(axis=1)
        padded = total[chunk] < keys.shape[1]
        distinct = 1 + (keys[:, 1:] != keys[:, :-1]).sum(axis=1) - padded
        keys >>= np.uint64(1)
        union = 1 + (keys[:, 1:] != keys[:, :-1]).sum(axis=1) - padded
        result[chunk] = (distinct - union) / union
    return result
