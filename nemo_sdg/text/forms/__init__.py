"""Other forms of the same short answer: spellings, names in full and in short, substances, words around an answer."""

from nemo_sdg.text.forms.bare import COPULAS, asked_words_apart, bare, predicate, without_kind, year
from nemo_sdg.text.forms.framing import frame_words, framed, framed_name, holds, holds_joined
from nemo_sdg.text.forms.outputs import asks_output, same_output
from nemo_sdg.text.forms.persons import (
    asks_who,
    in_asked_land,
    in_land,
    same_bearer,
    same_known_name,
    same_person,
    surname_of,
    without_second_surname,
    without_title,
)
from nemo_sdg.text.forms.polarity import bare_polarity, said_polarity
from nemo_sdg.text.forms.roles import roles_changed, turned_round
from nemo_sdg.text.forms.spelling import (
    ASKS_ORDER,
    hyphens_part,
    is_acronym,
    is_acronym_in_s,
    is_name,
    is_polar,
    same_in_number,
    same_polarity,
    says_opposite,
    simplified,
    unify,
    unmarked,
)
from nemo_sdg.text.forms.substances import same_formula, same_species, same_substance, with_one_arrow
from nemo_sdg.text.forms.variants import says_no, variants
from nemo_sdg.text.forms.written import contracted_apart, other_gender, written_apart
