"""The report of a large run: its time and memory, the size of the page, and the time that a browser takes to open it.

    python scripts/bench/report.py [--quick] [--samples N] [--folder DIR]

The run is synthetic (tests/fakes/synthetic_run.py): N questions, four votes each, journals and drops, about 6 KB on
disk a question. The browser is Chromium, headless; without one `report_opens` is left out. One JSON object a line;
sizes are of the report's own process.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fakes"), str(ROOT / "tests" / "e2e")]
MEASURE = """
import resource, sys, time
from pathlib import Path
begin = time.perf_counter()
from nemo_sdg.pipeline.report import make_report, make_search
run_dir, what = Path(sys.argv[1]), sys.argv[2]
(run_dir / "report" / "quality.json").unlink(missing_ok=True)
path = make_search(run_dir) if what == "search" else make_report(run_dir, measure=what == "report")
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - begin, used.ru_maxrss * 1024, path.stat().st_size, used.ru_utime + used.ru_stime)
"""


def show(name: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"name": name, "value": value, "unit": unit, **more}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="15,000 questions")
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the run is made; it stays there and is used again")
    arguments = parser.parse_args()
    num = 15_000 if arguments.quick else arguments.samples
    with tempfile.TemporaryDirectory() as scratch:
        measure((arguments.folder or Path(scratch)) / f"run-{num}", num)


def measure(run_dir: Path, num: int) -> None:
    from synthetic_run import SIMILAR, write_run

    if not run_dir.exists():
        write_run(run_dir, num // SIMILAR)
    size = sum(path.stat().st_size for path in run_dir.rglob("*") if path.is_file())
    for name in ("search", "report_unmeasured", "report"):
        answer = subprocess.run(
            [sys.executable, "-c", MEASURE, str(run_dir), name], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        show(f"{name}_seconds", round(float(answer[0]), 2), "s", questions=num, bytes_of_run=size)
        show(f"{name}_cpu_seconds", round(float(answer[3]), 2), "s", questions=num)
        show(f"{name}_max_rss_bytes", float(answer[1]), "bytes", questions=num)
        show(f"{name}_bytes", float(answer[2]), "bytes", questions=num)
    files = (run_dir / "report" / "search").glob("*.js")
    show("search_files_bytes", float(sum(path.stat().st_size for path in files)), "bytes", questions=num)
    seconds = opens(run_dir / "report" / "index.html")
    if seconds is not None:
        show("report_opens", round(seconds, 2), "s", questions=num)


def opens(path: Path) -> float | None:
    """Seconds until a running browser has opened the page and the page can be used."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return None
    from browser import launch

    try:
        with sync_playwright() as playwright, launch(playwright) as browser:
            page = browser.new_page()
            begin = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]", timeout=0)
            return time.perf_counter() - begin
    except Error as exc:
        print(f"no browser: {exc}".splitlines()[0], file=sys.stderr)
        return None


if __name__ == "__main__":
    main()
