"""The stored index of evaluation rows. It is built once from a stream, versioned by its content, and memory-mapped.

index/current.json                 {"version": "3f9c…", "paraphrase_threshold": 0.6}
index/3f9c…/meta.json              settings and counts; written last, with the sizes of the files beside it
index/3f9c…/rows.jsonl rows.offsets  the evaluation rows as rendered and as their own strings say it, each content once
index/3f9c…/exact.* grams.* terms.*  hash -> rows (postings.py): questions, n-grams, content words and answers
index/3f9c…/{grams,terms}.weights    summed rarity of a row's n-grams and words
index/3f9c…/vectors                  with curate.paraphrase: embeddings of questions, options and answers, float16
"""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate.by_sense import whole_text
from nemo_sdg.curate.decontaminate.by_words import answer_terms, terms
from nemo_sdg.curate.decontaminate.index_folders import copy, is_whole, place, take
from nemo_sdg.curate.decontaminate.postings import Postings, PostingsWriter, load_array
from nemo_sdg.curate.decontaminate.questions import Item, read_item
from nemo_sdg.curate.decontaminate.sayings import sayings
from nemo_sdg.curate.embed import Embedder, embedder_identity
from nemo_sdg.errors import DataError
from nemo_sdg.records import content_id
from nemo_sdg.storage import read_json, read_jsonl, sha256_file, write_json
from nemo_sdg.text.normalize import Hashes, ngram_hashes, sequence_hash, token_hashes

FORMAT = 4
"""raised whenever the same rows would give another index"""
LENGTHS = (3, 5, 8)
"""n-gram lengths beside `curate.ngram`; a row takes the longest that is at most a quarter of its words"""
BOILERPLATE = 200
"""an n-gram or word in more evaluation rows than this counts for nothing"""
EMBEDDED_AT_ONCE = 2048
TOLD_EVERY = 1000
"""rows"""
QUESTION_PART, PASSAGE_PART = 0, 1
NUM_PARTS = 2
"""n-grams are kept for a row's question and passage apart: item = row * NUM_PARTS + part"""


Told = Callable[[str, int, int | None], None]
"""(phase, rows done, rows in all where that is known)"""


def ngram_length(num_words: int, ngram: int) -> int:
    """The n-gram length by which a text is looked for: one changed word then breaks at most a third of its n-grams."""
    return max(
        (length for length in (*LENGTHS, ngram) if length <= min(ngram, num_words / 4)),
        default=min(3, ngram, max(1, num_words)),
    )


def ngram_lengths(ngram: int) -> list[int]:
    """Every length that ngram_length gives."""
    return sorted({1, 2, *(length for length in (*LENGTHS, ngram) if length <= ngram)})


def read_evaluation(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a file of EvaluationRow, or of a user's own JSONL with `question` or `text`, which are then named by
    file and line.

    Raises DataError when the file is missing or damaged, or a row has neither.
    """
    for number, row in enumerate(read_jsonl(path), 1):
        if not isinstance(row.get("question", row.get("text")), str):
            raise DataError(
                f"{path}, line {number}: an evaluation row needs a text `question` (or `text`), got fields "
                f"{sorted(row)}"
            )
        if not isinstance(row.get("dataset"), dict):
            row = {
                **row,
                "task": row.get("task") or path.stem,
                "dataset": {"path": path.name, "name": None, "split": "line", "row": number},
            }
        yield row


def describe(row: dict[str, Any]) -> str:
    """`gsm8k test row 0 (openai/gsm8k main)`."""
    dataset = row["dataset"]
    return (
        f"{row['task']} {dataset['split']} row {dataset['row']} "
        f"({' '.join(filter(None, (dataset['path'], dataset.get('name'))))})"
    )


def exact_keys(item: Item) -> Hashes:
    """The question as words, as mere letters, with its passage and with its options.

    Words bridge spelled numbers, letters any punctuation and spacing; the last two tell apart what hundreds of rows
    ask in the same words.
    """
    keys = [sequence_hash(item.question), sequence_hash([item.letters], salt=1)]
    if item.passage:
        keys.append(sequence_hash([*item.passage, "", *item.question], salt=2))
    if item.choices:
        keys.append(
            sequence_hash(
                [*(word for choice in sorted(item.choices) for word in (*choice, "")), *item.question], salt=3
            )
        )
    return np.array(keys, dtype=np.uint64)


def rarity_weight(num_rows: int, counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Inverse collection frequency of keys that stand in `counts` of `num_rows` rows; 0 for boilerplate."""
    return np.where(counts > BOILERPLATE, 0.0, np.log((num_rows + 1) / np.maximum(counts, 1)))


def index_version(evaluation_files: Iterable[Path], config: CurateSection) -> str:
    """What an index holds, as 32 hex digits: the files' names and contents in their order, the settings that shape it,
    and its embedder.
    """
    embedder = embedder_identity(config.embedder) if config.paraphrase else None
    return content_id(FORMAT, config.ngram, embedder, [[path.name, sha256_file(path)] for path in evaluation_files])


def _silent(phase: str, num: int, total: int | None) -> None:
    pass


def build_index(
    evaluation_files: Iterable[Path],
    out: Path,
    config: CurateSection,
    *,
    shared: Path | None = None,
    told: Told = _silent,
) -> None:
    """Builds the index under `out` unless it is there already; rows are streamed, and a killed build leaves no half
    index.

    `shared` is a folder of indexes that runs share: one that holds the same is copied from there, and a new one is
    copied there. `told` hears how far it is.

    Raises DataError when a file is missing, damaged, or holds a row without a question.
    """
    files = [Path(path) for path in evaluation_files]
    for path in files:
        if not path.is_file():
            raise DataError(f"{path} is missing")
    version = index_version(files, config)
    target = out / version
    if not is_whole(target) and (shared is None or not take(shared / version, target)):
        place(target, lambda folder: _write_index(files, folder, config, told))
    if shared is not None and not is_whole(shared / version):
        try:
            place(shared / version, lambda folder: copy(target, folder))
        except OSError as exc:
            logging.getLogger(__name__).warning(
                "the index of evaluation rows could not be kept for other runs: %s", exc
            )
    write_json(out / "current.json", {"version": version, "paraphrase_threshold": config.paraphrase_threshold})


def _write_index(files: list[Path], folder: Path, config: CurateSection, told: Told) -> None:
    writers = exact, grams, words_of = [PostingsWriter(folder, name) for name in ("exact", "grams", "terms")]
    seen: set[int] = set()
    offsets, num_read = [0], 0

    def read() -> Iterator[dict[str, Any]]:
        nonlocal num_read
        for row in (row for path in files for row in read_evaluation(path)):
            num_read += 1
            if num_read % TOLD_EVERY == 0:
                told("reading evaluation rows", num_read, None)
            yield from sayings(row)

    with open(folder / "rows.jsonl", "wb") as handle:
        for row in read():
            item = read_item(row)
            content = sequence_hash(
                [
                    " ".join(words)
                    for words in (item.passage, item.question, *sorted(item.choices), (), *sorted(item.answers))
                ]
            )
            if content in seen:
                continue
            seen.add(content)
            number = len(offsets) - 1
            exact.add(exact_keys(item), number)
            words_of.add(token_hashes(terms(item.question) | answer_terms(item)), number)
            for part, words in ((QUESTION_PART, item.question), (PASSAGE_PART, item.passage)):
                grams.add(
                    ngram_hashes(token_hashes(words), ngram_length(len(words), config.ngram)), number * NUM_PARTS + part
                )
            handle.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            offsets.append(handle.tell())
    np.array(offsets, dtype="<i8").tofile(folder / "rows.offsets")
    for writer in writers:
        writer.finish()
    num_rows = len(offsets) - 1
    _write_weights(folder, "grams", num_rows * NUM_PARTS, num_rows)
    _write_weights(folder, "terms", num_rows, num_rows)
    if config.paraphrase:
        _write_vectors(folder, Embedder(config.embedder), told, num_rows)
    settings = {"ngram": config.ngram, "paraphrase": config.paraphrase, "embedder": config.embedder}
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    write_json(
        folder / "meta.json", {"format": FORMAT, **settings, "rows": num_rows, "rows_read": num_read, "files": sizes}
    )


def _write_weights(folder: Path, name: str, num_items: int, num_rows: int) -> None:
    """For each item, the summed weight of its keys: of a part's n-grams, of a row's terms."""
    postings = Postings.open(folder, name)
    weights = np.zeros(num_items, dtype=np.float64)
    step = 1 << 20
    for begin in range(0, len(postings.keys), step):
        positions = np.arange(begin, min(begin + step, len(postings.keys)))
        counts = postings.starts[positions + 1] - postings.starts[positions]
        items, owner = postings.gather(positions, counts)
        np.add.at(weights, items, rarity_weight(num_rows, counts)[owner])
    weights.astype("<f4").tofile(folder / f"{name}.weights")


def _write_vectors(folder: Path, embedder: Embedder, told: Told, num_rows: int) -> None:
    """Embeddings of the rows' questions with options and answers in the order of rows.jsonl."""
    texts = map(whole_text, read_jsonl(folder / "rows.jsonl"))
    done = 0
    with open(folder / "vectors", "wb") as handle:
        while batch := list(itertools.islice(texts, EMBEDDED_AT_ONCE)):
            told("embedding evaluation rows", done, num_rows)
            handle.write(embedder.encode(batch).astype("<f2").tobytes())
            done += len(batch)


class StoredIndex:
    """The files of one version, opened. Raises DataError when one is missing or has another size than meta.json
    says.
    """

    def __init__(self, out: Path) -> None:
        current = read_json(out / "current.json")
        folder = out / str(current["version"])
        self.paraphrase_threshold = float(current["paraphrase_threshold"])
        self.meta: dict[str, Any] = read_json(folder / "meta.json")
        for name, size in self.meta["files"].items():
            if not (folder / name).is_file() or (folder / name).stat().st_size != size:
                raise DataError(
                    f"{folder / name} is missing or has not the {size} bytes that meta.json says; remove "
                    f"{folder} and build the index again"
                )
        self.num_rows: int = self.meta["rows"]
        self.exact = Postings.open(folder, "exact")
        self.grams = Postings.open(folder, "grams")
        self.gram_weights = load_array(folder / "grams.weights", "<f4")
        self.terms = Postings.open(folder, "terms")
        self.term_weights = load_array(folder / "terms.weights", "<f4")
        self.vectors = (
            load_array(folder / "vectors", "<f2").reshape(self.num_rows, -1)
            if self.meta["paraphrase"] and self.num_rows
            else None
        )
        self._offsets = load_array(folder / "rows.offsets", "<i8")
        self._text = load_array(folder / "rows.jsonl", "u1")

    def row(self, number: int) -> dict[str, Any]:
        """An evaluation row as it was read."""
        row: dict[str, Any] = orjson.loads(self._text[self._offsets[number] : self._offsets[number + 1]].tobytes())
        return row
