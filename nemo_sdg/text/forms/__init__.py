"""Other forms of the same short answer: spellings, names in full and in short, substances, words around an answer."""

from nemo_sdg.text.forms.bare import COPULAS, asked_words_apart, bare, predicate, without_kind, year
from nemo_sdg.text.forms.persons import (
    asks_who,
    same_known_name,
    same_person,
    surname_of,
    turned_round,
    without_calling,
    without_country,
    without_patronymic,
    without_title,
)
from nemo_sdg.text.forms.spelling import (
    ASKS_ORDER,
    hyphens_part,
    is_acronym,
    is_name,
    is_polar,
    same_in_number,
    same_polarity,
    simplified,
    unify,
    unmarked,
    without_aside,
)
from nemo_sdg.text.forms.substances import same_formula, same_substance
from nemo_sdg.text.forms.variants import says_no, variants

__all__ = [
    "ASKS_ORDER",
    "COPULAS",
    "asked_words_apart",
    "asks_who",
    "bare",
    "hyphens_part",
    "is_acronym",
    "is_name",
    "is_polar",
    "predicate",
    "same_formula",
    "same_in_number",
    "same_known_name",
    "same_person",
    "same_polarity",
    "same_substance",
    "says_no",
    "simplified",
    "surname_of",
    "turned_round",
    "unify",
    "unmarked",
    "variants",
    "without_aside",
    "without_calling",
    "without_country",
    "without_kind",
    "without_patronymic",
    "without_title",
    "year",
]
