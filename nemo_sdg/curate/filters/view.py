"""A sample as the filters see it: its texts by name, and what several filters derive from them, each computed once."""

import functools
import re
from functools import cached_property
from typing import Any

from nemo_sdg.records import Frame, Kind
from nemo_sdg.text.normalize import has_any, tokens
from nemo_sdg.text.sentences import split_at_ends

Finding = tuple[str, str | None]
"""reason, detail"""

WRITTEN = ("question", "choices", "answer", "context", "reasoning")
"""What a model wrote; a passage stands in the data set."""
SOLUTION = ("answer", "context", "reasoning")
ALL = ("question", "passage", "choices", "answer", "tests", "context", "reasoning")

EXCERPT = 80
WORD = re.compile(r"[^\W_]+")
NO_WORD = {code: " " for code in range(128) if not chr(code).isalnum()}
"""What stands between the words of ASCII"""
WHOLE_WORD = re.compile(r"[\w\u064b-\u065f\u0900-\u0963\u0966-\u0dff'-]+")
"""A word with its hyphens, apostrophes and the vowel signs of Arabic and of the scripts of India"""
QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "\u00a0": " ", "\u202f": " "})
OTHER_SIGNS = "".join(map(chr, QUOTES))
ADDRESS = re.compile(r"https?://\S+")
TECHNICAL = frozenset(
    re.findall(
        r"\w+",
        "html xml svg css markdown json yaml toml csv latex jinja mustache regex regexes regexp python java javascript "
        "typescript sql bash unix linux posix git http php rust api utf8 utf unicode ascii sdk print printf stdout "
        "string strings program programming programs code shell terminal template templates markup tag tags "
        "browser webpage webpages parse parser filler",
    )
)
TECHNICAL_PARTS = re.compile(r"c\+\+|regular expression|source code|web page|\bcompil|\btypesett|```|`[^`\n]+`")
TECHNICAL_ELSEWHERE = re.compile("代码|编程|程序|コード|プログラム|코드|프로그램|код|программ|कोड|प्रोग्राम")


def excerpt(text: str, start: int = 0) -> str:
    """A place in a text, with a little of what stands before it, on one line and at most 80 characters long."""
    end = min(len(text), start + EXCERPT)
    start = max(0, min(start, end - 1) - 10) if start else 0
    return " ".join(text[start : max(end, start + 1)][:EXCERPT].split())


@functools.lru_cache(maxsize=32)
def sentences(text: str) -> list[str]:
    """The sentences of a text; a line is never part of two. Several filters ask for them in turn: they share one list,
    which none may change.
    """
    return [part for part in (sentence.strip() for sentence in split_at_ends(text)) if part]


def fold(text: str) -> str:
    """Lower case, plain apostrophes, single spaces: the form in which phrases are looked for."""
    if not text.isascii() and has_any(text, OTHER_SIGNS):
        text = text.translate(QUOTES)
    return " ".join(text.lower().split())


def words_of(folded: str) -> frozenset[str]:
    return frozenset(folded.translate(NO_WORD).split() if folded.isascii() else WORD.findall(folded))


class View:
    """One sample. Raises nothing: `schema` runs first, and what it lets through has the fields that the rest reads."""

    def __init__(self, sample: dict[str, Any]) -> None:
        self.sample = sample
        self._folded: dict[str, str] = {}
        self._tokens: dict[str, list[str]] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._texts: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        self.content: dict[str, frozenset[str]] = {}
        """filled by phrases.content_of"""

    @cached_property
    def kind(self) -> str:
        return str(self.sample["kind"])

    @cached_property
    def language(self) -> str:
        """ISO code without its region."""
        return str(self.sample["language"]).lower().partition("-")[0].partition("_")[0]

    @property
    def question(self) -> str:
        return str(self.sample["question"])

    @property
    def passage(self) -> str:
        return self.sample.get("passage") or ""

    @property
    def context(self) -> str:
        return (self.sample.get("context") or "").strip()

    @property
    def reasoning(self) -> str:
        return (self.sample.get("reasoning") or "").strip()

    @property
    def choices(self) -> list[str]:
        return self.sample.get("choices") or []

    @cached_property
    def answer(self) -> str:
        return (self.sample.get("answer") or {}).get("text") or ""

    @property
    def label(self) -> str:
        return (self.sample.get("answer") or {}).get("label") or ""

    @cached_property
    def accepted(self) -> list[str]:
        """The answer and its aliases."""
        return [self.answer, *((self.sample.get("answer") or {}).get("aliases") or [])]

    @property
    def frame(self) -> str:
        return str(self.sample.get("frame") or "")

    @property
    def is_choice(self) -> bool:
        return self.kind == Kind.multiple_choice

    @property
    def is_classification(self) -> bool:
        return self.frame == Frame.classification

    def texts(self, *names: str) -> list[tuple[str, str]]:
        """(name, text) of the named fields that are there and not empty; lists give their items. The list is shared:
        none may change it.
        """
        found = self._texts.get(names)
        if found is None:
            found = self._texts[names] = [(name, item) for name in names for item in self._items(name) if item]
        return found

    def _items(self, name: str) -> list[Any]:
        value = self.answer if name == "answer" else self.sample.get(name)
        return value if isinstance(value, list) else [value]

    def folded(self, text: str) -> str:
        found = self._folded.get(text)
        if found is None:
            found = self._folded[text] = fold(text)
        return found

    def words(self, text: str) -> frozenset[str]:
        """The words of the folded text."""
        found = self._words.get(text)
        if found is None:
            found = self._words[text] = words_of(self.folded(text))
        return found

    def tokens(self, text: str) -> list[str]:
        found = self._tokens.get(text)
        if found is None:
            found = self._tokens[text] = tokens(text)
        return found

    @cached_property
    def asked(self) -> str:
        """Question, passage and options: what the sample is about. What stands here is a subject, not a slip."""
        return "\n".join((self.question, self.passage, *self.choices))

    @cached_property
    def is_technical(self) -> bool:
        """Whether the sample is about code, markup, or text as text: braces, tags and templates are its subject."""
        if self.kind == Kind.code or self.sample.get("family") == "code":
            return True
        asked = ADDRESS.sub(" ", self.asked) if "://" in self.asked else self.asked
        folded = self.folded(asked)
        return (
            not TECHNICAL.isdisjoint(self.words(asked))
            or TECHNICAL_PARTS.search(folded) is not None
            or (not folded.isascii() and TECHNICAL_ELSEWHERE.search(folded) is not None)
        )

    @cached_property
    def reasoning_sentences(self) -> list[str]:
        return sentences(self.reasoning)


def contains(whole: list[str], part: list[str], *, min_letters: int = 1) -> bool:
    """Whether the tokens of `part` stand in `whole`, in one run."""
    if not part or len(part) > len(whole) or sum(map(len, part)) < min_letters:
        return False
    rare = max(part, key=len)  # the longest word stands there least often
    before, place, size = part.index(rare), -1, len(part)
    for _ in range(whole.count(rare)):
        place = whole.index(rare, place + 1)
        if place >= before and whole[place - before : place - before + size] == part:
            return True
    return False


def is_quoted(text: str, start: int) -> bool:
    """Whether the place stands inside quotation marks, or in code."""
    before = text[max(0, start - 400) : start]
    before = before[before.rfind("\n\n") + 1 :]
    for opening, closing in ("“”", "«»", "「」", "『』", "‘’"):
        if before.rfind(opening) > before.rfind(closing):
            return True
    if before.rfind("„") > max(before.rfind("“"), before.rfind("”")):
        return True
    if before.count('"') % 2 or before.count("`") % 2:
        return True
    opened = [match.start() for match in re.finditer(r"(?:(?<=[\s(:,])|^)'(?=\w)", before)]
    return bool(opened) and not re.search(r"(?<=[\w.!?,])'(?!\w)", before[opened[-1] + 1 :])
