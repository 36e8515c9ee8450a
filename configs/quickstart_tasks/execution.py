"""Scores generated code by running it; lm-eval asks for --confirm_run_unsafe_code before it does."""

import subprocess
import sys


def process_results(doc: dict, results: list[str]) -> dict[str, float]:
    """1.0 when the program passes the row's tests in a Python process of its own within ten seconds."""
    program = "\n".join([results[0], *doc["test_list"]])
    try:
        done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return {"pass_at_1": 0.0}
    return {"pass_at_1": float(done.returncode == 0)}
