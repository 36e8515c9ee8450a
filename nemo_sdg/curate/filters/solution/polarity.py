"""A yes or a no in another form than the option's: `the answer is negative`, `yanıt evettir`."""

import re

from nemo_sdg.curate.filters.phrases import content_of, phrases
from nemo_sdg.curate.filters.view import View, sentences
from nemo_sdg.text.normalize import tokens

AFFIRMATIVE = re.compile(
    r"affirmativ|\baffirmed\b|afirmativ|affermativ|bejah|bejahend|bevestigend|утвердительн|ствердн|положительн|olumlu|肯定|긍정"
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
    r"\b(?:question|frage|pregunta|domanda|pergunta|vraag|pytani|otázk|вопрос|питанн|soru|answer|antwort|réponse|respuesta|risposta|resposta|antwoord|odpowied|odpověd|ответ|відповід|yan[ıi]t|cevap|svar)"
    r"|答|답|問い|问题|질문"
)


QUOTED = re.compile(r"「[^」]*」|“[^”]*”|„[^“”]*[“”]|«[^»]*»|\"[^\"]*\"")
NEGATION = re.compile(
    r"\b(?:not|no|cannot|never|neither|nor|nicht|kein\w*|nie|niemals|pas|ne|jamais|aucune?|nunca|ningun\w*|não|nem|non|mai|"
    r"nessun\w*|niet|geen|nooit|nie|nigdy|żad\w+|není|nejsou|nemá|nelze|nikdy|нет|не|нельзя|нету|ні|немає|değil\w*|yok\w*|"
    r"không|chẳng|tidak|bukan|tak|belum|inte|aldrig|ikke|aldri|δεν|μη|όχι|ei|eivät|eikä|nu|nem|nincs|si|sio|hapana|hai\w*)\b"
    r"|n['’]t\b|(?<!\w)(?:لا|ليس\w*|لم|لن|غير|ما)(?!\w)|नहीं|लא(?!\w)|(?<!\w)(?:לא|אין|איננ\w+)(?!\w)"
    r"|[不没沒無无未非](?!仅|但|只|论|論|过)|ない|ません|않|아니|없",
    re.IGNORECASE,
)


def denies_what_is_asked(view: View, concluded: str) -> bool:
    """Whether a conclusion says the question's own words with a `not` to a yes, or all of them without one to a no."""
    yes, no = phrases("yes", view.language), phrases("no", view.language)
    answer = view.folded(view.answer).strip(" .")
    asked = (sentences(QUOTED.sub(" ", view.question)) or [""])[-1]
    if (answer not in yes and answer not in no) or NEGATION.search(asked):
        return False
    told, core = content_of(view, concluded), content_of(view, asked)
    negations = list(NEGATION.finditer(view.folded(concluded)))
    if answer in no:
        return not negations and len(core) > 1 and core <= told
    if len(negations) != 1 or len(core & told) < 2:
        return False
    after = content_of(view, view.folded(concluded)[negations[0].end() :])
    return not after or bool(after & core)  # what it denies is what is asked, and no other thing
