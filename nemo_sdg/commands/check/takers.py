"""What the laws take of each record of a shard: of millions of them, only what some law needs is held."""

import abc
from array import array
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from nemo_sdg.commands.check import carried
from nemo_sdg.commands.check.texts import hash_of, hash_of_bytes, is_compared, squeeze
from nemo_sdg.errors import DataError
from nemo_sdg.records.lines import SampleLine

if TYPE_CHECKING:
    from nemo_sdg.commands.check.findings import CheckedRun

MIN_WORDS = {"seeds": 0, "curated": 10}
"""samples are new texts: a short question of theirs may stand in an unrelated row"""

BESIDE = {
    "docs": ("seed_ids", "task", "family"),
    "text": ("license", "task", "family", "kind", "language", "origin", "model", "models_used"),
}
"""columns of .docs.parquet and .text.parquet that say of a sample what is not its text"""
BETWEEN, NOTHING = "\x1f", "\x00"


class Taker(abc.ABC):
    """Takes what a law needs of each record of a file."""

    def __init__(self, run: "CheckedRun", step: str) -> None:
        self.run, self.step = run, step

    @abc.abstractmethod
    def take(self, record: dict[str, Any]) -> None:
        """Called once for each record of the file, in order."""


class Heads(Taker):
    """Ids of the kept records, in order, and how many each task has."""

    def __init__(self, run: "CheckedRun", step: str) -> None:
        super().__init__(run, step)
        self.ids, self.tasks = list[str](), Counter[str]()
        self._field = "seed_id" if step == "seeds" else "sample_id"

    def take(self, record: dict[str, Any]) -> None:
        self.ids.append(record[self._field])
        self.tasks[record["task"]] += 1


class Drops(Taker):
    """Ids of the dropped records, the seeds of their records, and how often each task lost one for each reason."""

    def __init__(self, run: "CheckedRun", step: str) -> None:
        super().__init__(run, step)
        self.ids, self.seeds, self.reasons = list[str](), list[str](), Counter[tuple[str, str]]()
        self.carried = Carried(run, step)

    def take(self, drop: dict[str, Any]) -> None:
        self.reasons[drop["task"], drop["reason"]] += 1
        self.ids.append(drop["id"])
        record = drop["record"] or {}
        self.seeds.append(record.get("seed_id") or (record.get("seed_ids") or [drop["id"]])[0])
        if drop["step"] != self.step:
            raise DataError(f"a drop of {self.step} says that it is one of {drop['step']}")
        if self.step not in ("seeds", "questions"):
            self.carried.take(record)


class Carried(Taker):
    """What samples have of the step before, and give to the next (carried.py). All lists are in the samples' order."""

    def __init__(self, run: "CheckedRun", step: str) -> None:
        super().__init__(run, step)
        self.asked, self.whole, self.told = array("q"), array("q"), array("q")
        self.solutions: set[int] = set()
        self.solution = array("q")

    def take(self, record: dict[str, Any]) -> None:
        self.asked.append(carried.asked(record))
        if self.step in ("verified", "curated"):
            self.whole.append(carried.whole(record))
        if self.step in ("answers", "graded"):
            self.told.append(carried.told(record))
            self.solutions.update(carried.solutions_of(record))
        if self.step == "verified" and record.get("verification"):
            self.solution.append(carried.solution_of(record))


class Seeds(Taker):
    """The seeds, whole."""

    def __init__(self, run: "CheckedRun", step: str) -> None:
        super().__init__(run, step)
        self.records = list[dict[str, Any]]()

    def take(self, record: dict[str, Any]) -> None:
        self.records.append(record)


class Attempts(Taker):
    """First seed and origin of each question."""

    def __init__(self, run: "CheckedRun", step: str) -> None:
        super().__init__(run, step)
        self.rows = list[tuple[str, str]]()

    def take(self, record: dict[str, Any]) -> None:
        self.rows.append((record["seed_ids"][0], record["origin"]))


class Samples(Taker):
    """The fields of curated samples that they share with their seeds, and the licences that follow from others."""

    FIELDS = (*("sample_id", "seed_ids", "task", "family", "capability", "kind", "frame", "language"),)

    def __init__(self, run: "CheckedRun", step: str) -> None:
        super().__init__(run, step)
        self.rows = list[tuple[Any, ...]]()
        self.licenses = list[list[str]]()
        """those of the seeds"""
        self.own = list[int | None]()
        """what they ask, where it is their seed's own question"""
        self.odd = list[str]()

    def take(self, record: dict[str, Any]) -> None:
        from nemo_sdg.catalog.about.licenses import effective

        self.rows.append(tuple([record[name] for name in self.FIELDS]))
        license_, generator = record["license"], record["generator"]
        self.licenses.append(license_["seeds"])
        self.own.append(carried.own(record) if record["origin"] == "seed" else None)
        if carried.sample_id(record) != record["sample_id"]:
            self.odd.append(f"{record['sample_id']} has not the id of what it asks")
        models = {use["license"] for use in (generator["writer"], *generator["solvers"]) if use}
        if set(license_["models"]) != models:
            self.odd.append(f"{record['sample_id']} has models under {license_['models']}, not {sorted(models)}")
        if license_["effective"] != (wanted := effective(license_["seeds"], license_["models"])):
            self.odd.append(f"{record['sample_id']} is under {license_['effective']}, which must be {wanted}")


class Questions(Taker):
    """Hashes of the questions that may be known as one row's own."""

    def __init__(self, run: "CheckedRun", step: str) -> None:
        super().__init__(run, step)
        self.hashes = array("Q")

    def take(self, record: dict[str, Any]) -> None:
        if is_compared(record, MIN_WORDS[self.step]):
            self.hashes.append(hash_of(squeeze(record["question"])))


class Texts(Taker):
    """Ids of curated samples, and the hash and the bytes of each one's training text in each variant. They are rendered
    again from the sample. Then the hashes of what stands beside it.
    """

    def __init__(self, run: "CheckedRun", step: str) -> None:
        super().__init__(run, step)
        ledger = run.ledgers.get("packed")
        self.variants: list[str] = [] if ledger is None else ledger.configuration["export.variants"]
        self.ids, self.hashes, self.lengths = array("Q"), array("Q"), array("Q")
        """hashes and lengths: one for each variant in turn, then for each of BESIDE"""

    def take(self, record: dict[str, Any]) -> None:
        from nemo_sdg.export.documents import render_texts
        from nemo_sdg.export.packing.packed_files import text_row

        self.ids.append(int(record["sample_id"][:16], 16))
        for text in render_texts(record, self.variants):
            data = text.encode("utf-8", "surrogatepass")
            self.hashes.append(hash_of_bytes(data))
            self.lengths.append(len(data))
        row = {**text_row([cast(SampleLine, record)], ""), "seed_ids": ",".join(record["seed_ids"])}
        for columns in BESIDE.values():
            said = BETWEEN.join(str(row[name] or NOTHING) for name in columns)
            self.hashes.append(hash_of_bytes(said.encode("utf-8", "surrogatepass")))
            self.lengths.append(0)


TAKERS: dict[str, tuple[type[Taker], ...]] = {
    "seeds": (Heads, Seeds, Questions),
    "questions": (Heads, Carried, Attempts),
    "curated": (Heads, Carried, Samples, Questions, Texts),
}
"""what is taken of the kept records of a step"""
OTHERS = (Heads, Carried)
