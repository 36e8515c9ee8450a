"""The end of a run: dataset card, report, manifest, and the summary on the terminal."""

import importlib.metadata
from pathlib import Path
from typing import Any

from nemo_sdg import __version__
from nemo_sdg.execution.context import Context
from nemo_sdg.steps import seeds
from nemo_sdg.steps.evaluation_splits import unreachable_splits
from nemo_sdg.storage import file_facts, merge_counts, read_json, read_ledger, write_json

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
"""What shapes the bytes of a run beside this package; the manifest names their versions."""

DATA_STEPS = ["seeds", "questions", "screened", "answers", "graded", "verified", "curated"]


def finish(context: Context) -> None:
    """Writes report/README.md, report/index.html and, last, manifest.json; prints the summary. Does nothing twice: the
    bytes are the same.

    The page shows how fast the run was, so that its bytes differ from run to run: the manifest does not name it.
    """
    from nemo_sdg.export.card import write_card
    from nemo_sdg.export.report import is_current
    from nemo_sdg.pipeline.report import make_report

    (context.run_dir / "manifest.json").unlink(missing_ok=True)
    facts = manifest(context)
    card = write_card(context.run_dir, facts)
    facts["files"][str(card.relative_to(context.run_dir))] = vars(file_facts(card))
    if not is_current(context.run_dir, facts):
        make_report(context.run_dir, facts)
    write_json(context.run_dir / "manifest.json", facts)
    print_summary(context, facts)


def manifest(context: Context) -> dict[str, Any]:
    """Files with hashes, counts a step and task, versions, what could not be read. Nothing in it depends on clock or
    machine.
    """
    files, steps = dict[str, Any](), dict[str, dict[str, Any]]()
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


def print_summary(context: Context, facts: dict[str, Any]) -> None:
    """Rows in, kept and dropped per task, tokens per family and variant, where the blend lies."""
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True)
    table = Table(title="records kept per step (dropped)", title_justify="left")
    table.add_column("task")
    steps = [step for step in DATA_STEPS if step in facts["steps"]]
    for step in steps:
        table.add_column(step, justify="right")
    per_step = {step: facts["steps"][step]["counts"] for step in steps}
    for task in sorted({task for counts in per_step.values() for task in counts}):
        cells = []
        for step in steps:
            row = per_step[step].get(task)
            num_dropped = sum(row["dropped"].values()) if row else 0
            cells.append("" if row is None else f"{row['kept']:,}" + (f" ({num_dropped:,})" if num_dropped else ""))
        table.add_row(task, *cells)
    console.print(table)
    reasons = Table(title="drops by reason", title_justify="left")
    for name in ("step", "reason", "records"):
        reasons.add_column(name, justify="right" if name == "records" else "left")
    for step, counts in ((step, facts["steps"][step]["counts"]) for step in facts["steps"]):
        total: dict[str, int] = {}
        for row in counts.values():
            for reason, num in row["dropped"].items():
                total[reason] = total.get(reason, 0) + num
        for reason, num in sorted(total.items(), key=lambda item: (-item[1], item[0])):
            reasons.add_row(step, reason, f"{num:,}")
    console.print(reasons)
    mixture_path = context.run_dir / "blend" / "mixture.json"
    tokens = Table(title="tokens packed", title_justify="left")
    for name in ("family", "variant", "documents", "tokens"):
        tokens.add_column(name, justify="left" if name in ("family", "variant") else "right")
    for row in packed_tokens(context.run_dir):
        tokens.add_row(row["family"], row["variant"], f"{row['documents']:,}", f"{row['tokens']:,}")
    console.print(tokens)
    num_attempts = sum(row["in"] for row in per_step["questions"].values())
    num_kept = sum(row["kept"] for row in per_step["curated"].values())
    console.print(
        f"yield: {num_kept:,} of {num_attempts:,} attempted samples ({num_kept / num_attempts:.0%})"
        if num_attempts
        else "yield: no attempts"
    )
    if mixture_path.is_file():
        console.print(f"blend: {context.run_dir / 'blend'}/  (mixture.json explains the weights)")
    console.print(f"card:  {context.run_dir / 'report' / 'README.md'}")
    console.print(
        f"report: {context.run_dir / 'report' / 'index.html'}  (open it in a browser, or: nemo-sdg report "
        f"{context.run_dir} --serve)"
    )


def packed_tokens(run_dir: Path) -> list[dict[str, Any]]:
    """Documents and tokens per family and variant, from the packed step's receipts."""
    totals: dict[tuple[str, str], list[int]] = {}
    for path in sorted((run_dir / "packed" / "receipts").glob("*.json")):
        receipt = read_json(path)
        for variant, sizes in receipt["variants"].items():
            row = totals.setdefault((receipt["family"], variant), [0, 0])
            row[0] += sizes["documents"]
            row[1] += sizes["tokens"]
    return [
        {"family": family, "variant": variant, "documents": row[0], "tokens": row[1]}
        for (family, variant), row in sorted(totals.items())
    ]
