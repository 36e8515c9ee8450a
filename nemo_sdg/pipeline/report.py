"""`nemo-sdg report RUN`: writes the page, with every prompt and raw output of the records it shows.

Prompts are not stored, because they follow from the records and the configuration. The flows are replayed on the
journals, which hold every completion of the run. Requests that are not in a journal (it was deleted, or a prompt was
changed) are left out of the page. No request is sent.
"""

import asyncio
import contextlib
import functools
import itertools
import operator
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nemo_sdg.config import Role, RunConfig, load_recorded
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.export.report.quality import Models
from nemo_sdg.export.report.records import Calls
from nemo_sdg.export.report.rows import Line, Unreadable, find_by_id
from nemo_sdg.export.report.shown import Call, cut
from nemo_sdg.generate.requests import Completion, Flow, Outcome, Request
from nemo_sdg.pipeline.report_models import models_at_hand
from nemo_sdg.records import Origin, visible
from nemo_sdg.records.lines import Manifest
from nemo_sdg.steps.replay import NotInJournal
from nemo_sdg.storage import StepDir, read_ledger, read_shaped

if TYPE_CHECKING:
    from nemo_sdg.generate.roles import RoleEngines

Lookup = Callable[[str], Completion]
"""key of a request -> its completion; raises NotInJournal"""
Writing = tuple[list[tuple[Request, Completion]], Outcome | None]
"""the requests of a seed with what they gave, and the samples made of it; None if a completion is lacking"""
DAMAGED = (DataError, AttributeError, IndexError, KeyError, TypeError, ValueError)
"""errors that a flow can raise for a record that does not follow its schema"""


def make_report(run_dir: Path, facts: Manifest | None = None, *, measure: bool = True) -> Path:
    """Writes RUN/report/index.html and returns its path. For a finished run it also writes the dataset card again,
    with the same bytes.

    `facts` is the manifest of a run that is about to end. With `measure` the embedded model and the embedder score some
    of its texts, which takes about a minute on one core.
    """
    from nemo_sdg.export.card.write import write_card
    from nemo_sdg.export.report import write_report

    if facts is None and (run_dir / "manifest.json").is_file():
        try:
            write_card(run_dir, read_shaped(run_dir / "manifest.json", Manifest))
        except DataError as exc:  # a damaged run gets the page without a card
            print(visible(f"the dataset card is not written: {exc}"), file=sys.stderr)
    return write_report(
        run_dir,
        facts=facts,
        find_calls=functools.partial(find_calls, run_dir),
        models=models_at_hand() if measure else None,
    )


def find_calls(run_dir: Path, samples: list[tuple[str, Line]], seeds: dict[str, Line]) -> Calls:
    """Prompts and raw outputs of (shard, sample), by sample id; {} if seeds are damaged or templates are missing."""
    try:
        config = load_recorded(run_dir)
        here = run_dir.resolve()
        with at_directory_of(here):
            return Replay(here, config).calls(samples, seeds)
    except (ConfigError, DataError):
        return {}


def make_search(run_dir: Path) -> Path:
    """Writes RUN/report/search.html, a search over all samples, and returns its path."""
    from nemo_sdg.export.report import write_search_pages

    return write_search_pages(run_dir)


def compare(run_dir: Path, other_dir: Path, *, measure: bool = True) -> Path:
    """Writes the page that shows two runs side by side, and returns its path."""
    from nemo_sdg.export.report import write_against

    return write_against(run_dir, other_dir, models_at_hand() if measure else Models(missing={}))


@contextlib.contextmanager
def at_directory_of(run_dir: Path) -> Iterator[None]:
    """A block in the working directory of the run, to which relative paths in the run's configuration refer."""
    ledger = read_ledger(run_dir, "questions")
    known = ledger is not None and Path(ledger.directory).is_dir()
    with contextlib.chdir(ledger.directory) if ledger is not None and known else contextlib.nullcontext():
        yield


class Replay:
    """Finds requests and completions of records, shard by shard; each shard's journals are indexed once."""

    def __init__(self, run_dir: Path, config: RunConfig) -> None:
        from nemo_sdg.steps.questions import smallest

        self.config, self.run_dir = config, run_dir
        seeds = StepDir(run_dir=run_dir, step="seeds", fingerprint="")
        self.few_shot = smallest(seeds.records(), config.generate.few_shot)
        self.num_seeds = {task: row["kept"] for task, row in seeds.counts().items()}
        self._flows: dict[str, tuple[RoleEngines, Flow, Flow]] = {}
        self._writings: dict[tuple[str, str], Writing] = {}

    def flows(self, model: str) -> "tuple[RoleEngines, Flow, Flow]":
        """The engines by name and the flows of questions and answers, made once per model: reading the templates takes
        about 80 ms.
        """
        from nemo_sdg.generate.roles import named_roles
        from nemo_sdg.steps import answers, questions

        if model not in self._flows:
            engines = named_roles(self.config, model, *Role)
            writing = questions.make_flow(self.config, self.few_shot, self.num_seeds, engines)
            self._flows[model] = engines, writing, answers.make_flow(self.config, engines)
        return self._flows[model]

    def calls(self, samples: list[tuple[str, Line]], seeds: dict[str, Line]) -> Calls:
        """Record id -> its requests, question first."""
        found: Calls = {}
        generators = [sample["generator"] for _, sample in samples if isinstance(sample.get("generator"), dict)]
        models, by_shard = sorted({str(row.get("model")) for row in generators}), operator.itemgetter(0)

        async def replay() -> None:  # one loop for all: each `asyncio.run` costs as much as a short flow
            for shard, members in itertools.groupby(sorted(samples, key=by_shard), key=by_shard):
                found.update(await self._of_shard(shard, [sample for _, sample in members], seeds, models))

        asyncio.run(replay())
        return found

    async def _of_shard(self, shard: str, members: list[Line], seeds: dict[str, Line], models: list[str]) -> Calls:
        """`calls` of a shard's records."""
        found: Calls = {}
        asked, solved = (self.journal(step, shard) for step in ("questions", "answers"))
        written = self.written(shard, {str(sample.get("sample_id")) for sample in members})
        self._writings.clear()  # the seeds of a shard stand in it alone
        for sample in members:
            identifier = str(sample.get("sample_id") or sample.get("id"))
            try:
                own = (sample.get("generator") or {}).get("model")
                seed = seeds.get(str((sample.get("seed_ids") or [sample.get("seed_id")])[0]))
                for model in [own] if own else models:
                    found[identifier] = [
                        *await self._question(asked, sample, seed, model),
                        *await self._solutions(solved, written.get(identifier, sample), model),
                    ]
                    if found[identifier]:
                        break
            except DAMAGED:
                continue  # the page shows the record without its prompts
        return found

    def journal(self, step: str, shard: str) -> Lookup:
        """Finds completions by key. Lines are parsed when they are asked for: a shard has tens of thousands, of which
        the page shows a few.
        """
        from nemo_sdg.generate.scheduling.cache import index_journals
        from nemo_sdg.generate.scheduling.journal_lines import decode

        index = index_journals(self.run_dir / step / "journal", f"{shard}.*.jsonl")

        def find(key: str) -> Completion:
            line = index.get(key)
            row = decode(line) if line is not None else None
            if row is None:
                raise NotInJournal
            return row[1]

        return find

    def written(self, shard: str, wanted: set[str]) -> dict[str, Line]:
        """Samples of the step `questions`, by id: verified samples have their options in the kept solution's order."""
        return find_by_id([self.run_dir / "questions" / f"{shard}.jsonl"], "sample_id", wanted, Unreadable())

    async def _question(self, journal: Lookup, sample: Line, seed: Line | None, model: str) -> list[Call]:
        """The request that gave the question, found by replaying the seed. A dropped attempt is identified by its
        number, a sample by its id.
        """
        if seed is None or sample.get("origin") == Origin.seed:
            return []
        calls, outcome = await self._writing(journal, seed, model)
        attempt = sample.get("attempt")
        if attempt is None and outcome is not None:
            attempt = attempts_of(outcome).get(str(sample.get("sample_id")))
        if attempt is None:
            return []
        asked = [(request, completion) for request, completion in calls if number_of(request) <= attempt]
        if not asked:
            return []
        request, completion = max(asked, key=lambda call: number_of(call[0]))
        return [describe(f"question, attempt {attempt}", request, completion)]

    async def _writing(self, journal: Lookup, seed: Line, model: str) -> Writing:
        """The replay of a seed, which its samples share."""
        key = str(seed.get("seed_id")), model
        if key not in self._writings:
            engines, flow, _ = self.flows(model)
            calls: list[tuple[Request, Completion]] = []

            async def ask(request: Request) -> Completion:
                completion = journal(engines.key(request))
                calls.append((request, completion))
                return completion

            outcome = None
            with contextlib.suppress(NotInJournal):
                outcome = await flow(seed, ask)
            self._writings[key] = calls, outcome
        return self._writings[key]

    async def _solutions(self, journal: Lookup, sample: Line, model: str) -> list[Call]:
        """Replays the votes of a sample."""
        calls: list[Call] = []
        if not sample.get("sample_id"):
            return calls
        engines, _, flow = self.flows(model)
        shown: set[tuple[str, ...]] = set()

        async def ask(request: Request) -> Completion:
            completion = journal(engines.key(request))
            words = words_of(request)
            calls.append(describe(f"solution {len(calls)}", request, completion, with_prompt=words not in shown))
            shown.add(words)
            return completion

        record = {name: value for name, value in sample.items() if name not in ("id", "solutions")}
        try:
            await flow(record, ask)
        except NotInJournal:
            return calls
        return calls


def number_of(request: Request) -> int:
    """The first attempt that a writer's request is for."""
    return int(request.tag.removeprefix("question"))


def attempts_of(outcome: Outcome) -> dict[str, int]:
    """New question, by sample id -> the number of its attempt; dropped attempts are skipped."""
    new = [sample.sample_id for sample in outcome.kept if sample.origin != Origin.seed]
    dropped = {(drop.record or {})["attempt"] for drop in outcome.dropped}
    free = (attempt for attempt in itertools.count() if attempt not in dropped)
    return dict(zip(new, free, strict=False))


def words_of(request: Request) -> tuple[str, ...]:
    """The words of a prompt in alphabetical order, which is the same for any order of its options."""
    return tuple(sorted(" ".join(text for _, text in request.turns).split()))


def describe(name: str, request: Request, completion: Completion, *, with_prompt: bool = True) -> Call:
    """A request as the page shows it. Votes whose prompts differ only in the order of the options, or not at all, show
    one for all; a solution with the answer in sight, and a solver with a prompt of its own, show theirs.
    """
    return Call(
        name=name,
        prompt=[[role, cut(text, 8000)] for role, text in request.turns] if with_prompt else [],
        output=cut(completion.text or completion.detail),
        finish=completion.finish_reason,
        tokens=[completion.prompt_tokens, completion.completion_tokens],
    )
