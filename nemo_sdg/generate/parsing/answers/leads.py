"""Phrases that introduce an answer inside a sentence, in many languages: `The answer is`, `Antwort:`, `答案是`."""

import re

BE = (
    r"(?:(?<!answer)\s+to(?!\w)|(?<=válasz)\s+az?(?!\w)|\s+(?:is|was|are|would be|must be|should be|"
    r"ist|lautet|wäre|est|es|è|é|ni|är|er|este|je|být|"
    r"da|là|adalah|είναι|"
    r"هو|هي|היא|הוא|है|হল|হলো|az)(?!\w)|\s*(?:は|是|为|為|应为|应该是|應為|은|는|이|คือ))"
)
NOUNS = (
    r"answer|antwort|lösung|respuesta|réponse|risposta|resposta|antwoord|svar|svaret|vastaus|odpowiedź|"
    r"odpowiedzią|odpověď|"
    r"odpoveď|válasz|răspunsul|odgovor|cevap|yanıt|đáp án|câu trả lời|jawaban|jawabannya|jibu|ответ|"
    r"ответом|відповідь|"
    r"отговор|одговор|απάντηση|erantzuna|الجواب|الإجابة|پاسخ|उत्तर|উত্তর|תשובה|התשובה|คำตอบ(?:คือ)?"
)
OPTION_NOUNS = (
    r"option|choice|answer choice|alternative|opción|opció|opção|alternativa|opzione|optie|вариант|lựa chọn|pilihan"
)
LETTER_WORDS = (
    r"letter|buchstabe|letra|lettera|lettre|litera|písmeno|bokstav|буква|літера|opcja|odpowiedź|možnost|varianta|"
    r"opțiunea|alternativ|svarsalternativ|vaihtoehto|mulighed|şık|seçenek|επιλογή|варіант|אפשרות|תשובה|الخيار|الاختيار|"
    r"گزینه|विकल्प|বিকল্প|ตัวเลือก|ข้อ|chaguo|选项|選項|项|項|選択肢|보기|선택지|번"
)
"""words beside a label, in front of it or behind it, besides OPTION_NOUNS"""
COPULAS = r"です|だ|である|입니다|이다|है|हैं|হয়|است|می‌باشد|['’]?[dt][ıiuü]r"
"""verbs at the end of a sentence"""
CHOOSES = (
    r"(?:i|we)(?:['’](?:d|ll)| would| will)? (?:choose|pick|select|go with|chose|picked|selected)|"
    r"(?:that|this|which) leaves(?: us with)?(?: only| just)?|it(?:['’]s| is| must be| has to be)|ich (?:wähle|nehme)|"
    r"(?:this|that|which) (?:matches|corresponds to|points to|is|means|gives us)|"
    r"je choisis|elijo|escolho|scelgo|ik kies|jag väljer|wybieram|выбираю|我选择?"
)
"""phrases with a verb that introduce the option that the writer takes"""
ADJECTIVES = (
    r"final|correct|right|best|richtige|korrekte|endgültige|bonne|juiste|rätta|korrekta|riktige|rigtige|"
    r"oikea|poprawna|"
    r"poprawną|prawidłowa|prawidłową|správná|helyes|correta|correcta|corretta|правильный|правильным|верный|"
    r"окончательный|правильна|doğru|nihai|σωστή|τελική"
)
AFTER = (
    r"correcta|correcte|finale?|corretta|correta|exacta|sahihi|đúng|đúng nhất|yang benar|akhir|akhirnya|"
    r"الصحيحة|الصحيح|"
    r"النهائية|النهائي|correcto|final|הנכונה|הסופית|صحیح|درست|ที่ถูกต้อง|"
    r"corect|corectă|yang tepat|chính xác"
)
ARTICLES = r"the|my|our|die|la|le|a|o|il|het|das|de|den|det|η"
ADVERBS = (
    r"therefore|thus|hence|clearly|simply|indeed|then|also|definitely|actually|now|most likely|dann|somit|"
    r"donc|alors|entonces|quindi|dus|daher|folglich|deshalb|portanto|por tanto|por lo tanto|więc|zatem|следовательно"
)
SO = (
    r"so|thus|hence|therefore|consequently|in conclusion|also|somit|damit|daher|folglich|donc|ainsi|"
    r"por (?:lo )?tanto|"
    r"portanto|logo|quindi|dunque|dus|alltså|więc|zatem|следовательно|итак|таким образом|vậy|jadi|所以|"
    r"因此|故|综上|综上所述|"
    r"よって|従って|したがって|ゆえに|따라서|그러므로"
)
OPTION_WORDS = f"{OPTION_NOUNS}|{LETTER_WORDS}"
LABEL_AND_VERB = (
    rf"(?=(?:(?:{OPTION_WORDS})\s*)?[(（\[*]{{0,3}}(?-i:[A-Z])[)）\]*]{{0,3}}(?!\w)(?:\s*(?:{OPTION_WORDS}|şıkkı)(?:[dt][ıiuü]r)?)?"
    rf"\s*(?:{COPULAS})?\s*[.。।]?\s*$)"
)
"""a label at the end of a sentence whose verb is last"""
LEAD = (
    rf"(?:(?:{SO})\s*[,，、:]?\s*)?"
    rf"(?:(?:{ARTICLES})\s+|l['’])?"
    rf"(?:(?:{ADJECTIVES})\s+)*"
    rf"(?:(?:{NOUNS}|"
    rf"(?<=\w\s)(?:{OPTION_NOUNS}))(?:\s*(?<![a-z])(?:{AFTER}))*(?:{BE}(?:\s+(?:{ADVERBS})(?!\w),?(?=\s))?\s*[:：]?\s*|"
    rf"\s*[:：]\s*)"
    rf"|(?:(?:{ADJECTIVES})\s+)*(?:उत्तर|উত্তর|پاسخ|جواب|cevap|yanıt|정답|答え)(?:\s+(?:{AFTER}))*\s+{LABEL_AND_VERB}"
    r"|(?:正确|正確|最终|最終|正しい|最終的な)?的?(?:答案|答え|答|解答|正解|选项|選項|選択肢|정답|답)\s*"
    r"(?:应为|应该是|應為|是|为|為|は|은|는|选|選|:|：)\s*"
    r"|(?:应该?|應該?|故|本题)?(?:选择|选|選択|選擇|選)\s*[:：]?\s*(?=[(（【\[「]?[A-Z][)）】\]」]?(?![A-Za-z])))"
)
"""a phrase that introduces an answer, with its verb or colon"""

MARKS = tuple(
    dict.fromkeys(
        noun.split("(")[0] for noun in f"{NOUNS}|{OPTION_NOUNS}|答案|答え|答|解答|正解|选|選|정답|답".split("|") if noun
    )
)
"""words of which every text that states an answer contains at least one"""

SAID_START = re.compile(rf"(?:(?<=\s)|(?<=[*_(,.。，：；、])|^){LEAD}(?=\S)", re.IGNORECASE | re.MULTILINE)
FOLDED_MARKS = (*MARKS, *(mark.replace("ı", "i") for mark in MARKS if "ı" in mark))
WORDS = sorted(set(re.findall(r"[^\W_]+", f"{SO}|{ADJECTIVES}|{ARTICLES}|por|lo|l")), key=len, reverse=True)
BEFORE_NOUN = re.compile("(?:" + "|".join(WORDS) + r"|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3])+")
PART = re.compile(r"[^\W_]+|\s+|.", re.DOTALL)
TWINS = re.compile(
    "[\u0131\u017f\u0345\u0390\u03b0\u00b5\u03c2\u03d0\u03d1\u03d5\u03d6\u03f0\u03f1\u03f5\u1c80-\u1c88\u1e9b\u1fbe"
    "\u1fd3\u1fe3\ufb05\ufb06]"
)
"""letters that re.IGNORECASE takes for another one's, and str.lower does not"""


def find_leads(text: str, begin: int, end: int) -> list[re.Match[str]]:
    """What SAID_START.finditer(text, begin, end) finds, in a tenth of its time: 60 µs instead of 600 µs for 300 words.

    Each match holds one of MARKS, and before it nothing but words of BEFORE_NOUN, spaces and a few signs. So only the
    places between there and the mark are tried.
    """
    lowered = text.lower()
    if not text.isascii() and (len(lowered) != len(text) or TWINS.search(lowered)):
        return list(SAID_START.finditer(text, begin, end))
    places: set[int] = set()
    for mark in FOLDED_MARKS:
        place = lowered.find(mark, begin, end)
        while place >= 0:
            places.update(range(_first_place(lowered, begin, place), place + 1))
            place = lowered.find(mark, place + 1, end)
    found: list[re.Match[str]] = []
    for place in sorted(places):
        if (not found or place >= found[-1].end()) and (match := SAID_START.match(text, place, end)) is not None:
            found.append(match)
    return found


def _first_place(lowered: str, begin: int, mark: int) -> int:
    """Where the words begin that may stand in front of a mark."""
    room, first = 32, mark
    while True:
        least = max(begin, mark - room)
        first = mark
        for part in reversed(list(PART.finditer(lowered, least, mark))):
            if part.start() == least > begin:
                break  # perhaps the rest of a word
            if not (part[0].isspace() or part[0] in ",，、:'’" or BEFORE_NOUN.fullmatch(part[0])):
                return first
            first = part.start()
        if least == begin:
            return first
        room *= 4
