"""The few words that training text puts between a sample's own texts, per language (ISO 639-1 or 639-3).

Each ends with the punctuation and space that its language wants, so that a template only puts texts side by side.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrases:
    """A language without an entry gets none of them: its text is laid out by paragraphs alone, never in another
    language's words.
    """

    question: str = ""
    answer: str = ""
    passage: str = ""
    options: str = ""
    explanation: str = ""
    background: str = ""
    problem: str = ""
    solution: str = ""
    final: str = ""
    """leads to the answer after the reasoning"""
    tests: str = ""


NONE = Phrases()


def _phrases(words: str) -> Phrases:
    names = (
        "question",
        "answer",
        "passage",
        "options",
        "explanation",
        "background",
        "problem",
        "solution",
        "final",
        "tests",
    )
    return Phrases(**dict(zip(names, words.split("|"), strict=True)))


PHRASES = {
    language: _phrases(words)
    for language, words in {
        "en": (
            "Question: |Answer: |Passage: |Options: |Explanation: |Background: |Problem: |Solution: |The "
            "answer is: |The code should pass these tests:"
        ),
        "de": "Frage: |Antwort: |Text: |Antwortmöglichkeiten: |Erklärung: |Hintergrund: |"
        "Aufgabe: |Lösung: |Die Antwort lautet: |Der Code soll diese Tests bestehen:",
        "fr": (
            "Question : |Réponse : |Texte : |Choix : |Explication : |Contexte : |Problème : |Solution : |La "
            "réponse est : |Le code doit passer ces tests :"
        ),
        "es": (
            "Pregunta: |Respuesta: |Texto: |Opciones: |Explicación: |Contexto: |Problema: |Solución: |La "
            "respuesta es: |El código debe pasar estas pruebas:"
        ),
        "it": (
            "Domanda: |Risposta: |Testo: |Opzioni: |Spiegazione: |Contesto: |Problema: |Soluzione: |La "
            "risposta è: |Il codice deve superare questi test:"
        ),
        "pt": (
            "Pergunta: |Resposta: |Texto: |Opções: |Explicação: |Contexto: |Problema: |Solução: |A resposta é: "
            "|O código deve passar nestes testes:"
        ),
        "ca": (
            "Pregunta: |Resposta: |Text: |Opcions: |Explicació: |Context: |Problema: |Solució: |La resposta "
            "és: |El codi ha de superar aquestes proves:"
        ),
        "nl": (
            "Vraag: |Antwoord: |Tekst: |Keuzes: |Uitleg: |Achtergrond: |Opgave: |Oplossing: |Het antwoord is: |"
            "De code moet deze tests doorstaan:"
        ),
        "pl": "Pytanie: |Odpowiedź: |Tekst: |Możliwe odpowiedzi: |Wyjaśnienie: |Kontekst: |"
        "Zadanie: |Rozwiązanie: |Odpowiedź to: |Kod powinien przejść te testy:",
        "ru": (
            "Вопрос: |Ответ: |Текст: |Варианты ответа: |Объяснение: |Справка: |Задача: |Решение: |Ответ: |Код "
            "должен пройти эти тесты:"
        ),
        "uk": (
            "Питання: |Відповідь: |Текст: |Варіанти відповіді: |Пояснення: |Довідка: |Задача: |Розв’язання: |"
            "Відповідь: |Код має пройти ці тести:"
        ),
        "el": (
            "Ερώτηση: |Απάντηση: |Κείμενο: |Επιλογές: |Εξήγηση: |Πλαίσιο: |Πρόβλημα: |Λύση: |Η απάντηση είναι: "
            "|Ο κώδικας πρέπει να περνά αυτές τις δοκιμές:"
        ),
        "tr": (
            "Soru: |Cevap: |Metin: |Seçenekler: |Açıklama: |Ön bilgi: |Problem: |Çözüm: |Cevap: |Kod şu "
            "testleri geçmelidir:"
        ),
        "zh": ("问题：|答案：|文章：|选项：|解析：|背景知识：|题目：|解答：|答案是：|代码应通过以下测试："),
        "ja": (
            "質問：|答え：|文章：|選択肢：|解説：|背景知識：|"
            "問題：|解答：|答えは次のとおりです：|コードは次のテストに合格する必要があります："
        ),
        "ko": (
            "질문: |답: |지문: |선택지: |설명: |배경 지식: |문제: |풀이: |정답: |코드는 다음 테스트를 통과해야 합니다:"
        ),
        "vi": (
            "Câu hỏi: |Trả lời: |Đoạn văn: |Các lựa chọn: |Giải thích: |Kiến thức nền: |Bài toán: |Lời giải: |"
            "Đáp án là: |Mã phải vượt qua các kiểm thử sau:"
        ),
        "id": "Pertanyaan: |Jawaban: |Bacaan: |Pilihan: |Penjelasan: |Latar belakang: |"
        "Soal: |Penyelesaian: |Jawabannya adalah: |Kode harus lulus pengujian berikut:",
        "sw": (
            "Swali: |Jibu: |Kifungu: |Chaguo: |Maelezo: |Usuli: |Tatizo: |Suluhisho: |Jibu ni: |Msimbo "
            "unapaswa kufaulu majaribio haya:"
        ),
        "ar": (
            "السؤال: |الجواب: |النص: |الخيارات: |الشرح: |معلومات أساسية: |المسألة: |الحل: |الجواب هو: |يجب أن "
            "تجتاز الشيفرة هذه الاختبارات:"
        ),
        "hi": ("प्रश्न: |उत्तर: |अनुच्छेद: |विकल्प: |व्याख्या: |पृष्ठभूमि: |समस्या: |हल: |उत्तर है: |कोड को ये परीक्षण पास करने चाहिए:"),
        "bn": (
            "প্রশ্ন: |উত্তর: |অনুচ্ছেদ: |বিকল্প: |ব্যাখ্যা: |পটভূমি: |সমস্যা: |সমাধান: |উত্তর হলো: |কোডটিকে এই "
            "পরীক্ষাগুলিতে উত্তীর্ণ হতে হবে:"
        ),
        "th": (
            "คำถาม: |คำตอบ: |บทความ: |ตัวเลือก: |คำอธิบาย: |ความรู้พื้นฐาน: |โจทย์: |วิธีทำ: |คำตอบคือ: |โค้ดต้องผ่านการทดสอบเหล่านี้:"
        ),
    }.items()
}
