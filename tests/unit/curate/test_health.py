import random
from pathlib import Path

import orjson
import pytest

from nemo_sdg.curate.health import MAX_LENGTH, NUM_COMPARED, measure_health
from nemo_sdg.errors import DataError
from nemo_sdg.storage import write_jsonl
from nemo_sdg.text.figures import character_grams

WORDS = (
    "river bridge garden engine teacher planet market violin forest doctor castle harbour mirror window pencil "
    "turtle lantern valley kitchen ladder"
)
THINGS = WORDS.split()


def question(number):
    rng = random.Random(f"{number}:words")
    return f"{rng.choice(THINGS)} {rng.choice(THINGS)} {' '.join(rng.sample(THINGS, 8))} {number}?"


def seed(number, *, task="toy", family="science", right=None, choices=("red one", "blue thing", "green"), **fields):
    choices = list(choices or [])
    answer = {"text": choices[number % len(choices) if right is None else right]} if choices else None
    base = {
        "seed_id": f"seed{number}",
        "task": task,
        "family": family,
        "kind": "multiple_choice",
        "frame": "selection",
        "language": "en",
    }
    return base | {"question": question(number), "choices": choices or None, "answer": answer} | fields


def sample(number, *, origin="similar", seed_ids=None, **fields):
    made = seed(number, **fields)
    del made["seed_id"]
    seed_ids = [f"seed{number}"] if seed_ids is None else seed_ids
    base = {
        "sample_id": f"sample{number}",
        "origin": origin,
        "seed_ids": seed_ids,
        "difficulty": 0.25,
        "votes": {"planned": 4, "n": 4, "agree": 3, "tally": {}},
        "guidance": "blind",
    }
    return made | base | {"context": "some facts", "reasoning": "because"} | fields


def measured(tmp_path: Path, *, seeds=(), before=(), after=(), shards=1, **more):
    files = {}
    for stage, records in (("seeds", seeds), ("before", before), ("after", after)):
        files[stage] = []
        for number in range(shards):
            files[stage].append(tmp_path / f"{stage}-{number}.jsonl")
            write_jsonl(files[stage][-1], records[number::shards])
    return measure_health(**files, **more)


def test_kept_samples_without_a_verdict_of_the_judge_are_the_first_note(tmp_path):
    not_judged = {"sample0": "length", "sample2": "unclear", "dropped": "length"}
    notes = measured(tmp_path, after=[sample(number) for number in range(3)], not_judged=not_judged)["notes"]
    assert notes[0]["group"] == "judge"
    assert notes[0]["detail"].startswith("2 samples were not fully compared with evaluation rows")
    assert "(1 cut, 1 unclear)" in notes[0]["detail"]


def about(health):
    return {(note["group"], note["about"]) for note in health["notes"]}


def test_even_corpus_has_figures_and_no_notes(tmp_path):
    seeds = [seed(number) for number in range(300)]
    before = [sample(number, question=question(number + 1000)) for number in range(300)]
    health = measured(tmp_path, seeds=seeds, before=before, after=before[:240])
    after = health["tasks"]["toy"]["after"]
    assert [health["families"]["science"][stage]["samples"] for stage in ("seeds", "before", "after")] == [
        300,
        300,
        240,
    ]
    assert after["origins"] == {"similar": 240}
    assert after["languages"] == {"en": 240}
    assert after["positions"] == {
        "shares": dict.fromkeys("ABC", 0.3333),
        "evenness": 1.0,
        "expected": 0.3333,
        "of": 240,
    }
    assert after["longest_option_is_right"] == {"share": 0.3333, "expected": 0.3333, "of": 240}
    assert after["difficulty"] == {"mean": 0.25, "tenths": [0.0, 0.0, 1.0, *[0.0] * 7]}
    assert after["agreement"] == 0.75, "of the votes, also where difficulty is a student's"
    assert after["guidance"] == {"blind": 240}
    assert after["characters"]["reasoning"] == {"mean": 7.0, "p10": 7, "p50": 7, "p90": 7}
    assert after["characters"]["answer"]["p90"] == len("blue thing")
    assert after["near_seed"]["of"] == NUM_COMPARED
    assert after["near_seed"]["share"] < 0.1
    assert health["notes"] == []
    orjson.dumps(health)


def test_biases_are_noted_with_the_seeds_beside_them(tmp_path):
    seeds = [seed(number) for number in range(200)] + [
        seed(number, task="labels", frame="classification") for number in range(200, 400)
    ]
    after = [sample(number, right=1, question=f"Which of these is number {number}?") for number in range(200)]
    after += [sample(number, task="labels", frame="classification", right=0) for number in range(200, 400)]
    health = measured(tmp_path, seeds=seeds, after=after)
    assert about(health) >= {
        ("task toy", "positions"),
        ("task toy", "longest_option_is_right"),
        ("task toy", "commonest_opening"),
        ("task labels", "labels"),
        ("task labels", "near_seed"),
    }
    position = next(note for note in health["notes"] if note["group"] == "task toy" and note["about"] == "positions")
    assert position["detail"] == "position 'B' is right in 100%, 33% expected, 34% of the seeds"
    assert health["tasks"]["labels"]["after"]["labels"]["evenness"] == 0.0


def test_copies_of_seeds_and_of_each_other_are_measured(tmp_path):
    seeds = [seed(number) for number in range(40)]
    copies = [sample(number, task="copies") for number in range(40)]
    apart = [sample(number, task="apart", question=question(number + 500)) for number in range(40)]
    same = [
        sample(number, task="same", question="What is the colour of the sky on a clear day?") for number in range(40)
    ]
    own = [sample(number, task="own", origin="seed") for number in range(40)]
    tasks = measured(tmp_path, seeds=seeds, after=copies + apart + same + own)["tasks"]
    assert tasks["copies"]["after"]["near_seed"] == {"share": 1.0, "mean": 1.0, "of": 40}
    assert tasks["apart"]["after"]["near_seed"]["share"] < 0.2
    assert "near_seed" not in tasks["own"]["after"]
    assert tasks["same"]["after"]["diversity"]["nearest_neighbour"] == 1.0
    assert (
        tasks["same"]["after"]["diversity"]["distinct_trigrams"]
        < 0.05
        < tasks["apart"]["after"]["diversity"]["distinct_trigrams"]
    )
    assert tasks["same"]["after"]["diversity"]["commonest_opening"] == {"words": "what is", "share": 1.0}


def test_languages_are_identified_beside_the_declared_ones(tmp_path):
    german = [
        sample(n, language="de", question=f"Welches Tier gibt den Menschen auf dem Bauernhof {n} Liter Milch?")
        for n in range(5)
    ]
    english = [
        sample(n, language="de", question=f"Which animal gives {n} litres of milk to the people on the farm?")
        for n in range(5, 8)
    ]
    japanese = [
        sample(
            n,
            language="ja",
            task="ja",
            question=f"部屋が暗くて本が読めないとき、{n}番目に何をつけますか、教えてください？",
        )
        for n in range(8, 10)
    ]
    tasks = measured(tmp_path, after=german + english + japanese)["tasks"]
    assert tasks["toy"]["after"]["languages"] == {"de": 8}
    assert tasks["toy"]["after"]["identified_languages"] == {"de": 5, "en": 3}
    assert tasks["ja"]["after"]["identified_languages"] == {"ja": 2}


def test_figures_do_not_depend_on_order_or_shards(tmp_path):
    seeds = [seed(number) for number in range(300)]
    after = [sample(number, difficulty=(number % 4) / 4) for number in range(300)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert measured(tmp_path / "a", seeds=seeds, after=after) == measured(
        tmp_path / "b", seeds=seeds[::-1], after=after[::-1], shards=3
    )


def test_records_without_choices_answers_or_votes(tmp_path):
    plain = {
        "kind": "free_text",
        "frame": "explanation",
        "choices": None,
        "answer": None,
        "difficulty": None,
        "guidance": None,
        "context": "",
        "reasoning": "",
    }
    code = {"kind": "code", "frame": "generation", "choices": None, "answer": {"text": "x = 1\n" * 9000}}
    tasks = measured(tmp_path, after=[sample(0, **plain), sample(1, task="code", **code)])["tasks"]
    assert set(tasks["toy"]["after"]["characters"]) == {"question"}
    assert "positions" not in tasks["toy"]["after"]
    assert tasks["code"]["after"]["characters"]["answer"]["p50"] == MAX_LENGTH
    assert measured(tmp_path) == {"families": {}, "tasks": {}, "notes": []}


def test_damaged_line_is_named(tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"task": \n')
    with pytest.raises(DataError, match=r"bad\.jsonl, line 1"):
        measure_health(seeds=[], before=[tmp_path / "bad.jsonl"], after=[])


def test_character_grams_of_short_and_empty_texts():
    assert character_grams("") == {""}
    assert character_grams("Ab!") == {"ab"}
    assert len(character_grams("abcdefg")) == 3
