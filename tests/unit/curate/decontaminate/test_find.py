"""The detectors on a dozen evaluation rows; embeddings are tested in the contract tests."""

import stat
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.decontaminate import evaluation_index, postings
from nemo_sdg.curate.decontaminate.evaluation_index import index_version
from nemo_sdg.curate.decontaminate.find import Finding, Index, build_index, open_index
from nemo_sdg.curate.decontaminate.questions import Agreement, agree, read_item
from nemo_sdg.errors import DataError
from nemo_sdg.records import DatasetRow, EvaluationRow
from nemo_sdg.storage import write_jsonl
from nemo_sdg.text.normalize import ngram_hashes, token_hashes, tokens

PASSAGE = (
    "The old mill by the river Asel burnt down in the winter of 1903. Its owner had it built again of stone "
    "within a single year, and since then it has ground the flour of four villages."
)
MINT = (
    "A mint sells tins of 24 drops for 3 dollars each. Ida buys 5 tins, eats 18 drops and gives a third of the rest "
    "to Bo. How many drops are left?"
)
CODE = (
    'def halve_all(items):\n    """Divide each of the items by two.\n'
    '    >>> halve_all([4, 6])\n    [2.0, 3.0]\n    """\n'
)
LATEX = r"Let $f(x) = \dfrac{3x^2 - 5}{2}$ and $g(x) = \sqrt{x + 4}$. Find the value of $f(g(12)) + g(f(3))$."

ROWS: list[dict[str, Any]] = [
    {"kind": "numeric", "question": MINT, "answer": "68"},
    {
        "kind": "multiple_choice",
        "question": "Thermometers",
        "choices": ["measure heat", "weigh things", "tell the time"],
        "answer": "measure heat",
    },
    {
        "kind": "multiple_choice",
        "question": "The mill burnt down twice. True or False?",
        "passage": PASSAGE,
        "choices": ["True", "False"],
        "answer": "False",
    },
    {"kind": "short_text", "question": "Who rebuilt the mill?", "passage": PASSAGE, "answer": "its owner"},
    {"kind": "code", "question": CODE, "answer": "    return [item / 2 for item in items]"},
    {"kind": "short_text", "question": LATEX, "answer": "21.5 + \\sqrt{15}"},
    {
        "kind": "multiple_choice",
        "question": "冬の夜に外へ出るとき、体を温かく保つために着るものはどれですか。",
        "choices": ["コート", "水着", "帽子の箱"],
        "answer": "コート",
    },
    {"kind": "short_text", "question": "", "answer": "nothing"},
    *(
        {
            "kind": "multiple_choice",
            "question": f"Which of the following is the most likely to be found in {place}?",
            "choices": [thing, "a whale", "a comet"],
            "answer": thing,
        }
        for place, thing in (
            ("a desert", "a scorpion"),
            ("a bakery", "an oven"),
            ("a harbour", "a crane"),
            ("a theatre", "a curtain"),
        )
    ),
    {"kind": "short_text", "question": "Who wrote the opera The Two Millers?", "answer": "Ferenc Aldo"},
    {
        "kind": "multiple_choice",
        "question": "What do white mice do at night?",
        "choices": ["they sleep", "they sing", "they hunt"],
        "answer": "they sing",
    },
    {
        "kind": "short_text",
        "question": "Which of the four rivers that cross Asel County has the longest bed?",
        "answer": "the Asel",
    },
    {"kind": "short_text", "question": "Evaluate $\\log_5 1$.", "answer": "0"},
    *(
        {
            "kind": "multiple_choice",
            "question": "Is this sentence good English?",
            "passage": text,
            "choices": ["yes", "no"],
            "answer": "no",
        }
        for text in (
            "Him went at home early because of rain yesterday evening.",
            "The cats has been sleeping on sofa since three o'clock today.",
        )
    ),
]


def evaluation_row(number: int, **fields: Any) -> EvaluationRow:
    return EvaluationRow(
        task="drill",
        dataset=DatasetRow(path="made/drill", name=None, split="test", revision="local", row=number),
        **fields,
    )


def sample(question: str, answer: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"question": question, "answer": {"text": answer, "aliases": []} if answer else None, **fields}


def found(finding: Finding | None) -> tuple[str, int] | None:
    """Detector and number of the row."""
    if finding is None:
        return None
    assert finding.reason == f"evaluation_{finding.detector}"
    return finding.detector, int(finding.detail.split(" row ")[1].split(" ")[0])


def as_sample(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "answer": {"text": row["answer"], "label": None, "aliases": []}}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("decontaminate")
    write_jsonl(folder / "rows.jsonl", [evaluation_row(number, **row) for number, row in enumerate(ROWS)])
    build_index([folder / "rows.jsonl"], folder / "index", CurateSection(paraphrase=False))
    return open_index(folder / "index")


@pytest.mark.parametrize("number", [number for number, row in enumerate(ROWS) if row["question"]])
def test_a_row_itself_is_found_and_named(index: Index, number: int) -> None:
    assert index.find(as_sample(ROWS[number])) == Finding(
        detector="exact", reason="evaluation_exact", detail=f"drill test row {number} (made/drill)"
    )


@pytest.mark.parametrize(
    "question",
    [
        MINT.upper(),
        MINT.translate(str.maketrans("", "", ".,?!")),
        MINT.replace("24", "twenty-four").replace("3 dollars", "three dollars").replace("18", "eighteen"),
        f"Here is something to work out. {MINT} Show each step.",
        MINT.replace(" ", "\n  "),
        MINT.replace("gives a third", "hands a third"),
    ],
)
def test_light_edits_are_found(index: Index, question: str) -> None:
    assert found(index.find(sample(question, "68"))) in (("exact", 0), ("ngram", 0))


def test_a_row_hidden_in_reasoning_or_context_is_found(index: Index) -> None:
    for field in ("context", "reasoning"):
        finding = index.find(
            sample("What is left of the drops?", "12", **{field: f"A similar case: {MINT} The answer to that is 68."})
        )
        assert found(finding) == ("ngram", 0)


@pytest.mark.parametrize(
    "text",
    [
        "Who wrote the opera The Two Millers? Ferenc Aldo wrote it in Graz.",
        "Knowledge: Ferenc Aldo. Question: who wrote the opera THE TWO MILLERS",
        f"{PASSAGE} Who rebuilt the mill? Nobody knows.",
        "Think of this: which of the four rivers that cross Asel County has the longest bed? Not the Oste.",
    ],
)
def test_a_short_question_quoted_in_context_is_found(index: Index, text: str) -> None:
    finding = index.find(
        sample("How long is a day on Venus?", "243 days", context=f"A day is a turn of a planet. {text}")
    )
    assert finding is not None
    assert finding.detector == "ngram"


def test_knowledge_in_context_that_a_short_question_asks_for_is_no_quotation(index: Index) -> None:
    for text in (
        "Ferenc Aldo wrote the opera The Two Millers.",
        "Who wrote the opera is not known.",
        "A thermometer can measure heat.",
        PASSAGE,
    ):
        assert index.find(sample("How long is a day on Venus?", "243 days", context=text)) is None


def test_options_in_another_order_and_with_a_wrong_answer_are_the_same_row(index: Index) -> None:
    row = ROWS[9]
    assert found(index.find(sample(row["question"], "a whale", choices=row["choices"][::-1]))) == ("exact", 9)


def test_the_same_options_with_another_answer_to_another_question_are_no_leak(index: Index) -> None:
    white = {
        "kind": "multiple_choice",
        "question": "What do white mice do at night?",
        "choices": ["they sleep", "they sing", "they hunt"],
        "answer": "they sing",
    }
    assert white in ROWS
    assert index.find(sample("What do white mice do at noon?", "they hunt", choices=white["choices"])) is None
    assert found(index.find(sample("Now, what do white mice do at night?", "they hunt", choices=white["choices"]))) == (
        "ngram",
        ROWS.index(white),
    )


def test_a_short_stem_is_no_leak_without_its_answer(index: Index) -> None:
    assert index.find(sample("Thermometers", "hang on walls", choices=["hang on walls", "can swim"])) is None
    assert index.find(sample("thermometers")) is None
    assert index.find(sample("Thermometers", "measure heat")) is not None


def test_boilerplate_and_topic_are_no_leak(index: Index) -> None:
    for place, thing in (("a forest", "a fern"), ("a laboratory", "a microscope")):
        assert (
            index.find(
                sample(
                    f"Which of the following is the most likely to be found in {place}?",
                    thing,
                    choices=[thing, "a ship", "a star"],
                )
            )
            is None
        )


def test_numbers_that_differ_make_another_question(index: Index) -> None:
    other = MINT.replace("24", "36").replace("5 tins", "4 tins").replace("18", "30")
    assert index.find(sample(other, "76")) is None


def test_a_passage_alone_is_no_leak_and_neither_is_a_hypothesis(index: Index) -> None:
    assert index.find(sample("In which year did the mill burn down?", "1903", passage=PASSAGE)) is None
    assert (
        index.find(
            sample(
                "The mill burnt down twice. True or False?",
                "True",
                passage="A mill stood in Ulm.",
                choices=["True", "False"],
            )
        )
        is None
    )


def test_another_question_on_the_same_passage_is_no_leak_where_only_a_label_agrees(tmp_path: Path) -> None:
    row = {
        "kind": "multiple_choice",
        "question": "is the old mill by the river asel a castle",
        "passage": PASSAGE,
        "choices": ["no", "yes"],
        "answer": "no",
    }
    write_jsonl(tmp_path / "rows.jsonl", [evaluation_row(0, **row)])
    build_index([tmp_path / "rows.jsonl"], tmp_path / "index", CurateSection(paraphrase=False))
    index = open_index(tmp_path / "index")
    assert index.find(as_sample(row | {"question": "is the old mill by the river asel part of a village"})) is None
    assert found(index.find(as_sample(row | {"question": "So: is the old mill by the river Asel a CASTLE?"}))) == (
        "ngram",
        0,
    )


def test_the_same_question_of_many_rows_is_told_apart_by_its_passage(index: Index) -> None:
    assert (
        index.find(
            sample(
                "Is this sentence good English?", "no", passage="Whales is big animals of ocean.", choices=["yes", "no"]
            )
        )
        is None
    )
    finding = index.find(
        sample("IS THIS SENTENCE GOOD ENGLISH", "no", passage=ROWS[-1]["passage"].upper(), choices=["yes", "no"])
    )
    assert found(finding) == ("exact", len(ROWS) - 1)


def test_code_and_latex_survive_reformatting(index: Index) -> None:
    assert index.find(sample(f"Complete this function:\n```python\n{CODE.replace('    ', chr(9))}```")) is not None
    assert (
        index.find(sample(LATEX.replace(r"\dfrac", r"\frac").replace("(x)", "\\left(x\\right)").replace("$", "")))
        is not None
    )


@pytest.mark.parametrize("question", ["", " ", "?!", "。", "\u0300", "0", "\ud800", "x" * 100_000, "一" * 5000])
def test_odd_texts_are_read(index: Index, question: str) -> None:
    assert index.find(sample(question, "")) is None


def test_records_with_missing_fields_are_read(index: Index) -> None:
    assert index.find({}) is None
    assert index.find({"text": MINT}) == index.find({"question": MINT, "answer": "68"})


def test_a_megabyte_is_searched(index: Index) -> None:
    words = " ".join(f"w{number % 977} one point" for number in range(70_000))
    assert len(words) > 1_000_000
    assert index.find(sample("Read on.", "1", context=words)) is None
    assert found(index.find(sample("Read on.", "1", context=words + MINT))) == ("ngram", 0)


def test_reworded_question_is_found_by_its_numbers_and_its_answer(index: Index) -> None:
    reworded = (
        "Ida purchases five tins, each of 24 drops and at a price of $3. After having eaten 18 of the drops she hands "
        "one third of what remains to Bo. What number of drops does she keep?"
    )
    assert found(index.find(sample(reworded, "68"))) == ("paraphrase", 0)


def test_find_batch_agrees_with_find(index: Index) -> None:
    samples = [as_sample(row) for row in ROWS] + [sample("What do bees live in?", "a hive")]
    assert index.find_batch(samples) == [index.find(one) for one in samples]


def test_the_index_is_built_once_and_again_for_other_content(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "index"
    write_jsonl(rows, [evaluation_row(0, **ROWS[0])])
    build_index([rows], out, CurateSection(paraphrase=False))
    first = orjson.loads((out / "current.json").read_bytes())["version"]
    stamp = (out / first / "meta.json").stat().st_mtime_ns
    build_index([rows], out, CurateSection(paraphrase=False))
    assert (out / first / "meta.json").stat().st_mtime_ns == stamp
    write_jsonl(rows, [evaluation_row(0, **ROWS[1])])
    build_index([rows], out, CurateSection(paraphrase=False))
    assert orjson.loads((out / "current.json").read_bytes())["version"] != first
    assert open_index(out).find(as_sample(ROWS[0])) is None
    assert open_index(out).find(as_sample(ROWS[1])) is not None


def test_runs_share_an_index_and_a_damaged_one_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, shared, built = tmp_path / "rows.jsonl", tmp_path / "shared", []
    write_jsonl(rows, [evaluation_row(number, **row) for number, row in enumerate(ROWS)])
    write_index = evaluation_index._write_index
    monkeypatch.setattr(evaluation_index, "_write_index", lambda *given: (built.append(given[1]), write_index(*given)))

    def build(run: str, threshold: float = 0.6) -> Index:
        build_index(
            [rows], tmp_path / run, CurateSection(paraphrase=False, paraphrase_threshold=threshold), shared=shared
        )
        return open_index(tmp_path / run)

    build("first")
    assert build("second", 0.7).rewordings.threshold == 0.7
    assert len(built) == 1
    version = orjson.loads((tmp_path / "first/current.json").read_bytes())["version"]
    assert sorted(path.name for path in shared.iterdir()) == [version]
    for folder in (shared, tmp_path / "second"):
        (folder / version / "rows.jsonl").write_bytes(b"half")
    assert build("second").find(as_sample(ROWS[0])) is not None
    assert len(built) == 2
    assert build("third").find(as_sample(ROWS[0])) is not None
    assert len(built) == 2


@pytest.mark.parametrize("meta", [b"", b"[]", b'{"format": 1}', b'{"files": 3}'])
def test_a_shared_index_without_readable_meta_is_built_anew(tmp_path: Path, meta: bytes) -> None:
    write_jsonl(tmp_path / "rows.jsonl", [evaluation_row(0, **ROWS[0])])
    for run in ("first", "second"):
        build_index(
            [tmp_path / "rows.jsonl"], tmp_path / run, CurateSection(paraphrase=False), shared=tmp_path / "shared"
        )
        (folder,) = (tmp_path / "shared").iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755, "others of a team read it"
        (folder / "meta.json").write_bytes(meta)
    assert open_index(tmp_path / "second").find(as_sample(ROWS[0])) is not None


def test_a_shared_index_names_the_rows_of_a_file_by_that_file(tmp_path: Path) -> None:
    for name in ("mine", "yours"):
        write_jsonl(tmp_path / f"{name}.jsonl", [{"question": ROWS[0]["question"], "answer": ROWS[0]["answer"]}])
        build_index(
            [tmp_path / f"{name}.jsonl"], tmp_path / name, CurateSection(paraphrase=False), shared=tmp_path / "shared"
        )
        finding = open_index(tmp_path / name).find(as_sample(ROWS[0]))
        assert finding is not None
        assert finding.detail == f"{name} line row 1 ({name}.jsonl)"


def test_another_embedder_makes_another_index(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", [evaluation_row(0, **ROWS[0])])
    (tmp_path / "model").mkdir()
    versions = set()
    for weights in (b"one", b"two"):
        (tmp_path / "model" / "model.safetensors").write_bytes(weights)
        versions.add(index_version([tmp_path / "rows.jsonl"], CurateSection(embedder=str(tmp_path / "model"))))
    versions.add(index_version([tmp_path / "rows.jsonl"], CurateSection()))
    assert len(versions) == 3


def test_a_shared_folder_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_jsonl(tmp_path / "rows.jsonl", [evaluation_row(0, **ROWS[0])])
    (tmp_path / "shared").write_bytes(b"a file, no folder")
    build_index(
        [tmp_path / "rows.jsonl"], tmp_path / "index", CurateSection(paraphrase=False), shared=tmp_path / "shared"
    )
    assert open_index(tmp_path / "index").find(as_sample(ROWS[0])) is not None
    assert "could not be kept for other runs" in caplog.text


def test_the_same_rows_give_the_same_bytes_however_they_are_sorted_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows.jsonl"
    write_jsonl(rows, [evaluation_row(number, **row) for number, row in enumerate(ROWS)])
    build_index([rows], tmp_path / "one", CurateSection(paraphrase=False))
    monkeypatch.setattr(postings, "RUN_LENGTH", 50)
    build_index([rows], tmp_path / "two", CurateSection(paraphrase=False))
    one, two = (sorted(path for path in (tmp_path / name).rglob("*") if path.is_file()) for name in ("one", "two"))
    assert [path.name for path in one] == [path.name for path in two]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_rows_that_several_tasks_share_count_once(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", [evaluation_row(number, **ROWS[0]) for number in range(300)])
    build_index([tmp_path / "rows.jsonl"], tmp_path / "index", CurateSection(paraphrase=False))
    index = open_index(tmp_path / "index")
    assert index.rows.num_rows == 1
    assert index.find(sample(f"Now this. {MINT}")) == Finding(
        detector="ngram", reason="evaluation_ngram", detail="drill test row 0 (made/drill)"
    )


def test_an_index_without_rows_finds_nothing(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", [])
    build_index([tmp_path / "rows.jsonl"], tmp_path / "index", CurateSection(paraphrase=False))
    assert open_index(tmp_path / "index").find(as_sample(ROWS[0])) is None


def test_users_own_files_are_named_by_file_and_line(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "exam.jsonl", [{"text": "unused"}, {"question": MINT}])
    build_index([tmp_path / "exam.jsonl"], tmp_path / "index", CurateSection(paraphrase=False))
    assert open_index(tmp_path / "index").find(sample(MINT)) == Finding(
        detector="exact", reason="evaluation_exact", detail="exam line row 2 (exam.jsonl)"
    )


def test_bad_input_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing"):
        build_index([tmp_path / "none.jsonl"], tmp_path / "index", CurateSection(paraphrase=False))
    write_jsonl(tmp_path / "bad.jsonl", [{"prompt": "x"}])
    with pytest.raises(DataError, match=r"bad\.jsonl, line 1: .*`question`"):
        build_index([tmp_path / "bad.jsonl"], tmp_path / "index", CurateSection(paraphrase=False))
    assert not list((tmp_path / "index").iterdir()), "a failed build leaves nothing behind"
    with pytest.raises(DataError, match=r"current\.json is missing"):
        open_index(tmp_path / "index")


def test_a_truncated_index_is_refused(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", [evaluation_row(0, **ROWS[0])])
    build_index([tmp_path / "rows.jsonl"], tmp_path / "index", CurateSection(paraphrase=False))
    keys = next((tmp_path / "index").glob("*/grams.keys"))
    keys.write_bytes(keys.read_bytes()[:-8])
    with pytest.raises(DataError, match=r"grams\.keys is missing or has not the"):
        open_index(tmp_path / "index")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Janet’s ducks lay SIXTEEN eggs—per day.", ["janets", "ducks", "lay", "16", "eggs", "per", "day"]),
        ("one thousand, two hundred and thirty-four", ["1234"]),
        ("1,234.50 or 3 million or two point five", ["1234.5", "or", "3000000", "or", "2.5"]),
        ("hundreds of the hundred, and one two three", ["hundreds", "of", "the", "hundred", "and", "1", "2", "3"]),
        (r"$\dfrac{1}{2}x + \left(y\right)$", ["frac", "1", "2", "x", "+", "y"]),
        ("def add_all(a, b=2):", ["def", "add", "all", "a", "b", "=", "2"]),
        ("每天下 16 颗蛋", ["每", "天", "下", "16", "颗", "蛋"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("H₂O is ½ ...", ["h", "2", "o", "is", "1", "2"]),
        ("", []),
        ("an ele\u00adphant\u200b, \ufeffso", ["an", "elephant", "so"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_ngrams_of_different_length_or_order_differ() -> None:
    one, other = token_hashes(["a", "b", "c", "d"]), token_hashes(["b", "a", "c", "d"])
    hashes = np.concatenate([ngram_hashes(one, length) for length in (1, 2, 3, 4)] + [ngram_hashes(other, 4)])
    assert len(np.unique(hashes)) == 4 + 3 + 2 + 1 + 1
    assert len(ngram_hashes(one, 5)) == 0


def test_agreement() -> None:
    def verdict(one: dict[str, Any], other: dict[str, Any]) -> Agreement:
        return agree(read_item(one), read_item(other))

    assert verdict(sample("", "The kidney."), sample("", "the kidney")) is Agreement.same
    assert verdict(sample("", "-3"), sample("", "3")) is Agreement.different
    assert verdict(sample("", "yes"), sample("", "yes")) is Agreement.unknown
    assert verdict(sample("", "12"), sample("")) is Agreement.unknown
    assert (
        verdict(sample("", "x", choices=["red", "blue", "green"]), sample("", "y", choices=["green", "red", "blue"]))
        is Agreement.same
    )
    assert (
        verdict(sample("", "yes", choices=["yes", "no"]), sample("", "no", choices=["no", "yes"]))
        is Agreement.different
    )
