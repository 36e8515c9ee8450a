"""`nemo-sdg run CONFIG --dry-run`: what a start would do, read, ask, pay for and overwrite. It writes nothing into the
run, downloads nothing, and asks no engine.
"""

import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.config import EngineKind, Role, RunConfig
from nemo_sdg.errors import few
from nemo_sdg.execution.progress import fit
from nemo_sdg.pipeline.order import STEPS, why_skipped
from nemo_sdg.pipeline.plan import Plan

if TYPE_CHECKING:
    from nemo_sdg.seeds.sources.splits import EvaluationSources

SHOWN = 8
"""data sets and tasks that are named; the others are counted"""
ASKED_FOR_SIZE = 40
"""data sets whose size the hub is asked for"""
WIDTH = 100


def dry_run(config: RunConfig, names: list[str]) -> Iterator[str]:
    """The lines, of WIDTH at most. Raises an SdgError for what would stop the run."""
    for line in parts(config, names):
        if len(line) <= WIDTH:
            yield line
        else:
            yield from textwrap.wrap(
                line, WIDTH, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False
            )


def parts(config: RunConfig, names: list[str]) -> Iterator[str]:
    from nemo_sdg.commands.ahead.left import costs_left, left, overwritten
    from nemo_sdg.pipeline.preflight import check_configuration
    from nemo_sdg.seeds.sources.hub_models import require_model
    from nemo_sdg.seeds.sources.rows import uses_hub
    from nemo_sdg.seeds.sources.splits import evaluation_sources, plan_sources
    from nemo_sdg.steps.evaluation_splits import require_named

    models = [model for model in named_models(config) if not is_here(model)]
    tokenizer_is_here = config.export.tokenizer is None or config.export.tokenizer not in models
    check_configuration(config, [name for name in names if name != "packed" or tokenizer_is_here])
    if "seeds" in names:
        require_named(config)
    if "packed" in names:
        require_model("export.tokenizer", config.export.tokenizer)
    run_dir = Path(config.run.dir)
    plan, costs = None, dict[str, str]()
    if tokenizer_is_here:
        plan = look_at(config, names, run_dir)
        yield from steps(plan, config, names, run_dir)
    else:
        yield f"steps: {', '.join(names)} (what is finished is not known before {config.export.tokenizer} is there)"
    training, compared = sources(config)
    splits = evaluation_sources(compared, config.seeds)
    yield ""
    has_begun = any((run_dir / name).is_dir() for name in STEPS)
    yield from rows_and_requests(config, whole=has_begun)
    if has_begun and plan is not None:
        costs = costs_left(plan, config, run_dir)
        yield from left(plan, config, run_dir, costs)
    yield ""
    yield from evaluation(config, splits)
    yield ""
    hub = uses_hub(config.seeds)
    seeds = plan_sources(training, config.seeds) if hub else []
    yield from downloads(config, seeds, splits.reachable if hub else [], models)
    if plan is not None and plan.redone:
        yield ""
        yield from overwritten(plan, costs)
    yield ""
    instead = "with --redo in place of --dry-run" if plan and plan.redone else "without --dry-run"
    yield f"nothing was written; start it by the same command {instead}"


def look_at(config: RunConfig, names: list[str], run_dir: Path) -> Plan:
    from nemo_sdg.pipeline.plan import make_plan, require_finished
    from nemo_sdg.storage import ContentHashes

    require_finished(names, config, run_dir)
    return make_plan(names, config, run_dir, ContentHashes(full=True))


def steps(plan: Plan, config: RunConfig, names: list[str], run_dir: Path) -> Iterator[str]:
    """Which steps are skipped, finished, redone, or to do."""
    from nemo_sdg.commands.ahead.left import finished

    told: dict[str, list[str]] = {}
    done = finished(plan, run_dir)
    for name in STEPS:
        if why_skipped(name, config) is not None:
            told.setdefault("skipped", []).append(name)
        elif name in names:
            state = "finished" if name in done else "done again" if name in plan.redone else "to do"
            told.setdefault(state, []).append(name)
    yield f"{'run':<12}{run_dir}/{'' if run_dir.is_dir() else ' (new)'}"
    for state in ("finished", "to do", "done again", "skipped"):
        if state in told:
            yield f"{state:<12}{', '.join(told[state])}"


def sources(config: RunConfig) -> tuple[list[Any], list[Any]]:
    """Catalog rows of the tasks that give seeds, and of those whose evaluation rows are compared with."""
    from nemo_sdg.catalog.selection import compared, eligible
    from nemo_sdg.catalog.walk import build_catalog

    rows = build_catalog(config.seeds, config.guard)
    chosen = eligible(rows, config.seeds.wanted)
    return chosen, compared(rows, chosen, config.guard)


def rows_and_requests(config: RunConfig, *, whole: bool) -> Iterator[str]:
    """Seeds by family; requests, tokens and cost by role, at assumed rates. `whole`: the run has begun, so this is not
    what is left.
    """
    from nemo_sdg.pipeline.forecast import count_seeds, make_forecast
    from nemo_sdg.pipeline.rates import assumed

    seeds, unknown, in_sentences = count_seeds(config)
    result = make_forecast(config, assumed(config), seeds, in_sentences, tokens_per_s=1.0, price=None)
    families = [f"{family} {sum(tasks.values()):,}" for family, tasks in seeds.items()]
    num = f"{result['seeds']:,}"
    yield f"{'seeds':<12}{fit([num, *families], WIDTH - 12, between=': ')}"
    if unknown:
        yield f"{'':<12}not counted without reading them: {few(unknown, SHOWN)}"
    head = f"{'role':<9} {'requests':>12} {'prompt tokens':>15} {'output tokens':>15}  cost, model"
    yield f"{'whole run' if whole else 'asked for':<12}{head}"
    for row in result["roles"]:
        cost = f"{row['cost']:,.2f} {result['currency']}, " if row["cost"] is not None else ""
        numbers = f"{row['requests']:>12,} {row['prompt_tokens']:>15,} {row['completion_tokens']:>15,}"
        yield f"{'':<12}{row['role']:<9} {numbers}  {cost}{row['model']}"
    total = f"{result['requests']:,} requests, {result['completion_tokens']:,} output tokens"
    cost = f", {result['cost']:,.2f} {result['currency']}" if result["cost"] is not None else ""
    yield f"{'':<12}{total}{cost}; rates are assumed: nemo-sdg forecast --pilot"
    if result["cost"] is None and any(s.kind is EngineKind.openai for role in Role for s in config.engines(role)):
        yield f"{'':<12}no cost: set engine.price_input and engine.price_output (per million tokens)"


def evaluation(config: RunConfig, found: "EvaluationSources") -> Iterator[str]:
    """Which evaluation splits the seeds and samples are compared with, and which cannot be had."""
    num, missing = len(found.reachable), len(found.unreachable)
    against = ", ".join(config.guard.against)
    yield f"{'evaluation':<12}guard.against=[{against}]: {num:,} split{'s' * (num != 1)} looked at"
    names = Counter(source.describe()["dataset"] for source in found.reachable)
    if names:
        yield f"{'':<12}{fit([name for name, _ in names.most_common()], WIDTH - 32)}{_more(len(names))}"
    if missing:
        (why, count), *others = Counter(row["why"] for row in found.unreachable).most_common()
        more = f"; others, such as {textwrap.shorten(others[0][0], WIDTH)}: {missing - count:,}" if others else ""
        yield f"{'':<12}{missing:,} splits cannot be had ({why}: {count:,}{more}); the card lists them"


def _more(num: int) -> str:
    return f" ({num:,} data sets)" if num > 1 else ""


Splits = dict[str, set[tuple[str | None, str]]]
"""data set -> its (configuration, split) pairs"""


def from_hub(config: RunConfig, sources: list[Any]) -> Splits:
    """The splits that come from the hub."""
    from nemo_sdg.seeds.sources.rows import local_files

    wanted: Splits = {}
    for split in (source.split for source in sources):
        if not local_files(split, config.seeds) and not split.located and not split.path.startswith("function:"):
            wanted.setdefault(split.path, set()).add((split.name, split.split))
    return wanted


def downloads(config: RunConfig, seeds: list[Any], compared: list[Any], models: list[str]) -> Iterator[str]:
    """What comes from the network, with sizes as the hub says them: the seeds' data sets and the models one by one, and
    together those that seeds and samples are compared with.
    """
    wanted, beside = from_hub(config, seeds), from_hub(config, compared)
    if not wanted and not beside and not models:
        yield f"{'downloads':<12}nothing"
        return
    sizes = Sizes()
    lines = [
        f"{path}: {number_of(len(splits), 'split')}, {told_size(sizes.dataset(path, splits))}"
        for path, splits in sorted(wanted.items())[:SHOWN]
    ]
    if len(wanted) > SHOWN:
        lines.append(f"and {number_of(len(wanted) - SHOWN, 'more data set')}")
    lines += [f"model {model}, {told_size(sizes.model(model))}" for model in models]
    what = f"{number_of(len(wanted), 'data set')} for the seeds, streamed" if wanted else "nothing for the seeds"
    yield f"{'downloads':<12}{what}"
    yield from (f"{'':<12}{line}" for line in lines)
    if beside:
        asked = sorted(beside.items())[:ASKED_FOR_SIZE]
        known = [size for path, splits in asked if (size := sizes.dataset(path, splits)) is not None]
        whole = "" if len(known) == len(beside) or not known else f" in {len(known)} of them"
        told = f"{told_size(sum(known) if known else None)}{whole}"
        yield f"{'':<12}{number_of(len(beside), 'data set')} to compare with, {told}, streamed once into the"
        yield f"{'':<12}cache of all runs; guard.against says which"
    if sizes.failed:
        yield f"{'':<12}sizes are not known: {sizes.failed}"


def number_of(num: int, noun: str) -> str:
    return f"{num:,} {noun}{'s' * (num != 1)}"


def told_size(size: int | None) -> str:
    return "size not known" if size is None else f"{size / 1e6:,.1f} MB"


class Sizes:
    """Asks the hub how large files are; after the first failure of the connection, no more."""

    def __init__(self) -> None:
        self.failed = ""

    def dataset(self, path: str, splits: set[tuple[str | None, str]]) -> int | None:
        """Bytes of the files whose names say one of the splits; of all files where no name does."""
        files = self._files("dataset_info", path)
        if files is None:
            return None
        named = [
            size
            for name, size in files
            if any(split in name and (config is None or config in name) for config, split in splits)
        ]
        return sum(named) or sum(size for _, size in files)

    def model(self, path: str) -> int | None:
        files = self._files("model_info", path)
        return None if files is None else sum(size for _, size in files)

    def _files(self, call: str, path: str) -> list[tuple[str, int]] | None:
        import huggingface_hub
        import requests

        if self.failed:
            return None
        try:
            info = getattr(huggingface_hub.HfApi(), call)(path, files_metadata=True, timeout=10.0)
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as exc:
            self.failed = f"the hub cannot be reached: {type(exc).__name__}"
            return None
        except Exception as exc:  # the hub client raises errors of many libraries; a gated set has no size, that is all
            if "offline" in str(exc).lower():
                self.failed = "HF_HUB_OFFLINE is set"
            return None
        return [(file.rfilename, file.size or 0) for file in info.siblings or []]


def named_models(config: RunConfig) -> list[str]:
    """Models that the configuration names by what may be a place on the hub."""
    names = [config.export.tokenizer, config.curate.embedder]
    names += [section.model for role in Role for section in config.engines(role) if section.kind is EngineKind.trtllm]
    return list(dict.fromkeys(name for name in names if name and name.count("/") == 1 and name[0] not in "./~"))


def is_here(model: str) -> bool:
    """Whether a model lies in a folder, or in the cache of the hub's client."""
    from nemo_sdg.seeds.sources.hub_models import is_cached

    return Path(model).exists() or is_cached(model)
