"""The rooms' walls: who may import whom, and what the command line must not load."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "nemo_sdg"
ROOMS = ["seeds", "generate", "verify", "curate", "export", "train"]
GROUND = {"records", "config", "store", "errors", "processes", "dask_tasks", "megatron_import"}
HEAVY = ["torch", "ray", "megatron", "nemo", "datasets", "lm_eval", "transformers", "dask", "pandas", "nemo_curator", "tensorrt_llm", "nemo_run", "xllamacpp"]


def imported(path: Path) -> set[str]:
    """All modules that a file imports, at its top or within functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_rooms_import_only_themselves_and_the_ground() -> None:
    wrong = []
    for room in ROOMS:
        for path in (PACKAGE / room).rglob("*.py"):
            for name in imported(path):
                parts = name.split(".")
                if parts[0] == "nemo_sdg" and len(parts) > 1 and parts[1] not in GROUND | {room, "__version__"}:
                    wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert not wrong, wrong


def test_the_ground_imports_no_room() -> None:
    wrong = [
        f"{module} imports {name}"
        for module in GROUND
        for name in imported(PACKAGE / f"{module}.py")
        if any(name.startswith(f"nemo_sdg.{room}") for room in ROOMS)
    ]
    assert not wrong, wrong


def test_only_stages_executors_and_context_import_curator() -> None:
    users = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if any(name.split(".")[0] == "nemo_curator" for name in imported(path))}
    assert users - {"stages.py", "executors.py", "context.py", "curate/filters.py", "curate/dedup_gpu.py"} == set()


def test_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, nemo_sdg.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
