"""Hand-written difficult replies: (sample, completion, whether it is right, finish reason), by kind of answer."""

import json
from collections.abc import Callable
from typing import Any

Case = tuple[dict[str, Any], "str | Callable[[list[str]], str]", bool, str]


def reply(answer: Any, reasoning: str = "Each part is looked at in turn.") -> str:
    return json.dumps(
        {"context": "What one should know.", "reasoning": reasoning, "answer": answer}, ensure_ascii=False
    )


def label(shown: list[str], text: str) -> str:
    return "ABCDEFGHIJ"[shown.index(text)]


GENES = {"question": "Which genotype is homozygous recessive?", "choices": ["BB", "Bb", "bb"], "gold": "bb"}
VITAMIN = {"question": "Which vitamin does sunlight give?", "choices": ["A", "B", "C", "D"], "gold": "D"}
GASES = {
    "question": "What do plants take in?",
    "choices": ["oxygen", "carbon dioxide", "nitrogen", "helium"],
    "gold": "carbon dioxide",
}
POWERS = {"question": "Which is x times x?", "choices": ["x2", "x²", "2x", "x"], "gold": "x²"}
NUMBERS = {"question": "How many sides has a hexagon?", "choices": ["5", "6", "7", "8"], "gold": "6"}
SIGNS = {"question": "What is 3 - 5?", "choices": ["2", "-2", "+8", "-8"], "gold": "-2"}
INSIDE = {
    "question": "Who wrote it?",
    "choices": ["Not the king", "The king", "The king and the queen", "Nobody"],
    "gold": "The king",
}
JAPANESE = {
    "question": "日本の首都は？",
    "choices": ["大阪", "東京", "京都", "名古屋", "札幌"],
    "gold": "東京",
    "language": "ja",
}
GERMAN = {
    "question": "Was ist größer?",
    "choices": ["die Maus", "der Elefant"],
    "gold": "der Elefant",
    "language": "de",
}
SENTENCES = {"question": "Why?", "choices": ["A dog barked.", "A cat slept.", "It rained."], "gold": "A dog barked."}

MULTIPLE_CHOICE: list[Case] = [
    (GENES, reply("bb"), True, "stop"),
    (GENES, reply("Bb"), False, "stop"),
    (GENES, reply("BB"), False, "stop"),
    (VITAMIN, reply("D"), True, "stop"),
    (VITAMIN, reply("C"), False, "stop"),
    (VITAMIN, lambda shown: reply(f"Option {label(shown, 'D')}: D"), True, "stop"),
    (
        GASES,
        lambda shown: (
            f"<think>{reply('oxygen')}</think>Therefore the answer is ({label(shown, 'carbon dioxide')}).\n"
            + reply("carbon dioxide")
        ),
        True,
        "stop",
    ),
    (
        GASES,
        lambda shown: reply("carbon dioxide") + "\nOn second thought:\n" + reply(label(shown, "oxygen")),
        False,
        "stop",
    ),
    (GASES, lambda shown: reply(f"{label(shown, 'oxygen')}. carbon dioxide"), False, "stop"),
    (GASES, reply("carbon monoxide"), False, "stop"),
    (GASES, reply("carbon"), False, "stop"),
    (GASES, reply("oxygen", reasoning="Without doubt the answer is carbon dioxide."), False, "stop"),
    (GASES, lambda shown: reply(f"{label(shown, 'carbon dioxide')} or {label(shown, 'helium')}"), False, "stop"),
    (GASES, lambda shown: reply(f"It is not {label(shown, 'carbon dioxide')}"), False, "stop"),
    (GASES, reply("carbon dioxide")[:-2], False, "length"),
    (GASES, reply(""), False, "stop"),
    (GASES, reply("The best answer is carbon dioxide!"), True, "stop"),
    (GASES, lambda shown: reply(f"$\\boxed{{\\textbf{{({label(shown, 'carbon dioxide')})}}}}$"), True, "stop"),
    (POWERS, reply("x²"), True, "stop"),
    (POWERS, reply("x2"), False, "stop"),
    (NUMBERS, reply(6), True, "stop"),
    (NUMBERS, reply("2"), False, "stop"),
    (NUMBERS, lambda shown: reply(label(shown, "6")), True, "stop"),
    (SIGNS, reply("-2"), True, "stop"),
    (SIGNS, reply("2"), False, "stop"),
    (INSIDE, reply("The king"), True, "stop"),
    (INSIDE, reply("not the king"), False, "stop"),
    (INSIDE, reply("The king and the queen"), False, "stop"),
    (JAPANESE, lambda shown: reply(f"答えは（{label(shown, '東京')}）です。"), True, "stop"),
    (JAPANESE, lambda shown: reply(f"{chr(ord(label(shown, '東京')) + 0xFEE0)}：東京"), True, "stop"),
    (JAPANESE, reply("京都。"), False, "stop"),
    (GERMAN, lambda shown: reply(f"Die richtige Antwort ist {label(shown, 'der Elefant')}."), True, "stop"),
    (GERMAN, reply("Antwort: der Elefant"), True, "stop"),
    (SENTENCES, reply("a dog barked"), True, "stop"),
    (SENTENCES, reply("A cat slept"), False, "stop"),
]

MONEY = {"question": "How many dollars does he pay?", "gold": "1234.5"}
WHOLE = {"question": "How many are left?", "gold": "18"}
BIG = {"question": "How many people live there?", "gold": "1234567"}
SHARE = {"question": "What percentage of the class is absent?", "gold": "50"}
HALF = {"question": "What is the probability of heads?", "gold": "\\frac{1}{2}"}
NEGATIVE = {"question": "What is the temperature?", "gold": "-7"}
ROOT = {"question": "Simplify.", "gold": "2\\sqrt{3}"}
POINT = {"question": "Where do the lines meet?", "gold": "(1,-2)"}
INTERVAL = {"question": "For which x?", "gold": "[2,5)"}
POLYNOMIAL = {"question": "Expand.", "gold": "x^2+2x+1"}
COMMA = {"question": "Wie viele Kilogramm sind es?", "gold": "1234,5", "language": "de"}
THOUSAND = {"question": "Wie viele sind es?", "gold": "1234", "language": "de"}
INFINITE = {"question": "What is the limit?", "gold": "\\infty"}
THIRD = {"question": "What part is it?", "gold": "1/3"}

NUMERIC: list[Case] = [
    *[
        (MONEY, reply(text), True, "stop")
        for text in ("1,234.50", "$1{,}234.5", "$1,234.50 in total", "\\$1234.5", "2469/2", "1234 1/2", "1.2345e3",
        "1.2345 \\times 10^3", "USD 1,234.50")
    ],
    *[(MONEY, reply(text), False, "stop") for text in ("1,234", "12345", "1234.05", "1,234.50 or 1,234",
    "$1,234.50 million", "$1.234.5", "1235")],
    *[
        (WHOLE, reply(text), True, "stop")
        for text in (
            18, 18.0, "18 apples", "eighteen", "Eighteen apples", "１８個", "= 18", "4 + 14 = 18", "There are 18 left.",
            "18 (eighteen)", "x=18", "36/2", "\\frac{36}{2}",
            "\\mathbf{18}", "**18 apples**", "18.", "+18", "\\boxed{18\\text{ apples}}", "1.8e1", "018", "18,0",
            "18 of them", "\\text{18}", "$18$ apples", "\\fbox{18}",
        )
        if text != "18,0"
    ],
    *[
        (WHOLE, reply(text), False, "stop")
        for text in (
            "18 or 19", "18-19", "-18", "180", "1.8", "18 dozen", "18%", "18 thousand", "18k", "18!", "18^2", "18x",
            "\\sqrt{18}", "less than 18", "18:1", "18/2", "not 18",
            "18, 19", "twice 18", "eighty", "1 8", "18 + 1", "18 = 19", "half of 18", "\\boxed{19}", "0x18", "18e1",
            "18 and a half", "a", "", "nan", "18 million",
        )
    ],
    (WHOLE, "We have 20, take 2 away.\n\nThe answer is \\boxed{19}.", False, "stop"),
    (WHOLE, '{"context": "c", "reasoning": "r", "answer": 18', False, "length"),
    (WHOLE, '{"context": "Sums.", "reasoning": "20 - 2 = 18.", "answer": 18}', True, "stop"),
    (WHOLE, reply(["18"]), True, "stop"),
    (WHOLE, reply(["18", "19"]), False, "stop"),
    *[(BIG, reply(text), True, "stop") for text in ("1,234,567", "1 234 567", "1'234'567", "12,34,567",
    "1.234567 million", "1,234,567 people", "1\\,234\\,567")],
    *[(BIG, reply(text), False, "stop") for text in ("1,234,576", "1.234567", "1234", "1,234", "1,234,567 thousand")],
    *[(SHARE, reply(text), True, "stop") for text in ("50%", "50 percent", "50", "50\\%", "fifty percent",
    "1/2 of the class, 50%")[:5]],
    *[(SHARE, reply(text), False, "stop") for text in ("0.5%", "5%", "150%", "50 or 60 percent")],
    *[(HALF, reply(text), True, "stop") for text in ("0.5", "1/2", "50%", ".5", "\\dfrac12", "2/4", "½",
    "\\tfrac{1}{2}", "\\frac12", "1 / 2", "2^{-1}")],
    *[(HALF, reply(text), False, "stop") for text in ("50", "2", "1:2", "0.05", "1/2%", "\\frac{2}{1}", "1/2 or 1/3",
    "1 1/2")],
    *[(NEGATIVE, reply(text), True, "stop") for text in ("−7", "-7°C", "-7 degrees", "minus 7", "-7^\\circ\\text{C}",
    "-7.0", "－７", "negative 7")],
    *[(NEGATIVE, reply(text), False, "stop") for text in ("7", "7 below", "--7", "+7", "-70")[:1]],
    *[(ROOT, reply(text), True, "stop") for text in ("2\\sqrt3", "\\sqrt{12}", "$2\\sqrt{3}$", "2*sqrt(3)",
    "\\boxed{2 \\sqrt{3}}")],
    *[(ROOT, reply(text), False, "stop") for text in ("3\\sqrt{2}", "2\\sqrt{2}", "3.46", "\\sqrt{3}", "2\\cdot3")],
    *[(POINT, reply(text), True, "stop") for text in ("(1, -2)", "\\left(1,-2\\right)", "$(1,-2)$", "( 1 , −2 )",
    "(x, y) = (1, -2)")],
    *[(POINT, reply(text), False, "stop") for text in ("(-2,1)", "(1,2)", "1,-2,3", "(1,-2,0)")],
    *[(INTERVAL, reply(text), False, "stop") for text in ("(2,5)", "[2,5]", "(2,5]", "[5,2)")],
    (INTERVAL, reply("[2, 5)"), True, "stop"),
    *[(POLYNOMIAL, reply(text), True, "stop") for text in ("(x+1)^2", "1+2x+x^2", "x^{2} + 2x + 1", "x^2 + 2*x + 1")],
    *[(POLYNOMIAL, reply(text), False, "stop") for text in ("x^2+2x", "(x+1)^3", "x^2-2x+1", "y^2+2y+1")],
    *[(COMMA, reply(text), True, "stop") for text in ("1234,5", "1.234,5", "1.234,50 kg", "1234,5 Kilogramm",
    "1 234,5")],
    *[(COMMA, reply(text), False, "stop") for text in ("12345", "1.234", "1,2345")],
    *[(THOUSAND, reply(text), True, "stop") for text in ("1.234", "1234", "1 234", "1.234 Menschen")],
    *[(THOUSAND, reply(text), False, "stop") for text in ("1,234", "12,34", "123")],
    (INFINITE, reply("∞"), True, "stop"),
    (INFINITE, reply("-\\infty"), False, "stop"),
    *[(THIRD, reply(text), True, "stop") for text in ("\\frac{1}{3}", "2/6", "⅓", "one third")],
    *[(THIRD, reply(text), False, "stop") for text in ("0.3", "3", "1/30", "0.33")],
]  # fmt: skip

TOWER = {"question": "Which tower stands in Paris?", "gold": "Eiffel Tower", "aliases": ["La tour Eiffel"]}
LANGUAGE = {"question": "In which language is Linux mostly written?", "gold": "C"}
YEARS = {"question": "When was the First World War?", "gold": "1914-1918"}
SINGER = {"question": "Who sings Halo?", "gold": "Beyoncé", "aliases": ["Beyoncé Knowles"]}
STATES = {"question": "Which country?", "gold": "the United States", "aliases": ["USA", "United States of America"]}
COUNT = {"question": "How many moons has Mars?", "gold": "two", "aliases": ["2"]}
DATE = {"question": "When did man land on the Moon?", "gold": "July 20, 1969", "aliases": ["20 July 1969"]}
TOKYO = {"question": "日本の首都は？", "gold": "東京", "language": "ja"}
ANSWERED = {"question": "What is the title of the song?", "gold": "The Answer Is You"}

SHORT_TEXT: list[Case] = [
    *[
        (TOWER, reply(text), True, "stop")
        for text in (
            "the Eiffel Tower",
            "EIFFEL TOWER.",
            "“Eiffel Tower”",
            "la tour Eiffel",
            "Ｅｉｆｆｅｌ　Ｔｏｗｅｒ",
            "The answer is: the Eiffel Tower.",
            "**Eiffel Tower**",
            "*Eiffel Tower*",
            "Eiffel\u00a0Tower",
        )
    ],
    *[
        (TOWER, reply(text), False, "stop")
        for text in ("Tower", "Eiffel", "not the Eiffel Tower", "Eiffel Tower or Louvre", "Eifel Mountains", "", "N/A")
    ],
    (LANGUAGE, reply("C"), True, "stop"),
    (LANGUAGE, reply("The answer is C."), True, "stop"),
    (LANGUAGE, reply("C++"), False, "stop"),
    (LANGUAGE, reply("C#"), False, "stop"),
    (YEARS, reply("1914–1918"), True, "stop"),
    (YEARS, reply("1914 - 1918"), True, "stop"),
    (YEARS, reply("1914-1919"), False, "stop"),
    (YEARS, reply("1914"), False, "stop"),
    (SINGER, reply("Beyonce"), True, "stop"),
    (SINGER, reply("Beyonce\u0301"), True, "stop"),
    (SINGER, reply("Rihanna"), False, "stop"),
    (STATES, reply("U.S.A."), True, "stop"),
    (STATES, reply("United States"), True, "stop"),
    (STATES, reply("United Kingdom"), False, "stop"),
    (COUNT, reply("2"), True, "stop"),
    (COUNT, reply("Two."), True, "stop"),
    (COUNT, reply("twenty"), False, "stop"),
    (COUNT, reply("two or three"), False, "stop"),
    (DATE, reply("20 July 1969"), True, "stop"),
    (DATE, reply("July 20 1969"), True, "stop"),
    (DATE, reply("July 21, 1969"), False, "stop"),
    (TOKYO, reply("東京。"), True, "stop"),
    (TOKYO, reply("答えは東京です。"), True, "stop"),
    (TOKYO, reply("東京都ではない"), False, "stop"),
    (ANSWERED, reply("The Answer Is You"), True, "stop"),
    (ANSWERED, reply("The Answer Is Me"), False, "stop"),
]

DOUBLE = {
    "question": "Write double(x).",
    "gold": "def double(x):\n    return 2 * x",
    "tests": ["assert double(1) == 2", "assert double(-3) == -6", "assert double('ab') == 'abab'"],
}
UNIQUE = {
    "question": "Write unique(xs).",
    "gold": "def unique(xs):\n    return sorted(set(xs))",
    "tests": ["assert unique([2, 1, 2]) == [1, 2]", "assert set(unique([3])) == set([3])", "assert unique([]) == []"],
}
RIGHT = "def double(x):\n    return x + x"

CODE: list[Case] = [
    (DOUBLE, reply(RIGHT), True, "stop"),
    (DOUBLE, f"Here you go.\n\n```json\n{reply(RIGHT)}\n```", True, "stop"),
    (DOUBLE, reply(f"```py\n{RIGHT}\n```"), True, "stop"),
    (DOUBLE, reply(f"~~~python\n{RIGHT}\n~~~"), True, "stop"),
    (
        DOUBLE,
        reply(f"The function doubles its input:\n```python\n{RIGHT}\n```\nFor example `double(1)` is 2."),
        True,
        "stop",
    ),
    (DOUBLE, reply(f"```python\n{RIGHT}\n```\nUse it like this:\n```python\nprint(double(4))\n```"), True, "stop"),
    (DOUBLE, reply('def double(x): return x * 2  # {"answer": 3}'), True, "stop"),
    (DOUBLE, reply("double = lambda x: x * 2"), True, "stop"),
    (DOUBLE, reply("import sys\nsys.setrecursionlimit(5000)\ndef double(x):\n\treturn x * 2"), True, "stop"),
    (
        DOUBLE,
        reply(
            "async def helper(): pass\n\ndef double(x: 'int | str') -> 'int | str':\n    match x:\n        "
            "case _:\n            return x * 2"
        ),
        True,
        "stop",
    ),
    (
        DOUBLE,
        reply(
            "from dataclasses import dataclass\n@dataclass\nclass Box:\n    x: int\ndef double(x):\n    "
            "return Box(x).x * 2"
        ),
        True,
        "stop",
    ),
    (DOUBLE, reply(RIGHT + "\n\nassert double(1) == 2\nprint('ok')"), True, "stop"),
    (DOUBLE, reply("def double(x):\n    return x ** 2 if x == 0 else x + 1"), False, "stop"),
    (DOUBLE, reply("def double(x):\n    return {1: 2, -3: -6}[x]"), False, "stop"),
    (DOUBLE, reply("import sys\nsys.exit(0)\n" + RIGHT), False, "stop"),
    (DOUBLE, reply("import os\ndef double(x):\n    os.kill(os.getpid(), 9)"), False, "stop"),
    (
        DOUBLE,
        reply(
            "import os\ndef double(x):\n    while True:\n        try: os.fork()\n        except OSError: "
            "break\n    return 0"
        ),
        False,
        "stop",
    ),
    (DOUBLE, reply("def double(x):\n    return bytearray(10 ** 10)"), False, "stop"),
    (
        DOUBLE,
        reply(
            "class E:\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\ndef "
            "double(x):\n    return E()"
        ),
        False,
        "stop",
    ),
    (
        DOUBLE,
        reply(
            "class E:\n    __module__ = 'builtins'\n    def __eq__(self, o): return True\ndef double(x):\n "
            "   return E()"
        ),
        False,
        "stop",
    ),
    (
        DOUBLE,
        reply(
            "import builtins, sys\nbuiltins.AssertionError = SystemExit\nsys.excepthook = lambda *a: "
            "None\ndef double(x):\n    return None"
        ),
        False,
        "stop",
    ),
    (
        DOUBLE,
        reply(
            "import gc, os\nfor d in range(20):\n    try: os.write(d, b'[true, true, true]')\n    except "
            "OSError: pass\nos._exit(0)"
        ),
        False,
        "stop",
    ),
    (DOUBLE, reply("def double(x):\n    return 2 * x")[:-8], False, "length"),
    (DOUBLE, reply("def double(y):\n    return 2 * x"), False, "stop"),
    (DOUBLE, reply("def Double(x):\n    return 2 * x"), False, "stop"),
    (DOUBLE, reply("double(1) == 2"), False, "stop"),
    (DOUBLE, reply("```python\n```"), False, "stop"),
    (DOUBLE, reply("import threading\ndef double(x):\n    threading.Event().wait()"), False, "stop"),
    (UNIQUE, reply("def unique(xs):\n    return sorted({*xs})"), True, "stop"),
    (
        UNIQUE,
        reply(
            "def unique(xs):\n    out = []\n    for x in xs:\n        if x not in out:\n            "
            "out.append(x)\n    out.sort()\n    return out"
        ),
        True,
        "stop",
    ),
    (
        UNIQUE,
        reply(
            "def set(x):\n    return 1\ndef sorted(x):\n    return x\ndef unique(xs):\n    return [1, 2] "
            "if len(xs) > 1 else []"
        ),
        False,
        "stop",
    ),
    (
        UNIQUE,
        reply(
            "import builtins\nbuiltins.set = lambda *a: 0\ndef unique(xs):\n    return {3: [1, 2], 1: [4], "
            "0: []}[len(xs)]"
        ),
        False,
        "stop",
    ),
    (UNIQUE, reply("def unique(xs):\n    return set(xs)"), False, "stop"),
]

NASTY: dict[str, list[Case]] = {
    "multiple_choice": MULTIPLE_CHOICE,
    "numeric": NUMERIC,
    "short_text": SHORT_TEXT,
    "code": CODE,
}
