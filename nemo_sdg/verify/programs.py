"""Checks programs by running them in the sandbox: against a row's tests, or against each other.

Origin `seed`: a program is right when it passes all of the row's tests.

Origin `similar`: the tests were written by the questioner, and what it expects of them is not trusted. Only their calls
are run; programs that give the same results on all calls agree, and the results of the majority become the tests of the
sample.
"""

import ast
from typing import Any

from nemo_sdg.config import VerifySection
from nemo_sdg.text.programs import asserted_calls, parse_program
from nemo_sdg.verify import sandbox

MAX_CALLS = 10


def _run(request: dict[str, Any], config: VerifySection) -> sandbox.Ran:
    return sandbox.run(request, cpu_seconds=config.code_timeout, memory_mb=config.code_memory_mb, mode=config.sandbox)


def run_tests(program: str, tests: list[str], config: VerifySection) -> tuple[list[bool], str | None]:
    """Which tests a program passes, and what kept it from being tested (timeout | crashed | unsupported)."""
    ran = _run({"program": program, "tests": tests}, config)
    reply = ran.reply
    if not isinstance(reply, list) or len(reply) != len(tests):
        return [False] * len(tests), ran.failure or "crashed"
    return [value == "passed" for value in reply], "unsupported" if "unsupported" in reply else None


def outcomes(programs: list[str | None], tests: list[str], config: VerifySection) -> list[str]:
    """What came of each program: passed, failed, or why it was not seen to pass (timeout, crashed, unsupported: a test
    hands it what cannot cross into its process). The same program is run once.
    """
    known: dict[str | None, str] = {None: "failed"}
    for program in programs:
        if program is not None and program not in known:
            passed, failure = run_tests(program, tests, config) if parse_program(program) else ([False], None)
            known[program] = "passed" if all(passed) else failure or "failed"
    return [known[program] for program in programs]


def run_calls(program: str, calls: list[str], config: VerifySection) -> list[tuple[str, str]] | None:
    """(canonical text, literal) of each call's result, or None when one of them gives none."""
    reply = _run({"program": program, "calls": calls}, config).reply
    if not isinstance(reply, list) or len(reply) != len(calls):
        return None
    results = [
        (pair[0], pair[1])
        for pair in reply
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
    ]
    return results if len(results) == len(calls) else None


def calls_of(tests: list[str]) -> list[str]:
    """The calls in `assert call == result`, `assert result == call`, `assert call` and `assert not call`, each once,
    in order.
    """
    calls = [ast.unparse(call) for test in tests for call in asserted_calls(test)]
    return list(dict.fromkeys(calls))[:MAX_CALLS]


def results_of(
    programs: list[str | None], tests: list[str], config: VerifySection
) -> tuple[list[str], list[list[tuple[str, str]] | None]]:
    """The calls of the tests, and for each program its results on them. None: no program, no result, or nothing but
    None.
    """
    calls = calls_of(tests)
    outcomes: list[list[tuple[str, str]] | None] = []
    seen: dict[str, Any] = {}
    for program in programs:
        if program is None or not calls or not parse_program(program):
            outcomes.append(None)
            continue
        if program not in seen:
            results = run_calls(program, calls, config)
            seen[program] = results if results and any(text != "None" for text, _ in results) else None
        outcomes.append(seen[program])
    return calls, outcomes
