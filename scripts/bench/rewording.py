"""Light edits and rule-made rewordings of evaluation rows, in memory.

A light edit keeps the words: case, punctuation, numbers spelled out, options in another order, a sentence before and
after. A rewording changes them: synonyms, another form of the question, other first names, the question before its
premises.
"""

import random
import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]

ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

BEFORE = [
    "Here is a problem that came up in class today.",
    "Please think about the next one with care.",
    "Let us go on with another exercise.",
]
AFTER = ["Explain how you got there.", "Take your time and check the result.", "Give reasons for what you say."]

SYNONYMS = {
    "buys": "purchases",
    "bought": "purchased",
    "buy": "purchase",
    "kids": "children",
    "big": "large",
    "small": "little",
    "begin": "start",
    "begins": "starts",
    "total": "overall",
    "each": "every",
    "every": "each",
    "largest": "biggest",
    "smallest": "tiniest",
    "fast": "quickly",
    "quickly": "rapidly",
    "gives": "hands",
    "gave": "handed",
    "gets": "receives",
    "got": "received",
    "makes": "produces",
    "make": "produce",
    "made": "produced",
    "needs": "requires",
    "need": "require",
    "needed": "required",
    "wants": "would like",
    "wanted": "wished",
    "help": "assist",
    "helps": "assists",
    "happens": "occurs",
    "happen": "occur",
    "house": "home",
    "store": "shop",
    "shop": "store",
    "dollars": "bucks",
    "earn": "make in income",
    "earns": "makes in income",
    "money": "cash",
    "job": "work",
    "car": "automobile",
    "main": "principal",
    "likely": "probably",
    "causes": "brings about",
    "cause": "bring about",
    "caused": "brought about",
    "using": "with the use of",
    "uses": "makes use of",
    "used": "employed",
    "contains": "holds",
    "contain": "hold",
    "different": "distinct",
    "important": "essential",
    "person": "individual",
    "people": "persons",
    "student": "pupil",
    "students": "pupils",
    "scientist": "researcher",
    "scientists": "researchers",
    "shows": "demonstrates",
    "describes": "characterizes",
    "explains": "accounts for",
    "occurs": "takes place",
    "organisms": "living things",
    "organism": "living thing",
    "amount": "quantity",
    "type": "sort",
    "kind": "sort",
    "called": "named",
    "known": "recognized",
    "common": "widespread",
    "large": "big",
    "often": "frequently",
    "find": "determine",
    "finds": "determines",
    "check": "test",
    "given": "supplied",
    "list": "sequence",
    "array": "sequence",
    "string": "text",
    "numbers": "values",
    "number": "count",
    "element": "item",
    "elements": "items",
    "whether": "if",
    "convert": "turn",
    "remove": "delete",
    "maximum": "greatest",
    "minimum": "least",
    "compute": "calculate",
    "evaluate": "work out",
    "solve": "work out",
    "value": "number",
    "real": "real-valued",
    "equation": "relation",
    "after": "following",
    "before": "ahead of",
    "because": "since",
    "so": "thus",
    "but": "yet",
    "however": "still",
    "started": "began",
    "starts": "begins",
    "went": "traveled",
    "goes": "travels",
    "said": "stated",
    "says": "states",
    "looked": "gazed",
    "told": "informed",
    "asked": "requested",
    "tried": "attempted",
    "trying": "attempting",
    "live": "dwell",
    "lives": "dwells",
    "eat": "consume",
    "eats": "consumes",
    "ate": "consumed",
    "food": "nourishment",
    "grow": "develop",
    "grows": "develops",
    "changes": "alters",
    "change": "alter",
    "increase": "rise",
    "decrease": "drop",
    "produce": "yield",
    "produces": "yields",
    "move": "shift",
    "moves": "shifts",
    "moved": "shifted",
    "place": "spot",
    "day": "24 hours",
    "week": "seven days",
    "friend": "buddy",
    "friends": "buddies",
    "patient": "sick person",
    "physician": "doctor",
    "mother": "mom",
    "father": "dad",
    "finish": "complete",
    "leave": "depart",
    "left": "remaining",
}
NAMES = [
    "James",
    "John",
    "Robert",
    "Michael",
    "David",
    "Mary",
    "Linda",
    "Susan",
    "Karen",
    "Lisa",
    "Tom",
    "Tim",
    "Jack",
    "Joe",
    "Ben",
    "Sam",
    "Anna",
    "Emma",
    "Mia",
    "Carrie",
    "Rosie",
    "Ralph",
    "Blake",
    "Kelly",
    "Jason",
    "Kevin",
    "Amy",
    "Maria",
    "Sarah",
]
NEW_NAMES = ["Pavel", "Ingrid", "Chidi", "Noor", "Mateo", "Yuki", "Leila", "Anders", "Zofia", "Rafael"]
FORMS: list[tuple[str, str]] = [
    (r"\bHow many (\w+)", r"What is the count of \1 that"),
    (r"\bHow much\b", "What amount"),
    (r"\bWhich of (the following|these)\b", "Of the options below, which one"),
    (r"\bWhat is\b", "Tell me what would be"),
    (r"\bWhat are\b", "Name"),
    (r"\bWhy\b", "For what reason"),
    (r"\bWhere\b", "In what location"),
    (r"\bWhen\b", "At which time"),
    (r"\bWho\b", "Which person"),
    (r"\bWrite a (python )?function (to|that)\b", "Implement a routine whose purpose is to"),
    (r"\bFind\b", "Determine"),
    (r"\bWhat (type|kind) of\b", "Which sort of"),
    (r"\bHow long\b", "For what length of time"),
    (r"\bWhat happens\b", "Tell what takes place"),
]


def spell(number: int) -> str:
    """An integer below a million in English."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{ONES[number // 100]} hundred" + (f" and {spell(number % 100)}" if number % 100 else "")
    return f"{spell(number // 1000)} thousand" + (f" {spell(number % 1000)}" if number % 1000 else "")


def _case(row: Row, rng: random.Random) -> Row:
    return {**row, "question": rng.choice([str.upper, str.lower, str.title, str.swapcase])(row["question"])}


def _punctuation(row: Row, rng: random.Random) -> Row:
    text = (
        re.sub(r"[.,;:?!\"“”](?=\s|$)", "", row["question"])
        if rng.random() < 0.5
        else re.sub(r"(?<=[a-z]) (?=[a-z])", ", ", row["question"], count=3)
    )
    return {**row, "question": text.replace("'", "’") + rng.choice(["", " ...", "!", " ?"])}


def _numbers(row: Row, rng: random.Random) -> Row:
    return {
        **row,
        "question": re.sub(
            r"(?<![\w.,{^])\d{1,6}(?![\w.,}^]*\d)(?!\w)", lambda found: spell(int(found[0])), row["question"]
        ),
    }


def _options(row: Row, rng: random.Random) -> Row:
    return {**row, "choices": rng.sample(row["choices"], len(row["choices"])) if row["choices"] else None}


def _sentences(row: Row, rng: random.Random) -> Row:
    return {**row, "question": f"{rng.choice(BEFORE)} {row['question']} {rng.choice(AFTER)}"}


EDITS: dict[str, Callable[[Row, random.Random], Row]] = {
    "case": _case,
    "punctuation": _punctuation,
    "numbers": _numbers,
    "options": _options,
    "sentences": _sentences,
}


def edit(row: Row, rng: random.Random, names: list[str]) -> Row:
    """The row with the named light edits."""
    for name in names:
        row = EDITS[name](row, rng)
    return row


def reword(row: Row, rng: random.Random) -> Row:
    """The row in other words, by all rules that apply; some rules are applied at random."""
    text: str = row["question"]
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z$])", text.strip())
    if len(sentences) > 1:
        text = " ".join([sentences[-1], *sentences[:-1]])
    elif found := re.match(r"(?:If|When|As|After|Because) ([^,]{10,}), (.{10,}?)([.?]?)$", text):
        text = f"{found[2][0].upper()}{found[2][1:]}, considering that {found[1]}{found[3]}"
    for pattern, replacement in FORMS:
        text = re.sub(pattern, replacement, text, count=1, flags=re.IGNORECASE)
    text = re.sub(
        r"[A-Za-z]+", lambda found: SYNONYMS.get(found[0], found[0]) if rng.random() < 0.9 else found[0], text
    )
    names = dict(
        zip(
            (name for name in NAMES if re.search(rf"\b{name}\b", text)),
            rng.sample(NEW_NAMES, len(NEW_NAMES)),
            strict=False,
        )
    )
    text = re.sub(r"\b[A-Z][a-z]+\b", lambda found: names.get(found[0], found[0]), text)
    choices = rng.sample(row["choices"], len(row["choices"])) if row["choices"] else None
    return {**row, "question": text, "choices": choices}
