"""The words with which prompts introduce a passage, a question, an answer or a list of options, in the languages that
lm-eval's tasks are written in.
"""

import re

QUESTION = (
    "Question|Q|Problem|Query|Quiz|Exercise|Pregunta|Problema|Pergunta|Questão|Questao|Enunciado|Domanda"
    "|Frage|Aufgabe|Exercice|Galdera|Vraag|Spørsmål til teksten|Spørsmål|Spørgsmål|Fråga|Kysymys|Küsimus"
    "|Pytanie|Zadanie|Otázka|Úloha|Soru|Sual|Întrebare|Întrebarea|Kérdés|Feladat|Spurning|Klausimas|Jautājums"
    "|Питање|Pitanje|Vprašanje|Въпрос|Пытанне|Сұрақ|Savol|Swali|Pertanyaan|Soalan|Soal|Tanong|Câu hỏi|Tambaya"
    "|Ìbéèrè|Ibeere|Ajụjụ|Umbuzo|Su'aal|Ikibazo|Pytyvõ|Вопрос"
    "|Задача|Питання|Запитання|Ερώτηση|问题|問題|题目|題目|問|问|質問"
    "|设问|設問|질문|문제|السؤال|سؤال|پرسش|سوال|שאלה|प्रश्न|सवाल|প্রশ্ন|ప్రశ్న|கேள்வி|ಪ್ರಶ್ನೆ|ചോദ്യം|પ્રશ્ન|ਸਵਾਲ|ପ୍ରଶ୍ନ"
    "|โจทย์|คำถาม|សំណួរ|ຄຳຖາມ|မေးခွန်း|ጥያቄ|Հարց|კითხვა|سۇئال"
)
PASSAGE = (
    "Passage|Context|Text|Article|Abstract|Story|Paragraph|Document|Background|Sentence|Contexto|Contexte"
    "|Texto|Texte|Testo|Kontext|Kontekst|Tekst|Textua|Testua|Testuingurua|Contesto|Passatge|Passagem|Bakgrunn"
    "|Faktatekst|Teksti|Metin|Bağlam|Konteks|Konteksti|Muktadha|Szöveg|Kontextus|Szövegkörnyezet|Texti"
    "|Samhengi|Odlomak|Text suport|Context suport|Pasaj|Frase|Oración|Satz|Phrase|Setning|Mening|Lause|Zdanie"
    "|Mondat|Propoziție|文脈|文章|段落|材料|本文|背景|본문|지문"
    "|문맥|문장|맥락|السياق|النص|متن|טקסט|הקשר|Контекст|Текст|Отрывок"
    "|Абзац|Κείμενο|পাঠ্য|প্রসঙ্গ|অনুচ্ছেদ|সন্দর্ভ|అనుచ్ఛేదం|సందర్భం|संदर्भ|अनुच्छेद|गद्यांश|பத்தி|บทความ"
    "|ข้อความ|เนื้อเรื่อง|บริบท|Đoạn văn|Văn bản|Ngữ cảnh|Bối cảnh|קטע|קטע קריאה|الفقرة|القطعة|Απόσπασμα|Kifungu"
    "|Maandishi|제시문"
)
ANSWER = (
    "Answer|A|Ans|Solution|Response|Reply|Output|Assistant|Respuesta|Resposta|Risposta|Réponse|Reponse|Antwort|Lösung"
    "|Erantzuna|Antwoord|Svar|Vastaus|Vastus|Odpowiedź|Odpoveď|Odpověď|Odgovor|Cevap|Yanıt|Cavab|Răspuns"
    "|Răspunsul|Válasz|Megoldás|Atbilde|Atsakymas|Отговор|Одговор|Адказ|Відповідь|Жауап|Javob|Jibu|Jawaban"
    "|Jawapan|Sagot|Trả lời|Đáp án|Amsa|Ìdáhùn|Azịza|Impendulo|Jawaab|Igisubizo|Ответ|Ответьте|Απάντηση|答案|回答"
    "|答え|解答|答|応答|답변|정답|답|대답|الإجابة|الجواب"
    "|إجابة|جواب|پاسخ|תשובה|उत्तर|जवाब|উত্তর|సమాధానం|ఉత్తర|பதில்|விடை"
    "|ಉತ್ತರ|ഉത്തരം|જવાબ|ਜਵਾਬ|ଉତ୍ତର|คำตอบ|ចម្លើយ|ຄຳຕອບ|အဖြေ|መልስ|Պատասխան|პასუხი|جاۋاپ"
)
_AROUND = (
    r"correct|right|final|best|your|the|short|correcta|corecta|correct[ăa]|correta|richtige|bonne|Prawidłowa|poprawna"
    r"|Riktig|rett|step[- ]by[- ]step|paso a paso|passo a passo|Schritt-für-Schritt|étape par étape|urratsez urrats"
    r"|ステップごとの|Пошаговое ?(?:решение)?|逐步|la Hatua kwa Hatua|ทีละขั้นตอน"
    r"|ধাপে ধাপে|దశలవారీగా|단계별|adım adım|正确|正確"
)
ANSWER_LABEL = (
    rf"(?:(?:{_AROUND})[ -]*)*(?:{ANSWER})(?:[ -]*(?:{_AROUND}))*"
    r"(?: \((?:yes/no|true/false|[A-J](?:[,/ -]+(?:or )?[A-J])+)\))?"
)
INSTRUCTION = (
    "Instruction|Instructions|Task|指示|指令|命令|任务|지시|지시사항|명령어|Anweisung|Aufgabe|Instrucción|Instrucciones"
    "|Instrução|Istruzione|Инструкция|Задание|Instruktion|Instruks|Instructie|Polecenie|Talimat|التعليمات|निर्देश"
)
INPUT = "Input|入力|输入|輸入|입력|Eingabe|Entrada|Entrée|Ввод|Вход|Inndata|Invoer|Wejście|Girdi|المدخلات|इनपुट"
OPTIONS = (
    "Options|Choices|Answer choices|Answer options|Candidates|Possible answers|Opciones|Opcions"
    "|Opcions de resposta|Opções|Alternativas|Opzioni|Optionen|Antwortmöglichkeiten|Choix|Propositions"
    "|Svaralternativer|Alternativer|Alternativ|Aukerak|Opties|Możliwe odpowiedzi|Opcje|Varianty|Variante"
    "|Opțiuni|Válaszlehetőségek|Lehetőségek|Seçenekler|Варианты|Варианты ответа|Варіанти|Επιλογές|Pilihan"
    "|Chaguo|Lựa chọn|选项|選項|選択肢|出力は以下から選択してください"
    "|선택지|보기|الخيارات|الاختيارات|گزینه‌ها|אפשרויות|विकल्प|বিকল্প"
    "|ఎంపికలు|விருப்பங்கள்|ตัวเลือก"
)
MENTIONS_QUESTION = re.compile(
    r"question|problem|quiz|multiple[- ]choice|instruction|pregunta|pergunta|quest[õã]|domand|frage|aufgabe|exercice"
    r"|galdera|vraag|spørsmål|spørgsmål|fråg|kysymy|pytani"
    r"|otáz|soru|întreb|kérdés|swali|pertanyaan|soal|câu hỏi|вопрос"
    r"|задач|питан|ερώτ|题|題|問|质问|質問|문제|질문|سؤال|أسئلة|سوال|שאל|प्रश्न|প্রশ্ন|ప్రశ్న|கேள்வி|คำถาม|指示|応答",
    re.IGNORECASE,
)
"""a description that speaks of questions announces them, and says nothing that the question itself does not say"""

WHICH_FITS = {
    "ar": "أي الخيارات يناسب النص؟",
    "bn": "কোন বিকল্পটি পাঠ্যের সঙ্গে মেলে?",
    "ca": "Quina de les opcions correspon al text?",
    "cs": "Která z možností odpovídá textu?",
    "de": "Welche der Antworten passt zum Text?",
    "el": "Ποια από τις επιλογές ταιριάζει με το κείμενο;",
    "en": "Which of the options fits the text?",
    "es": "¿Cuál de las opciones corresponde al texto?",
    "fa": "کدام گزینه با متن مطابقت دارد؟",
    "fr": "Laquelle des options correspond au texte ?",
    "he": "איזו מהאפשרויות מתאימה לטקסט?",
    "hi": "कौन-सा विकल्प पाठ के अनुरूप है?",
    "hu": "Melyik lehetőség illik a szöveghez?",
    "id": "Pilihan mana yang sesuai dengan teks?",
    "it": "Quale delle opzioni corrisponde al testo?",
    "ja": "本文に当てはまる選択肢はどれですか。",
    "ko": "다음 중 글에 맞는 선택지는 무엇인가?",
    "nl": "Welke van de opties past bij de tekst?",
    "pl": "Która z opcji pasuje do tekstu?",
    "pt": "Qual das opções corresponde ao texto?",
    "ro": "Care dintre opțiuni se potrivește textului?",
    "ru": "Какой из вариантов подходит к тексту?",
    "sv": "Vilket av alternativen passar texten?",
    "sw": "Ni chaguo lipi linalolingana na maandishi?",
    "th": "ตัวเลือกใดสอดคล้องกับข้อความ",
    "tr": "Seçeneklerden hangisi metne uyuyor?",
    "uk": "Який із варіантів відповідає тексту?",
    "ur": "کون سا انتخاب متن سے مطابقت رکھتا ہے؟",
    "vi": "Lựa chọn nào phù hợp với văn bản?",
    "zh": "哪个选项符合这段文字？",
}
"""the question of a task that shows a text and the labels among which to choose, and says no more"""
