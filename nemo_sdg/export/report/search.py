"""A search over all samples of a run: static files that a browser opens from a disk, without a server.

    report/search.html            the page
    report/search/shard-00012.js  the texts of 1,000 samples, compressed
    report/search/terms-3f.js     words -> numbers of the shards that contain them

A page that is opened from a disk may not fetch files, but it may load scripts beside it. So each file is one call of a
function with its text as argument. A query loads the lists of its words, then one shard after the other until there
are enough hits.
"""

import base64
import gzip
import re
import shutil
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.export.report.counts import shards
from nemo_sdg.export.report.rows import Unreadable, read_records
from nemo_sdg.storage import write_bytes

SHARD = 1000
"""number of samples in a file: about 400 KB of a real corpus"""
NUM_LISTS = 256
CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
"""search.js finds words by the same rule: each character of a script without spaces is a word"""
MAX_TEXT = 4000


def write_search(run_dir: Path, step: str, html: bytes, *, shard_size: int = SHARD) -> Path:
    """Writes the page `html`, and beside it all samples of a step; returns the page's path. Files of an earlier search
    are removed first.
    """
    folder = run_dir / "report" / "search"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    terms: dict[str, array[int]] = {}
    num, number = 0, -1
    for number, part in enumerate(parts(samples(run_dir, step), shard_size)):
        num += len(part)
        for word in set(WORD.findall("\n".join(map(words_of, part)).lower())):
            terms.setdefault(word, array("I")).append(number)
        _write(folder / f"shard-{number:05d}.js", f"shard-{number:05d}", part)
    lists: list[dict[str, list[int]]] = [{} for _ in range(NUM_LISTS)]
    for word, found in terms.items():
        lists[list_of(word)][word] = found.tolist()
    for place, content in enumerate(lists):
        _write(folder / f"terms-{place:02x}.js", f"terms-{place:02x}", content)
    _write(folder / "about.js", "about", {"samples": num, "shards": number + 1, "step": step})
    path = run_dir / "report" / "search.html"
    write_bytes(path, html)
    return path


@dataclass(kw_only=True, slots=True)
class Hit:
    """A sample as search.js shows it."""

    id: str
    task: str
    kind: str
    origin: str
    agree: list[int | None]
    """votes that give the answer, votes cast"""
    choices: list[str]
    answer: str
    question: str
    passage: str
    context: str
    reasoning: str


def samples(run_dir: Path, step: str) -> Iterator[Hit]:
    for _, sample in read_records(shards(run_dir, step), Unreadable()):
        answer, votes = sample.get("answer"), sample.get("votes") or {}
        yield Hit(
            id=str(sample.get("sample_id")),
            task=str(sample.get("task")),
            kind=str(sample.get("kind")),
            origin=str(sample.get("origin")),
            agree=[votes.get("agree"), votes.get("n")],
            choices=sample.get("choices") or [],
            answer=_text(answer.get("text") if isinstance(answer, dict) else answer),
            question=_text(sample.get("question")),
            passage=_text(sample.get("passage")),
            context=_text(sample.get("context")),
            reasoning=_text(sample.get("reasoning")),
        )


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:MAX_TEXT]


def words_of(hit: Hit) -> str:
    """The text of a sample that is searched."""
    texts = (hit.id, hit.task, hit.question, hit.passage, hit.answer, hit.context, hit.reasoning)
    return "\n".join([*texts, *map(str, hit.choices)])


def parts(rows: Iterable[Hit], size: int) -> Iterator[list[Hit]]:
    part = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def list_of(word: str) -> int:
    """The number of the list that contains a word; search.js computes it too, from UTF-16 code units."""
    value = 0
    for unit in word.encode("utf-16-le", "surrogatepass")[::2]:
        value = (31 * value + unit) & 0xFFFF
    return value % NUM_LISTS


def _write(path: Path, name: str, content: Any) -> None:
    packed = base64.b64encode(gzip.compress(orjson.dumps(content), 3, mtime=0))
    write_bytes(path, b'nemo("' + name.encode() + b'","' + packed + b'");\n')
