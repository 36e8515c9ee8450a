"""Removes characters that files, tokenizers and terminals cannot hold, and chatter around an answer."""

import re

from nemo_sdg.text.blanks import without_long_blanks

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
OPENING_CHATTER = re.compile(
    r"\A(?:(?:sure|certainly|of course|absolutely|okay|ok|great|alright|gerne|natürlich|claro|"
    r"por supuesto|bien sûr|certo|"
    r"конечно|当然|好的|はい|물론)(?!\w)[^\n]{0,120}[!:.,！：。]\s*\n+|(?:here(?:'s| is| are)|hier ist|"
    r"aquí está|voici|ecco|вот|"
    r"以下是)[^\n]{0,120}[:：]\s*\n+)",
    re.IGNORECASE,
)
CLOSING_CHATTER = re.compile(
    r"\n+\s*[¡¿*_(]*(?:(?:please )?let me know\b|i hope (?:this|that)\b|hope (?:this|that) helps\b|feel free\b|"
    r"if you (?:have|"
    r"need|would like)\b|is there anything else\b|would you like\b|"
    r"lass(?:en sie)? (?:es )?mich wissen|ich hoffe, (?:das|dies)\b|(?:falls|wenn) (?:du|sie) (?:noch |"
    r"weitere )*(?:fragen|hilfe)|"
    r"(?:möchtest du|möchten sie|soll ich)\b|n['’]hésitez? pas|j['’]espère que (?:cela|ça|ceci)|si (?:vous avez|"
    r"tu as) (?:d['’]autres|des)\b|"
    r"(?:souhaitez|voulez)-vous\b|espero que (?:esto|te (?:sirva|ayude)|le (?:sirva|ayude)|isso|isto|ajude)|"
    r"no dudes? en\b|"
    r"si (?:tienes|tiene|necesitas|necesita) (?:más|otra|alguna)|avísame|hazme saber|(?:quieres|te gustaría|desea)\b|"
    r"se (?:tiver|precisar) (?:de )?(?:mais|alguma|outra|dúvidas)|fique à vontade|(?:gostaria|quer) que\b|"
    r"spero che (?:questo|ti|le|sia)|se (?:hai|ha|avete) (?:altre|domande)|fammi sapere|vuoi che\b|"
    r"laat (?:het )?me weten|"
    r"ik hoop dat (?:dit|het)|säg till om|hoppas (?:det|detta)|daj(?:cie)? (?:mi )?znać|mam nadzieję, że (?:to|pomog)|"
    r"надеюсь, (?:это|что)|если (?:у вас|нужн|хотите)|дайте знать|сподіваюся, (?:це|що)|umarım (?:bu|yardımcı)|"
    r"semoga (?:ini )?membantu|hy vọng (?:điều này|câu trả lời)|nếu bạn (?:cần|có|muốn)|आशा है|أتمنى أن|آمل أن|"
    r"希望(?:这|這|以上|对您|对你)|如果(?:您|你)?(?:还|還)?(?:有|需要)|如有(?:任何)?(?:疑问|问题)|需要我|ご不明な点|お役に立て|他に(?:ご)?質問|"
    r"도움이 (?:되|됐)|궁금한 점|더 궁금)[^\n]*\Z",
    re.IGNORECASE,
)
_COUNTS = (
    r"(?:approx\w*\.? |total )?(?:word|character) ?count|words?|wörter|wortzahl|(?:nombre de|número de|numero di) "
    r"(?:mots|"
    r"palabras|palavras|parole)|количество слов|字数|字數|文字数|글자 수"
)
_SURE = r"confidence(?: (?:level|score))?|konfidenz|confiance|confianza|confiança|уверенность|置信度|信心|確信度|신뢰도"
NOTE_LAST = re.compile(
    rf"\n+[ \t]*[*_(\[]{{0,3}}(?:(?:{_COUNTS})[*_]*\s*[:：=][*_]*\s*[~≈]?\d|(?:{_SURE})[*_]*\s*[:：=])[^\n]{{0,120}}\Z|"
    r"\n+[ \t]*[*_]{0,2}\((?:approx\w*\.? |about |~|≈)?\d{1,4} (?:words|wörter|mots|palabras|palavras|parole|слов\w*)\)"
    r"[*_]{0,2}\Z",
    re.IGNORECASE,
)
"""a last line that counts the words of a text or says how sure its writer is"""
RULE_LAST = re.compile(r"\n[ \t]*(?:-{3,}|\*{3,}|_{3,}|={3,})\Z")


def clean(text: str) -> str:
    """Text that JSON, a tokenizer and a terminal can hold: no lone surrogates, NULs or other controls; newlines are
    \\n. Of a long run of white space, which some models end in, the beginning is kept.
    """
    text = without_long_blanks(text)
    if text.replace("\n", "").isprintable():  # most texts: no control, no surrogate, no \r
        return text.strip()
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode("utf-8")
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


SPECIAL = re.compile(
    r"(?:<\|im_start\|>|<\|start_header_id\|>|<\|start\|>|<start_of_turn>)\s*(?:assistant|model)?\s*(?:<\|"
    r"end_header_id\|>)?\s*|"
    r"<\|[a-z_]{2,24}\|>|<｜[^<>｜]{2,24}｜>|<(?:eos|bos|end_of_turn|pad)>",
    re.IGNORECASE,
)
ENDS_OF_SEQUENCE = re.compile(r"(<s>(?:(?!</?s>).)*</s>)|</?s>", re.IGNORECASE | re.DOTALL)
"""a pair within a text is HTML's element for struck-out text; a single one is a token"""
STRUCK_OUT = re.compile(r"(?<!~)~~(?!~)[^~\n]{1,200}(?<!~)~~(?!~)\s*")


def without_marks(text: str) -> str:
    """The text without special tokens of a chat template and without text that was struck out."""
    if "<" in text:
        text = SPECIAL.sub("", text).strip()
        pair = ENDS_OF_SEQUENCE.fullmatch(text)
        text = (
            text[len("<s>") : -len("</s>")]
            if pair and pair.group(1)
            else ENDS_OF_SEQUENCE.sub(lambda found: found.group(1) or "", text)
        )
    return STRUCK_OUT.sub("", text).strip() if "~~" in text else text.strip()


def without_chatter(text: str) -> str:
    """The text without phrases such as `Sure! Here is the solution:` and `Let me know if you need more!`."""
    text = text.strip()
    while True:
        opening = OPENING_CHATTER.match(text)
        shorter = text if opening is None else text[opening.end() :]
        if "\n" in shorter:
            shorter = RULE_LAST.sub("", NOTE_LAST.sub("", CLOSING_CHATTER.sub("", shorter)))
        if (shorter := shorter.strip()) == text:
            return text
        text = shorter


PAIR = re.compile(
    r"<(?P<name>p|div|span|b|strong|em|i|u|center|font|"
    r"h[1-6])(?:\s[^<>]*)?>(?P<text>(?:(?!<(?P=name)[\s>]).)*?)</(?P=name)>",
    re.DOTALL | re.IGNORECASE,
)
DEEPEST = 8
"""maximum number of HTML's tags inside each other that are read"""
LINE_END = re.compile(r"(?<=[^\s`>])<br\s*/?>[ \t]*(?=\n|\Z)|(?<=[^\s`])<br\s*/?>(?=[^\s`])", re.IGNORECASE)
LABEL_IN_TAG = re.compile(
    r"<(?:b|strong|em|i|u|h[1-6])(?:\s[^<>]*)?>[^<>\n]{2,40}[:：]?\s*</[^<>]+>\s*[:：]?", re.IGNORECASE
)


def without_html(text: str, *, strictly: bool) -> str:
    """The text with Markdown in place of HTML's tags around parts of it. With `strictly` only in a reply that
    begins with <p> or with a label in a tag: an answer may be HTML itself.
    """
    if "<" not in text or "`" in text or (strictly and not LABEL_IN_TAG.match(text) and not text.startswith("<p>")):
        return LINE_END.sub("\n", text) if "<br" in text and "`" not in text else text
    for _ in range(DEEPEST):
        text = PAIR.sub(_as_markdown, text)
    return LINE_END.sub("\n", text).strip()


def _as_markdown(pair: re.Match[str]) -> str:
    match pair["name"].casefold():
        case "b" | "strong" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
            return f"**{pair['text'].strip()}**"
        case "p" | "div" | "center":
            return f"\n{pair['text']}\n"
    return pair["text"]
