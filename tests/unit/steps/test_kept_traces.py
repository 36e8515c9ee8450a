"""The thinking of the kept solution is stored in the sample."""

from pathlib import Path

from nemo_sdg.generate.scheduling.work import Trace
from nemo_sdg.steps.kept_traces import kept_tag, make_attacher
from nemo_sdg.steps.traces import traces_path, write_traces
from nemo_sdg.storage import StepDir

THOUGHT = "Three shirts go with each of five trousers, so there are fifteen outfits in all, as a table shows."


def trace(sample_id: str, tag: str, text: str) -> Trace:
    return Trace(record_id=sample_id, tag=tag, completion_tokens=9, thinking_tokens=5, text=text)


def test_the_trace_of_the_kept_solution_is_cleaned_and_no_other_is_taken(tmp_path: Path) -> None:
    answers = StepDir(run_dir=tmp_path, step="answers", fingerprint="f")
    traces = [
        trace("a", "vote0", "Another thought."),
        trace("a", "vote2", f"The user wants JSON. {THOUGHT}"),
        trace("b", "guided0", "The user wants JSON."),
    ]
    write_traces(traces_path(answers, "shard-00000"), iter(traces))
    records = [
        {"sample_id": "a", "language": "en", "verification": {"detail": "solution blind2"}, "trace": None},
        {"sample_id": "b", "language": "en", "verification": {"detail": "solution guided0"}, "trace": None},
        {"sample_id": "c", "language": "en", "verification": {"detail": "solution blind0"}, "trace": None},
    ]
    attach = make_attacher(answers, 4000)
    assert [record["trace"] for record in attach("shard-00000", records)] == [THOUGHT, None, None]
    assert attach("shard-00001", records) == records, "a shard without traces stays as it is"


def test_a_sample_says_which_completion_it_came_from() -> None:
    assert kept_tag({"verification": {"detail": "solution blind3"}}) == "vote3"
    assert kept_tag({"verification": {"detail": "solution guided1"}}) == "guided1"
