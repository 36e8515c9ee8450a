"""A yes or a no in another form than the option's: `the answer is negative`, `yanıt evettir`."""

import itertools
import re

from nemo_sdg.curate.filters.phrases import STEM, content_of, phrases
from nemo_sdg.curate.filters.solution.conclusion import denies
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
NEGATIONS = {
    "en": r"\b(?:not(?! only)|no(?! doubt)|cannot|never|neither|nor)\b|n['’]t\b",
    "de": r"\b(?:nicht(?! nur| bloß)|kein\w*|nie|niemals)\b",
    "fr": r"\b(?:pas(?! seulement)|jamais|aucune?)\b",
    "es": r"\b(?:no(?! s[oó]lo)|nunca|ning[uú]n\w*)\b",
    "it": r"\b(?:non(?! solo| soltanto)|nessun\w*)\b",
    "pt": r"\b(?:não(?! só| apenas)|nunca|nenhuma?)\b",
    "nl": r"\b(?:niet(?! alleen)|geen|nooit)\b",
    "pl": r"\b(?:nie(?! tylko)|nigdy|żad\w+)\b",
    "cs": r"\b(?:není|nejsou|nemá|nelze|nikdy)\b",
    "ru": r"\b(?:не(?! только)|нет|нельзя)\b",
    "uk": r"\b(?:не(?! лише| тільки)|ні|немає)\b",
    "tr": r"\b(?:değil|yok)\w*\b",
    "vi": r"\b(?:không(?! chỉ)|chẳng)\b",
    "id": r"\b(?:(?:tidak|bukan)(?! hanya)|belum)\b",
    "sv": r"\b(?:inte(?! bara)|aldrig)\b",
    "da": r"\b(?:ikke(?! kun| bare)|aldrig)\b",
    "no": r"\b(?:ikke(?! bare)|aldri)\b",
    "el": r"\b(?:δεν|μη|όχι)\b",
    "fi": r"\b(?:ei|eivät|eikä)\b",
    "ro": r"\bnu(?! numai| doar)\b",
    "hu": r"\b(?:nem|nincs)\b",
    "ar": r"(?<!\w)(?:لا|ليس\w*|لم|لن|غير)(?!\w)",
    "he": r"(?<!\w)(?:לא|אין|איננ\w+)(?!\w)",
    "hi": r"नहीं",
    "zh": r"[不没無无未非](?!仅|但|只|论|論|过)",
    "ja": r"ない|ません",
    "ko": r"않|아니|없",
}
VERB_LAST = frozenset(["tr", "hi", "ja", "ko"])
"""Languages whose negation stands behind what it denies"""


def denies_what_is_asked(view: View, concluded: str) -> bool:
    """Whether a conclusion says the question's own words with a `not` before one of them to a yes, or just these words
    in their order, without any denial, to a no.
    """
    yes, no = phrases("yes", view.language), phrases("no", view.language)
    answer = view.folded(view.answer).strip(" .")
    asked = (sentences(QUOTED.sub(" ", view.question)) or [""])[-1]
    pattern = NEGATIONS.get(view.language)
    if pattern is None or (answer not in yes and answer not in no) or re.search(pattern, view.folded(asked)):
        return False
    core, told = _content_in_order(view, asked), view.folded(concluded)
    negations = list(re.finditer(pattern, told))
    if answer in no:
        same = len(core) > 1 and _content_in_order(view, concluded) == core
        return same and not negations and not denies(view, concluded)
    if len(negations) != 1 or len(set(core) & content_of(view, concluded)) < 2:
        return False
    after = _content_in_order(view, told[negations[0].end() :])
    # `not a vegetable but a fruit` denies another thing than what is asked
    return not after or (view.language not in VERB_LAST and after[0] in core)


def _content_in_order(view: View, text: str) -> list[str]:
    content, words = content_of(view, text), view.tokens(text)
    forms = ((word[:STEM], word + following) for word, following in itertools.pairwise([*words, ""]))
    return [form for pair in forms for form in dict.fromkeys(pair) if form in content]
