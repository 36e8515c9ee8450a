"""The requests of the step `curated` to the judge. The server is a fake that speaks the real protocol."""

import json

import pytest

from nemo_sdg.config import EngineKind, EngineSection, RoleSection, RolesSection, RunConfig
from nemo_sdg.curate.decontaminate.judged import Shown
from nemo_sdg.curate.decontaminate.verdicts import Verdicts, unread
from nemo_sdg.errors import EngineError
from nemo_sdg.pipeline.order import configuration_of
from nemo_sdg.steps import curated
from nemo_sdg.steps.curated import inputs, judge_identity, judging, make_judge
from nemo_sdg.storage import ContentHashes, read_json
from tests.fakes.curated_run import make_run, write_shard
from tests.fakes.openai_server import serving

SAMPLE = Shown(sample={"question": "Add up 2 and 3."}, likely=[{"question": "What is 2 + 3?"}], near=[])
BUSY = (503, b'{"error": {"message": "busy"}}', {"Retry-After": "0"})


def reply(text, finish_reason="stop"):
    message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    body = {"id": "c", "object": "chat.completion", "created": 0, "model": "fake", "choices": [message], "usage": usage}
    return 200, json.dumps(body).encode(), {"Content-Type": "application/json"}


def config_for(url, **fields):
    engine = EngineSection(kind=EngineKind.openai, base_urls=[url], model="fake", model_license="MIT", **fields)
    return RunConfig(engine=engine, roles=RolesSection(judge=RoleSection(model="fake")))


@pytest.mark.parametrize(("text", "verdict"), [("Yes, the same.", True), ("no", False), ("perhaps", None)])
def test_the_judge_role_is_asked_and_its_verdict_is_kept(tmp_path, text, verdict):
    with serving(replies=[reply(text)]) as server:
        decide = make_judge(config_for(server.url), tmp_path)
        assert decide([SAMPLE]) == [{0: verdict}]
        assert decide([]) == []
        asked = server.stats["requests"]
        assert make_judge(config_for(server.url), tmp_path)([SAMPLE]) == [{0: verdict}]
        assert server.stats["requests"] == asked + (verdict is None)  # what could not be read is asked again


def test_a_reply_that_is_cut_is_no_verdict(tmp_path):
    with serving(replies=[reply("no", "length")]) as server:
        config = config_for(server.url)
        assert make_judge(config, tmp_path)([SAMPLE]) == [{0: None}]
    assert list(unread(tmp_path, judge_identity(config)).values()) == ["length"]


def test_kept_samples_that_the_judge_gave_no_readable_reply_for_are_told(tmp_path, capsys):
    context = make_run(tmp_path / "run", paraphrase=True)
    asked = config_for("http://127.0.0.1:9/v1")
    context.config.engine, context.config.roles = asked.engine, asked.roles
    kept = next(context.step_dir("verified").records())
    write_shard(context.step_dir("curated"), "shard-00000", [kept])
    curated.write_health(context)
    folder = tmp_path / "run" / "curated"
    assert not [note for note in read_json(folder / "health.json")["notes"] if note["group"] == "judge"]
    verdicts = Verdicts(folder / "verdicts", model="fake", judge=judge_identity(context.config))
    for number, sample in enumerate((kept["sample_id"], "a dropped one")):
        verdicts.note_unread(f"key {number}", sample, "length")
    curated.write_health(context)
    assert read_json(folder / "health.json")["notes"][0]["group"] == "judge"
    assert "1 sample was not fully compared with evaluation rows" in capsys.readouterr().err


def test_a_judge_that_cannot_be_reached_ends_the_step_and_drops_nothing(tmp_path):
    with serving(replies=[BUSY]) as server, pytest.raises(EngineError):
        make_judge(config_for(server.url, max_retries=1), tmp_path)([SAMPLE])
    assert not list(tmp_path.iterdir())


def test_without_a_judge_or_an_embedder_nobody_is_asked():
    config = config_for("http://127.0.0.1:9/v1")
    assert judging(config) is config
    config.curate.judge = False
    assert judging(config) is None
    config.curate.judge, config.curate.paraphrase = True, False
    assert judging(config) is None
    assert judging(RunConfig(engine=config.engine)) is None


def test_a_judge_that_is_asked_by_files_decides_nothing_in_curation():
    config = config_for("http://127.0.0.1:9/v1")
    assert config.roles.judge is not None
    config.roles.judge.kind = EngineKind.batch
    assert judging(config) is None


def test_rows_for_the_judge_shape_the_step_only_where_there_is_a_judge():
    def identity(rows, with_judge):
        config = config_for("http://127.0.0.1:9/v1")
        config.curate.judged_rows, config.curate.judge = rows, with_judge
        settings = configuration_of("curated", config)
        settings.pop("curate.judge", None)
        return settings, inputs(config, ContentHashes()).content.get("judge")

    assert identity(0, True) != identity(12, True)
    assert identity(0, False) == identity(12, False)
