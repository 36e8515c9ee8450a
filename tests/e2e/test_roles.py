"""A run by files: the real command from seeds on."""

from pathlib import Path

import orjson

from nemo_sdg.storage import read_jsonl
from tests.e2e.harness import digests, nemo_sdg, run_arguments
from tests.fakes.openai_server import FakeOpenAIServer


def test_a_run_by_files_ends_as_one_by_a_server(root: Path, undisturbed: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    arguments = [argument for argument in run_arguments(run_dir, "x") if not argument.startswith("engine.base_urls")]
    arguments = [*arguments, "engine.kind=batch", "--until", "answers"]
    server, num_rounds = FakeOpenAIServer(), 0
    while (result := nemo_sdg(root, *arguments)).returncode == 75:
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
        rows = [row for path in sorted((folder / "answers").glob("shard-*.jsonl")) for row in read_jsonl(path)]
        return {row["sample_id"]: [vote["answer"] for vote in row["solutions"]] for row in rows}

    assert texts(run_dir) == texts(undisturbed)
    assert digests(run_dir)


def reply(server: FakeOpenAIServer, row: dict[str, object]) -> bytes:
    body = row["body"]
    assert isinstance(body, dict)
    status, answer = server.answer(str(row["url"]), body)
    response = {"status_code": status, "body": answer}
    return orjson.dumps({"id": "r", "custom_id": row["custom_id"], "response": response, "error": None}) + b"\n"
