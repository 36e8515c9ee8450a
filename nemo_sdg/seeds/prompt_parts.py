"""A prompt taken apart into passage and question: the words around them (`Question:`, `Answer:`) and the listed
options are left out.

    split_template("{{passage}}\\nQuestion: {{question}}\\nAnswer:", ...)     ("{{passage}}", "{{question}}")

A template is taken apart once, with each of its expressions as a hole that no rule looks into; a prompt that a
function wrote is taken
apart row by row by the same rules.
"""

import functools
import re

import jinja2.meta

from nemo_sdg.seeds.templates import environment

_QUESTION = (
    "Question|Q|Problem|Query|Pregunta|Pergunta|Questão|Questao|Domanda|Frage|Galdera|Vraag|Spørsmål|Fråga|Kysymys|Pytanie|Otázka|Soru"
    "|Swali|Pertanyaan|Câu hỏi|Вопрос|Задача|Питання|Ερώτηση|问题|問題|質問|질문|문제|السؤال|سؤال|שאלה|प्रश्न|প্রশ্ন|ప్రశ్న|கேள்வி|โจทย์|คำถาม"
)
_PASSAGE = (
    "Passage|Context|Text|Article|Abstract|Story|Paragraph|Document|Background|Contexto|Contexte|Texto|Texte|Testo|Kontext|Kontekst|Tekst"
    "|Textua|Testuingurua|Konteks|Konteksti|Muktadha|文脈|文章|본문|맥락|السياق|Контекст|Текст|প্রসঙ্গ|సందర్భం"
)
_ANSWER = (
    "Answer|A|Ans|Solution|Response|Respuesta|Resposta|Risposta|Réponse|Antwort|Erantzuna|Svar|Vastaus|Odpowiedź|Jibu|Jawaban|Ответ"
    "|答案|回答|答え|応答|답변|정답|الإجابة|উত্তর|ఉత్తర|คำตอบ"
)
OPEN, CLOSE = chr(0xE000), chr(0xE001)
_HOLE = re.compile(f"{OPEN}(\\d+){CLOSE}")
_CUE = re.compile(rf"(?:\A|\n|(?<={CLOSE})[ .?]?)[^\n{OPEN}{CLOSE}.?!。？]{{0,60}}[:：][ \t]*\Z")
_ANSWER_LINE = re.compile(rf"(?:\A|\n)[ \t#]*(?:{_ANSWER})[ \t]*[:：][^\n{OPEN}]*\Z", re.IGNORECASE)
_QUESTION_LABEL = re.compile(
    rf"(?:\A|\n|(?<=[.!?]) |(?<={CLOSE}) ?)[ \t#]*(?:{_QUESTION})[ \t]*[:：][ \t]*\n?", re.IGNORECASE
)
_PASSAGE_LABEL = re.compile(rf"\A[ \t#]*(?:{_PASSAGE})[ \t]*[:：][ \t]*\n?", re.IGNORECASE)
_OPTION = r"(?:\A|\n)[ \t]*(?:[-–*•]|[(\[]?[A-Ja-j1-9][)\].:])[ \t]*"
_OPTION_HOLE = re.compile(rf"{_OPTION}{OPEN}\d+{CLOSE}[ \t]*(?=\n|\Z)")
_LISTED = re.compile(r"(?:\A|\n)[ \t]*[(\[]?([A-Ja-j1-9])[)\].:][ \t]*([^\n]+)")
_PASSAGE_COLUMNS = {
    "passage",
    "context",
    "paragraph",
    "premise",
    "article",
    "story",
    "support",
    "text",
    "document",
    "background",
    "sentence1",
    "abstract",
}
CHOICE_COLUMNS = ("choices", "options", "answers", "endings", "candidates", "choice", "opciones")
TEST_COLUMNS = ("test_list", "tests", "test_cases", "asserts", "unit_tests", "test")
_BLOCKS = {"if", "for", "macro", "filter", "call", "raw"}


def split_template(source: str, *, has_choices: bool, is_code: bool, keep_cue: bool = False) -> tuple[str | None, str]:
    """A prompt template as two templates: passage (or None) and question. `keep_cue`: the words at the end are all
    that asks (`French phrase:`).
    """
    flat, holes = with_holes(source)
    columns = [jinja2.meta.find_undeclared_variables(environment.parse(hole)) for hole in holes]
    dropped = {index for index, names in enumerate(columns) if is_code and names & set(TEST_COLUMNS)}
    if has_choices:
        dropped |= {
            index for index, hole in enumerate(holes) if hole.startswith("{%") and columns[index] & set(CHOICE_COLUMNS)
        }
        if len(_OPTION_HOLE.findall(flat)) > 1:
            flat = _OPTION_HOLE.sub("", flat)
    for index in dropped:
        flat = flat.replace(f"{OPEN}{index}{CLOSE}", "")
    if keep_cue:
        passage, question = None, _ANSWER_LINE.sub("", flat).strip()
    else:
        passage, question = _split(
            flat, {index for index, names in enumerate(columns) if len(names) == 1 and names & _PASSAGE_COLUMNS}
        )
    fill = functools.partial(_HOLE.sub, lambda match: holes[int(match[1])])
    return (fill(passage) if passage else None), fill(question)


def asks_something(source: str) -> bool:
    """Whether a prompt template carries a question of its own: a question label, or a question mark among its words."""
    flat, _ = with_holes(source)
    return _QUESTION_LABEL.search(flat) is not None or any(mark in flat for mark in "?？؟")


def writes_labels(source: str) -> bool:
    """Whether a template writes words such as `Question: ` from within its expressions, where they cannot be told from
    the row's text.
    """
    return any(
        token == "string" and any(mark in value for mark in ":：") for _, token, value in environment.lex(source)
    )


def split_prompt(text: str) -> tuple[str | None, str]:
    """A rendered prompt as passage (or None) and question."""
    return _split(text, set())


def listed_options(prompt: str) -> list[tuple[str, str]]:
    """(label, text) of the prompt's lines that list options."""
    return [(label, text.strip()) for label, text in _LISTED.findall(prompt)]


def remove_options(question: str, texts: list[str]) -> str:
    """The question without the lines that list the options, and without the words that announce them."""
    cut = question
    for text in texts:
        cut = re.sub(_OPTION + re.escape(text.strip()) + r"[ \t]*(?=\n|\Z)", "", cut, count=1)
    return question if cut == question else _without_cues(cut).strip()


def with_holes(source: str) -> tuple[str, list[str]]:
    """A template as text in which OPEN n CLOSE stands for its nth expression; a whole control structure is one hole."""
    flat, holes, current, depth, first_name = "", list[str](), "", 0, False
    for _, token, value in environment.lex(source):
        if token == "data" and depth == 0:
            flat += value
            continue
        current += value
        if token == "block_begin":
            first_name = True
        elif first_name and token == "name":
            first_name = False
            depth += (value in _BLOCKS) - value.startswith("end")
        elif depth == 0 and token in ("block_end", "variable_end", "raw_end", "comment_end"):
            flat += f"{OPEN}{len(holes)}{CLOSE}"
            holes.append(current)
            current = ""
    return flat, holes


def single_expression(source: str) -> str | None:
    """The expression of a template that is nothing else than `{{ expression }}`."""
    flat, holes = with_holes(source)
    if not _HOLE.fullmatch(flat) or not holes[0].startswith("{{"):
        return None
    return holes[0].removeprefix("{{").removeprefix("-").removesuffix("}}").removesuffix("-").strip()


def _split(flat: str, passage_holes: set[int]) -> tuple[str | None, str]:
    flat = _without_cues(flat)
    labels = list(_QUESTION_LABEL.finditer(flat))
    if labels and flat[labels[-1].end() :].strip():
        before, question = flat[: labels[-1].start()], flat[labels[-1].end() :]
        only_instruction = OPEN in flat and OPEN not in before
        passage = "" if only_instruction else _PASSAGE_LABEL.sub("", before).strip()
        return passage or None, question.strip()
    first, label = _HOLE.search(flat), _PASSAGE_LABEL.match(flat)
    start = label.end() if label else 0
    if first and first.start() == start and (label or int(first[1]) in passage_holes):
        rest = flat[first.end() :]
        if rest.startswith("\n") and rest.strip():
            return first[0], rest.strip()
    return None, flat[start:].strip()


def _without_cues(flat: str) -> str:
    """Without the words at the end that ask to go on (`Answer:`, `Let's think step by step` after them)."""
    for _ in range(3):
        cut = _CUE.sub("", _ANSWER_LINE.sub("", flat.rstrip())).rstrip()
        if cut == flat or not cut:
            break
        flat = cut
    return flat
