import random
from pathlib import Path

import numpy as np
import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup.duplicates import Duplicates, find_duplicates
from nemo_sdg.curate.dedup.question_text import question_text
from nemo_sdg.curate.dedup.shingles import choose_bands, shingle, sign, similarities
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.storage import read_jsonl, write_jsonl

NONE = np.zeros(0, dtype=np.uint64)
WORDS = [
    f"{a}{b}{c}"
    for a in "bdfgklmnprst"
    for b in ("a", "e", "io", "ou")
    for c in ("bra", "cten", "dul", "fing", "gost", "lim")
]


def sample(
    identifier,
    question,
    *,
    origin="similar",
    choices=None,
    passage=None,
    agree=4,
    n=4,
    reasoning="because",
    task="toy",
    seeds=(),
):
    return {
        "sample_id": identifier,
        "origin": origin,
        "seed_ids": list(seeds),
        "task": task,
        "question": question,
        "passage": passage,
        "choices": choices,
        "reasoning": reasoning,
        "votes": {"n": n, "agree": agree, "tally": {}},
    }


def seed(identifier, question, *, choices=None, passage=None, task="toy"):
    return {"seed_id": identifier, "task": task, "question": question, "passage": passage, "choices": choices}


def duplicates(tmp_path: Path, samples, seeds=(), *, shards=1, work="work", workers=1, **config):
    files = []
    for number in range(shards):
        files.append(tmp_path / f"shard-{number:05d}.jsonl")
        write_jsonl(files[-1], samples[number::shards])
    write_jsonl(tmp_path / "seeds.jsonl", seeds)
    table = find_duplicates(
        files, seeds=[tmp_path / "seeds.jsonl"], work=tmp_path / work, config=CurateSection(**config), workers=workers
    )
    return {row["id"]: (row["reason"], row["kept_id"]) for row in read_jsonl(table)}


LONG = (
    "Explain how the pressure of an ideal gas in a sealed rigid container changes when the gas is slowly "
    "heated from {} to {} kelvin, and say why the {} matters."
)
A, B = LONG.format(300, 450, "volume"), LONG.format(300, 450, "vessel")


def test_exact_duplicates_keep_the_best_agreed_then_the_longest_reasoned_then_the_smallest_id(tmp_path):
    rows = [
        sample("d", A, agree=3, reasoning="x" * 90),
        sample("c", A.upper(), agree=4, reasoning="x"),
        sample("b", A, agree=4, reasoning="xxx"),
        sample("a", A + " ", agree=4, reasoning="xxx"),
    ]
    assert duplicates(tmp_path, rows) == dict.fromkeys("bcd", ("exact_duplicate", "a"))


def test_agreement_counts_as_a_share_of_the_votes_cast(tmp_path):
    assert duplicates(tmp_path, [sample("a", A, agree=5, n=8), sample("b", A, agree=3, n=3)]) == {
        "a": ("exact_duplicate", "b")
    }


def test_near_duplicates_go_and_say_who_stays(tmp_path):
    assert duplicates(tmp_path, [sample("a", A, agree=3), sample("b", B)]) == {"a": ("near_duplicate", "b")}


def test_questions_that_differ_in_numbers_only_are_two_unless_the_config_says_otherwise(tmp_path):
    rows = [sample("a", A), sample("b", LONG.format(310, 450, "volume"))]
    assert duplicates(tmp_path, rows) == {}
    assert duplicates(tmp_path, rows, work="other", numbers_distinguish=False) == {"b": ("exact_duplicate", "a")}


def test_numbers_are_the_same_in_words_and_with_separators(tmp_path):
    rows = [
        sample("a", "Tom has three apples and buys 1,000 more; how many does he have?"),
        sample("b", "Tom has 3 apples and buys 1000 more; how many does he have?"),
    ]
    assert set(duplicates(tmp_path, rows)) == {"b"}
    rows = [
        sample("a", "Tom has three apples and buys a few more pears at the market"),
        sample("b", "Tom has four apples and buys a few more pears at the market"),
    ]
    assert duplicates(tmp_path, rows, work="other") == {}


def test_the_order_of_the_options_does_not_count_but_the_options_do(tmp_path):
    stem = "Which of the following is a noble gas?"
    rows = [
        sample("a", stem, choices=["argon", "iron", "chlorine"]),
        sample("b", stem, choices=["iron", "chlorine", "argon"]),
        sample("c", stem, choices=["mercury", "helium", "sodium"]),
    ]
    assert duplicates(tmp_path, rows) == {"b": ("exact_duplicate", "a")}


def test_a_shared_passage_or_a_shared_stem_alone_is_no_duplicate(tmp_path):
    passage = (
        "The quick brown fox lives in the woods behind the mill, where it hunts mice at night and sleeps by "
        "day in a den under the roots of an oak."
    )
    other = (
        "Glaciers carve valleys into the bedrock as they creep downhill; when they melt they leave ridges of "
        "rubble that geologists call moraines."
    )
    rows = [
        sample("a", "Where does the animal live?", passage=passage),
        sample("b", "When does it hunt?", passage=passage),
        sample("c", "Where does the animal live?", passage=other),
        sample("d", "Where does the animal live?", passage=passage.replace("quick", "swift")),
    ]
    assert duplicates(tmp_path, rows) == {"d": ("near_duplicate", "a")}


def test_a_similar_question_must_not_be_any_seed_but_the_seeds_own_question_may(tmp_path):
    seeds = [seed("s1", A), seed("s2", "Name the gas that green plants take in from the air during photosynthesis.")]
    rows = [
        sample("copy", A, seeds=["s2"]),
        sample("near", B, seeds=["s1"]),
        sample("own", A, origin="seed", seeds=["s1"], agree=1),
        sample("twice", A, origin="seed", seeds=["s1"], agree=2),
        sample("new", "Why do metals conduct heat better than wood does?"),
    ]
    assert duplicates(tmp_path, rows, seeds) == {
        "copy": ("copy_of_seed", "s1"),
        "near": ("copy_of_seed", "s1"),
        "own": ("exact_duplicate", "twice"),
    }


def test_what_an_existing_corpus_has_goes_whatever_its_origin(tmp_path):
    corpus = tmp_path / "old" / "part.jsonl"
    write_jsonl(corpus, [{"text": "Something else altogether about rivers and their deltas."}, {"question": A}])
    rows = [sample("a", A), sample("b", B, origin="seed"), sample("c", "Why is the sea salty although rivers are not?")]
    found = duplicates(tmp_path, rows, [seed("s", A)], against=[str(tmp_path / "old")])
    assert set(found) == {"a", "b"}
    assert {reason for reason, _ in found.values()} == {"in_existing_corpus"}
    assert all(kept.startswith(str(corpus)) for _, kept in found.values())


def test_an_empty_folder_to_compare_with_is_an_error_of_the_user(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"curate\.against must name .*empty"):
        duplicates(tmp_path, [], against=[str(tmp_path / "empty")])


@pytest.mark.parametrize(
    ("first", "second", "different"),
    [
        (
            "请解释为什么在密闭的刚性容器中缓慢加热理想气体时，它的压强会随着温度的升高而成比例地增加。",
            "请解释为什么在密闭刚性容器中缓慢加热理想气体时，它的压强会随着温度的升高而成比例地增加？",
            "请说明植物在光合作用过程中吸收哪一种气体，以及它们为什么需要这种气体才能生长。",
        ),
        (
            "बंद कठोर पात्र में आदर्श गैस को धीरे-धीरे गर्म करने पर उसका दाब क्यों बढ़ता है, समझाइए।",
            "बंद कठोर पात्र में आदर्श गैस को धीरे-धीरे गर्म करने पर उसका दाब क्यों बढ़ता है, समझाएं",
            "पौधे प्रकाश संश्लेषण के दौरान हवा से कौन सी गैस लेते हैं और क्यों?",
        ),
        (
            "لماذا يزداد ضغط الغاز المثالي في وعاء صلب مغلق عند تسخينه ببطء؟ اشرح ذلك بالتفصيل",
            "لماذا يزداد ضغط الغاز المثالي في وعاء صلب مغلق عند تسخينه ببطء؟ اشرح ذلك",
            "ما هو الغاز الذي تأخذه النباتات من الهواء أثناء عملية التمثيل الضوئي؟",
        ),
    ],
)
def test_other_scripts(tmp_path, first, second, different):
    assert duplicates(tmp_path, [sample("a", first), sample("b", second), sample("c", different)]) == {
        "b": ("near_duplicate", "a")
    }


def test_what_a_tasks_template_repeats_does_not_make_its_questions_alike(tmp_path):
    instruction = (
        "Read the clause of the contract that follows and decide whether it lets the licensee transfer its "
        "rights to a third party. Clause about {}."
    )
    rng = random.Random("topics")
    topics = [" ".join(rng.sample(WORDS, 2)) for _ in range(50)]
    rows = [sample(f"{number:02d}", instruction.format(topic)) for number, topic in enumerate(topics[:10])]
    assert len(duplicates(tmp_path, rows)) == 9
    seeds = [seed(f"s{number}", instruction.format(topic)) for number, topic in enumerate(topics[10:])]
    assert duplicates(tmp_path, rows, seeds, work="learnt") == {}


def test_mathematics_and_code_keep_their_symbols():
    texts = ["Is (a + b) > c?", "Is (a - b) > c?", "Is a + b < c?", "f(x)[0]", "f(x)(0)"]
    assert len({question_text({"question": text}, numbers_distinguish=True).main for text in texts}) == len(texts)


def test_indic_vowel_signs_and_thai_marks_stay():
    assert question_text({"question": "की का कि।"}, numbers_distinguish=True).main == "की का कि"


def make_pairs(num, seed="pairs"):
    """Questions of 25 words, each with a copy in which one to five words are exchanged."""
    rng = random.Random(seed)
    pairs = []
    for _ in range(num):
        words = rng.choices(WORDS, k=25)
        copy = list(words)
        for place in rng.sample(range(25), rng.randint(1, 5)):
            copy[place] = rng.choice(WORDS)
        pairs += [(" ".join(words), ""), (" ".join(copy), "")]
    return pairs


def brute_jaccard(left, right):
    a, b = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (left, right))
    return len(a & b) / len(a | b)


def test_similarity_is_the_exact_jaccard_of_five_character_shingles():
    pairs = make_pairs(200)
    zeros = np.zeros(len(pairs), dtype=np.uint64)
    shingles = shingle(pairs, salts=zeros, tasks=zeros, templates=NONE)
    left, right = np.arange(0, len(pairs), 2), np.arange(1, len(pairs), 2)
    expected = [brute_jaccard(pairs[a][0], pairs[b][0]) for a, b in zip(left, right, strict=True)]
    assert similarities(shingles, left, right) == pytest.approx(expected)


def test_the_bands_find_at_least_99_of_100_pairs_at_the_threshold_or_above():
    pairs = make_pairs(3000)
    zeros = np.zeros(len(pairs), dtype=np.uint64)
    shingles = shingle(pairs, salts=zeros, tasks=zeros, templates=NONE)
    left, right = np.arange(0, len(pairs), 2), np.arange(1, len(pairs), 2)
    bands, rows = choose_bands(0.8)
    keys = sign(shingles, bands=bands, rows=rows)
    alike = similarities(shingles, left, right) >= 0.8
    met = (keys[:, left] == keys[:, right]).any(axis=0)
    assert alike.sum() > 1000
    assert met[alike].mean() >= 0.99
    assert met[~alike].mean() < met[alike].mean()


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_fit_the_signature_and_miss_less_than_one_in_two_hundred_at_the_threshold(threshold):
    bands, rows = choose_bands(threshold)
    assert bands * rows <= 128
    assert (1 - threshold**rows) ** bands <= 0.005


def test_the_table_is_found_again_whatever_the_place_of_the_row(tmp_path):
    rows = [sample(f"{number:03d}", A) for number in range(50)] + [
        sample("unique", "Why is the sky blue at noon and red at dusk?")
    ]
    duplicates(tmp_path, rows)
    table = Duplicates(tmp_path / "work" / "duplicates.jsonl")
    assert [number for number in range(50) if table.find(f"{number:03d}") is None] == [0]
    assert table.find("049") == ("exact_duplicate", "000, similarity 1.000")
    assert [table.find(name) for name in ("unique", "zzz", "")] == [None] * 3


def test_an_empty_corpus_has_no_duplicates(tmp_path):
    assert duplicates(tmp_path, []) == {}
    assert Duplicates(tmp_path / "work" / "duplicates.jsonl").find("a") is None


def test_shards_do_not_matter(tmp_path):
    pairs = make_pairs(60)
    rows = [sample(f"{number:03d}", main) for number, (main, _) in enumerate(pairs)]
    whole = duplicates(tmp_path, rows)
    assert len(whole) > 5
    assert duplicates(tmp_path, rows, shards=7, work="other") == whole


def test_a_changed_input_or_rule_is_noticed(tmp_path):
    assert duplicates(tmp_path, [sample("a", A), sample("b", B)]) == {"b": ("near_duplicate", "a")}
    assert duplicates(tmp_path, [sample("a", A), sample("b", B)], near_duplicate_threshold=0.99) == {}
    assert duplicates(tmp_path, [sample("a", A), sample("b", A)], near_duplicate_threshold=0.99) == {
        "b": ("exact_duplicate", "a")
    }


def test_damaged_and_doubled_records_are_errors_that_say_where(tmp_path):
    with pytest.raises(DataError, match=r"shard-00000\.jsonl, byte 0: the record has neither"):
        duplicates(tmp_path, [sample("a", "  ")])
    with pytest.raises(DataError, match="two samples have the id a"):
        duplicates(tmp_path, [sample("a", A), sample("a", A)])


def answered(identifier, question, answer, **more):
    return sample(identifier, question, **more) | {"answer": {"text": answer, "aliases": []}}


TROPHY = "The trophy would not go into the brown suitcase that Ann had brought because the _ was far too {}."


def test_contrast_pairs_live(tmp_path):
    options = ["trophy", "suitcase"]
    rows = [
        answered("a", TROPHY.format("large"), "trophy", choices=options),
        answered("b", TROPHY.format("small"), "suitcase", choices=options),
        answered("c", TROPHY.format("large indeed"), "trophy", choices=options),
    ]
    assert duplicates(tmp_path, rows) == {"c": ("near_duplicate", "a")}


CAPITAL = "In a quiz about the countries of the world and the towns that govern them, name the capital of {}."
COUNTRIES = {"Chile": "Santiago", "Peru": "Lima", "Mali": "Bamako", "Togo": "Lomé", "Oman": "Muscat"}


def test_other_answers_under_one_template_live_up_to_a_number(tmp_path):
    rows = [answered(name.lower(), CAPITAL.format(name), town) for name, town in COUNTRIES.items()]
    assert duplicates(tmp_path, rows) == {}
    assert duplicates(tmp_path, rows, max_per_template=0, work="all") == {}
    found = duplicates(tmp_path, rows, max_per_template=3, work="three")
    assert sorted(found) == ["peru", "togo"]
    assert {reason for reason, _ in found.values()} == {"template_repeated"}


def test_numbers_are_one_answer_however_they_are_written(tmp_path):
    rows = [answered("a", A, "1,000"), answered("b", B, "1000"), answered("c", A + " Say why.", "999")]
    assert duplicates(tmp_path, rows) == {"b": ("near_duplicate", "a")}


def test_an_answer_that_is_missing_or_long_agrees_with_any(tmp_path):
    rows = [answered("a", A, "It rises."), answered("b", B, "word " * 40)]
    assert duplicates(tmp_path, rows) == {"b": ("near_duplicate", "a")}


def test_a_chain_keeps_whoever_is_not_close_to_one_that_stays(tmp_path):
    words = WORDS[:40]
    rows = []
    for step in range(6):
        rows.append(sample(f"{step}", " ".join(words), agree=4))
        for place in range(3):
            words[3 * step + place] = WORDS[100 + 3 * step + place]
    found = duplicates(tmp_path, rows, near_duplicate_threshold=0.7)
    assert "0" not in found
    assert len(found) < 5
    for gone, (reason, kept) in found.items():
        assert reason == "near_duplicate"
        assert kept not in found
        texts = [question_text(row, numbers_distinguish=True) for row in rows if row["sample_id"] in (gone, kept)]
        assert brute_jaccard(texts[0].main, texts[1].main) >= 0.7


def test_a_seeds_contrast_lives_and_its_copy_goes(tmp_path):
    seeds = [seed("s", TROPHY.format("large"), choices=["trophy", "suitcase"]) | {"answer": {"text": "trophy"}}]
    rows = [
        answered("contrast", TROPHY.format("small"), "suitcase", choices=["trophy", "suitcase"]),
        answered("copy", TROPHY.format("large now"), "trophy", choices=["trophy", "suitcase"]),
        answered("same", TROPHY.format("large"), "suitcase", choices=["trophy", "suitcase"]),
    ]
    assert duplicates(tmp_path, rows, seeds) == {"copy": ("copy_of_seed", "s"), "same": ("copy_of_seed", "s")}
