"""Laws of files: they are whole, receipts name them, ledgers name the receipts and follow from one another, and their
inputs have not changed.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.commands.check.findings import UNREACHABLE, CheckedRun, Verdict, recorded
from nemo_sdg.commands.check.unfinished import begun_files, progress_of
from nemo_sdg.config import EngineKind, EngineSection, Role
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.pipeline.order import BY_SHARD, engine_shapes
from nemo_sdg.storage import (
    DAMAGED,
    ContentHashes,
    Ledger,
    StepDir,
    changed_fields,
    compressed,
    content_size,
    is_stored,
    make_identity,
    merge_counts,
    sha256_file,
    stored_files,
    with_unread,
)


def files_are_whole(run: CheckedRun, verdict: Verdict) -> None:
    """Every file that a receipt or the manifest names is there with its length and SHA-256; no shard stands without a
    receipt; every receipt was made from the files that are there.
    """
    # a manifest beside unfinished steps is of the run before
    named = {**run.outputs, **({} if run.todo.steps else run.manifest.get("files", {}))}
    named |= begun_files(run, verdict)
    sizes = {name: _size(run.dir / name) for name in named}
    hashes = Hashes(run)
    hashes.add([name for name, facts in named.items() if sizes[name] == facts["bytes"]])
    for name, facts in sorted(named.items()):
        path = run.dir / name
        if not is_stored(path):
            verdict.violations.append(f"{name} is missing")
        elif path.is_file() and compressed(path).is_file():
            verdict.violations.append(f"{name} is there twice, plain and compressed")
        elif sizes[name] is None:
            verdict.violations.append(f"{name} is not what was written: {compressed(path).name} is cut off or damaged")
        elif sizes[name] != facts["bytes"]:
            verdict.violations.append(f"{name} has {sizes[name]} bytes, {facts['bytes']} were written")
        elif hashes.of(name) != facts["sha256"]:
            verdict.violations.append(f"{name} is not what was written: its SHA-256 differs")
    for step in run.steps:
        folder = run.dir / step
        packed = folder.glob("*/*/*/shard-*") if step == "packed" else ()
        beside = [*stored_files(folder / "dropped"), *stored_files(folder / "traces", "shard-*.jsonl")]
        for path in [*stored_files(folder, "shard-*.jsonl"), *beside, *packed]:
            if str(path.relative_to(run.dir)) not in named:
                verdict.violations.append(f"{path.relative_to(run.dir)} has no receipt: its step did not finish")
    for place, receipt in run.receipts.items():
        for name, digest in receipt["inputs"].items():
            if hashes.of(name) != digest:
                verdict.violations.append(f"{place} was made from another {name} than the one that is there")
    verdict.detail = f"{len(named)} files"


class Hashes:
    """SHA-256 of the run's files. Those that were read for another law are not read again."""

    def __init__(self, run: CheckedRun) -> None:
        self.run, self._known = run, run.hashes

    def add(self, names: list[str]) -> None:
        """Hashes files in the order of their size, so that processes which share them end together."""
        new = sorted(set(names) - self._known.keys(), key=lambda name: (-(_size(self.run.dir / name) or 0), name))
        self._known |= zip(new, self.run.do(hash_file, new), strict=True)

    def of(self, name: str) -> str | None:
        """None where there is no file."""
        if name not in self._known and is_stored(self.run.dir / name):
            self._known[name] = hash_file(self.run, name)
        return self._known.get(name)


def hash_file(run: CheckedRun, name: str) -> str:
    try:
        return sha256_file(run.dir / name)
    except DataError:
        return DAMAGED


def _size(path: Path) -> int | None:
    """Bytes of a file's content; None where there is none, or no end of it."""
    try:
        return content_size(path)
    except (FileNotFoundError, DataError):
        return None


def steps_are_finished(run: CheckedRun, verdict: Verdict) -> None:
    """Each step has a ledger that is what it says it is, follows from the one before, names exactly the receipts that
    are there, and has every shard of the step before.
    """
    before: dict[str, str] = {}
    for step in run.steps:
        if step in run.broken:
            verdict.violations.append(run.broken[step])
            continue
        ledger = run.ledgers.get(step)
        if ledger is None:
            verdict.violations.append(f"{step} is not finished: it has no ledger.json")
            before = {}
            continue
        fingerprint = make_identity(step, ledger.before, ledger.version, ledger.configuration, ledger.inputs)
        if ledger.fingerprint != fingerprint or ledger.identity != with_unread(fingerprint, ledger.unread):
            verdict.violations.append(f"{step}/ledger.json was changed: its identity is not that of what it says")
        if ledger.before != before:
            verdict.violations.append(
                f"{step} was made from another {next(iter(before), 'beginning')} than the one that is there"
            )
        before = {step: ledger.identity}
        _receipts_are_the_ledgers(run, step, verdict)
    for previous, step in itertools.pairwise(run.steps):
        if step in BY_SHARD:
            given, got = set(run.shards(previous)), set(run.shards(step))
            verdict.violations += [f"{step}/{shard} is missing: {previous} has it" for shard in sorted(given - got)]
            verdict.violations += [f"{step}/{shard} comes from nothing in {previous}" for shard in sorted(got - given)]
    verdict.unfinished += progress_of(run)
    verdict.detail = f"{len(run.ledgers)} steps"


def _receipts_are_the_ledgers(run: CheckedRun, step: str, verdict: Verdict) -> None:
    ledger = run.ledgers[step]
    there = StepDir(run_dir=run.dir, step=step, fingerprint="").receipt_hashes()
    for name in sorted(ledger.receipts.keys() | there.keys()):
        if name not in there:
            verdict.violations.append(f"{step}/{name} is in the ledger, its receipt is missing")
        elif name not in ledger.receipts:
            verdict.violations.append(f"{step}/{name} has a receipt, but is not in the ledger")
        elif there[name] != ledger.receipts[name]:
            verdict.violations.append(f"{step}/{name} has another receipt than the ledger says")
    for place, receipt in run.receipts.items():
        if place.split("/")[0] == step and receipt["fingerprint"] != ledger.fingerprint:
            verdict.violations.append(f"{place} is of another run or configuration: {receipt['fingerprint']}")


def run_is_finished(run: CheckedRun, verdict: Verdict) -> None:
    """The manifest exists and names these steps; config.yaml is the configuration of each of them."""
    if run.todo.steps or not (run.dir / "manifest.json").exists():
        verdict.unfinished.append(f"{run.todo.steps[0] if run.todo.steps else 'manifest.json'} is not finished")
        return
    manifest = run.manifest
    for step, ledger in run.ledgers.items():
        told = manifest["steps"].get(step, {}).get("identity")
        if told != ledger.identity:
            verdict.violations.append(
                f"manifest.json speaks of another {step}: {told}, its ledger has {ledger.identity}"
            )
    last = run.ledgers.get(run.steps[-1])
    if last is not None and manifest["fingerprint"] != last.identity:
        verdict.violations.append(f"manifest.json has fingerprint {manifest['fingerprint']}, not {last.identity}")
    verdict.violations += [f"manifest.json {line}" for line in _told_otherwise(run, manifest)]
    verdict.violations += configuration_changes(run, verdict)
    verdict.detail = f"fingerprint {manifest['fingerprint']}"


def _told_otherwise(run: CheckedRun, manifest: dict[str, Any]) -> Iterator[str]:
    """What a manifest says otherwise than the run's receipts, ledgers and lists."""
    if manifest["evaluation_splits_unreachable"] != run.unreachable_splits():
        yield f"has another list of unreachable evaluation splits than {UNREACHABLE}"
    unread = run.ledgers["seeds"].unread if "seeds" in run.ledgers else []
    if manifest["unread"] != unread:
        yield "has another list of unread sources than seeds/ledger.json"
    for name in sorted(run.outputs.keys() - manifest["files"].keys()):
        yield f"does not name {name}"
    for step in run.ledgers:
        counts = merge_counts(run.receipt(step, shard)["counts"] for shard in run.shards(step))
        told = manifest["steps"].get(step, {})
        if told.get("counts") != counts or told.get("shards") != len(run.shards(step)):
            yield f"has other counts of {step} than its receipts"


def configuration_changes(run: CheckedRun, verdict: Verdict) -> list[str]:
    """Fields of config.yaml whose value is not the one that the step was made under."""
    found = []
    try:
        config = recorded(run.dir)
    except ConfigError as exc:  # of another version
        config = None
        verdict.unseen.append(f"the engines of config.yaml: {exc}")
    for step, ledger in run.ledgers.items():
        for name, value in ledger.configuration.items():
            section, _, field = name.partition(".")
            if section != "roles" and run.config.get(section, {}).get(field) != value:
                now = run.config.get(section, {}).get(field)
                found += [
                    f"config.yaml has another {line} than {step}" for line in changed_fields(value, now, f"{name}.")
                ]
        for role in Role if config is not None else ():
            assert config is not None
            found += _engine_changes(role, config.engines(role), ledger)
    return found


def _engine_changes(role: Role, sections: list[EngineSection], ledger: Ledger) -> list[str]:
    """Fields of a role's engines that are not those of the step, as far as the step knew them."""
    made = ledger.configuration.get(f"roles.{role.value}")
    if made is None:
        return []
    if len(made) != len(sections):
        return [f"config.yaml has {len(sections)} engines of the {role.value}, {ledger.step} had {len(made)}"]
    lines = []
    for number, (then, section) in enumerate(zip(made, sections, strict=True)):
        now = {name: value for name, value in engine_shapes(section).items() if name in then}
        lines += changed_fields(then, now, f"roles.{role.value}[{number}].")
    models, named = ledger.inputs.get(f"models of the {role.value}"), ", ".join(str(each.model) for each in sections)
    served = all(section.kind in (EngineKind.openai, EngineKind.batch) for section in sections)
    if models is not None and served and models != named:
        lines.append(f"model of the {role.value}: {models} -> {named}")
    return [f"config.yaml has another {line} than {ledger.step}" for line in lines]


def inputs_are_unchanged(run: CheckedRun, verdict: Verdict) -> None:
    """Task files, data files, templates, filters and the other inputs of each step have not changed."""
    hashes, num = ContentHashes(), 0
    for step, ledger in run.ledgers.items():
        for name, place in sorted(ledger.places.items()):
            then, now = ledger.inputs.get(name), hashes.of(Path(place))
            num += 1
            if then is None:
                verdict.violations.append(f"{step}/ledger.json has a place for {name}, but no content")
            elif now == "missing" and then != "missing":
                verdict.unseen.append(f"{name} of {step} is no longer at {place}")
            elif now.startswith("unreadable"):
                verdict.unseen.append(f"{name} of {step} cannot be read at {place} ({now})")
            elif now != then:
                verdict.violations.append(f"{name} of {step} has changed since ({place})")
        verdict.unseen += [f"{row['source']} could not be read: {row['why']}" for row in ledger.unread]
    _tokenizer_is_the_ledgers(run, verdict)
    verdict.detail = f"{num} files"


def _tokenizer_is_the_ledgers(run: CheckedRun, verdict: Verdict) -> None:
    ledger = run.ledgers.get("packed")
    if ledger is not None and "tokenizer" in ledger.inputs:
        digest = run.tokenizer().digest
        if digest != ledger.inputs["tokenizer"]:
            verdict.violations.append("packed/tokenizer is another tokenizer than the one that packed/ was made with")
