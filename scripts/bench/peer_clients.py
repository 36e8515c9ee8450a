"""Compares our client with clients of peers on the same fake server: 200 ms latency, 500 requests in flight, 2,000
records.

Ours runs the step `answers` with one vote (rendered, sent, synced to the journal, parsed). NeMo Curator's
AsyncOpenAIClient, DataDesigner and distilabel get the same prompts and keep the text. The last two run in separate
environments (peers.py); a client that cannot be installed is skipped with a line.

A client is measured three times, each time with a new server:

- plain: completions/s between the first request and the last completion, measured by the server, and CPU per
  completion, without the cost of a start with one record;
- faults: a tenth of the requests first gets a 429 or 5xx; records without a reply at the end are lost;
- killed: `kill -9` after half of the completions, then started again; requests beyond 2,000 are repeated ones. A client
  that writes nothing to disk repeats all; one that does not end when it is started again has no `asked_again`, and
  `resumed` says why.

    {"name": "datadesigner_completions_per_s", "value": 120.3, "unit": "1/s", "cpu_ms": 6.1, "lost": 0, ...}
    {"name": "ratio_to_datadesigner", "value": 8.4, "unit": "x"}
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client import FAULTS, ROOT, rendered, show, stats
from peers import DATADESIGNER, DISTILABEL, PeersUnavailable, peers_python

HERE = Path(__file__).parent
PATIENCE = 900.0
"""seconds after which a client that has not ended is stopped"""
STALLED = 60.0
"""seconds without a request, after which it is stopped too"""


class GivenUp(Exception):
    """A client that failed or did not end, in one line."""


@dataclass
class Client:
    name: str
    command: list[str]
    """command, without its arguments URL SOURCE FOLDER IN_FLIGHT"""
    by_number: bool = False
    """whether SOURCE is a number of records, and not a file of prompts"""


@contextlib.contextmanager
def server(latency: float, *options: str) -> Iterator[str]:
    command = [sys.executable, str(ROOT / "tests/fakes/openai_server.py"), "--latency", str(latency), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def run(client: Client, url: str, source: str, folder: Path, in_flight: int, *, kill_at: int = 0) -> tuple[int, float]:
    """Records with a reply, and CPU seconds of the client and its child processes. With `kill_at` it is killed as soon
    as the server has made so many completions. Raises GivenUp.
    """
    before = os.times()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*client.command, url, source, str(folder), str(in_flight)],
            stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        while kill_at and process.poll() is None and stats(url).get("completions", 0) < kill_at:
            time.sleep(0.02)
        try:
            output = b"" if kill_at else wait_for(process, url)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if kill_at:
            return 0, 0.0
        log.seek(0)
        if process.returncode:
            lines = log.read().decode(errors="replace").strip().splitlines() or ["no word why"]
            raise GivenUp(f"exit {process.returncode}: {lines[-1][:200]}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    rows = [line for line in output.decode().splitlines() if line.startswith('{"kept"')]
    return int(json.loads(rows[-1])["kept"]), cpu


def wait_for(process: "subprocess.Popen[bytes]", url: str) -> bytes:
    """What a client has printed when it ends. Raises GivenUp if it does not."""
    begin = asked_at = time.monotonic()
    asked = 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=5.0)[0]
        now, seen = time.monotonic(), stats(url).get("requests", 0)
        if seen != asked:
            asked, asked_at = seen, now
        if now - begin > PATIENCE:
            raise GivenUp(f"no end after {PATIENCE:.0f} s")
        if now - asked_at > STALLED:
            raise GivenUp(f"it sent nothing for {STALLED:.0f} s after {seen} requests, and did not end")


def measure(client: Client, prompts: list[str], in_flight: int, latency: float, folder: Path) -> float:
    """Shows a client's figures; returns its completions/s."""
    num = len(prompts)

    def source(count: int) -> str:
        path = folder / f"prompts-{count}.jsonl"
        path.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts[:count]))
        return str(count) if client.by_number else str(path)

    with server(latency) as url:
        _, start = run(client, url, source(1), folder / "one", in_flight)
    with server(latency) as url:
        kept, cpu = run(client, url, source(num), folder / "plain", in_flight)
        plain = stats(url)
    if kept < num:
        raise GivenUp(f"{num - kept} of {num} records lost without a fault")
    with server(latency, *FAULTS) as url:
        kept, _ = run(client, url, source(num), folder / "faults", in_flight)
        faults = stats(url)
    resumed: dict[str, Any] = {}
    with server(latency) as url:
        run(client, url, source(num), folder / "killed", in_flight, kill_at=num // 2)
        try:
            run(client, url, source(num), folder / "killed", in_flight)
            resumed["asked_again"] = stats(url)["requests"] - num
        except GivenUp as exc:
            resumed |= {"asked_again": None, "resumed": str(exc)}
    rate = plain["completions"] / plain["seconds"]
    show(
        f"{client.name}_completions_per_s", rate, "1/s", cpu_ms=1e3 * (cpu - start) / num, start_cpu_s=start,
        most_in_flight=plain["most_in_flight"], lost=num - kept, seconds_with_faults=faults["seconds"],
        records=num, **resumed,
    )  # fmt: skip
    return rate


def clients() -> Iterator[Client]:
    yield Client("ours", [sys.executable, str(HERE / "peer_client_ours.py")], by_number=True)
    yield Client("curator", [sys.executable, str(HERE / "peer_client_curator.py")])
    for name, packages in {"datadesigner": DATADESIGNER, "distilabel": DISTILABEL}.items():
        try:
            python = peers_python(name, *packages)
        except PeersUnavailable as exc:
            show(f"{name}_completions_per_s", None, "1/s", absent=str(exc))
            continue
        yield Client(name, [python, str(HERE / f"peer_client_{name}.py")])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--in-flight", type=int, default=500)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds")
    options = parser.parse_args()
    requests = rendered("http://none.invalid/v1", options.in_flight, options.records)
    prompts = ["\n\n".join(message["content"] for message in request.messages or []) for request in requests]
    prompts = [f"{number}: {prompt}" for number, prompt in enumerate(prompts[: options.records])]
    rates: dict[str, float] = {}
    for client in clients():
        with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
            try:
                rates[client.name] = measure(client, prompts, options.in_flight, options.latency, Path(folder))
            except GivenUp as exc:
                show(f"{client.name}_completions_per_s", None, "1/s", absent=str(exc))
    for name, rate in rates.items():
        if name != "ours":
            show(f"ratio_to_{name}", rates["ours"] / rate, "x")


if __name__ == "__main__":
    main()
