"""Phrases that introduce an answer inside a sentence, in many languages: `The answer is`, `Antwort:`, `答案是`."""

BE = (
    r"(?:\s+(?:is|was|are|would be|must be|should be|ist|lautet|wäre|est|es|è|é|ni|är|er|to|este|je|být|"
    r"da|là|adalah|είναι|"
    r"هو|هي|है|হল|হলো|az)(?!\w)|\s*(?:は|是|为|為|应为|应该是|應為|은|는|이))"
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
ADJECTIVES = (
    r"final|correct|right|best|richtige|korrekte|endgültige|bonne|juiste|rätta|korrekta|riktige|rigtige|"
    r"oikea|poprawna|"
    r"poprawną|prawidłowa|prawidłową|správná|helyes|correta|correcta|corretta|правильный|правильным|верный|"
    r"окончательный|правильна|doğru|nihai|σωστή|τελική"
)
AFTER = (
    r"correcta|correcte|finale?|corretta|correta|exacta|sahihi|đúng|đúng nhất|yang benar|akhir|akhirnya|"
    r"الصحيحة|الصحيح|"
    r"النهائية|النهائي|correcto|final"
)
ADVERBS = (
    r"therefore|thus|hence|clearly|simply|indeed|then|also|definitely|actually|now|most likely|dann|somit|"
    r"donc|alors|entonces|quindi|dus"
)
SO = (
    r"so|thus|hence|therefore|consequently|in conclusion|also|somit|damit|daher|folglich|donc|ainsi|"
    r"por (?:lo )?tanto|"
    r"portanto|logo|quindi|dunque|dus|alltså|więc|zatem|следовательно|итак|таким образом|vậy|jadi|所以|"
    r"因此|故|综上|综上所述|"
    r"よって|従って|したがって|ゆえに|따라서|그러므로"
)
LEAD = (
    rf"(?:(?:{SO})\s*[,，、:]?\s*)?"
    r"(?:(?:the|my|our|die|la|le|a|o|il|het|das|de|den|det|η)\s+|l['’])?"
    rf"(?:(?:{ADJECTIVES})\s+)*"
    rf"(?:(?:{NOUNS}|"
    rf"(?<=\w\s)(?:{OPTION_NOUNS}))(?:\s+(?:{AFTER}))*(?:{BE}(?:\s+(?:{ADVERBS})(?!\w),?)?\s*[:：]?\s*|"
    rf"\s*[:：]\s*)"
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
