"""Finds the option that an answer names, by its text, its label, or both.

match_option("Option B: carbon dioxide", ["oxygen", "carbon dioxide"])  ->  "carbon dioxide"
"""

import functools
import re
import unicodedata

from nemo_sdg.generate.parsing.answers.dress import CLOSING, fold, undressed, without_lead
from nemo_sdg.generate.parsing.answers.labels import LETTER, RARE_ALPHABETS, concluded, named_label, positions, visible
from nemo_sdg.generate.parsing.answers.leads import BE, LEAD
from nemo_sdg.records import LABELS
from nemo_sdg.text.boxes import last_boxes
from nemo_sdg.text.normalize import one_spelling

ARTICLE = re.compile(
    r"^(?!(?-i:[A-Z])\s)(?:the|a|o|la|le|el|die|der|das|de|het)\s+(?=[(\[*]*[A-Z][)\]*.]*$)", re.IGNORECASE
)
OPTION_WORD = re.compile(
    rf"^(?:{LEAD})?(?:it(?:'s| is)\s+)?(?:(?:so|thus|hence|therefore),?\s*)?(?:the\s+)?(?:(?:correct|right|best)\s+)*"
    rf"(?:option|choice|answer|letter|opción|opção|opzione|選択肢|选项|보기)(?:{BE}\b)?\s*[::]?\s*(?:option\s+)?(?P<rest>\S.*)$",
    re.IGNORECASE | re.DOTALL,
)
WORD = r"[\w%°$€£+\-−]+"
DENIES = re.compile(
    r"\b(?:not|n't|never|neither|nor|no|except|unlike|rather|instead|without|nicht|kein\w*|pas|ni|non|não|nem|niet|geen|"
    r"не|нет|nie|inte|ikke|değil)\b|n't\b|[不没非無无]",
    re.IGNORECASE,
)
GRANTS = re.compile(
    r"\b(?:also|too|both|either|as well|equally|correct|right|answer|auch|aussi|también|anche|também)\b", re.IGNORECASE
)
"""words by which a sentence says that another option is right too"""
REJECTS = re.compile(
    rf"{DENIES.pattern}|\b(?:wrong|incorrect|false|ruled out|eliminated|falsch|fausses?|incorrectas?)\b", re.IGNORECASE
)
LISTED = r"[,;/&+]\s*[*(]*[A-Z][*)]*(?:\s*$|[.:)]\s)"
"""another label, as in `B, C` and `B. steam, C. ice`"""
ANOTHER_LABEL = re.compile(
    rf"[(\[][A-Z][)\]]|\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer)s?\s+[A-Z]\b|\b(?:and|or)\s+[A-Z]\b|{LISTED}"
)
ALSO = re.compile(r"\b(?:and|or|und|oder|et|ou|y|o|e|и|или|en|as well as|plus)\b|[和或与及、]", re.IGNORECASE)
IT_IS = re.compile(r"^it(?:'s| is)\s+(?P<rest>\S.*)$", re.IGNORECASE | re.DOTALL)
LABELLED = re.compile(
    r"^(?:(?P<open>[(\[{<【「])\s*)?(?P<label>[A-Za-z])(?P<close>\s*[)\]}>】」])?(?P<part>\s*[.:\-–—)]+\s*|\s+|$)?(?P<rest>.*)$",
    re.DOTALL,
)
OTHER_LABELLED = re.compile(
    rf"^[(\[{{【「]?\s*(?P<label>(?![A-Z]){LETTER})\s*['’׳]?\s*[)\]}}】」.:、．-]+\s*(?P<rest>\S.*)$", re.DOTALL
)
"""a label in another script than Latin, with text"""
BEFORE_TEXT = re.compile(
    rf"[(\[{{【「]?\s*(?P<label>(?![A-Z])(?:{LETTER}|[{''.join(RARE_ALPHABETS)}]))[\s'’׳)\]}}】」.:：、．-]*+(?P<rest>\S.*)",
    re.DOTALL,
)
"""the same, perhaps with nothing but a space between: the text must be that of the option"""
IS_RIGHT = re.compile(
    r"^(?P<text>.*\S)\s+(?:is|was)\s+(?:the\s+)?(?:(?:correct|right|best|true)(?:\s+(?:answer|option|choice|one))?|"
    r"(?:answer|right choice))$|^(?P<label>\(?[A-Z]\)?)[,;:.]?\s+(?:because|since)\b.*$",
    re.DOTALL,
)
LABEL_LAST = re.compile(r"^(?P<text>.*\S)\s*[(\[](?P<label>[A-Z])[)\]]$", re.DOTALL)
BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
FORMS = 512
"""texts whose bare forms are remembered: all votes of a question have the same options"""
LATEX_TEXT = re.compile(r"\\(?:text\w*|math(?:rm|bf|sf|it)|mbox)\s*\{([^{}]*)\}")


def match_option(answer: str, options: list[str], *, in_sentence: bool = True) -> str | None:
    """The option that an answer names by its text, by its label in the order shown, or by both if they agree; with
    `in_sentence` also by its text within a sentence.

    The exact text is compared first: an option may be a letter, or differ from another only in case (BB, Bb, bb).
    """
    wanted = answer.strip()
    if len(exact := {option for option in options if option.strip() == wanted}) == 1:
        return exact.pop()
    answer = visible(answer)
    plain = undressed(", ".join(last_boxes(answer)) or answer, quotes=True)
    if "\\" in plain:
        plain = undressed(re.sub(r"\\[ ,;:!]|~", " ", LATEX_TEXT.sub(r"\1", plain)), quotes=True)
    led = undressed(without_lead(plain), quotes=True)
    candidates = [answer, plain, led, ARTICLE.sub("", led)]
    if found := OPTION_WORD.match(led) or OPTION_WORD.match(plain) or IT_IS.match(led):
        candidates.append(undressed(CLOSING.sub("", found["rest"]), quotes=True))
    if found := IS_RIGHT.match(candidates[-1].rstrip(" .!")):
        candidates.append(undressed(found["text"] or found["label"], quotes=True))
    bold = BOLD.findall(answer)
    if len(bold) == 1:
        candidates.append(undressed(bold[0], quotes=True))
    for candidate in dict.fromkeys(candidates):
        for find in (by_text, by_named_label, _by_label):
            if (option := find(candidate, options)) is not None:
                return option
    return _by_name(candidates[-1], options) if in_sentence else None


def _by_name(text: str, options: list[str]) -> str | None:
    """The only option whose text is in a sentence without a negation: `the carbon dioxide of the air`. Sentences that
    begin with a label are not used: their label and text do not agree.
    """
    if (
        DENIES.search(text)
        or ANOTHER_LABEL.search(text)
        or ((found := LABELLED.match(text)) and (found["open"] or found["part"]) and found["rest"])
        or OTHER_LABELLED.match(text)
    ):
        return None
    folded = f" {' '.join(re.findall(WORD, fold(text)))} "
    named = {option: " ".join(re.findall(WORD, fold(option))) for option in options}
    found_in = [option for option, words in named.items() if words and f" {words} " in folded]
    longest = [
        option
        for option in found_in
        if not any(other != option and f" {named[option]} " in f" {named[other]} " for other in found_in)
    ]
    if len(longest) != 1 or len(named[longest[0]]) <= 3:
        return None
    return None if ALSO.search(folded.replace(f" {named[longest[0]]} ", "  ", 1)) else longest[0]


def concluded_option(line: str, options: list[str]) -> str | None:
    """The option that the last sentence of a line concludes with: `so option B is correct`, `Hence, carbon dioxide.`;
    before labels the texts of options are looked for, first as the whole line.
    """
    parts = [visible(line), *concluded(visible(line))]
    said = [option for part in parts if (option := by_text(undressed(part, quotes=True), options)) is not None]
    if not said:
        said = [option for part in parts[1:] if (option := by_named_label(part, options)) is not None]
    return said[0] if said else None


def by_named_label(said: str, options: list[str]) -> str | None:
    """The option whose label is said, perhaps with `option` or `is the right answer`."""
    found = named_label(said)
    if not found or any(
        len(text := option.strip()) == 1 or text.isdigit() or min(named_label(text), default=99) < len(options)
        for option in options
    ):
        return None  # options that look like labels are known by their text
    place = found.pop() if len(found) == 1 else len(options)
    return options[place] if place < len(options) else None


def by_text(text: str, options: list[str]) -> str | None:
    for form in (
        str.strip,
        lambda value: unicodedata.normalize("NFC", value).strip(" .。!"),
        fold,
        lambda value: fold(value).rstrip("!"),
        _dressless,
        _unmarked,
        lambda value: one_spelling(_unmarked(value)),
    ):
        if not (wanted := form(text)):
            return None
        found = list(dict.fromkeys(option for option in options if form(option) == wanted))
        if len(found) == 1:
            return found[0]
        if found:
            return None
    return None


@functools.lru_cache(maxsize=FORMS)
def _dressless(text: str) -> str:
    """The text without what only dresses it: dollars, LaTeX's spaces, quotation marks, separators of thousands, the
    form of dashes and quotes.
    """
    bare = undressed(re.sub(r"\\(?=[$%&#_])", "", text), quotes=True)
    bare = re.sub(r"\\[()\[\]]|\\[,;:! ]|\\[dtc]?(?=frac)|\$(?!\d)|(?<=\S)\$", "", LATEX_TEXT.sub(r"\1", bare))
    bare = re.sub(r"(?<=[\^_])\{(\w)\}", r"\1", re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", bare))
    return re.sub("[“”„«»]", '"', re.sub("[’‘ʼ`´]", "'", re.sub("[−–—‒‐‑]", "-", fold(bare))))


@functools.lru_cache(maxsize=FORMS)
def _unmarked(text: str) -> str:
    """The text without accents."""
    return "".join(char for char in unicodedata.normalize("NFD", _dressless(text)) if not "\u0300" <= char <= "\u036f")


def _by_label(text: str, options: list[str]) -> str | None:
    if not text.isascii() and (found := BEFORE_TEXT.match(text.strip())):
        named = by_text(undressed(found["rest"], quotes=True), options)
        if named is not None and options.index(named) in positions(found["label"]):
            return named
    if not text.isascii() and OTHER_LABELLED.match(text.strip()):
        return None
    text = unicodedata.normalize("NFKC", text).strip()
    text = text.removesuffix("。").removesuffix(".").removesuffix("!").strip()
    if found := LABEL_LAST.match(text):
        named = by_text(undressed(found["text"], quotes=True), options)
        return named if named is not None and _at(found["label"], options) == named else None
    found = LABELLED.match(text)
    if found is None:
        return None
    rest = undressed(found["rest"].strip(), quotes=True)
    if rest.startswith("(") and rest.endswith(")") and by_text(rest, options) is None:
        rest = rest[1:-1]
    bracketed = found["open"] is not None
    if rest and not found["part"] and not bracketed:
        return None  # the first letter of a word
    option = _at(found["label"].upper(), options)
    if option is None or not rest or by_text(rest, options) == option:
        return option
    marked = bracketed or found["close"] or found["part"].strip()
    if not marked:  # `A dog`, `B is not it`
        return option if fold(rest).startswith(fold(option)) and _explains(rest, option, options) else None
    return option if _explains(rest, option, options) else None


def _explains(rest: str, option: str, options: list[str]) -> bool:
    """Whether the text after a label explains that option: its text and more, or a sentence without an option."""
    words, text = re.findall(WORD, fold(rest)), fold(rest)
    if not any(word.isalpha() for word in words):
        return False
    if text.startswith(fold(option)):
        longer = [other for other in options if other != option and text.startswith(fold(other))]
        more = rest[len(option) :]
        return not any(len(other) > len(option) for other in longer) and not (
            text[len(fold(option)) :][:1].isalnum() or re.search(LISTED, more)
        )
    if names_another(rest, option, options):
        return _speaks_of_others(rest, option, options)
    if not rest.isascii() and not re.search("[A-Za-z]", rest) and all(map(str.isascii, options)):
        return True  # in another script than the options, so it is no text of another one
    return len(words) > 3


def _speaks_of_others(rest: str, option: str, options: list[str]) -> bool:
    """Whether the text after a label is a sentence about other options, and not the text of one of them: `Oxygen is
    released`, `Options A, C and D are wrong`; but not `oxygen` or `oxygen, which plants release`.
    """
    if GRANTS.search(rest) or not rest[:1].isupper():
        return False
    if ANOTHER_LABEL.search(rest):
        return REJECTS.search(rest) is not None
    text = " ".join(re.findall(WORD, fold(rest)))
    named = [
        words for other in options if other != option and (words := " ".join(re.findall(WORD, fold(other)))) in text
    ]
    sentence = re.split(r"[,;:.(—–]", rest)[0]
    return len(re.findall(WORD, sentence)) - max(len(words.split()) for words in named) >= 2


def names_another(text: str, option: str, options: list[str]) -> bool:
    """Whether a text names an option other than `option`, by its text or its label."""
    joined = f" {' '.join(re.findall(WORD, fold(text)))} "
    others = [other for other in options if other != option]
    labels = {re.findall("[A-Z]", found[0])[-1] for found in ANOTHER_LABEL.finditer(text)}
    own = {LABELS[options.index(option)]} if option in options else set()
    return bool(labels - own) or any(f" {' '.join(re.findall(WORD, fold(other)))} " in joined for other in others)


def _at(label: str, options: list[str]) -> str | None:
    index = LABELS.index(label)
    return options[index] if index < len(options) else None
