"""Filters of what a model says about itself, its task and its user instead of the matter, and of advertising.

Words that the question or the passage holds too, and words between quotation marks, are spoken of and not said.
"""

import functools
import itertools
import re

from nemo_sdg.curate.filters.phrases import find_phrases, may_hold, phrases, spoken
from nemo_sdg.curate.filters.view import SOLUTION, Finding, View, contains, excerpt, is_quoted
from nemo_sdg.records import Kind

COMPOSED = re.compile(
    r"\b(?:compose|draft|reply|letter|e-?mail|dialogue|message|note|story|poem|translat\w+|invitation|speech|"
    r"schreib\w*|verfass\w*|brief|übersetz\w*|écri\w*|rédige\w*|lettre|tradui\w*|escrib\w*|redact\w*|carta|traduc\w*|"
    r"scriv\w*|lettera|traduci|escrev\w*|traduz\w*|schrijf|vertaal\w*|napisz|przetłum\w*|napiš\w*|přelož\w*|mektup|çevir\w*|"
    r"viết (?:một|lại|cho|bức|lá|thư|đoạn|tin)|(?:bức|lá) thư|dịch (?:câu|đoạn|sang|từ|văn|sau)|"
    r"tulis\w*|surat|terjemah\w*|skriv|brev|översätt)\b"
    r"|напиш|письм|перевед|лист|переклад|写|信|翻译|書|手紙|訳|쓰|써|편지|번역|اكتب|رسالة|ترجم|लिख|पत्र|अनुवाद",
    re.IGNORECASE,
)
"""A text is asked for in which somebody may decline, or a translation of such"""


def refusal(view: View) -> Finding | None:
    """`As an AI, …`, `I'm sorry, but I cannot …`, in a solution or where a question begins. A character of a story may
    refuse, in quotation marks, and so may a letter that is asked for.
    """
    shown = _shows_model(view)
    found = None if shown else spoken(view, "as_model", *SOLUTION)
    if found is None:
        found = spoken(view, "refusal", *(("answer",) if shown else SOLUTION), opening=True)
        if found is not None and COMPOSED.search(view.question):
            found = spoken(view, "refusal", "context", "reasoning", opening=True, beside_answer=True)
    if found is None:
        opened = find_phrases(view.folded(view.question), phrases("refusal", view.language))
        found = f"question: {excerpt(view.question)}" if any(start == 0 for start, _ in opened) else None
    return ("refusal", found) if found else None


def _shows_model(view: View) -> bool:
    """Whether the question or its passage holds words of a model about itself: its solution may speak of them."""
    return bool(find_phrases(view.folded(view.asked), phrases("as_model", view.language), view.words(view.asked)))


YES_OR_NO = re.compile(
    r"\b(?:answer|reply|say|respond)(?: with| by)? (?:only )?['\"“]?(?:yes or no|true or false)", re.IGNORECASE
)


def dodge(view: View, *, max_sentences: int = 2) -> Finding | None:
    """Reasoning that gives up (`it cannot be determined`) where the answer does not, and the other way round.

    Counts only in a last sentence that does not name the answer, or in reasoning of at most `max_sentences`; never
    where the question or an option speaks of what cannot be known.
    """
    if view.kind == Kind.code or not view.reasoning:
        return None
    wanted = phrases("dodge", view.language)
    said = view.reasoning_sentences
    reasoning = view.folded(view.reasoning if len(said) <= max_sentences else said[-1]) if said else ""
    gives_up = next((start for start, _ in find_phrases(reasoning, wanted) if not is_quoted(reasoning, start)), None)
    answer = view.folded(view.answer)
    answer_gives_up = len(answer.split()) <= 12 and any(start < 40 for start, _ in find_phrases(answer, wanted))
    if (gives_up is None and not answer_gives_up) or find_phrases(view.folded(view.asked), wanted):
        return None
    if gives_up is not None and not answer_gives_up and not _says_answer(view, said[-1]):
        return "reasoning_gives_up", excerpt(reasoning, gives_up)
    if answer_gives_up and (gives_up is None or YES_OR_NO.search(view.question)):
        return "answer_gives_up", excerpt(view.answer)
    return None


def _says_answer(view: View, sentence: str) -> bool:
    """Whether a sentence says the answer, in its words or in its letters but for a space and the ending."""
    if contains(view.tokens(sentence), view.tokens(view.answer)):
        return True
    said, answer = ("".join(filter(str.isalnum, view.folded(text))) for text in (sentence, view.answer))
    ending = 0 if len(answer) < LONG_ENOUGH else 1 if len(answer) < 2 * LONG_ENOUGH else 2
    return len(answer) >= LONG_ENOUGH and answer[: len(answer) - ending] in said


LONG_ENOUGH = 6
"""Letters of an answer that may have another ending where it is said"""


def assistant_chatter(view: View) -> Finding | None:
    """Talk to a user around the content: `Sure! Here is …`, `I hope this helps`, `Let me know if …`."""
    found = spoken(view, "chatter", *SOLUTION)
    if found is None and view.question.count("\n") == 0:  # the lines of a dialogue may say what they like
        found = spoken(view, "chatter", "question")
    if found:
        return "assistant_chatter", found
    openings = _openings(view.language)
    for name, text in view.texts("question", *SOLUTION):
        if view.folded(text).lstrip(" *#>\"'¡").startswith(openings):
            return "assistant_chatter", f"{name}: {excerpt(text)}"
    return None


@functools.cache
def _openings(language: str) -> tuple[str, ...]:
    return tuple({opening.lstrip("¡") for opening in phrases("opening", language)})


def self_doubt(view: View, *, max_times: int = 3, words_each: int = 25) -> Finding | None:
    """Reasoning that turns round on itself: more than `max_times` clauses that begin with `wait`, `hmm`, `let me
    recalculate`, and one in `words_each` words or oftener. One slip that is noticed and put right is fine.
    """
    if not view.reasoning:
        return None
    folded, wanted = view.folded(view.reasoning), phrases("doubt", view.language)
    clauses = CLAUSE.split(folded) if may_hold(folded, wanted, view.words(view.reasoning)) else []
    times = sum(_begins(clause.lstrip(), wanted) for clause in clauses if clause)
    if times > max_times and times * words_each >= len(view.tokens(view.reasoning)):
        return "self_doubt", f"{times} clauses of doubt"
    if view.kind == Kind.free_text or "?" in view.answer:
        return None
    questions = len(ASKED_OF_ONESELF.findall(view.reasoning)) if ASKED.search(view.reasoning) else 0
    if questions < 3 or 3 * questions < len(view.reasoning_sentences):
        return None
    if HESITATION.search(view.reasoning) or (questions > 3 and not _goes_through_cases(view)):
        return "self_doubt", f"{questions} questions to oneself"
    return None


def _goes_through_cases(view: View) -> bool:
    """Whether each question of a reasoning is followed by what answers it, and the first by no answer already given."""
    said = view.reasoning_sentences
    asked = [ASKED.search(sentence[-2:]) is not None for sentence in said]
    if asked[-1] or True not in asked or any(one and other for one, other in itertools.pairwise(asked)):
        return False
    return not any(_says_answer(view, sentence) for sentence in said[: asked.index(True)])


ASKED = re.compile(r"[?？؟]")
ASKED_OF_ONESELF = re.compile(r"[^\s\"”»」』)][?？؟;](?=\s|$|[^\x00-\u02ff])(?<!;)")
HESITATION = re.compile(
    r"\b(?:hmm+|hm|uhm|ähm|öhm|euh|um)\b|\w(?:…|\.{3})(?=\s|$)|хм+|嗯|うーん|えっと|음…|흠", re.IGNORECASE
)

CLAUSE = re.compile(r"[.!?…,;:。！？，、；؟،।]+|\s[-–—]\s|\b(?:but|so|aber|also|pero|mais|но|але) ")


def _begins(clause: str, wanted: tuple[str, ...]) -> bool:
    return clause.startswith(wanted) and any(
        clause.startswith(phrase)
        and (len(clause) == len(phrase) or not clause[len(phrase)].isascii() or not clause[len(phrase)].isalnum())
        for phrase in wanted
    )


URL = re.compile(r"https?://([\w.-]+)|\bwww\.([\w.-]+)", re.IGNORECASE)


LURE = re.compile(
    r"\b(?:visit|click|go to|check (?:out|us)|see more (?:at|on)|more (?:at|on|info)|besuchen|klick\w*|visite[zr]?|"
    r"cliquez|haz clic|clicca|clique|bezoek|klik|odwiedź|kliknij|переходи\w*|перейди\w*|заходи\w*|tıkla\w*|kunjungi|"
    r"truy cập|访问|点击)[^.!?\n]{0,30}(?:https?://|www\.)|(?:https?://|www\.)\S+[^.?\n]{0,30}\b(?:prizes?|free|win|gratis|discount|now)\b",
    re.IGNORECASE,
)
"""An invitation to a web site"""


SPAM = re.compile(
    r"\b(?:spam|ham|phish\w*|scams?|smishing|fraud\w*|betrug\w*|betrügerisch\w*|werbung|advert\w*|junk|hameçonnage|"
    r"pourriel|arnaque|publicité|estafa|publicidad|truffa|pubblicità|golpe|oszustwo|reklam\w*|dolandırıcılık|penipuan|"
    r"lừa đảo)\b|спам|фишинг|мошенн|реклам|垃圾|诈骗|詐騙|钓鱼|广告|迷惑|詐欺|広告"
    r"|스팸|사기|피싱|광고|احتيال|إعلان|स्पैम",
    re.IGNORECASE,
)


def _judges_spam(view: View) -> bool:
    """Whether a message is to be judged: an option or the first or last line of the question names spam or fraud."""
    lines = [line for line in view.question.split("\n") if line.strip()]
    return any(map(SPAM.search, (*view.choices, lines[0], lines[-1])))


def advertising(view: View) -> Finding | None:
    """`Visit our …`, `20% off with code …`, and addresses of web sites in the solution, unless the question speaks of
    such, too, or shows a message to be judged as spam.
    """
    found = spoken(view, "spam", *SOLUTION)
    if found:
        return "advertising", found
    address = _bare_address(view)
    if address is not None:
        return "advertising", f"question: {excerpt(view.question, address)}"
    for name, text in view.texts("context", "reasoning"):
        offer = OFFER.search(text) if DOT_WITHIN.search(text) and LOUD.search(text) else None
        if (
            offer
            and not view.is_technical
            and not is_quoted(text, offer.start())
            and not _is_about_sites(view, view.asked)
        ):
            return "advertising", f"{name}: {excerpt(text, offer.start())}"
    for name, text in view.texts(*SOLUTION):
        if "://" not in text and "www." not in view.folded(text):
            continue
        if view.is_technical or URL.search(view.asked):
            return None
        for match in URL.finditer(text):
            host = (match.group(1) or match.group(2)).lower()
            if not PUBLIC_HOST.search(host) and not is_quoted(text, match.start()):
                return "advertising", f"{name}: {excerpt(text, match.start())}"
    return None


SITE = r"(?<![\w.@-])(?:www\.)?[a-z0-9][a-z0-9-]{2,}(?:\.[a-z0-9-]{2,})*"
DOMAIN = r"(?:com|net|org|info|biz|shop|store|online|site|club|app|example)"
OFFER = re.compile(
    rf"(?:{SITE}\.{DOMAIN}"
    rf"|(?:www\.{SITE}|[a-z0-9]+-[a-z0-9-]+|[a-z0-9-]+\.co)\.[a-z]{{2}})(?![\w.]*\w)[^\n]{{0,100}}?(?:\d ?[%٪]|[!！])"
    rf"|(?:\d ?[%٪]|[!！])[^\n]{{0,60}}?{SITE}\.{DOMAIN}(?![\w.]*\w)",
    re.IGNORECASE,
)
"""The address of a site beside a discount or an exclamation"""
DOT_WITHIN, LOUD = re.compile(r"\.[a-z]{2}", re.IGNORECASE), re.compile(r"[%٪!！]")
"""Without both a text holds no OFFER"""


def _bare_address(view: View) -> int | None:
    """Where a question names a web site though it asks neither about sites nor what one says."""
    question = view.question
    if "://" not in question and "www." not in question:
        return None
    match = next((one for one in URL.finditer(question) if not is_quoted(question, one.start())), None)
    if match is None or view.is_technical or _judges_spam(view):
        return None
    host = (match.group(1) or match.group(2)).lower()
    lured = LURE.search(question) is not None
    return (
        match.start()
        if lured or not (PUBLIC_HOST.search(host) or _is_about_sites(view, URL.sub(" ", question)))
        else None
    )


def _is_about_sites(view: View, asked: str) -> bool:
    found = ABOUT_SITES.finditer(asked)  # `Quelle` is a source in German alone
    return any(match.group().lower() != "quelle" or view.language == "de" for match in found)


ABOUT_SITES = re.compile(
    r"\b(?:url|uri|links?|hyperlinks?|domains?|domeinen?|dominio|domínio|domaine|domän\w*|web ?sites?|sites?|"
    r"web|internet|"
    r"online|seite|webseite|adresse|address|source|quelle|fuente|fonte|article|artikel|articolo|artículo|artigo|"
    r"protocol\w*|protokoll|host\w*|server|blog|wikipedia|image|picture|figure|graph|page|página|pagina|sitio|sito|strona|"
    r"stránk\w*|sayfa\w*|laman|situs|trang|tovuti|sida|side)\b|сайт|ссылк|адрес|посилан|страниц|сторінк|домен|"
    r"موقع|رابط|صفحة|वेबसाइट|लिंक|网址|网站|网页|链接|域名|サイト|リンク|ページ|アドレス|사이트|링크|주소|페이지",
    re.IGNORECASE,
)
"""Of questions that a web address belongs to"""

PUBLIC_HOST = re.compile(r"\.(?:gov|edu|int|mil)(?:\.\w\w)?$")
"""Sites that a text may give as its source"""
