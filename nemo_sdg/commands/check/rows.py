"""The law that each seed is what stands in the row that it names, and the reading of raw rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nemo_sdg.catalog.data_files import named_files, training_dataset
from nemo_sdg.commands.check import carried
from nemo_sdg.commands.check.findings import CheckedRun, Verdict
from nemo_sdg.commands.check.shards import Shard
from nemo_sdg.commands.check.takers import Seeds
from nemo_sdg.commands.check.texts import phrase, words_of
from nemo_sdg.errors import DataError
from nemo_sdg.seeds.prompts.labels import WHICH_FITS
from nemo_sdg.storage import read_jsonl

OWN_WORDS = 0.5
"""share of a seed's words that must stand in the row that it names; templates add some"""
ENOUGH = 40
"""questions of a task in a shard, in which a word of a tenth of them is its template's"""
SHARDS = 64
"""of seeds that are compared in one reading of a file: their questions are in memory together"""


Place = tuple[str, ...]
"""the files of a split, in the order in which their rows are numbered"""


@dataclass(kw_only=True, slots=True)
class Named:
    """The rows that the seeds of a shard name."""

    said: dict[str, set[str]] = field(default_factory=dict)
    """task -> the words of its template: those that all its questions have, or of many questions a tenth"""
    places: Counter[Place] = field(default_factory=Counter)
    """files of a split -> number of seeds"""
    unseen: Counter[str] = field(default_factory=Counter)
    """split that is not on this machine -> number of seeds"""
    odd: list[str] = field(default_factory=list)
    """seeds whose ids are those of something else"""


def seeds_are_their_rows(run: CheckedRun, verdict: Verdict) -> None:
    """Each seed is what stands in the row of the training split that it names; its id is the hash of both."""
    said: dict[str, set[str]] = {}
    unseen, num = Counter[str](), 0
    shards: dict[Place, list[str]] = {}
    for name, named in run.each_shard(rows_of):
        for task, words in named.said.items():
            said[task] = said.get(task, words) & words
        for place in named.places:
            shards.setdefault(place, []).append(name)
        unseen += named.unseen
        verdict.violations += [f"seeds/{name}: seed {seed_id} has not the id of what it asks" for seed_id in named.odd]
        num += named.places.total()
    parts = [
        (place, names[begin : begin + SHARDS])
        for place, names in sorted(shards.items())
        for begin in range(0, len(names), SHARDS)
    ]
    places, names_of = [place for place, _ in parts], [names for _, names in parts]
    unread = dict[str, None]()
    for violations, why in run.do(compare_rows, places, names_of, [said] * len(parts)):
        verdict.violations += violations
        unread |= dict.fromkeys(why)
    verdict.unseen += [
        *unread,
        *(f"{num} seeds of {name}: the rows are not on this machine" for name, num in sorted(unseen.items())),
    ]
    verdict.detail = f"{num:,} seeds found in their rows"


def rows_of(shard: Shard) -> Named:
    """The rows that the seeds of a shard name, and the words of their tasks' templates."""
    named = Named()
    if "seeds" not in shard:
        return named
    files = training_places(shard.run)
    questions: dict[str, list[set[str]]] = {}
    for seed in shard.of("seeds", Seeds).records:
        questions.setdefault(seed["task"], []).append(words_of(seed["question"]))
        if not carried.has_its_id(seed, shard.run.config["run"]["seed"]):
            named.odd.append(seed["seed_id"])
        place = place_of(seed, files)
        if place is not None:
            named.places[place] += 1
        else:
            named.unseen[f"{seed['dataset']['path']}, split {seed['dataset']['split']}"] += 1
    named.said = {task: words_of_template(asked) for task, asked in questions.items()}
    return named


def words_of_template(questions: list[set[str]]) -> set[str]:
    """The words that a task's template may have added to each of these questions, or to those of one kind, such as the
    questions for an effect beside those for a cause.
    """
    counts = Counter(word for words in questions for word in words)
    least = len(questions) / 10 if len(questions) >= ENOUGH else len(questions)
    return {word for word, count in counts.items() if count >= least}


def training_places(run: CheckedRun) -> dict[tuple[str, str], Place]:
    """(task, split) -> files of its training rows, by the ledger of seeds. It names one task of those that share a
    split; the others have the same dataset in the catalog.
    """
    found: dict[tuple[str, str], dict[int, str]] = {}
    for name, place in run.ledgers["seeds"].places.items():
        role, *parts = name.split("/")  # training/<task>/<split>/<file>, and <split>/1/<file> for a further one
        if role == "training" and len(parts) in (3, 4):
            found.setdefault((parts[0], parts[1]), {})[int(parts[2]) if len(parts) == 4 else 0] = place
    places = {split: tuple(path for _, path in sorted(files.items())) for split, files in found.items()}
    catalog = run.dir / "catalog" / "tasks.jsonl"
    rows = list(read_jsonl(catalog)) if catalog.is_file() else []
    shared: dict[str, set[Place]] = {}
    keys = [(row["task"], row["dataset"]["splits"].get("training"), _training_rows(row["dataset"])) for row in rows]
    for task, split, dataset in keys:
        if (task, split) in places:
            shared.setdefault(dataset, set()).add(places[task, split])
    for task, split, dataset in keys:
        if len(shared.get(dataset, ())) == 1:
            places.setdefault((task, split), *shared[dataset])
    return places


def _training_rows(dataset: dict[str, Any]) -> str:
    """What two tasks on the same training rows have in common."""
    dataset = training_dataset(dataset)
    split = dataset["splits"].get("training")
    files = named_files(dataset, split) if split else []
    return repr((dataset.get("path"), dataset.get("name"), dataset.get("data_dir"), files))


def place_of(seed: dict[str, Any], files: dict[tuple[str, str], Place]) -> Place | None:
    split = seed["dataset"]["split"]
    return next((files[task, split] for task in seed["tasks"] if (task, split) in files), None)


def compare_rows(
    run: CheckedRun, place: Place, shards: list[str], said_by_all: dict[str, set[str]]
) -> tuple[list[str], list[str]]:
    """Compares the seeds of these shards with the rows of a split: what is wrong, and why a file cannot be read."""
    files, own_sentences = training_places(run), sentences_of_tasks(run)
    wanted: dict[int, list[tuple[str, str, str, str]]] = {}
    for shard in shards:
        for seed in run.kept("seeds", shard):
            if place_of(seed, files) == place:
                entry = seed["task"], seed["seed_id"], str(seed["question"]), str(seed["passage"] or "")
                wanted.setdefault(seed["dataset"]["row"], []).append(entry)
    wrong = dict[int, list[str]]()

    def compare(number: int, texts: list[str]) -> None:
        found = {word for text in texts for word in words_of(text)}
        for task, seed_id, question, passage in wanted.pop(number):
            words = words_of(question) - said_by_all[task]  # a task's template is in no row
            if stands_in(words, found) and (words or not passage):
                continue
            compared = question
            if passage and (not words or phrase(question) in own_sentences):
                if stands_in(words_of(passage), found) or is_made_of(passage, texts):
                    continue
                compared = passage
            line = f"seed {seed_id} of {task} is not row {number} of {', '.join(place)}: {compared[:80]!r}"
            wrong.setdefault(number, []).append(line)

    try:
        for number, row in rows_of_files(place):
            if number in wanted:
                compare(number, [str(value) for value in leaves(row)])
    except DataError as exc:
        return [], [str(exc)]
    for number in list(wanted):  # the split has no such row
        compare(number, [])
    return [line for _, lines in sorted(wrong.items()) for line in lines], []


def stands_in(words: set[str], found: set[str]) -> bool:
    return len(words & found) >= OWN_WORDS * len(words)


def is_made_of(passage: str, texts: list[str]) -> bool:
    """Whether a row's texts are most of a passage, in a language that writes no spaces between its words and the
    template's.
    """
    return sum(len(text) for text in set(texts) if text in passage) >= OWN_WORDS * len(passage)


def sentences_of_tasks(run: CheckedRun) -> str:
    """What a question may be without a word of its row: the sentence for tasks that only show a text and labels, and
    what stands in the task files of the run, such as a description.
    """
    said = list(WHICH_FITS.values())
    places = run.ledgers["catalog"].places if "catalog" in run.ledgers else {}
    for name, place in places.items():
        if name.startswith("tasks/") and Path(place).is_file():  # what is gone is found by the law of inputs
            said.append(Path(place).read_text(encoding="utf-8", errors="replace"))
    return "\n".join(map(phrase, said))


def rows_of_files(files: Place) -> Iterator[tuple[int, Any]]:
    """Rows of the files of a split, numbered through."""
    from nemo_sdg.seeds.sources.formats import open_file, reads

    before = 0
    for file in map(Path, files):
        number = -1
        for number, row in raw_rows(file):
            yield before + number, row
        num_rows = open_file(file, "check").count() if len(files) > 1 and reads(file.name) else None
        before += num_rows or number + 1  # damaged lines at its end count too


def raw_rows(file: Path, broken: dict[str, str] | None = None) -> Iterator[tuple[int, Any]]:
    """Rows of a file as they stand there. Raises DataError where it cannot be read; damaged lines are counted in
    `broken`.
    """
    import csv
    import io

    from nemo_sdg.seeds.sources.formats import Damaged, open_bytes, open_file, readable, reads

    if reads(file.name):
        num_damaged = 0
        for number, row in open_file(file, "check"):
            if isinstance(row, Damaged):
                num_damaged += 1
                if broken is not None:
                    broken[str(file)] = f"{num_damaged} lines are damaged"
            else:
                yield number, row
    elif {".csv", ".tsv"} & set(file.suffixes[-2:]):
        try:
            with readable(file, "check"), open_bytes(file) as handle:
                lines = io.TextIOWrapper(handle, encoding="utf-8-sig", newline="")
                yield from enumerate(csv.DictReader(lines, delimiter="\t" if ".tsv" in file.suffixes else ","))
        except (UnicodeDecodeError, csv.Error) as exc:
            raise DataError(f"{file} cannot be read ({exc})") from exc
    else:
        raise DataError(f"{file} is of a format that check does not read")


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value
