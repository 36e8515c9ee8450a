"""Imperatives, in the languages whose words that ask are listed, ask for something; statements do not."""

import pytest

from nemo_sdg.curate.filters.question.completeness import no_question
from nemo_sdg.curate.filters.view import View

ASKING = {
    "en": [
        "Underline the adverb in this sentence: She sings well.",
        'Spell "necessary" backwards.',
        "Rearrange these letters to form a word: tca",
        'Abbreviate "for example" in Latin.',
        "Scramble the letters of stone into another English word.",
        "Please transcribe the phrase in phonetic symbols.",
        "Unscramble TSAR to get a verb.",
        "Rephrase 'I am hungry' more formally.",
        "Reduce 12/18 to lowest terms.",
        "Express 0.75 as a fraction.",
        "In one sentence, contrast mitosis with meiosis.",
        "Using only the digits 1, 2 and 3, form the largest even number.",
    ],
    "de": [
        "Unterstreiche das Adverb im Satz „Er läuft schnell“.",
        "Verneine den Satz „Ich komme“.",
        "Kürze 12/18 vollständig.",
        "Stelle die Formel v = s/t nach t um.",
        "Schätze die Höhe eines dreistöckigen Hauses.",
        "Entschlüssele das Wort „KHOOR“.",
    ],
    "fr": [
        "Soulignez l'adverbe dans la phrase « Il court vite ».",
        "Mettez la phrase au pluriel.",
        "Transforme 3/4 en pourcentage.",
        "Barre les mots inutiles.",
    ],
    "es": [
        "Subraya el verbo de la oración «Ana canta».",
        "Transforma la oración a la voz pasiva.",
        "Despeja x en 2x + 3 = 7.",
        "Convierta 3 horas a segundos.",
    ],
    "it": ["Trasforma la frase al passivo.", "Metti al plurale «il lago».", "Riduci ai minimi termini 12/18."],
    "pt": [
        "Sublinhe o verbo da frase «Ana canta».",
        "Passe para o plural a palavra pão.",
        "Reduza 12/18 à forma irredutível.",
    ],
    "nl": ["Onderstreep het werkwoord in de zin.", "Zet de zin in de verleden tijd."],
    "pl": [
        "Podkreśl przysłówek w zdaniu „On biegnie szybko”.",
        "Przekształć zdanie na stronę bierną.",
        "Zamień 3 godziny na sekundy.",
        "Skróć ułamek 12/18.",
    ],
    "cs": ["Podtrhni sloveso ve větě.", "Převeďte 3 hodiny na sekundy.", "Zkrať zlomek 12/18."],
    "ru": [
        "Подчеркните наречие в предложении.",
        "Сократите дробь 12/18.",
        "Образуй множественное число от слова «стол».",
        "Переставь буквы слова «тор».",
        "Преобразуй дробь 3/4 в проценты.",
    ],
    "uk": ["Скоротіть дріб 12/18.", "Утворіть множину слова «стіл».", "Підкресли дієслово в реченні."],
    "tr": ["Cümlenin öznesini belirtiniz.", "Tümceyi edilgen yapın."],
    "ar": ["ضع خطًا تحت الفعل في الجملة.", "بسط الكسر 12/18.", "حول الجملة إلى المبني للمجهول."],
    "hi": ["वाक्य को बहुवचन में बदलिए।", "12/18 को सरल रूप में लिखें।", "रेखांकित शब्द का अर्थ बताओ।"],
    "id": ["Sederhanakan pecahan 12/18.", "Garis bawahi kata kerja dalam kalimat ini.", "Ubah kalimat menjadi pasif."],
    "vi": ["Rút gọn phân số 12/18.", "Gạch chân động từ trong câu.", "Đổi 3 giờ ra giây."],
    "sw": ["Pigia mstari kitenzi katika sentensi."],
    "zh": ["把12/18约分。", "将句子改为被动句。", "用“因为”造句。"],
    "ja": ["次の文を受け身にしなさい。", "12/18を約分せよ。"],
    "ko": ["문장을 피동문으로 바꾸시오.", "12/18를 약분하세요.", "밑줄 친 낱말의 뜻을 적으시오."],
}

STATEMENTS = {
    "en": [
        "Mercury is the smallest planet of the solar system.",
        "Photosynthesis takes place in chloroplasts.",
        "Yesterday the shop sold forty apples and thirty pears.",
        "Anna bought three pens for two euros each.",
        "Water boils at 100 degrees.",
        "Paris, the capital of France, lies on the Seine.",
        "Usually the sun rises in the east.",
    ],
    "de": [
        "Gestern verkaufte der Laden vierzig Äpfel.",
        "Wasser kocht bei 100 Grad.",
        "Anna kaufte drei Stifte.",
        "Berlin ist die Hauptstadt Deutschlands.",
    ],
    "fr": ["Paris est la capitale de la France.", "L'eau bout à 100 degrés."],
    "es": ["Madrid es la capital de España.", "Ana compró tres lápices."],
    "it": ["Roma è la capitale d'Italia."],
    "pt": ["O Brasil fica na América do Sul."],
    "nl": ["Water kookt bij 100 graden."],
    "pl": ["Warszawa jest stolicą Polski.", "Woda wrze w temperaturze 100 stopni."],
    "cs": ["Praha leží na Vltavě."],
    "ru": ["Вода кипит при 100 градусах.", "Анна купила три ручки."],
    "uk": ["Вода кипить за 100 градусів."],
    "tr": ["Su yüz derecede kaynar."],
    "hi": ["पानी सौ डिग्री पर उबलता है।"],
    "id": ["Air mendidih pada suhu seratus derajat."],
    "vi": ["Nước sôi ở một trăm độ."],
    "zh": ["水在一百度沸腾。"],
    "ja": ["水は百度で沸騰します。"],
    "ko": ["물은 백 도에서 끓습니다."],
}


def view(language: str, question: str) -> View:
    return View({"question": question, "language": language, "kind": "short_text", "answer": {"text": "x"}})


@pytest.mark.parametrize("language", ASKING)
def test_an_imperative_asks_for_something(language: str) -> None:
    assert [question for question in ASKING[language] if no_question(view(language, question))] == []


@pytest.mark.parametrize("language", STATEMENTS)
def test_a_statement_asks_nothing(language: str) -> None:
    assert [question for question in STATEMENTS[language] if not no_question(view(language, question))] == []
