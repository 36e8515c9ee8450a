"""Rewrites gold rows by rules like replies of a model: right answers in many forms, wrong, and malformed ones.

    rewritings(sample, rng) -> [Rewriting(text='```json\\n{"context": …, "answer": "(B)"}\\n```', right=True,
    name="fence/label"), …]

First a form of an answer is chosen (of the gold, or of a wrong answer), then the form of the whole reply around it
(JSON, fences, thinking, plain text).
"""

import ast
import json
import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from nemo_sdg.records import Sample

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CONTEXT = "What one should know: the terms of the question and how they hang together."
MALFORMED_PER_SAMPLE = 1


@dataclass(frozen=True)
class Rewriting:
    text: str | Callable[[list[str]], str]
    """the completion, or a function of the options in the order in which they are shown"""
    right: bool
    name: str
    finish_reason: str = "stop"


def rewritings(sample: Sample, rng: random.Random) -> list[Rewriting]:
    """Two right, two wrong and one malformed rewriting of a sample."""
    right, wrong = ANSWERS[sample.kind](sample, rng)
    chosen = [(name, answer, True) for name, answer in rng.sample(right, min(2, len(right)))]
    chosen += [(name, answer, False) for name, answer in rng.sample(wrong, min(2, len(wrong)))]
    out = []
    for name, answer, is_right in chosen:
        dress = rng.choice(DRESSES if sample.kind != "code" else CODE_DRESSES)
        out.append(Rewriting(_dressed(dress, answer), is_right, f"{dress.__name__}/{name}"))
    for name, answer, _ in rng.sample(chosen[:2], MALFORMED_PER_SAMPLE):
        broken = rng.choice(MALFORMED)
        out.append(
            Rewriting(
                _dressed(broken, answer), False, f"{broken.__name__}/{name}", "length" if broken in CUT else "stop"
            )
        )
    return out


Answer = str | Callable[[list[str]], str]


def _dressed(dress: Callable[[str], str], answer: Answer) -> Answer:
    return (lambda shown: dress(answer(shown))) if callable(answer) else dress(answer)


def solution(answer: Any, reasoning: str = "We look at each part in turn and arrive at the result.") -> dict[str, Any]:
    return {"context": CONTEXT, "reasoning": reasoning, "answer": answer}


# The whole reply around an answer.


def plain_json(answer: str) -> str:
    return json.dumps(solution(answer), ensure_ascii=False)


def indented(answer: str) -> str:
    return json.dumps(solution(answer), indent=2)


def fenced(answer: str) -> str:
    return f"```json\n{plain_json(answer)}\n```"


def chatter(answer: str) -> str:
    return f"Sure, here is my solution:\n\n{plain_json(answer)}\n\nLet me know if {{anything}} is unclear!"


def thinking(answer: str) -> str:
    return (
        f'<think>Could it be {{"answer": "7"}}? No, I was wrong: the answer is 7 is '
        f"nonsense.</think>\n{plain_json(answer)}"
    )


def thinking_without_start(answer: str) -> str:
    return f"hmm, first I thought of (A), but no.\n</think>\n\n{fenced(answer)}"


def draft_first(answer: str) -> str:
    return f"{plain_json('a draft')}\nWait, let me correct that.\n{plain_json(answer)}"


def more_fields(answer: str) -> str:
    return json.dumps({"thought": "ok", **solution(answer), "confidence": 0.93})


def raw_newlines(answer: str) -> str:
    return plain_json(answer).replace(" and arrive", ",\nline by line,\n and arrive")


def raw_latex(answer: str) -> str:
    """Backslashes that are not escaped for JSON, if none of them is an escape of JSON."""
    text = plain_json(answer)
    return text if "\\n" in text or '\\"' in text else text.replace("\\\\", "\\")


def sections(answer: str) -> str:
    return f"**Context:** {CONTEXT}\n\n**Reasoning:** Step by step we find it.\n\n**Answer:** {answer}"


def headings(answer: str) -> str:
    return f"## Context\n{CONTEXT}\n\n## Reasoning\nStep by step we find it.\n\n## Final Answer\n{answer}\n"


DRESSES = [
    plain_json,
    plain_json,
    indented,
    fenced,
    chatter,
    thinking,
    thinking_without_start,
    draft_first,
    more_fields,
    raw_newlines,
    raw_latex,
    sections,
    headings,
]


def code_section(program: str) -> str:
    return (
        f"## Context\n{CONTEXT}\n\n## Reasoning\nWe go through the input once.\n\n## "
        f"Answer\n```python\n{program}\n```\nIt runs in linear time."
    )


def code_fence_in_json(program: str) -> str:
    return plain_json(f"```python\n{program}\n```")


def code_prose_in_json(program: str) -> str:
    return plain_json(f"Here is the function:\n\n```python\n{program}\n```\n\nIt works for all inputs.")


def code_crlf(program: str) -> str:
    return plain_json(program.replace("\n", "\r\n"))


CODE_DRESSES = [
    plain_json,
    indented,
    fenced,
    chatter,
    thinking,
    code_section,
    code_fence_in_json,
    code_prose_in_json,
    code_crlf,
]

# Replies that contain the right answer in some way, but do not count as an answer.


def cut(answer: str) -> str:
    text = plain_json(answer)
    return text[: text.index('"answer"') + 4]


def cut_in_answer(answer: str) -> str:
    return plain_json(answer).removesuffix('"}')


def cut_in_thinking(answer: str) -> str:
    return f"<think>The answer is {answer}. But let me check"


def empty(answer: str) -> str:
    return " \n"


def refusal(answer: str) -> str:
    return "I'm sorry, but I can't help with that."


def no_answer_field(answer: str) -> str:
    return json.dumps({"context": CONTEXT, "reasoning": f"It is {answer}."})


def null_answer(answer: str) -> str:
    return json.dumps(solution(None))


def list_answer(answer: str) -> str:
    return json.dumps(solution([answer, "something else"]))


def empty_reasoning(answer: str) -> str:
    return json.dumps(solution(answer, reasoning=""))


def template_echo(answer: str) -> str:
    return '{"context": "...", "reasoning": "...", "answer": "..."}'


def two_keys_swapped(answer: str) -> str:
    return json.dumps({"context": CONTEXT, "reasoning": answer, "answer": "see above"})


CUT = [cut, cut_in_answer, cut_in_thinking]
MALFORMED = [
    *CUT,
    empty,
    refusal,
    no_answer_field,
    null_answer,
    list_answer,
    empty_reasoning,
    template_echo,
    two_keys_swapped,
]

Named = list[tuple[str, Answer]]


def option_answers(sample: Sample, rng: random.Random) -> tuple[Named, Named]:
    gold = sample.gold.text
    others = [choice for choice in sample.choices if choice != gold]
    other = rng.choice(others)
    second = rng.choice(others)

    def label(shown: list[str], text: str) -> str:
        return LABELS[shown.index(text)]

    def ways(text: str) -> Named:
        forms: dict[str, Callable[[list[str]], str]] = {
            "text": lambda shown: text,
            "label": lambda shown: label(shown, text),
            "bracketed label": lambda shown: f"({label(shown, text)})",
            "square label": lambda shown: f"[{label(shown, text)}]",
            "label)": lambda shown: f"{label(shown, text)})",
            "label.": lambda shown: f"{label(shown, text)}.",
            "small label": lambda shown: f"({label(shown, text).lower()})",
            "label. text": lambda shown: f"{label(shown, text)}. {text}",
            "(label) text.": lambda shown: f"({label(shown, text)}) {text.rstrip('.')}.",
            "label: text": lambda shown: f"{label(shown, text)}: {text}",
            "label - text": lambda shown: f"{label(shown, text)} - {text}",
            "text (label)": lambda shown: f"{text} ({label(shown, text)})",
            "label (text)": lambda shown: f"{label(shown, text)} ({text})",
            "the answer is": lambda shown: f"The answer is ({label(shown, text)}).",
            "the correct answer is text": lambda shown: f"The correct answer is {text}.",
            "option": lambda shown: f"Option {label(shown, text)}",
            "option text": lambda shown: f"Option {label(shown, text)}: {text}",
            "therefore": lambda shown: f"Therefore, the correct option is {label(shown, text)}.",
            "bold": lambda shown: f"**{label(shown, text)}**",
            "bold text": lambda shown: f"**{label(shown, text)}. {text}**",
            "boxed": lambda shown: f"\\boxed{{{label(shown, text)}}}",
            "boxed text": lambda shown: f"\\boxed{{\\text{{{label(shown, text)}}}}}",
            "dollars": lambda shown: f"${label(shown, text)}$",
            "full width": lambda shown: f"（{chr(ord(label(shown, text)) + 0xFEE0)}）",
            "spaces": lambda shown: f"  {text.replace(' ', '  ')} \n",
            "quoted": lambda shown: f'"{text}"',
            "upper case": lambda shown: (
                text.upper() if len({choice.upper() for choice in shown}) == len(shown) else text
            ),
        }
        return list(forms.items())

    wrong = ways(other)
    wrong += [
        ("label against text", lambda shown: f"{label(shown, gold)}. {other}"),
        ("text against label", lambda shown: f"({label(shown, other)}) {gold}"),
        ("either", lambda shown: f"{label(shown, gold)} or {label(shown, second)}"),
        ("both", lambda shown: f"({label(shown, gold)}) and ({label(shown, second)})"),
        ("both texts", lambda shown: f"{gold} or {second}"),
        ("list", lambda shown: f"{label(shown, gold)}, {label(shown, second)}"),
        ("not", lambda shown: f"not {label(shown, gold)}"),
        ("not text", lambda shown: f"not {gold}"),
        ("beyond", lambda shown: LABELS[len(shown)]),
        ("all", lambda shown: "All of the above"),
        ("none", lambda shown: "none of these"),
        ("unknown", lambda shown: "It cannot be determined."),
        ("longer", lambda shown: f"{gold} and much more beside it"),
        ("number", lambda shown: "1234"),
    ]
    return ways(gold), wrong


def number_answers(sample: Sample, rng: random.Random) -> tuple[Named, Named]:
    gold = sample.gold.text.replace(",", "") if re.fullmatch(r"-?[\d,]+(\.\d+)?", sample.gold.text) else None
    if gold is None:
        return expression_answers(sample.gold.text, rng)
    value = Fraction(gold)
    return number_ways(value, sample.language), [
        *number_ways(value + rng.choice([1, -1, 2, 10, Fraction(1, 2)]), sample.language),
        *number_ways(value * 10 if value else Fraction(10), sample.language),
        *number_ways(-value if value else Fraction(-1), sample.language),
        ("thousands", f"{gold} thousand" if value else "3 thousand"),
        ("dozen", f"{gold} dozen" if value and "dozen" not in sample.question else "1 dozen and 7"),
        ("either", f"{gold} or {value + 1}"),
        ("both", f"{gold} and {value + 1}"),
        ("list", f"{gold}, {value + 3}"),
        ("between", f"between {gold} and {value + 5}"),
        ("range", f"{gold}-{abs(value) + 5}"),
        ("at least", f"at least {gold}"),
        ("more than", f"more than {gold}"),
        ("not", f"not {gold}"),
        ("plus or minus", f"\\pm {gold}" if value else "\\pm 1"),
        ("square", f"{gold}^2" if value not in (0, 1, -1) else "2^3"),
        ("root", f"\\sqrt{{{gold}}}" if value not in (0, 1) else "\\sqrt{2}"),
        ("factorial", f"{gold}!" if value not in (1, 2) else "5!"),
        ("variable", f"{gold}x"),
        ("ratio", f"{gold}:{abs(value) + 1}"),
        ("one over", f"1/{gold}" if abs(value) not in (0, 1) else "1/7"),
        ("per mille", f"{gold}‰" if value else "3‰"),
        ("power of ten", f"{gold} \\times 10^3" if value else "10^3"),
        ("clock", "12:30"),
        ("words", "I do not know"),
        ("nothing to see", "x"),
    ]


def number_ways(value: Fraction, language: str) -> Named:
    exact = value.denominator in (1, 2, 4, 5, 8, 10, 20, 25, 100)
    text = (
        str(value.numerator)
        if value.denominator == 1
        else format(float(value), "g")
        if exact
        else f"{value.numerator}/{value.denominator}"
    )
    point = text if "e" not in text else str(float(value))
    ways = [
        ("plain", point),
        ("stop", f"{point}."),
        ("spaces", f"  {point}\n"),
        ("boxed", f"\\boxed{{{point}}}"),
        ("dollar signs", f"${point}$"),
        ("display", f"\\[ {point} \\]"),
        ("round brackets", f"\\({point}\\)"),
        ("the answer is", f"The answer is {point}."),
        ("final answer", f"Final Answer: {point}"),
        ("bold", f"**{point}**"),
        ("full width", "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in point)),
        ("minus sign", point.replace("-", "−")),
        ("x =", f"x = {point}"),
        (
            "calculation",
            f"{value - 2 if value.denominator == 1 else 0} + {2 if value.denominator == 1 else point} = {point}",
        ),
        ("unit", f"{point} apples"),
        ("longer unit", f"{point} hours per week"),
        ("sentence", f"There are {point} apples left."),
        ("about", f"approximately {point}"),
        ("dollars", f"${point}" if value >= 0 else f"-${-value}" if value.denominator == 1 else point),
        ("dollars in words", f"{point} dollars"),
        ("currency code", f"{point} USD"),
        ("fraction", f"\\frac{{{value.numerator * 3}}}{{{value.denominator * 3}}}"),
        ("slashed", f"{value.numerator * 2}/{value.denominator * 2}"),
        ("text unit", f"{point}\\text{{ cm}}"),
        ("degrees", f"{point}^\\circ"),
    ]
    if value.denominator == 1:
        ways += [
            ("zeros", f"{point}.00"),
            ("scientific", f"{value.numerator / 10}e1"),
            ("times ten", f"{value.numerator / 10} \\times 10^{{1}}"),
        ]
    if value.denominator == 1 and abs(value) >= 1000:
        grouped = f"{value.numerator:,}"
        ways += [
            ("thin spaces", grouped.replace(",", "\\,")),
            ("spaced", grouped.replace(",", " ")),
            ("apostrophes", grouped.replace(",", "'")),
        ]
        if language in ("de", "es"):
            ways += [("points", grouped.replace(",", ".")), ("points and comma", grouped.replace(",", ".") + ",00")]
        else:
            ways += [
                ("commas", grouped),
                ("latex commas", grouped.replace(",", "{,}")),
                ("dollars and cents", f"${grouped}.00" if value > 0 else point),
            ]
    return ways


def expression_answers(gold: str, rng: random.Random) -> tuple[Named, Named]:
    """LaTeX in other forms of the same meaning, and LaTeX with another meaning."""
    spaced = re.sub(r"(?<=[+\-=,])", " ", gold) if "\\" not in gold else gold
    right = [
        ("plain", gold),
        ("boxed", f"\\boxed{{{gold}}}"),
        ("dollar signs", f"${gold}$"),
        ("the answer is", f"The answer is ${gold}$."),
        ("display", f"\\[{gold}\\]"),
        ("dfrac", gold.replace("\\frac", "\\dfrac")),
        ("tfrac", gold.replace("\\dfrac", "\\frac").replace("\\frac", "\\tfrac")),
        ("no left right", gold.replace("\\left", "").replace("\\right", "")),
        ("spaced", spaced),
        ("bold", f"**${gold}$**"),
    ]
    if simple := re.fullmatch(r"(-?)\\d?frac\{(\d+)\}\{(\d+)\}", gold):
        sign, top, bottom = simple.groups()
        right += [
            ("slashed", f"{sign}{top}/{bottom}"),
            ("scaled", f"{sign}\\frac{{{2 * int(top)}}}{{{2 * int(bottom)}}}"),
        ]
        if Fraction(int(top), int(bottom)).denominator in (2, 4, 5, 8, 10, 20, 25):
            right += [("decimal", f"{sign}{int(top) / int(bottom)}")]
    if re.fullmatch(r"[-\d+x^]+", gold) and re.search(r"[+-]", gold[1:]):
        terms = re.findall(r"[+-]?[^+-]+", gold)
        right += [("reordered", "".join(t if t[0] in "+-" else f"+{t}" for t in reversed(terms)).removeprefix("+"))]
    bare = gold.strip("$")
    wrong: Named = [
        ("other number", "-987654"),
        (
            "plus one",
            f"{bare}+1"
            if "=" not in bare and "," not in bare and "\\text" not in bare and "(" not in bare
            else "(7,-13)",
        ),
        ("squared", f"({bare})^{{2}}+5" if "=" not in bare and "," not in bare and "\\text" not in bare else "(7,-13)"),
        ("either", f"{bare} \\text{{ or }} 987"),
        ("with another", f"{bare}, 987"),
        ("changed digit", changed_digit(bare, rng)),
        ("variable", "q+r"),
        ("words", "no idea"),
        ("boxed wrong", "\\boxed{\\frac{987}{13}}"),
    ]
    return right, wrong


def changed_digit(text: str, rng: random.Random) -> str:
    """The text with one number changed, but not in an exponent, where a change may cancel; another text if it has no
    number.
    """
    digits = [found.span() for found in re.finditer(r"(?<![\^\d{])\d+(?!\d)", text)]
    if not digits:
        return "987"
    start, end = rng.choice(digits)
    return f"{text[:start]}{int(text[start:end]) + 3}{text[end:]}"


def text_answers(sample: Sample, rng: random.Random) -> tuple[Named, Named]:
    gold, aliases = sample.gold.text, sample.gold.aliases
    if "\\" in gold or "^" in gold or (sample.family == "math" and not re.search(r"[a-z]{3}", gold)):
        return number_answers(sample, rng)
    plain = (
        unicodedata.normalize("NFD", gold).encode("ascii", "ignore").decode()
        if gold.isascii() or not gold.isascii()
        else gold
    )
    right: Named = [
        ("plain", gold),
        ("lower", gold.lower()),
        ("upper", gold.upper()),
        ("title", gold.title() if gold.isascii() and "'" not in gold else gold),
        ("the", f"the {gold}"),
        ("stop", f"{gold}."),
        ("quoted", f'"{gold}"'),
        ("bold", f"**{gold}**"),
        ("the answer is", f"The answer is {gold}."),
        ("answer:", f"Answer: {gold}"),
        ("boxed", f"\\boxed{{\\text{{{gold}}}}}"),
        ("spaces", f" {gold.replace(' ', '  ')} "),
        ("full width", "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in gold)),
        ("accents", plain if len(plain) >= len(gold) else gold),
        *[("alias", alias) for alias in aliases[:3]],
    ]
    known = [gold.lower(), *(alias.lower() for alias in aliases)]
    other = rng.choice(
        ["Zanzibar", "Marie Curie", "1887", "the Peace of Westphalia", "42 kilograms", "Bohemian Rhapsody"]
    )
    wrong: Named = [
        ("other", other),
        ("not", f"not {gold}"),
        ("either", f"{gold} or {other}"),
        ("both", f"{gold} and {other}"),
        ("more", f"{gold} {other}"),
        ("unknown", "unknown"),
        ("i do not know", "I don't know."),
        ("changed digit", changed_digit(gold, rng)),
        ("all", "all of them"),
        ("question", "What do you mean?"),
        (
            "letters",
            gold[:-2]
            if len(gold) > 5
            and not any(gold[:-2].lower().strip() in name for name in known if name != gold.lower())
            and gold[-2:].isalpha()
            else other,
        ),
    ]
    return right, wrong


def programs(sample: Sample, rng: random.Random) -> tuple[Named, Named]:
    gold = sample.gold.text.replace("\r\n", "\n").replace("\t", "    ")
    test = next(node for test in sample.tests for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Compare))
    call = next(node for node in ast.walk(test) if isinstance(node, ast.Call))
    while (
        isinstance(call.args[0] if call.args else None, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("int", "set", "sorted", "tuple")
    ):
        call = call.args[0]  # type: ignore[assignment]
    name, first = ast.unparse(call.func), ast.unparse(call) if len(sample.tests) == 3 else "None"
    expected = ast.unparse(test.comparators[0])
    right: Named = [
        ("plain", gold),
        ("formatted", ast.unparse(ast.parse(gold))),
        ("docstring", f'"""Solves it."""\nimport math\nfrom typing import List, Optional\n\n{gold}\n'),
        ("comments", f'# a comment with ``` and {{braces}} and "quotes"\n{gold}\n# the end'),
        ("main guard", f"{gold}\n\nif __name__ == '__main__':\n    print({first})\n    input()"),
        ("printing", f"{gold}\nprint('the first result:', {first})"),
        (
            "wrapped",
            (
                f"{gold}\n_inner = {name}\ndef {name}(*args, **kwargs):\n    # checked\n    result = "
                "_inner(*args, **kwargs)\n    return result"
            ),
        ),
        ("class beside", f"class Helper:\n    pass\n\n{gold}"),
    ]
    inner = f"{gold}\n_inner = {name}\n"
    wrong: Named = [
        ("returns nothing", f"def {name}(*args):\n    pass"),
        ("boxes the result", f"{inner}def {name}(*args):\n    return [_inner(*args), 1]"),
        (
            "first test only",
            f"{inner}_n = [0]\ndef {name}(*args):\n    _n[0] += 1\n    return _inner(*args) if _n[0] == 1 else None",
        ),
        ("hard-coded", f"def {name}(*args):\n    return {expected if 'sys' not in expected else 0}, 0"),
        ("exit", f"import sys\nsys.exit(0)\n{gold}"),
        ("exit in the function", f"import os\ndef {name}(*args):\n    os._exit(0)"),
        ("system exit", f"def {name}(*args):\n    raise SystemExit(0)"),
        (
            "equal to all",
            (
                "class Yes:\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\ndef "
                f"{name}(*args):\n    return Yes()"
            ),
        ),
        ("any", f"from unittest.mock import ANY\ndef {name}(*args):\n    return ANY"),
        (
            "equal int",
            (
                "class Yes(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef "
                f"{name}(*args):\n    return Yes(1)"
            ),
        ),
        ("patched assert", f"import builtins\nbuiltins.AssertionError = KeyError\ndef {name}(*args):\n    return 'no'"),
        ("syntax", gold.replace("def ", "def def ", 1)),
        ("cut", gold[: gold.index("def ") + 4 + len(name) + 2]),
        ("other name", f"{gold}\n_x = {name}\ndel {name}"),
        ("prints", f"{inner}def {name}(*args):\n    print(_inner(*args))"),
        ("reads", f"def {name}(*args):\n    return input()"),
        ("raises", f"def {name}(*args):\n    raise NotImplementedError"),
        ("endless recursion", f"def {name}(*args):\n    return {name}(*args)"),
        ("prose", "I would write a loop over the input and count."),
        ("only tests", "\n".join(sample.tests)),
        ("generator", f"{inner}def {name}(*args):\n    yield _inner(*args)"),
    ]
    if rng.random() < 0.1:  # each takes its whole CPU time
        wrong = [
            ("endless loop", f"def {name}(*args):\n    while True:\n        pass"),
            ("endless loop before", f"while True:\n    pass\n{gold}"),
        ]
    return right, wrong


ANSWERS: dict[str, Callable[[Sample, random.Random], tuple[Named, Named]]] = {
    "multiple_choice": option_answers,
    "numeric": number_answers,
    "short_text": text_answers,
    "code": programs,
}
