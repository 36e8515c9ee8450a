"""The report's parts on small synthetic runs: what it counts, picks, cuts and escapes. The browser test is in
tests/e2e.
"""

import base64
import gzip
import hashlib
import html.parser
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from nemo_sdg.errors import DataError
from nemo_sdg.export.report import is_current, write_report
from nemo_sdg.export.report.counts import NUM_EXAMPLES, count_run
from nemo_sdg.export.report.page import MAX_DATA, pack_data, policy
from nemo_sdg.export.report.records import collect_records, evaluation_key
from nemo_sdg.export.report.rows import Unreadable, read_records, spread
from nemo_sdg.export.report.sections import charts
from nemo_sdg.export.report.sections.speed import between, learned_limits, series, speed
from nemo_sdg.export.report.shown import MAX_TEXT, Shown
from nemo_sdg.records import Drop, json_line, to_dict
from tests.fakes.synthetic_run import write_run

HOSTILE = [
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=1">',
    "</script><script>alert(1)</script>",
    '<a href="javascript:alert(1)">click</a> data:text/html,<script>alert(1)</script> {{ 7 * 7 }} {% raw %}',
    "\u202etxet desrever\u202c \u2066isolate\u2069 \u200b\u0000\u001b[31m",
]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "plain", 600)


@pytest.fixture(scope="module")
def page(run_dir: Path) -> bytes:
    return write_report(run_dir).read_bytes()


def data_of(page: bytes) -> dict[str, Any]:
    found = re.search(rb'id="data">([^<]*)<', page)
    assert found is not None
    data: dict[str, Any] = orjson.loads(gzip.decompress(base64.b64decode(found[1])))
    return data


class Markup(html.parser.HTMLParser):
    """Tags and attributes as a browser would see them."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_funnel_adds_up_to_the_receipts(run_dir: Path, page: bytes) -> None:
    data = data_of(page)
    run = count_run(run_dir)
    for step in data["steps"]:
        rows = [row for row in data["funnel"] if row[2] == step]
        assert sum(row[3] for row in rows) == sum(row["in"] for row in run.counts[step].values())
        for _, _, _, num_in, kept, dropped, _ in rows:
            assert num_in == kept + sum(dropped.values())
    assert ["science", None, "catalog", 1, 0, {"ring1_evaluated_split": 1}, 0] in data["funnel"]


def test_every_reason_has_its_examples(page: bytes) -> None:
    data = data_of(page)
    counted: dict[tuple[str, str], int] = {}
    for _, _, step, _, _, dropped, _ in data["funnel"]:
        for reason, num in dropped.items():
            counted[step, reason] = counted.get((step, reason), 0) + num
    shown: dict[tuple[str, str], int] = {}
    for record in data["records"]:
        if record["reason"]:
            shown[record["step"], record["reason"]] = shown.get((record["step"], record["reason"]), 0) + 1
    assert len(counted) > 8
    for key, num in counted.items():
        limit = 100 if key[1].startswith("evaluation") else NUM_EXAMPLES
        assert shown[key] == min(num, limit), key


def test_samples_are_spread_over_tasks_and_the_same_each_time(run_dir: Path) -> None:
    run = count_run(run_dir)
    assert run.picked_samples == count_run(run_dir).picked_samples
    tasks = [record.task for record in collect_records(run_dir, run, None)[: len(run.picked_samples)]]
    counts = {task: tasks.count(task) for task in tasks}
    assert len(counts) == 60
    assert max(counts.values()) - min(counts.values()) <= 1


def test_contamination_shows_the_evaluation_row(page: bytes) -> None:
    found = [record for record in data_of(page)["records"] if record["reason"] == "evaluation_exact"]
    assert found
    assert all(record["evaluation"]["row"] == "science_00, split test, row 3" for record in found)


@pytest.mark.parametrize(
    ("detail", "key"),
    [
        ("gsm8k test row 0 (openai/gsm8k main)", ("gsm8k", "test", 0)),
        ("question and answer of sciq (allenai/sciq, default, test, row 3)", ("sciq", "test", 3)),
        ("science_00 test row x", None),
        (None, None),
    ],
)
def test_evaluation_rows_are_found_by_what_drops_say(detail: str | None, key: tuple[str, str, int] | None) -> None:
    assert evaluation_key(detail) == key


def test_what_drops_say_is_what_decontamination_and_guard_write() -> None:
    from nemo_sdg.curate.decontaminate.evaluation_index import describe
    from nemo_sdg.records import Answer, DatasetRow, EvaluationRow, Seed
    from nemo_sdg.seeds.content.guard import ContentGuard

    dataset = DatasetRow(path="allenai/sciq", name=None, split="test", revision="local", row=3)
    question = "Which gas do green plants take in from the air around them to build sugar?"
    row = EvaluationRow(task="sciq", dataset=dataset, kind="short_text", question=question, answer="carbon dioxide")
    assert evaluation_key(describe(to_dict(row))) == ("sciq", "test", 3)
    own = DatasetRow(path="allenai/sciq", name=None, split="train", revision="local", row=0)
    seed = Seed(
        seed_id="a",
        task="sciq",
        tasks=["sciq"],
        family="science",
        capability="knowledge",
        kind="short_text",
        frame="generation",
        language="en",
        dataset=own,
        license="MIT",
        question=question,
        answer=Answer(text="carbon dioxide"),
    )
    assert evaluation_key(ContentGuard([row]).match(seed)) == ("sciq", "test", 3)


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "run", 200, special=HOSTILE)
    with open(run_dir / "curated" / "dropped" / "shard-00000.jsonl", "ab") as handle:
        handle.write(
            json_line(
                to_dict(Drop(task=HOSTILE[0], id=HOSTILE[1], step="curated", reason="too_short", detail=HOSTILE[2]))
            )
        )
    receipt = orjson.loads((run_dir / "curated" / "receipts" / "shard-00000.json").read_bytes())
    receipt["counts"][HOSTILE[0]] = {"in": 1, "kept": 0, "dropped": {HOSTILE[1]: 1}, "not_sampled": 0}
    (run_dir / "curated" / "receipts" / "shard-00000.json").write_bytes(orjson.dumps(receipt))
    page = write_report(run_dir).read_bytes()
    tags = Markup(page).tags
    assert [tag for tag, _ in tags].count("script") == 2
    assert not {tag for tag, _ in tags} & {"img", "iframe", "object", "embed", "base", "form action"}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on") or name == "style"]
    assert all(
        attributes["href"].startswith("#") for tag, attributes in tags if tag in ("a", "use") and attributes.get("href")
    )
    assert "\u202e".encode() not in page
    assert b"\x00" not in page


def test_policy_names_the_script_and_the_style_by_hash(page: bytes) -> None:
    script = re.search(rb"<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1]).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy(page)
    assert policy(page).startswith("default-src 'none'")
    assert "unsafe" not in policy(page)
    assert not re.search(rb'(?:src|href)="(?!#|data:,)', page)


@pytest.mark.usefixtures("no_charts")
def test_broken_lines_are_counted_and_the_rest_is_shown(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "run", 50)
    path = run_dir / "curated" / "shard-00000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"question":"', b'"question":"\xff\xfe ', 1)  # not UTF-8
    lines[1] = lines[1].replace(b'"question":"', b'"question":"\\ud800 ', 1)  # half a character
    lines[2] = b'{"torn": \n'
    path.write_bytes(b"".join(lines))
    unreadable = Unreadable()
    records = [record for _, record in read_records([path], unreadable)]
    assert len(records) == len(lines) - 1
    assert records[0]["question"].startswith("\ufffd\ufffd ")
    assert unreadable.lines == {"curated/shard-00000.jsonl": 1}
    assert b"1 lines of curated/shard-00000.jsonl could not be read" in write_report(run_dir).read_bytes()


@pytest.mark.usefixtures("no_charts")
def test_unfinished_run_has_a_report(tmp_path: Path) -> None:
    import shutil

    run_dir = write_run(tmp_path / "run", 50)
    for step in ("verified", "curated", "packed"):
        shutil.rmtree(run_dir / step)
    page = write_report(run_dir).read_bytes()
    assert b"not finished" in page
    assert {record["step"] for record in data_of(page)["records"] if not record["reason"]} == {"answers"}


def test_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a run"):
        write_report(tmp_path)


@pytest.mark.usefixtures("no_charts")
def test_page_is_made_again_only_when_the_run_changed(run_dir: Path) -> None:
    facts = {"fingerprint": "a", "version": "1", "files": {"x": 1}}
    write_report(run_dir, facts=facts)
    assert is_current(run_dir, facts)
    assert not is_current(run_dir, {**facts, "files": {"x": 2}})


@pytest.mark.usefixtures("no_charts")
def test_long_texts_are_cut_and_say_so(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "run", 3, special=["word" * 250_000])
    page = write_report(run_dir).read_bytes()
    assert len(page) < 5_000_000
    longest = max(len(record["sample"]["question"]) for record in data_of(page)["records"] if record.get("sample"))
    assert MAX_TEXT < longest < MAX_TEXT + 50
    assert "more characters]" in str(data_of(page)["records"])


def test_data_stays_within_its_limit() -> None:
    import random

    draw = random.Random(0)
    records = [
        Shown(id="", step="curated", reason="" if number % 3 else "odd", task="", raw=draw.randbytes(6_000).hex())
        for number in range(900)
    ]
    packed, shown = pack_data({}, records)
    assert len(packed) <= MAX_DATA
    assert 0 < len(shown) < len(records)
    assert {record.reason for record in shown} == {"", "odd"}


def test_spread_is_even_and_complete() -> None:
    assert spread({"a": 1, "b": 10, "c": 10}, 9) == {"a": 1, "b": 4, "c": 4}
    assert sum(spread(dict.fromkeys(range(7), 3), 400).values()) == 21
    assert sum(spread(dict.fromkeys(range(70), 1000), 400).values()) == 400
    assert spread({}, 5) == {}


def test_rates_over_time_add_up_to_what_was_made_across_sessions() -> None:
    def row(time: float, seconds: float, tokens: int, worker: str | None = None) -> dict[str, Any]:
        return {"time": time, "seconds": seconds, "completion_tokens": tokens, "saturation": 0.5, "worker": worker}

    rows = [row(110, 10, 100), row(120, 20, 300), row(205, 5, 50), row(210, 10, 90), row(120, 20, 40, "1/2")]
    times, rates = series(rows, rows, 1.0)["output tokens/s"]
    width = times[1] - times[0]
    assert sum(rate * width for rate in rates) == pytest.approx(300 + 90 + 40)
    assert set(map(round, series(rows, rows, 1.0)["engine saturation (%)"][1])) <= {0, 50}


def test_time_that_no_step_tells_of_is_named() -> None:
    def row(step: str, time: float, seconds: float) -> dict[str, Any]:
        return {"step": step, "time": time, "seconds": seconds}

    (note,) = between([row("answers", 1060, 60), row("curated", 1900, 50), row("curated", 1906, 56)])
    assert note.startswith("15.1 minutes went by")
    assert "the seconds of the steps add up to 1.9 minutes" in note
    assert between([row("answers", 1060, 60), row("curated", 1116, 56)]) == []


def test_figures_carry_no_style_and_no_shared_id() -> None:
    drawings = [
        charts.bars(name, "x", ["a$b$", "<b>\x00"], {"one": [1.0, 2.0], "two": [3.0, None]}, unit="u")
        for name in ("first", "second")
    ]
    texts = [drawing.wide for drawing in drawings] + [drawing.narrow for drawing in drawings]
    ids = [found for text in texts for found in re.findall(r' id="([^"]+)"', text)]
    assert len(ids) == len(set(ids))
    for text in texts:
        assert "style" not in text
        assert "&lt;b&gt;?" in text
        assert "a$b$" in text
        assert re.search(r'fill="var\(--c1\)"', text)


def test_learned_limits_are_shown_with_what_was_sent_again(run_dir: Path, tmp_path: Path) -> None:
    begun = {"time": 10.0, "step": "answers", "seconds": 5.0, "worker": "0/2", "requests": 90, "completion_tokens": 80}
    figures = {"limited": 60, "learned_tokens": 60_000, "full_tokens": 600_000, "sent_again": 1, "sent_again_tokens": 0}
    more = {"limited": 140, "learned_tokens": 180_000, "full_tokens": 1_400_000, "sent_again": 3}
    rows = [
        {**begun, "step": "questions"},
        begun,
        {**begun, "time": 20.0, "seconds": 15.0, **figures},
        {**begun, "time": 21.0, "worker": "1/2", **more, "sent_again_tokens": 40},
    ]
    (tmp_path / "progress.jsonl").write_bytes(b"".join(map(json_line, rows)))
    section = speed(tmp_path, count_run(run_dir))
    table = next(part for part in section.parts if getattr(part, "caption", "").startswith("Learned limits"))
    assert table.rows == [["answers", "200", "1,200", "10,000", "4 (2.0%)", "40 (20.0%)"]]
    assert learned_limits([rows[0], rows[1]]) == []
