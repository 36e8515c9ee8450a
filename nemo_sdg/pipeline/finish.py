"""The end of a run: dataset card, report, manifest, and the summary on the terminal."""

import importlib.metadata
from typing import cast

from nemo_sdg import __version__
from nemo_sdg.execution.context import Context
from nemo_sdg.pipeline.summary import summary
from nemo_sdg.records import visible
from nemo_sdg.records.lines import FileFactsLine, Manifest, StepFacts
from nemo_sdg.steps import seeds
from nemo_sdg.steps.evaluation_splits import unreachable_splits
from nemo_sdg.storage import file_facts, merge_counts, read_ledger, write_json

PACKAGES = [
    "nemo-curator",
    "lm-eval",
    "megatron-core",
    "torch",
    "transformers",
    "tokenizers",
    "rensa",
    "math-verify",
    "xllamacpp",
    "pyarrow",
    "numpy",
]
"""packages that affect the bytes of a run; the manifest names their versions"""


def finish(context: Context) -> None:
    """Writes report/README.md, report/index.html and, last, manifest.json; prints the summary. A second call writes
    the same bytes.

    The manifest does not name the page: it shows the speed of the run, so its bytes differ from run to run.
    """
    from nemo_sdg.export.card.write import write_card
    from nemo_sdg.export.report import is_current
    from nemo_sdg.pipeline.report import make_report

    (context.run_dir / "manifest.json").unlink(missing_ok=True)
    facts = manifest(context)
    card = write_card(context.run_dir, facts)
    facts["files"][str(card.relative_to(context.run_dir))] = cast(FileFactsLine, vars(file_facts(card)))
    if not is_current(context.run_dir, facts):
        if context.config.run.measure:
            context.progress.line("report: models read some of the texts, about a minute (not with run.measure=false)")
        make_report(context.run_dir, facts, measure=context.config.run.measure)
    write_json(context.run_dir / "manifest.json", facts)
    print_summary(context, facts)


def manifest(context: Context) -> Manifest:
    """Files with hashes, counts for each step and task, versions, and the sources that could not be read. Nothing in it
    depends on the clock or the machine.
    """
    files, steps = dict[str, FileFactsLine](), dict[str, StepFacts]()
    identity = ""
    for step in context.steps:
        ledger = read_ledger(context.run_dir, step)
        assert ledger is not None, f"{step} is not finished"
        counts = []
        for name in ledger.receipts:
            subdir, _, shard = name.rpartition("/")
            receipt = context.step_dir(step, subdir).receipt(shard) or {"outputs": {}, "counts": {}}
            files.update(receipt["outputs"])
            if not subdir:
                counts.append(receipt["counts"])
        steps[step] = {"identity": ledger.identity, "shards": len(ledger.shards), "counts": merge_counts(counts)}
        identity = ledger.identity
    return {
        "name": "nemo_sdg",
        "version": __version__,
        "fingerprint": identity,
        "steps": steps,
        "unread": seeds.unread(context),
        "evaluation_splits_unreachable": unreachable_splits(context),
        "packages": {name: version(name) for name in PACKAGES},
        "files": dict(sorted(files.items())),
    }


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def print_summary(context: Context, facts: Manifest) -> None:
    """Prints the summary: the result, its quality, its folder, and the next commands."""
    from rich.console import Console

    console = Console(soft_wrap=True)
    for line in summary(context.run_dir, context.config, facts):
        console.print(visible(line), highlight=False, markup=False)
