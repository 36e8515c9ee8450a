"""Kind, frame and languages from a task's YAML, its names and the package's table."""

import pytest

from nemo_sdg.catalog.about.families import Families, frame_of, kind_of
from nemo_sdg.catalog.about.languages import languages_of
from nemo_sdg.catalog.task_files import FunctionRef


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"output_type": "multiple_choice"}, "multiple_choice"),
        ({"output_type": "loglikelihood"}, "short_text"),
        ({"metric_list": [{"metric": FunctionRef("/tasks/mbpp", "utils.pass_at_1")}]}, "code"),
        ({"metric_list": [{"metric": "pass@1"}]}, "code"),
        ({"metric_list": [{"metric": "rouge1"}, {"metric": "bleu"}]}, "free_text"),
        (
            {
                "metric_list": [{"metric": "exact_match"}],
                "filter_list": [{"filter": [{"function": "regex", "regex_pattern": "(-?[0-9.,]{2,})"}]}],
            },
            "numeric",
        ),
        (
            {
                "metric_list": [{"metric": "exact_match"}],
                "filter_list": [{"filter": [{"function": "regex", "regex_pattern": "([A-D])"}]}],
            },
            "short_text",
        ),
        ({"metric_list": [{"metric": "f1"}]}, "short_text"),
        ({}, "free_text"),
    ],
)
def test_kind(config, kind):
    assert kind_of(config) == kind


@pytest.mark.parametrize(
    ("choices", "frame"),
    [
        (["no", "yes"], "classification"),
        ("{{['entailment', 'neutral', 'contradiction']}}", "classification"),
        ({"0": "No", "1": "Yes"}, "classification"),
        (["A", "B", "C", "D"], "selection"),
        (["(A)", "(B)"], "selection"),
        ("{{[sol1, sol2]}}", "selection"),
        ("choices", "selection"),
        (["{{option1}}", "{{option2}}"], "selection"),
        (FunctionRef("/tasks/x", "utils.choices"), "selection"),
        (None, "selection"),
    ],
)
def test_frame(choices, frame):
    assert frame_of({"doc_to_choice": choices}, "multiple_choice") == frame
    assert frame_of({"doc_to_choice": choices}, "short_text") == "generation"


@pytest.mark.parametrize(
    ("task", "name", "known", "found"),
    [
        ("mgsm_direct_de", "de", ["de", "en", "zh"], ["de"]),
        ("afrimgsm_cot_amh_prompt_1", "amh", ["am", "en"], ["am"]),
        ("tydiqa_goldp_ar", "secondary_task", ["ar", "en"], ["ar"]),
        ("wmt16-de-en", "de-en", ["de", "en", "ro"], ["de", "en"]),
        ("xlsum_es", "spanish", [], ["es"]),
        ("include_base_44_french", "French", [], ["fr"]),
        ("belebele_swh_Latn", "swh_Latn", [], ["sw"]),
        ("afrisenti_arq_prompt_1", "arq", ["am", "ar", "en"], ["arq"]),
        ("mmmlu_ar_xy_anatomy", "AR_XY", [], ["ar"]),
        ("xquad_de", "xquad.de", [], ["de"]),
        ("toksuite_chinese_canonical", "toksuite_chinese_canonical", [], ["zh"]),
        ("belebele_acm_Arab", "acm_Arab", [], ["acm"]),
        ("gsm8k", "main", ["en"], ["en"]),
        ("own", "main", [], []),
        ("own", None, [], []),
        ("own", "something", ["de", "fr"], ["de", "fr"]),
    ],
)
def test_languages(task, name, known, found):
    assert languages_of(task, name, known) == found


def test_a_config_of_a_dataset_has_facts_of_its_own():
    families = Families()
    rte = families.of_dataset("aps/super_glue", "rte")
    assert (rte["family"], families.license(rte)["commercial_use"]) == ("logic", "no")
    assert families.of_dataset("aps/super_glue", "copa")["family"] == "commonsense"
    assert families.license(families.of_dataset("own/unheard_of", None))["id"] == "unknown"
    assert families.license(families.of_dataset("openai/gsm8k", "main"))["source"].startswith("https://")


def test_a_csv_task_takes_the_facts_of_the_dataset_that_its_files_stand_in():
    dataset = {
        "path": "csv",
        "name": None,
        "data_files": {"train": "hf://datasets/PlanTL-GOB-ES/wnli-es/wnli-train-es.csv"},
        "splits": {},
    }
    described = Families().describe("wnli_es", "spanish_bench", dataset, {"output_type": "multiple_choice"})
    assert (described["family"], described["languages"], described["license"]["id"]) == (
        "commonsense",
        ["es"],
        "CC-BY-4.0",
    )
