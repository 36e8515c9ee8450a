"""Four roles on four real llama.cpp servers, and a run with batch files: the real command from seeds on."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from nemo_sdg.storage import content_lines, read_jsonl, stored_files
from tests.e2e.harness import called, command, digests, nemo_sdg, run_arguments
from tests.fakes.openai_server import FakeOpenAIServer


@contextlib.contextmanager
def llama_servers(root: Path, *names: str) -> Iterator[dict[str, str]]:
    """Name -> base URL of a llama.cpp server in a process of its own."""
    script = str(root / "tests" / "fakes" / "llama_server.py")
    started = {
        name: subprocess.Popen([sys.executable, script, "--alias", name], stdout=subprocess.PIPE, text=True)
        for name in names
    }
    try:
        urls = {}
        for name, process in started.items():
            assert process.stdout is not None
            urls[name] = process.stdout.readline().split()[-1]
        yield urls
    finally:
        for process in started.values():
            process.kill()
            process.wait()


def completions(run_dir: Path) -> int:
    return sum(
        line.endswith(b"\n") for path in stored_files(run_dir, "*/journal/*.jsonl") for _, line in content_lines(path)
    )


def test_four_roles_on_four_servers_go_from_seeds_to_blend_and_are_killed_twice(root: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    with llama_servers(root, "writer", "solver-a", "solver-b", "judge") as urls:
        solvers = ", ".join(f"{{model: {name}, base_urls: [{urls[name]}]}}" for name in ("solver-a", "solver-b"))
        arguments = [
            "run",
            "configs/quickstart.yaml",
            f"run.dir={run_dir}",
            "seeds.tasks=[qs_yesno]",  # the shortest prompts, and questions that the small model solves now and then
            "seeds.limit_per_task=3",
            "generate.temperature_question=1.2",  # not only copies of the seeds
            "generate.answers_graded=1",
            "generate.max_tokens_answer=96",
            "generate.votes=2",
            "verify.min_agreement=0.5",
            "generate.student_attempts=1",
            "generate.style=compact",
            "curate.paraphrase=false",
            "run.measure=false",
            "export.valid_share=0.2",
            "engine.kind=openai",
            "engine.model=writer",
            f"engine.base_urls=[{urls['writer']}]",
            f"roles.solver=[{solvers}]",
            f"roles.judge={{model: judge, base_urls: [{urls['judge']}]}}",
            f"roles.student={{model: judge, base_urls: [{urls['judge']}], sampling: {{temperature: 1.0}}}}",
        ]
        for _ in range(2):
            process = subprocess.Popen(
                command(root, *arguments), cwd=root, start_new_session=True, stderr=subprocess.PIPE, text=True
            )
            before = completions(run_dir)
            while process.poll() is None and completions(run_dir) < before + 4:
                time.sleep(0.02)
            assert process.poll() is None, process.communicate()[1]
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        result = nemo_sdg(root, *arguments)
        assert result.returncode == 0, result.stderr
    assert list(run_dir.glob("blend/*.json"))
    samples = list(read_jsonl(run_dir / "answers" / "shard-00000.jsonl"))
    assert {use["model"] for sample in samples for use in sample["generator"]["solvers"]} == {"solver-a", "solver-b"}
    written = [sample["generator"]["writer"] for sample in samples if sample["origin"] == "similar"]
    assert {use["model"] for use in written} <= {"writer"}
    keys = [
        (path.parent.parent.name, orjson.loads(line)["key"])
        for path in stored_files(run_dir, "*/journal/*.jsonl")
        for _, line in content_lines(path)
        if line.endswith(b"\n")
    ]
    assert len(keys) == len(set(keys)), "what was in the journal was never asked again"
    assert called(root, "check", str(run_dir)).returncode == 0


def test_a_run_by_files_ends_as_one_by_a_server(root: Path, undisturbed: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    arguments = [argument for argument in run_arguments(run_dir, "x") if not argument.startswith("engine.base_urls")]
    arguments = [*arguments, "engine.kind=batch", "--until", "answers"]
    server, num_rounds = FakeOpenAIServer(), 0
    while (result := called(root, *arguments)).returncode == 75:
        assert "waiting for replies to" in result.stderr.splitlines()[-1]
        num_rounds += 1
        assert num_rounds < 20
        for path in run_dir.glob("*/batch/round-*.jsonl"):
            output = path.with_name(f"output-{path.name}")
            rows = [] if output.exists() else [orjson.loads(line) for line in path.read_bytes().splitlines()]
            if rows:
                output.write_bytes(b"".join(map(reply, [server] * len(rows), reversed(rows))))
    assert result.returncode == 0, result.stderr
    assert num_rounds >= 3, "questions, answers, and votes that were not decided"

    def texts(folder: Path) -> dict[str, list[str]]:
        rows = [row for path in stored_files(folder / "answers", "shard-*.jsonl") for row in read_jsonl(path)]
        return {row["sample_id"]: [vote["answer"] for vote in row["solutions"]] for row in rows}

    assert texts(run_dir) == texts(undisturbed)
    assert digests(run_dir)


def reply(server: FakeOpenAIServer, row: dict[str, object]) -> bytes:
    body = row["body"]
    assert isinstance(body, dict)
    status, answer = server.answer(str(row["url"]), body)
    response = {"status_code": status, "body": answer}
    return orjson.dumps({"id": "r", "custom_id": row["custom_id"], "response": response, "error": None}) + b"\n"
