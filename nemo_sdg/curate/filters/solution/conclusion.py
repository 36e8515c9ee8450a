"""The conclusion of a reasoning: its statement of the answer, the clause around it, the options that it names."""

import functools
import re

from nemo_sdg.curate.filters.phrases import find_phrases, phrases, with_tokens
from nemo_sdg.curate.filters.view import View, contains, sentences
from nemo_sdg.text.boxes import last_box
from nemo_sdg.text.normalize import is_spaceless
from nemo_sdg.text.rivals import is_of_another

MARK = re.compile(r"####\s*")


@functools.cache
def announcement(language: str) -> re.Pattern[str]:
    wanted = phrases("answer_is", language)
    parts = "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in wanted)
    edge = r"(?:to (?:this|the) (?:question|problem)|therefore|thus|then|hence|also|daher|donc|por tanto)"
    return re.compile(
        rf"(?<!\w)(?:{parts})(?:,?\s+{edge},?)?(?:\s+(?:is|ist|est|es))?(?=[^\w]|(?<=[^\x00-\x7f]))\s*[:：]?[\s*]*",
        re.IGNORECASE,
    )


def announcements(view: View, text: str) -> list[re.Match[str]]:
    """Where a text announces an answer (`the answer is`)."""
    folded = view.folded(text)
    found = find_phrases(folded, phrases("answer_is", view.language), view.words(text))
    if not found:
        return []
    first = found[0][0] if text.isascii() and len(folded) == len(text) else 0
    matches = announcement(view.language).finditer(text, first)
    return [match for match in matches if not is_of_another(text, match.start())]


def final_statement(view: View) -> str | None:
    r"""What follows the last #### or stands in the last \boxed, else what follows the last `the answer is`, up to
    the end of its sentence; None when nothing is stated.
    """
    reasoning = view.reasoning
    boxed = last_box(reasoning)
    if boxed is not None:
        return boxed
    marks = list(MARK.finditer(reasoning)) or announcements(view, reasoning)
    if not marks:
        return None
    rest = reasoning[marks[-1].end() :].lstrip(" *:：\"'“«„「")
    if rest.startswith("$") or "\\" in rest[:40]:
        return rest.split("\n")[0][:300] or None
    stated = sentences(rest[:300])
    return stated[0] if stated else None


def conclusion(view: View) -> str | None:
    """The last sentence from its conclusion's word on (`so …`, `therefore …`), None where it has none."""
    said = view.reasoning_sentences
    if not said:
        return None
    last = said[-1]
    lowered = last.lower()
    best: tuple[int, int] | None = None
    for marker in phrases("conclusion", view.language):
        start = lowered.rfind(marker)
        while start >= 0 and not is_marker(lowered, start, marker):
            start = lowered.rfind(marker, 0, start)
        if start >= 0 and (best is None or start > best[0]):
            best = (start, start + len(marker))
    if best is None:
        return None
    return last[best[1] :] if len(last[best[1] :].strip(" .,!?。")) > 0 else None


def is_marker(text: str, start: int, marker: str) -> bool:
    before, after = text[start - 1 : start], text[start + len(marker) : start + len(marker) + 1]
    if is_spaceless(marker[0]):
        return not before or not before.isalnum()
    return not before.isalnum() and not after.isalnum()


def denies(view: View, clause: str) -> bool:
    """Whether a clause says that something is not so."""
    if re.search(r"n['’]t\b", clause):
        return True
    said = set(view.tokens(clause))
    folded = view.folded(clause)
    denials = phrases("denial", view.language, others=False)
    return not said.isdisjoint(with_tokens(denials)) or any(
        (is_spaceless(phrase[0]) or " " in phrase) and phrase in folded for phrase in denials
    )


def named_options(view: View, clause: str) -> list[str]:
    """The options whose words stand in the clause; one that is part of another that is named does not count."""
    said = view.tokens(clause)
    named = [choice for choice in view.choices if contains(said, view.tokens(choice))]
    return [
        choice
        for choice in named
        if not any(
            other != choice and len(other) > len(choice) and contains(view.tokens(other), view.tokens(choice))
            for other in named
        )
    ]


OPTION_WORD = (
    r"option|choice|answer|letter|antwort|réponse|opción|respuesta|opzione|risposta|opção|alternativa|resposta|optie|"
    r"antwoord|odpowiedź|odpowiedzi[aą]|opcja|odpověď|možnost|вариант|ответ|варіант|відповідь|seçenek|cevap|yanıt|şık|"
    r"الخيار|الإجابة|الجواب|विकल्प|उत्तर|选项|答案|选|選択肢|正解|答えは?|선택지|정답|답은?|보기|đáp án|phương án|"
    r"jawaban\w*|pilihan|svaret|svar|"
    r"alternativ|απάντηση|επιλογή|vastaus|vaihtoehto|תשובה|jibu"
)
NAMED_LETTER = re.compile(
    rf"(?:{OPTION_WORD})\b[^.。!?\n]{{0,30}}?(?<![\w'’])\(?\**([A-J])\**\)?(?=\s*(?:[.,;:!)\]。，*]|$))"
    rf"|(?:{OPTION_WORD})\s*[:：]?\s*\(?\**([A-J])\**\)?(?![\w'’])(?=\s*(?:[.,;:!)\]。，*是]|$|\s(?:is|ist|est|es|è|é|jest|je)\b))",
    re.IGNORECASE,
)
CJK_LETTER = re.compile(
    r"(?:正解|答え|正しいのは|答案|选项|應選|应选|故选|选|選択肢|정답|답|선택지|보기)\s*(?:は|が|是|为|為|은|는|[:：])?\s*(?:选项|選択肢)?\s*"
    r"[（(「]?([A-J])(?![A-Za-z0-9])"
)
APPOSITION = re.compile(
    r"(?:,|\(|–|—|:|\bso|\bi\.?e\.?,?)\s*(?:(?:that is|this is|which is|i\.e\.|namely)\s)?"
    rf"(?:{OPTION_WORD})\s*\(?([A-J])\)?\W*$",
    re.IGNORECASE,
)
"""A letter that stands behind the answer at the end of a sentence: `Seat 1 belongs to Ben, option B.`"""
LONE_LETTER = re.compile(r"[A-J](?![A-Za-z0-9])")
"""Without one a text names no letter"""
BARE_LETTER = re.compile(r"^\W{0,4}(?:option |choice )?\(?([A-J])(?:[).:,*\]]|\s*$)")


def named_letter(view: View, text: str, *, bare: bool = False) -> str | None:
    """The letter of an option that a text names last (`the correct option is C`); None where letters are what the
    options are about (`vitamin C`, `point A`). With `bare` the text may begin with the letter itself.
    """
    if LONE_LETTER.search(text) is None:
        return None
    letters = [match.group(1) or match.group(2) for match in NAMED_LETTER.finditer(text)]
    if not text.isascii():
        letters += CJK_LETTER.findall(text)
    if bare and (match := BARE_LETTER.match(text)) is not None:
        letters.append(match.group(1))
    upper = [letter for letter in letters if letter.isupper() and ord(letter) - ord("A") < len(view.choices)]
    if not upper or any(re.search(rf"(?<!\w){upper[-1]}(?!\w)", choice) for choice in view.choices):
        return None
    return upper[-1]


LETTER = re.compile(r"(?<![A-Za-z0-9'’\u00c0-\u024f])([A-J])(?![A-Za-z0-9'’\u00c0-\u024f])")


def speaks_of_letters(view: View) -> bool:
    """Whether a letter alone stands in what the sample is about."""
    return any(map(LETTER.search, (view.question, view.passage, *view.choices)))


BEFORE_LETTER = re.compile(
    rf"(?:^|[,;:：，、；(（]|\b(?:so|thus|hence|therefore|then|also|daher|somit|folglich|donc|ainsi|luego|entonces|quindi|"
    r"dunque|perciò|logo|então|portanto|dus|więc|zatem|tedy|takže|proto|значит|поэтому|следовательно|отже|тому|"
    r"öyleyse|o halde|maka|jadi|vậy|nên|alltså|altså|derfor|"
    r"is|are|be|ist|bleibt|est|es|è|é|jest|je|zostaje|zbývá|är|er|blir|là|adalah|ialah|yaitu|ni|"
    r"choose|pick|select|take|mark|tick|circle|want|need|gives?|leaves?|makes?|remains|leads to|points to|"
    r"wähle|nehme|kreuze|ergibt|ergibt sich|choisis|choisit|retiens|coche|reste|donne|elijo|elegimos|marco|"
    r"marcamos|queda|"
    r"escojo|scelgo|segno|resta|rimane|escolho|marco|fica|sobra|faz de|kies|blijft|wybieram|wybieramy|zaznaczam|volím|"
    r"zvolím|выбираем|выбираю|остаётся|остается|обираємо|обираю|вибираємо|залишається|pilih|memilih|chọn|còn|väljer|"
    r"vælger|velger|kvar|"
    r"(?:wähle|nehme|kreuze) (?:ich|wir)|ich|wir|je|yo|lettre|letra|lettera|buchstabe|litera|písmeno|букв\w|"
    r"harf|bokstaven|"
    r"the|die|der|den|das|la|le|el|il|lo|a|o|de|het)|[—–-]|"
    rf"(?:{OPTION_WORD})(?: \w{{1,3}})?|字母|故|因此|所以|应?选择?|選ぶのは|です|は|が|은|는)[\s*(（「\"“«:：]*$",
    re.IGNORECASE,
)
"""What stands before the letter of an option that is chosen"""
AFTER_LETTER = re.compile(
    r"^[\s*)）」\"”».,!。．]*$|^[\s*)）」\"”»]*(?:(?:is|ist|est|es|è|é|jest|je|är|er|là|adalah)\b|"
    r"[a-z ]{0,4}(?:answer|antwort|réponse|respuesta|risposta|resposta|antwoord|odpowied|odpověd|ответ|відповідь|svar)|"
    r"(?:correct|right|richtig|convient|correcta?|corretta|correta|juist|poprawn|správn|верн|правильн|doğru|benar|đúng|"
    r"rätt|riktig)|[がを]?(?:正解|正しい|答え|選|当てはま)|[이가을를]? ?(?:정답|맞|답|옳|고르|선택)|"
    r"[是为為]?(?:正确|答案|对的))",
    re.IGNORECASE,
)


def concluded_letter(view: View, last: str) -> str | None:
    """The letter of the option in which a last sentence ends (`…, so I choose D`, `that makes A the answer`), in its
    last clause; None where it denies something, names several letters there, or the sample has such letters itself.
    """
    clause = CLAUSE_END.split(last.rstrip(" .。!*)）"))[-1]
    found = [match for match in LETTER.finditer(clause) if ord(match.group(1)) - ord("A") < len(view.choices)]
    if len({match.group(1) for match in found}) != 1 or denies(view, last):
        return None
    match = found[-1]
    before, after = clause[: match.start()], clause[match.end() :]
    if not before.strip() and after[:1].isspace() and not AFTER_LETTER.match(after):
        return None  # an article or a preposition that begins a sentence
    if not BEFORE_LETTER.search(before) or not AFTER_LETTER.match(after):
        return None
    letter = match.group(1)
    if speaks_of_letters(view):
        return None
    return letter


CLAUSE_END = re.compile(r"[,;，；、](?=.*[A-J])|\s[–—]\s(?=.*[A-J])")
