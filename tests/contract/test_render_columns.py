"""Made-up rows in the columns of datasets that are not in the mirror, rendered by lm-eval's real task files."""

from typing import Any

import pytest

from nemo_sdg.catalog.walk import build_catalog, task_config
from nemo_sdg.config import GuardSection, SeedsSection
from nemo_sdg.records import CatalogRow, DatasetRow
from nemo_sdg.seeds.fields.reading import Unrenderable
from nemo_sdg.seeds.render import Renderer, to_seed

SEEDS = SeedsSection()
PLACE = DatasetRow(path="made/up", name=None, split="train", revision="local", row=0)

# task: row, (passage, question, options, answer, aliases)
ROWS: dict[str, tuple[dict[str, Any], tuple[str | None, str, list[str] | None, str, list[str]]]] = {
    "hellaswag": (
        {
            "activity_label": "Baking",
            "ctx_a": "A man opens the oven.",
            "ctx_b": "he",
            "endings": ["takes a cake out.", "flies."],
            "label": "0",
            "ind": 1,
        },
        (None, "Baking: A man opens the oven. He", ["takes a cake out.", "flies."], "takes a cake out.", []),
    ),
    "piqa": (
        {"goal": "Dry a cup.", "sol1": "Use a towel.", "sol2": "Use a hose.", "label": 0},
        (None, "Dry a cup.", ["Use a towel.", "Use a hose."], "Use a towel.", []),
    ),
    "social_iqa": (
        {
            "context": "Kim ran home.",
            "question": "Why did Kim do this?",
            "answerA": "to eat",
            "answerB": "to fly",
            "answerC": "to sink",
            "label": "1",
        },
        ("Kim ran home.", "Why did Kim do this?", ["to eat", "to fly", "to sink"], "to eat", []),
    ),
    "swag": (
        {
            "startphrase": "She lifts the lid and",
            "ending0": "looks in.",
            "ending1": "melts.",
            "ending2": "sings it.",
            "ending3": "is blue.",
            "label": 0,
        },
        (None, "She lifts the lid and", ["looks in.", "melts.", "sings it.", "is blue."], "looks in.", []),
    ),
    "mathqa": (
        {
            "Problem": "what is 3 + 4 ?",
            "Rationale": "add them",
            "options": "a ) 6 , b ) 7 , c ) 8 , d ) 9 , e ) none of these",
            "correct": "b",
        },
        (None, "what is 3 + 4 ?", ["6", "7", "8", "9", "none of these"], "7", []),
    ),
    "medmcqa": (
        {
            "question": "Which is a bone?",
            "opa": "Femur",
            "opb": "Aorta",
            "opc": "Retina",
            "opd": "Lung",
            "cop": 0,
            "exp": "It is in the thigh.",
            "choice_type": "single",
        },
        (None, "Which is a bone?", ["Femur", "Aorta", "Retina", "Lung"], "Femur", []),
    ),
    "nq_open": (
        {"question": "who wrote it", "answer": ["Ann Lee", "A. Lee"]},
        (None, "who wrote it", None, "Ann Lee", ["A. Lee"]),
    ),
    "triviaqa": (
        {"question": "Who wrote it?", "answer": {"value": "Ann Lee", "aliases": ["A. Lee", "Ann Lee"]}},
        (None, "Who wrote it?", None, "Ann Lee", ["A. Lee"]),
    ),
    "webqs": (
        {"url": "x", "question": "where is it?", "answers": ["Rome", "Italy"]},
        (None, "where is it?", None, "Rome", ["Italy"]),
    ),
    "drop": (
        {
            "section_id": "s",
            "query_id": "q",
            "passage": "They won 3 games and lost 2.",
            "question": "How many games?",
            "answer": {
                "number": "5",
                "date": {"day": "", "month": "", "year": ""},
                "spans": [],
                "worker_id": "",
                "hit_id": "",
            },
            "validated_answers": {
                "number": ["5"],
                "date": [{"day": "", "month": "", "year": ""}],
                "spans": [[]],
                "worker_id": [""],
                "hit_id": [""],
            },
        },
        ("They won 3 games and lost 2.", "How many games?", None, "5", []),
    ),
    "xnli_en": (
        {"premise": "It rains", "hypothesis": "it is wet.", "label": 0},
        (None, "It rains, right? _, it is wet.", ["Yes", "Also", "No"], "Yes", []),
    ),
    "paws_de": (
        {"id": 1, "sentence1": "Er kam und ging.", "sentence2": "Er ging und kam.", "label": 1},
        (None, "Er kam und ging, richtig? _, er ging und kam.", ["Nein", "Ja"], "Ja", []),
    ),
    "mnli": (
        {"premise": "It rains.", "hypothesis": "It is wet.", "label": 0, "idx": 0},
        ("It rains.", "It is wet.\nTrue, False or Neither?", ["True", "Neither", "False"], "True", []),
    ),
    "qnli": (
        {"question": "Who won?", "sentence": "Ann won.", "label": 0, "idx": 0},
        ("Who won?\nAnn won.", "Does this response answer the question?", ["yes", "no"], "yes", []),
    ),
    "cola": (
        {"sentence": "He go.", "label": 0, "idx": 0},
        ("He go.", "Does this sentence make sense?", ["no", "yes"], "no", []),
    ),
    "mutual": (
        {
            "article": "f : are you there ?",
            "options": ["m : yes .", "m : it is red .", "m : three .", "m : goodbye ."],
            "answers": "A",
            "id": "1",
        },
        (
            "f: are you there?",
            "Which of these replies fits the dialogue?",
            ["yes.", "it is red.", "three.", "goodbye."],
            "yes.",
            [],
        ),
    ),
    "arc_challenge_chat": (
        {
            "question": "Which is hot?",
            "choices": {"text": ["ice", "fire", "snow", "fog"], "label": ["1", "2", "3", "4"]},
            "answerKey": "2",
        },
        (None, "Which is hot?", ["ice", "fire", "snow", "fog"], "fire", []),
    ),
    "logiqa": (
        {
            "label": "b",
            "context": "All cats sleep.",
            "question": "What follows?",
            "options": ["Dogs run.", "Tom the cat sleeps.", "Fish swim.", "None sleep."],
        },
        (
            "All cats sleep.",
            "What follows?",
            ["Dogs run.", "Tom the cat sleeps.", "Fish swim.", "None sleep."],
            "Tom the cat sleeps.",
            [],
        ),
    ),
    "xstorycloze_en": (
        {
            **{f"input_sentence_{n}": f"Part {n}." for n in range(1, 5)},
            "sentence_quiz1": "The end.",
            "sentence_quiz2": "No end.",
            "answer_right_ending": 2,
        },
        (None, "Part 1. Part 2. Part 3. Part 4.", ["The end.", "No end."], "No end.", []),
    ),
    "babi": (
        {"passage": "Mary went home.\n", "question": "Where is Mary?", "answer": "home", "task": 1},
        ("Mary went home.\n", "Where is Mary?", None, "home", []),
    ),
    "squadv2": (
        {
            "id": "1",
            "title": "t",
            "context": "It is red.",
            "question": "Colour?",
            "answers": {"text": ["red"], "answer_start": [6]},
        },
        ("It is red.", "Colour?", None, "red", []),
    ),
    "tydiqa_goldp_sw": (
        {
            "id": "swahili-1",
            "title": "t",
            "context": "Ni nyekundu.",
            "question": "Rangi gani?",
            "answers": {"text": ["nyekundu"], "answer_start": [3]},
        },
        ("Ni nyekundu.", "Rangi gani?", None, "nyekundu", []),
    ),
    "wmt16-de-en": (
        {"translation": {"de": "Hallo", "en": "Hello"}},
        (None, "German phrase: Hallo\nEnglish phrase:", None, "Hello", []),
    ),
    "masakhanews_hau_prompt_3": (
        {
            "label": 5,
            "headline": "Ann wins",
            "text": "She ran.",
            "headline_text": "Ann wins She ran.",
            "url": "u",
            "category": "sports",
        },
        (
            "Ann wins\nShe ran.",
            (
                "Which category does this news text belong to: business, entertainment, health, politics, "
                "religion, sports or technology?"
            ),
            ["business", "entertainment", "health", "politics", "religion", "sports", "technology"],
            "sports",
            [],
        ),
    ),
    "xlsum_hausa_prompt_2": (
        {"id": "1", "url": "u", "title": "T", "summary": "Short.", "text": "A long article."},
        ("A long article.", "Summarise the text in one or two sentences, in its own language.", None, "Short.", []),
    ),
    "tmmluplus_accounting": (
        {"question": "下列何者?", "A": "甲", "B": "乙", "C": "丙", "D": "丁", "answer": "B", "explanation": None},
        (None, "下列何者?", ["甲", "乙", "丙", "丁"], "乙", []),
    ),
    "afrimgsm_cot_swa_prompt_1": (
        {
            "question": "Question: Nina ana mipira 2 na 3. Ngapi?",
            "answer": "Step-by-Step Answer: 2 + 3 = 5. The answer is 5.",
            "answer_number": 5,
            "equation_solution": "",
        },
        (None, "Nina ana mipira 2 na 3. Ngapi?", None, "5", []),
    ),
}


@pytest.fixture(scope="module")
def catalog() -> dict[str, CatalogRow]:
    return {row.task: row for row in build_catalog(SEEDS, GuardSection())}


@pytest.mark.parametrize("task", ROWS)
def test_rows_in_a_datasets_columns(catalog: dict[str, CatalogRow], task: str) -> None:
    row, (passage, question, choices, answer, aliases) = ROWS[task]
    leaf = catalog[task]
    renderer = Renderer(leaf, task_config(task, SEEDS))
    ((_, _, documents),) = renderer.documents([(0, row)])
    assert not isinstance(documents, Unrenderable), documents
    (document,) = documents
    seed = to_seed(renderer.read(document), leaf, [task], PLACE, ordinal=0, run_seed=0)
    assert (seed.passage, seed.question, seed.choices, seed.answer.text, seed.answer.aliases) == (
        passage,
        question,
        choices,
        answer,
        aliases,
    )
