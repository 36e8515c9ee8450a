"""The layers: which packages may import which, and which modules the command line must not load."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "nemo_sdg"
# From the top down: a layer imports only layers below it, and rooms of one layer never import each other.
LAYERS = [
    ["__main__"],
    ["cli"],
    ["cli_runs"],
    ["commands"],
    ["pipeline"],
    ["steps"],
    ["train"],
    ["cluster"],
    ["generate", "verify", "curate", "export"],
    ["seeds"],
    ["catalog"],
    ["text"],
    ["execution"],
    ["storage"],
    ["records", "config"],
    ["errors"],
]
FLOOR = {name: floor for floor, names in enumerate(LAYERS) for name in names}
MAX_LINES, MAX_FILES = 300, 17
"""of a file, and of a room: steps/ has a module for each step"""
HEAVY = [
    "torch",
    "ray",
    "megatron",
    "nemo",
    "datasets",
    "lm_eval",
    "transformers",
    "dask",
    "pandas",
    "nemo_curator",
    "tensorrt_llm",
    "nemo_run",
    "xllamacpp",
]


@functools.cache
def imported(path: Path) -> frozenset[str]:
    """All modules that a file imports, at its top or within functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def test_files_and_rooms_are_small() -> None:
    long = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if lines(path) > MAX_LINES}
    assert not long, long
    rooms = {folder for folder in PACKAGE.rglob("*") if folder.is_dir()}
    crowded = {str(room) for room in rooms if len(list(room.glob("*.py"))) > MAX_FILES}
    assert not crowded, crowded


def lines(path: Path) -> int:
    return path.read_text().count("\n")


def test_imports_go_down() -> None:
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name in imported(path):
            other = ([*name.split("."), ""])[1] if name.startswith("nemo_sdg.") else ""
            if room in FLOOR and other in FLOOR and other != room and FLOOR[other] <= FLOOR[room]:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert not wrong, wrong


def test_every_module_of_the_root_has_a_floor() -> None:
    names = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert names - {"__init__", "__pycache__"} <= set(FLOOR)


def test_only_stages_executors_and_context_import_curator() -> None:
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] == "nemo_curator" for name in imported(path))
    }
    assert (
        users
        - {
            "execution/stages.py",
            "execution/executors.py",
            "execution/context.py",
            "curate/dedup/gpu.py",
            "curate/filters/wording/repetition.py",
        }
        == set()
    )


def test_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, nemo_sdg.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
