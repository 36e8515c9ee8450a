"""Finds evaluation rows in the corpus: exactly, by n-grams, and reworded.

    build_index([Path("evaluation/gsm8k.jsonl")], Path("index"), config)     once
    index = open_index(Path("index"))
    index.find({"question": "Janet's ducks lay sixteen eggs per day. …", "answer": {"text": "18"}})
    Finding(detector="exact", reason="evaluation_exact", detail="gsm8k test row 0 (openai/gsm8k main)")

An n-gram counts the less the more evaluation rows hold it, and not at all when hundreds do, so that "which of the following" weighs
nothing. A row is found when the n-grams that it shares with a sample make up most of its weight (one shared 13-gram is no leak, and a
question with one word changed still is one). Rows with short questions need a second witness: the answer or the options; rows with a
passage need the passage, or else the answer, too.

The index is a folder named after the hash of what it was made from, and a small file that points to it:

    index/current.json                 {"version": "3f9c…"}
    index/3f9c…/meta.json              written last, with the sizes of the files beside it
    index/3f9c…/rows.jsonl rows.offsets  the evaluation rows, each content once
    index/3f9c…/exact.* grams.* weights  see postings.py
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.items import Agreement, Item, agree, num_words, read_item
from nemo_sdg.curate.normalize import Hashes, ngram_hashes, sequence_hash, token_hashes
from nemo_sdg.curate.paraphrase import terms
from nemo_sdg.curate.postings import Postings, PostingsWriter, load_array
from nemo_sdg.errors import DataError
from nemo_sdg.records import content_id
from nemo_sdg.store import read_json, read_jsonl, sha256_file, write_json

FORMAT = 1
"""raised whenever the same rows would give another index"""
LENGTHS = (3, 5, 8)
"""n-gram lengths beside `curate.ngram`; a row takes the longest that is at most a quarter of its words"""
BOILERPLATE = 200
"""an n-gram in more evaluation rows than this counts for nothing"""
SHARE = 0.6
"""of a row's n-gram weight that a sample must hold"""
UNBROKEN = 0.85
"""the same for questions of fewer than LONG words without a second witness: one word put in changes what is asked"""
LONG = 26
DISTINCTIVE, DISTINCTIVE_EXACT = 13, 8
"""words from which a question needs no second witness: for an n-gram match, for an exact one"""
KEPT = 0.9
"""of a row's content words that must stand in the sample where there is no second witness; and all of its numbers"""
QUESTION_PART, PASSAGE_PART = 0, 1
PARTS = 2


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Which evaluation row a sample repeats, and which detector says so."""

    detector: str
    """exact | ngram | paraphrase"""
    reason: str
    detail: str
    """task, split and row of the evaluation row"""


def _length_for(num_words: int, ngram: int) -> int:
    return max((length for length in (*LENGTHS, ngram) if length <= min(ngram, num_words / 4)), default=min(3, ngram, max(1, num_words)))


def _lengths(ngram: int) -> list[int]:
    return sorted({1, 2, *(length for length in (*LENGTHS, ngram) if length <= ngram)})


def _check_row(row: dict[str, Any], where: str) -> None:
    if not isinstance(row.get("question", row.get("text")), str):
        raise DataError(f"{where}: an evaluation row needs a text `question` (or `text`), got fields {sorted(row)}")


def read_evaluation(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a file of EvaluationRow, or of a user's own JSONL with `question` or `text`, which then go by file and line."""
    for number, row in enumerate(read_jsonl(path), 1):
        _check_row(row, f"{path}, line {number}")
        if not isinstance(row.get("dataset"), dict):
            row = {**row, "task": row.get("task") or path.stem, "dataset": {"path": path.name, "name": None, "split": "-", "revision": "local", "row": number}}
        yield row


def describe(row: dict[str, Any]) -> str:
    """`gsm8k test row 0 (openai/gsm8k main)`."""
    dataset = row["dataset"]
    return f"{row['task']} {dataset['split']} row {dataset['row']} ({' '.join(filter(None, (dataset['path'], dataset['name'])))})"


def index_version(evaluation_files: Iterable[Path], config: CurateSection) -> str:
    """What an index holds, as 32 hex digits: the files' contents in their order, and the settings that shape it."""
    return content_id(FORMAT, config.ngram, config.paraphrase, config.embedder, [sha256_file(path) for path in evaluation_files])


def build_index(evaluation_files: Iterable[Path], out: Path, config: CurateSection) -> None:
    """Builds the index under `out` unless it is there already; rows are streamed, and a killed build leaves no half index.

    Raises DataError when a file is missing, damaged, or holds a row without a question.
    """
    files = [Path(path) for path in evaluation_files]
    for path in files:
        if not path.is_file():
            raise DataError(f"{path} is missing")
    version = index_version(files, config)
    target = out / version
    out.mkdir(parents=True, exist_ok=True)
    if not (target / "meta.json").is_file():
        folder = Path(tempfile.mkdtemp(dir=out, prefix=f".{version}."))
        try:
            _write_index(files, folder, config)
            shutil.rmtree(target, ignore_errors=True)
            os.replace(folder, target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    write_json(out / "current.json", {"version": version})


def _write_index(files: list[Path], folder: Path, config: CurateSection) -> None:
    exact, grams = PostingsWriter(folder, "exact"), PostingsWriter(folder, "grams")
    seen: set[int] = set()
    offsets, num_read = [0], 0
    with open(folder / "rows.jsonl", "wb") as handle:
        for path in files:
            for row in read_evaluation(path):
                num_read += 1
                item = read_item(row)
                content = sequence_hash([" ".join(words) for words in (item.passage, item.question, *sorted(item.choices), *sorted(item.answers))])
                if content in seen:
                    continue
                seen.add(content)
                number = len(offsets) - 1
                exact.add(_exact_keys(item), number)
                for part, words in ((QUESTION_PART, item.question), (PASSAGE_PART, item.passage)):
                    grams.add(ngram_hashes(token_hashes(words), _length_for(len(words), config.ngram)), number * PARTS + part)
                handle.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                offsets.append(handle.tell())
    np.array(offsets, dtype="<i8").tofile(folder / "rows.offsets")
    exact.finish()
    grams.finish()
    _write_weights(folder, len(offsets) - 1)
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    meta = {"format": FORMAT, "ngram": config.ngram, "rows": len(offsets) - 1, "rows_read": num_read, "files": sizes}
    write_json(folder / "meta.json", meta)


def _exact_keys(item: Item) -> Hashes:
    """The question as words and as mere letters: the first bridges spelled numbers, the second any punctuation and spacing."""
    return np.array([sequence_hash(item.question), sequence_hash([item.letters], salt=1)], dtype=np.uint64)


def gram_weight(num_rows: int, counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Inverse collection frequency of n-grams that stand in `counts` of `num_rows` rows."""
    return np.where(counts > BOILERPLATE, 0.0, np.log((num_rows + 1) / np.maximum(counts, 1)))


def _write_weights(folder: Path, num_rows: int) -> None:
    """For each part of each row, the summed weight of its n-grams."""
    grams = Postings.open(folder, "grams")
    weights = np.zeros(num_rows * PARTS, dtype=np.float64)
    step = 1 << 20
    for begin in range(0, len(grams.keys), step):
        positions = np.arange(begin, min(begin + step, len(grams.keys)))
        counts = grams.starts[positions + 1] - grams.starts[positions]
        items, owner = grams.gather(positions, counts)
        np.add.at(weights, items, gram_weight(num_rows, counts)[owner])
    weights.astype("<f4").tofile(folder / "weights")


def open_index(out: Path) -> "Index":
    """Opens the index that was built last under `out`. Raises DataError when there is none or a file of it is damaged."""
    folder = out / str(read_json(out / "current.json")["version"])
    meta = read_json(folder / "meta.json")
    for name, size in meta["files"].items():
        if not (folder / name).is_file() or (folder / name).stat().st_size != size:
            raise DataError(f"{folder / name} is missing or has not the {size} bytes that meta.json says; remove {folder} and build the index again")
    return Index(folder, meta)


class Index:
    """Memory-mapped; opening it costs milliseconds, and workers on one machine share its pages."""

    def __init__(self, folder: Path, meta: dict[str, Any]) -> None:
        self.num_rows: int = meta["rows"]
        self.ngram: int = meta["ngram"]
        self._exact = Postings.open(folder, "exact")
        self._grams = Postings.open(folder, "grams")
        self._weights = load_array(folder / "weights", "<f4")
        self._offsets = load_array(folder / "rows.offsets", "<i8")
        self._text = load_array(folder / "rows.jsonl", "u1")

    def row(self, number: int) -> dict[str, Any]:
        """The evaluation row itself."""
        row: dict[str, Any] = orjson.loads(self._text[self._offsets[number] : self._offsets[number + 1]].tobytes())
        return row

    def find(self, sample: dict[str, Any]) -> Finding | None:
        """The evaluation row that a sample repeats, or None; takes seeds and plain {"question": …} dicts as well."""
        item = read_item(sample)
        return self._find_exact(item) or self._find_ngrams(item)

    def _finding(self, detector: str, number: int) -> Finding:
        return Finding(detector=detector, reason=f"evaluation_{detector}", detail=describe(self.row(number)))

    def _find_exact(self, item: Item) -> Finding | None:
        if not item.question:
            return None
        positions, counts = self._exact.find(_exact_keys(item))
        for number in self._exact.gather(positions, np.minimum(counts, BOILERPLATE))[0].tolist():
            row = read_item(self.row(number))
            agreement = agree(item, row)
            distinctive = num_words(item.question) >= DISTINCTIVE_EXACT and not row.passage and int(counts.max()) == 1
            if distinctive or agreement is Agreement.same or (row.passage and row.passage == item.passage and agreement is not Agreement.different):
                return self._finding("exact", number)
        return None

    def _shares(self, item: Item) -> dict[int, dict[int, float]]:
        """For rows with at least SHARE of a part's n-gram weight in the sample: row -> part -> share."""
        hashes = token_hashes(item.stream())
        wanted: list[Hashes] = [ngram_hashes(hashes, length) for length in _lengths(self.ngram)]
        positions, counts = self._grams.find(np.concatenate(wanted))
        weighty = counts <= BOILERPLATE
        positions, counts = positions[weighty], counts[weighty]
        if not len(positions):
            return {}
        needles, owner = self._grams.gather(positions, counts)
        found, inverse = np.unique(needles, return_inverse=True)
        shares = np.bincount(inverse, weights=gram_weight(self.num_rows, counts)[owner]) / self._weights[found]
        rows: dict[int, dict[int, float]] = {}
        for needle, share in zip(found.tolist(), shares.tolist(), strict=True):
            if share >= SHARE:
                rows.setdefault(needle // PARTS, {})[needle % PARTS] = share
        return rows

    def _find_ngrams(self, item: Item) -> Finding | None:
        words: set[str] = set()
        for number, shares in self._shares(item).items():
            if QUESTION_PART not in shares:
                continue
            row = read_item(self.row(number))
            agreement = agree(item, row)
            if agreement is Agreement.same or (PASSAGE_PART in shares and agreement is not Agreement.different):
                return self._finding("ngram", number)
            words = words or terms(item.stream())
            if _intact(row, shares[QUESTION_PART], words):
                return self._finding("ngram", number)
        return None


def _intact(row: Item, share: float, words: set[str]) -> bool:
    """Whether a question without a second witness is long enough, and stands in the sample whole enough, to be a leak."""
    length = num_words(row.question)
    if length < DISTINCTIVE or row.passage or share < (SHARE if length >= LONG else UNBROKEN):
        return False
    wanted = terms(row.question)
    numbers = {term for term in wanted if term.startswith("#")}
    return numbers <= words and len(wanted & words) >= KEPT * len(wanted)
