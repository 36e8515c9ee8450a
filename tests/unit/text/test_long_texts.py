"""No reply keeps a parser, a comparison or a filter busy: time grows with the length of a text, not with its square.

Each text is a loop as models write them. CPU times of a short and a long one are compared, with a bound that lies
between what a linear and what a quadratic way takes.
"""

import time
from collections.abc import Callable

import pytest

import nemo_sdg
from nemo_sdg.text.answers import same_answer, surely_same
from nemo_sdg.text.blanks import LONGEST, without_long_blanks

LOOPS = {
    "boxes that are never closed": r"\boxed{",
    "boxes that are closed": r"\boxed{4} ",
    "thinking that begins again": "<think>",
    "thinking that ends again": "</think>",
    "ends of a turn after a thought": "<|im_end|>",
    "details that are never closed": '<details type="reasoning">',
    "fences": "```\n",
    "empty lines": "\n",
    "blanks": " ",
    "tabs": "\t",
    "no-break spaces": "\u00a0",
}
SAMPLE = {
    "kind": "short_text",
    "language": "en",
    "question": "What is the capital of Peru?",
    "answer": "Lima",
    "context": "A capital is the city in which the government of a country has its seat.",
}


def seconds(call: Callable[[], object]) -> float:
    """The least CPU time of three calls."""
    spent = []
    for _ in range(3):
        begin = time.process_time()
        call()
        spent.append(time.process_time() - begin)
    return min(spent)


def is_linear(call: Callable[[str], object], unit: str) -> bool:
    """Whether 16 times the text takes less than 80 times as long; a quadratic way takes 256 times as long."""
    short, long = (unit * (size // len(unit)) for size in (1_500, 24_000))
    call(short)
    return seconds(lambda: call(long)) < 80 * max(seconds(lambda: call(short)), 0.0005)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_is_read_as_a_solution_in_linear_time(loop: str) -> None:
    def read(text: str) -> object:
        return nemo_sdg.read_solution(f"<think>a</think>It is so.\n1 {text}x", kind="numeric")

    assert is_linear(read, LOOPS[loop])


@pytest.mark.parametrize("unit", ["a", "\n", "\t", "\u00a0"])
@pytest.mark.parametrize("kind", ["numeric", "short_text"])
def test_a_loop_is_compared_in_linear_time(kind: str, unit: str) -> None:
    assert is_linear(lambda text: surely_same(f"1/{text}x", "y 4", kind=kind), unit)


@pytest.mark.parametrize("unit", ["\n", "\t", " "])
def test_blanks_within_a_number_are_compared_in_linear_time(unit: str) -> None:
    assert is_linear(lambda text: same_answer(f"5 {text}a", f"5 {text}b", kind="numeric"), unit)


@pytest.mark.parametrize("unit", ["\n", "1"])
def test_a_loop_is_filtered_in_linear_time(unit: str) -> None:
    def filtered(text: str) -> object:
        return nemo_sdg.filter_sample({**SAMPLE, "reasoning": f"Its seat is Lima. 1{text}x, so it is Lima."})

    assert is_linear(filtered, unit)


def test_a_nest_of_boxes_is_no_error() -> None:
    deep = r"\boxed{" * 3000 + "4" + "}" * 3000
    assert nemo_sdg.read_solution(f"So it is.\n\n{deep}", kind="numeric") is not None


def test_only_long_blanks_are_shortened() -> None:
    assert without_long_blanks("a" + " " * LONGEST + "b") == "a" + " " * LONGEST + "b"
    assert without_long_blanks("a\n" + " " * 5000 + "b  c") == "a\n" + " " * (LONGEST - 1) + "b  c"
    for before in range(41):  # wherever the run begins
        for num in (LONGEST - 1, LONGEST, LONGEST + 1, LONGEST + 40):
            text = "a" * before + "\t \n\u3000" * 100
            text = text[: before + num] + "b"
            assert without_long_blanks(text) == text[: before + min(num, LONGEST)] + "b"
