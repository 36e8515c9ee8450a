"""Writes README's table of measurements from the output of the benches; no figure in it is typed by hand.

    python scripts/bench/table.py --record client --quick      runs client.py --quick and stores its output
    python scripts/bench/table.py                              writes the table into README.md

The output of a bench is stored in scripts/bench/results/<bench>.jsonl. Its first line has the command, date, commit,
machine, and load of the machine. The rows of the table are in table.yaml: texts with placeholders for figures, such as
`{client.completions_per_s:,.0f} completions/s`. A row with a figure that no bench has printed is left out and named on
standard error.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS, ROWS, README = HERE / "results", HERE / "table.yaml", ROOT / "README.md"
BEGIN, END = "<!-- table.py begins -->", "<!-- table.py ends -->"
FIGURE = re.compile(r"\{(\w+)\.([\w.-]+?)(?::([^}]*))?\}")


def record(bench: str, arguments: list[str]) -> None:
    """Runs a bench and stores its figures. If the bench fails, exits with its exit code and stores nothing."""
    command = [sys.executable, str(HERE / f"{bench}.py"), *arguments]
    load = os.getloadavg()[0]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{bench}.py ended with exit code {done.returncode}; nothing is kept")
    figures = [without_example(line) for line in done.stdout.splitlines() if line.startswith('{"name"')]
    head = {
        "command": " ".join(["scripts/bench/" + bench + ".py", *map(without_folders, arguments)]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "load_before": round(load, 1),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{bench}.jsonl").write_text("\n".join([json.dumps(head), *figures]) + "\n")
    print(f"{len(figures)} figures in {(RESULTS / bench).relative_to(ROOT)}.jsonl")


def without_example(line: str) -> str:
    """A figure without its `example`, which may be a row of a data set that must not be copied."""
    figure = json.loads(line)
    if figure.pop("example", None) is None:
        return line
    return json.dumps(figure, ensure_ascii=False)


def without_folders(argument: str) -> str:
    """An argument without the folders of this machine: `/data/big` is `big`."""
    return Path(argument).name if Path(argument).is_absolute() else argument


def figures() -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """(bench -> name -> value, bench -> first line of its results)."""
    values: dict[str, dict[str, Any]] = {}
    heads: dict[str, dict[str, Any]] = {}
    for path in sorted(RESULTS.glob("*.jsonl")):
        head, *rows = [json.loads(line) for line in path.read_text().splitlines()]
        heads[path.stem] = head
        values[path.stem] = {row["name"]: row["value"] for row in rows}
    return values, heads


def fill(text: str, values: dict[str, dict[str, Any]]) -> str:
    """The text with its figures. Raises KeyError with the first figure that no bench has printed."""

    def figure(match: re.Match[str]) -> str:
        bench, name, spec = match.groups()
        value = values.get(bench, {}).get(name)
        if value is None:
            raise KeyError(f"{bench}.{name}")
        return format(value, spec or "")

    return FIGURE.sub(figure, text)


def table() -> tuple[str, list[str]]:
    """The Markdown table, and the missing figures, whose rows are left out."""
    values, heads = figures()
    lines, missing, used = ["| what | measured | beside |", "|---|---|---|"], [], set()
    for row in yaml.safe_load(ROWS.read_text()):
        try:
            cells = [fill(row.get(name, ""), values) for name in ("what", "measured", "beside")]
        except KeyError as exc:
            missing.append(str(exc.args[0]))
            continue
        used |= {match[1] for text in row.values() for match in FIGURE.finditer(text)}
        lines.append("| " + " | ".join(cells).replace("|  |", "| |") + " |")
    calls = [
        f"`{head['command']}` ({head['date']}, {head['commit']}, {head['cores']} cores, load {head['load_before']})"
        for bench, head in heads.items()
        if bench in used
    ]
    return "\n".join([*lines, "", "Made by " + "; ".join(calls) + "."]), missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--record", metavar="BENCH", help="run this bench with the further arguments, keep its figures")
    options, arguments = parser.parse_known_args()
    if options.record:
        record(options.record, arguments)
        return
    if arguments:
        parser.error(f"unknown arguments: {' '.join(arguments)}")
    made, missing = table()
    if BEGIN not in README.read_text():
        sys.exit(f"{README} has no line {BEGIN}: nowhere to write the table")
    before, rest = README.read_text().split(BEGIN, 1)
    README.write_text(f"{before}{BEGIN}\n{made}\n{END}{rest.split(END, 1)[1]}")
    for name in missing:
        print(f"left out: no bench has printed {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
