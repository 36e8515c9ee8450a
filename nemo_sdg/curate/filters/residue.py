"""Filters of what is left over from a prompt, a chat template, a web page or a reply's own format."""

import re

from nemo_sdg.curate.filters.meta import sample_talk
from nemo_sdg.curate.filters.phrases import spoken
from nemo_sdg.curate.filters.view import SOLUTION, WRITTEN, Finding, View, excerpt, is_quoted
from nemo_sdg.records import Kind
from nemo_sdg.text.normalize import has_any

CHAT = re.compile(
    r"<\|[a-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>|</?think>|<(?:start|end)_of_turn>|\A\s*</?s>|</s>\s*\Z"
    r"|^[^\S\n]*#{2,3} ?(?:Instructions?|Input|Response|System|Task)\b",
    re.IGNORECASE | re.MULTILINE,
)
JSON = re.compile(
    r"\"(?:question|answer|choices|options|reasoning|context)\"\s*:\s*[\"\[{]|\A\s*```json|\A\s*\{\s*\"\w+\"\s*:",
    re.IGNORECASE,
)
JSON_END = re.compile(r"[\"”]\s*[}\]]*\s*,\s*[\"“]\w+[\"”]\s*:\s*[\w\"“\[{.-]|\w[.!?。]?\"\s*\}+\s*\Z")
"""Where a value of a reply ends and its next field begins, or the reply ends"""
SPEAKER = re.compile(r"^[^\S\n]*(?:Human|Assistant|User|System) ?:", re.IGNORECASE | re.MULTILINE)
ANY_SPEAKER = re.compile(r"(?:^|(?<=[.!?»”\"] )|(?<=\n))[^\S\n]*([^\W\d_][\w.' -]{0,24}) ?[:：]", re.MULTILINE)
USERS = (
    r"User|Human|Nutzer(?:in)?|Benutzer|Utilisateur|Usuario|Usuário|Utilizador|Utente|Gebruiker|Użytkownik|Uživatel|"
    r"Пользователь|Користувач|Kullanıcı|المستخدم|उपयोगकर्ता|用户|用戶|ユーザー|사용자|Người dùng|Pengguna|"
    r"Användare|Bruger|"
    r"Bruker|Mtumiaji|Käyttäjä|Χρήστης|משתמש"
)
ASSISTANTS = (
    r"Assistant|AI|Bot|Assistent\w*|Asistente|Assistente|Asystent|Asistent|Ассистент|Помощник|Асистент|Помічник|Asistan|"
    r"Yardımcı|المساعد|सहायक|助手|アシスタント|어시스턴트|도우미|Trợ lý|Asisten|Msaidizi|Avustaja|Βοηθός|עוזר"
)
ROLES = re.compile(
    rf"\s*(?:{USERS}) ?[:：][^\n]*(?:\n[^\n]*)*?\n[^\S\n]*(?:{ASSISTANTS}) ?[:：](?:[^\n]*)\s*\Z", re.IGNORECASE
)
"""A question that is a chat with a model: it begins with the user and ends with the assistant"""
TASK_TALK = re.compile(
    r"^\W*right answer ?:|\bwrite a new one\b"
    r"|\byou (?:write|answer|solve|judge) (?:multiple-choice |mathematics |small programming )?"
    r"(?:questions|problems|items|tasks|answers)\b"
    r"|\b(?:right|correct|gold) answer (?:is|was|has been) (?:given|provided|known)\b(?! to)",
    re.IGNORECASE,
)
TASK_PARTS = ("t answer", "gold answer", "write a new one", "you write", "you answer", "you solve", "you judge")
"""Without one of these a folded text does not match"""
LABEL_WORDS = (
    r"Question|Answer|Options?|Choices|Frage|Antwort|Pregunta|Respuesta|Réponse|Domanda|Risposta|Pergunta|Resposta|Vraag|"
    r"Antwoord|Pytanie|Odpowiedź|Odpověď|Ответ|Відповідь|Cevap|الإجابة|उत्तर|答案|答え|정답|Đáp án|Jawaban|Svar"
)
LABELLED = re.compile(rf"^[ \t>*#]*(?:{LABEL_WORDS})( ?\d{{1,3}})? ?\**[:：]", re.MULTILINE)
QUESTION_LABEL = re.compile(
    r"^[ \t>*#]*(?:Question|Problem|Frage|Pregunta|Domanda|Pergunta|Vraag|Pytanie|Otázka|Вопрос|"
    r"Soru|السؤال|प्रश्न|问题|問題|"
    r"질문|Câu hỏi|Pertanyaan|Q)(?: ?\d{1,3})? ?\**[:：]",
    re.MULTILINE,
)


def prompt_leak(view: View, *, phrases: list[str] = []) -> Finding | None:  # noqa: B006
    """Chat markup, JSON of a reply, talk about the task of writing or the gold answer, `Question:`/`Answer:` labels, a
    second question after the solution.

    A dialogue has its speakers, a pair of questions its numbers, and code its braces. `phrases` adds sentences of one's
    own prompts, found in any case.
    """
    found = (
        _markup(view)
        or spoken(view, "writing_talk", "question", "context", "reasoning")
        or spoken(view, "prompt_leak", "context", "reasoning")
        or _labels(view)
        or sample_talk(view)
    )
    if found is None and view.kind == Kind.free_text:
        found = spoken(view, "writing_talk", "answer") or spoken(view, "prompt_leak", "answer")
    if found is None:
        for name, text in view.texts("question", "context", "reasoning"):
            match = TASK_TALK.search(text) if has_any(view.folded(text), TASK_PARTS) else None
            if match and not is_quoted(text, match.start()):
                found = f"{name}: {excerpt(text, match.start())}"
                break
    if found:
        return "prompt_leak", found
    for name, text in view.texts(*WRITTEN) if phrases else []:
        lowered = text.lower()
        for phrase in phrases:
            if phrase.lower() in lowered:
                return "prompt_leak", f"{name}: {phrase}"
    return None


def _markup(view: View) -> str | None:
    names = ("question", "choices", "context", "reasoning") if view.kind == Kind.code else WRITTEN
    for name, text in view.texts(*names):
        for pattern, marks in ((CHAT, "<[#"), (JSON, '"`'), (JSON_END, '"”')):
            match = pattern.search(text) if has_any(text, marks) else None
            if (
                match
                and not is_quoted(text, match.start() + (pattern is CHAT))
                and not (view.is_technical and _on_subject(view, match))
            ):
                return f"{name}: {excerpt(text, match.start())}"
    if ROLES.match(view.question) and not view.is_technical and not view.passage:
        return f"question: {excerpt(view.question)}"
    speaks = SPEAKER.search(view.asked) if ":" in view.asked else None
    if speaks is None or len(set(ANY_SPEAKER.findall(view.asked))) < 2:
        for name, text in view.texts("question", *SOLUTION):
            match = SPEAKER.search(text) if ":" in text else None
            if match and len(set(ANY_SPEAKER.findall(text))) < 2 and not view.is_technical:
                return f"{name}: {excerpt(text, match.start())}"
    return None


def _on_subject(view: View, match: re.Match[str]) -> bool:
    """Whether a technical question is about such markup: it holds some itself, or the answer is it."""
    return match.re in (JSON, JSON_END) or match.group().lstrip().startswith("#") or match.group().strip() in view.asked


def _labels(view: View) -> str | None:
    question = view.question
    match = LABELLED.search(question) if ":" in question or "：" in question else None
    if match and len(LABELLED.findall(question)) < 2:
        return f"question: {excerpt(question, match.start())}"
    if match and not any(number for number in LABELLED.findall(question)):
        return f"question: {excerpt(question, match.start())}"
    for choice in view.choices:
        if LABELLED.search(choice):
            return f"choices: {excerpt(choice)}"
    match = QUESTION_LABEL.search(view.reasoning) if ":" in view.reasoning or "：" in view.reasoning else None
    if match and match.start() > 0 and not QUESTION_LABEL.search(view.asked):
        return f"reasoning: {excerpt(view.reasoning, match.start())}"
    return None


HTML = re.compile(
    r"</?(?:p|div|span|br|hr|td|tr|th|table|tbody|ul|ol|li|a|h[1-6]|img|font|center|script|style|iframe|em|strong|"
    r"thead|section|header|footer|button|label|input|pre|blockquote|small)"
    r"(?:\s[^<>\n]{0,200})?/?>|</(?:b|i|u|s|sup|sub|code|mark)>|&(?:nbsp|amp|lt|gt|quot|#\d{2,5});",
    re.IGNORECASE,
)
REPLY_TAG = re.compile(
    r"</?(?:answer|ans|reasoning|context|question|think|final_answer|output|response|solution)\b[^<>\n]{0,20}>?\s*$|"
    r"</?(?:answer|reasoning|context|question|think|final_answer|output|response|solution)>",
    re.IGNORECASE,
)
HEADING = re.compile(
    r"^[^\S\n]*(?:#{1,6} ?\**|\*\*)(?:final answer|answer|step \d+|explanation|solution|context|"
    r"reasoning|question|conclusion)\b",
    re.IGNORECASE | re.MULTILINE,
)
BEHIND_ANSWER = re.compile(
    rf"(?<=\S)\s*#{{3,}}(?:\s|$)|(?<=\S)\s*<\||(?<=[^\s.:]) ?\((?:{LABEL_WORDS})\b[^()]{{0,12}}"
    r"(?:end|ende|fin|fine|fim|einde|koniec|konec|"
    r"конец|кінець|son|tamat|hết)\)|(?<=\w)[.\s]+(?:Explanation|Instructions?|Question|Erklärung|Anweisung|Frage|Explication|"
    r"Explicación|Spiegazione|Explicação|Uitleg|Wyjaśnienie|Vysvětlení|Объяснение|Пояснення|Açıklama|"
    r"解析|解説|해설) ?[:：]",
    re.IGNORECASE,
)
"""What a model writes on behind a short answer"""
SHORT_KINDS = (Kind.multiple_choice, Kind.numeric, Kind.short_text)
FOOTNOTE = re.compile(r"(?<=[\w.,;:!?)”\"])\[\^\d{1,2}\](?=[\s.,;:!?]|\Z)|^\[\^\d{1,2}\]:", re.MULTILINE)
"""A footnote in Markdown"""
OPENING_HEADING = re.compile(r"\A\s*(?:#{2,6} +\S|# +(?!of\b)\S[^\n?]*\n)")
"""`# of sides` is a number"""
TRAILING = re.compile(r"\A[^|]*\w\s*\|+\s*\Z|(?!\b[A-H]\s)\w\s+[#~]+\s*\Z")
"""`|x|` and the note `F #` are whole"""
MARKS = ("<", "&", "[^", "|", "\\n", "#", "**", "```")
"""Without one of these a text holds no residue"""
ESCAPED_NEWLINE = re.compile(r"\\n(?=\\n|[^a-zA-Z\\]|[A-Z][a-z])")


def residue(view: View) -> Finding | None:
    """HTML, tags and headings of a reply's own format, open code fences, written-out `\\n`; not where code or markup is
    what the question is about.
    """
    for name, text in view.texts(*WRITTEN):
        match = BEHIND_ANSWER.search(text) if name in ("answer", "choices") and view.kind in SHORT_KINDS else None
        if match and not view.is_technical:
            return "residue", f"{name}: {excerpt(text, match.start())}"
        if not has_any(text, MARKS) or view.is_technical:
            continue
        for pattern in (HTML, REPLY_TAG):
            match = pattern.search(text)
            if (
                match
                and name == "choices"
                and not any(pattern.sub("", choice).strip() == "" for choice in view.choices)
            ) and "<" not in view.question + view.passage:
                return "residue", f"{name}: {excerpt(text, match.start())}"
            if match and "<" not in view.asked.replace(view.question, ""):
                return "residue", f"{name}: {excerpt(text, match.start())}"
        match = ESCAPED_NEWLINE.search(text)
        if match and not text[match.end() :].startswith(("(", "{", "}", "_", "^")) and "$" not in text:
            return "residue", f"{name}: {excerpt(text, match.start())}"
        if text.count("```") % 2:
            return "residue", f"{name}: a code fence is left open"
        match = OPENING_HEADING.search(text) if name in ("question", "context") else None
        if match is None and name in ("context", "reasoning") and "|" not in view.asked:
            match = FOOTNOTE.search(text)
        if match is None and name == "answer" and view.kind in SHORT_KINDS and "$" not in text:
            match = TRAILING.search(text)
        if match:
            return "residue", f"{name}: {excerpt(text, match.start())}"
        match = HEADING.search(text)
        if match and name in ("context", "answer", "choices"):
            return "residue", f"{name}: {excerpt(text, match.start())}"
    return None
