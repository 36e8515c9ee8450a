"""A yes or a no in another form than the option's: `the answer is negative`, `yanıt evettir`."""

import re

from nemo_sdg.curate.filters.phrases import phrases
from nemo_sdg.curate.filters.view import View
from nemo_sdg.text.normalize import tokens

AFFIRMATIVE = re.compile(
    r"affirmativ|afirmativ|affermativ|bejah|bejahend|bevestigend|утвердительн|ствердн|положительн|olumlu|肯定|긍정"
)
NEGATIVE = re.compile(
    r"negativ|négativ|verneinend|verneinen|verneint|ontkennend|отрицательн|заперечн|негативн|olumsuz|否定|부정적"
)
AGGLUTINATING = frozenset(["tr", "az", "fi", "hu", "ko", "ja"])
"""Languages that write `is` onto a yes or a no"""


def other_polarity(view: View, said: list[str]) -> bool:
    """Whether the last words of a reasoning say the other of yes and no in another form (`the answer is negative`,
    `yanıt evettir`).
    """
    yes, no = phrases("yes", view.language), phrases("no", view.language)
    answer = view.folded(view.answer).strip(" .")
    other = no if answer in yes else yes if answer in no else ()
    if not other:
        return False
    end = " ".join(said[-3:])
    words, against = (NEGATIVE, AFFIRMATIVE) if answer in yes else (AFFIRMATIVE, NEGATIVE)
    if words.search(end) and not against.search(end) and ANSWER.search(" ".join(said)):
        return True
    if view.language not in AGGLUTINATING:
        return False
    return any(len(word) > 3 and said[-1].startswith("".join(tokens(word))) for word in other)


ANSWER = re.compile(
    r"\b(?:answer|antwort|réponse|respuesta|risposta|resposta|antwoord|odpowied|odpověd|ответ|відповід|yan[ıi]t|cevap|svar)"
    r"|答|답"
)
