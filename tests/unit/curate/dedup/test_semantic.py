import sys

import numpy as np
import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.dedup import semantic
from nemo_sdg.curate.dedup.duplicates import find_duplicates
from nemo_sdg.storage import read_jsonl, write_jsonl


@pytest.fixture
def dropped(root, tmp_path, monkeypatch):
    """Finds the duplicates among samples, with a fake embedder."""
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(root / "tests" / "fakes")
    from word_embedder import FakeEmbedder

    monkeypatch.setattr(semantic, "Embedder", FakeEmbedder)

    def find(samples, seeds=(), **config):
        write_jsonl(tmp_path / "samples.jsonl", samples)
        write_jsonl(tmp_path / "seeds.jsonl", seeds)
        settings = CurateSection(**{"semantic_dedup": True, **config})
        table = find_duplicates(
            [tmp_path / "samples.jsonl"],
            seeds=[tmp_path / "seeds.jsonl"],
            work=tmp_path / "work",
            config=settings,
            workers=1,
        )
        return {row["id"]: (row["reason"], row["kept_id"], row["detail"]) for row in read_jsonl(table)}

    yield find
    sys.modules.pop("word_embedder", None)


def sample(identifier, question, *, answer="Santiago", passage=None, agree=4, origin="similar"):
    votes = {"n": 4, "agree": agree, "tally": {}}
    return {
        "sample_id": identifier,
        "origin": origin,
        "task": "t",
        "question": question,
        "passage": passage,
        "answer": {"text": answer},
        "votes": votes,
    }


ONE, OTHER = (
    "What is the capital city of Chile in South America?",
    "In South America, what does Chile do: the capital city?",
)


def test_other_words_for_one_question_go_only_when_asked_for(dropped):
    rows = [sample("a", ONE, agree=3), sample("b", OTHER)]
    assert dropped(rows, semantic_dedup=False) == {}
    assert dropped(rows) == {"a": ("semantic_duplicate", "b", "cosine 1.000")}


@pytest.mark.parametrize(
    "other",
    [
        sample("b", OTHER, answer="Lima"),
        sample("b", OTHER + " 3"),
        sample("b", "What is the longest river of Chile in South America?"),
    ],
    ids=["answer", "numbers", "sense"],
)
def test_what_differs_in_answer_numbers_or_sense_stays(dropped, other):
    assert dropped([sample("a", ONE), other]) == {}


def test_passages_must_be_the_same_word_for_word(dropped):
    passage = (
        "Chile is a long country of many deserts and of more mountains, with its people in the valleys between the two."
    )
    rows = [sample("a", ONE, passage=passage), sample("b", OTHER, passage=passage.replace("deserts", "forests"))]
    assert dropped(rows) == {}
    assert set(dropped([rows[0], sample("c", OTHER, passage=passage)])) == {"c"}


def test_prose_answers_need_not_agree_and_answers_are_compared_as_text(dropped):
    assert set(dropped([sample("a", ONE, answer="It is so. " * 20), sample("b", OTHER, answer="Because. " * 20)])) == {
        "b"
    }
    assert set(dropped([sample("a", ONE, answer="santiago."), sample("b", OTHER)])) == {"b"}


def test_seeds_push_out_what_says_the_same_but_not_their_own_question(dropped):
    seeds = [{"seed_id": "s", "task": "t", "question": OTHER, "answer": {"text": "Santiago"}}]
    found = dropped([sample("a", ONE), sample("own", OTHER, origin="seed")], seeds)
    assert found == {"a": ("semantic_duplicate", "s", "cosine 1.000")}


def test_a_tasks_long_instruction_is_no_sense(dropped):
    instruction = (
        "Read the clause of the contract that follows and decide whether it lets the licensee transfer its "
        "rights to third parties. Clause about {}."
    )
    topics = [
        "copper wires",
        "barley seed",
        "film posters",
        "tugboats",
        "opera houses",
        "bee hives",
        "violin strings",
        "snow ploughs",
    ]
    rows = [sample(str(number), instruction.format(topic), answer="yes") for number, topic in enumerate(topics)]
    seeds = [
        {
            "seed_id": f"s{n}",
            "task": "t",
            "question": instruction.format(f"{chr(97 + n % 26) * 6} {n * 7919}"),
            "answer": {"text": "no"},
        }
        for n in range(40)
    ]
    assert dropped(rows, seeds, near_duplicate_threshold=1.0) == {}


def test_the_wording_decides_first_and_its_losers_pull_nobody_along(dropped):
    rows = [sample("a", ONE, agree=2), sample("b", ONE.upper(), agree=4), sample("c", OTHER, agree=3)]
    assert dropped(rows) == {
        "a": ("exact_duplicate", "b", "similarity 1.000"),
        "c": ("semantic_duplicate", "b", "cosine 1.000"),
    }


def planted(num, seed=0):
    """Unit vectors in `num` // 20 topics, every tenth nearly the one before it."""
    rng = np.random.default_rng(seed)
    topics = rng.normal(size=(num // 20, 64))
    vectors = topics[rng.integers(0, len(topics), num)] + 0.7 * rng.normal(size=(num, 64))
    vectors[9::10] = vectors[8::10] + 0.1 * rng.normal(size=vectors[9::10].shape)
    return semantic.in_whole_numbers(vectors)


def test_clusters_lose_hardly_a_pair(tmp_path, monkeypatch):
    monkeypatch.setattr(semantic, "CLUSTER_SIZE", 100)
    vectors = planted(3000)
    paths = [tmp_path / f"part-{number}.npy" for number in range(3)]
    for path, part in zip(paths, np.array_split(vectors, 3), strict=True):
        semantic.save_array(path, part)
    semantic.choose_clusters(paths, tmp_path / "clusters.npy")
    assert len(np.load(tmp_path / "clusters.npy")) == 30
    near = []
    for number, path in enumerate(paths):
        semantic.assign_part(path, tmp_path / "clusters.npy", tmp_path / f"near-{number}.npy")
        near.append(np.load(tmp_path / f"near-{number}.npy"))
    near = np.concatenate(near)
    truth = {
        (i, j)
        for left, right, _ in semantic.alike(vectors.astype(np.float32), 0.95)
        for i, j in zip(left.tolist(), right.tolist(), strict=True)
    }
    assert len(truth) >= 250
    assert np.bincount(near[:, 0], minlength=30).max() < 600
    assert sum(bool(set(near[i]) & set(near[j])) for i, j in truth) >= 0.98 * len(truth)


def test_pairs_and_cosines_are_those_of_exact_arithmetic(monkeypatch):
    monkeypatch.setattr(semantic, "BLOCK", 37)
    vectors = planted(300)
    exact = vectors.astype(np.int64) @ vectors.astype(np.int64).T
    lengths = np.sqrt(np.diag(exact).astype(np.float64))
    cosines = exact / lengths[:, None] / lengths[None, :]
    expected = {(i, j): cosines[i, j] for i, j in np.argwhere(np.triu(cosines >= 0.9, 1)).tolist()}
    found = {
        (i, j): c
        for parts in semantic.alike(vectors.astype(np.float32), 0.9)
        for i, j, c in zip(*(part.tolist() for part in parts), strict=True)
    }
    assert len(expected) >= 25
    assert found == expected
