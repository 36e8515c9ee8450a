"""Runs in a child process: reads pairs of expressions as JSON lines, answers whether math-verify holds them for equal.

    ["\\sqrt{12}", "2\\sqrt{3}"]  ->  {"equal": true}

Arguments: CPU seconds for one pair, bytes of memory. Handed to an interpreter as text: it imports nothing
of the package.
"""

import functools
import json
import math
import resource
import sys
import time
from typing import Any

RELATIVE_NOISE = 1e-12
"""math-verify compares numbers after rounding to six places, so that 10^-20 is 10^-21. Exact numbers must agree in
their leading twelve digits, numbers with decimals in six."""
RELATIVE_ROUNDING = 1e-6


def limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def close(one: Any, other: Any) -> bool:
    """Whether two sympy objects agree in the digits that count; True if they are not numbers."""
    import sympy

    if isinstance(one, sympy.MatrixBase) and isinstance(other, sympy.MatrixBase):
        return one.shape == other.shape and all(map(close, one, other))
    if isinstance(one, (sympy.Tuple, tuple)) and isinstance(other, (sympy.Tuple, tuple)):
        return len(one) == len(other) and all(map(close, one, other))
    if not (isinstance(one, sympy.Expr) and isinstance(other, sympy.Expr)):
        return True
    if one.free_symbols or other.free_symbols or not (one.is_number and other.is_number):
        return True
    difference, size = abs(sympy.N(one - other, 30)), max(abs(sympy.N(one, 30)), abs(sympy.N(other, 30)))
    rounded = one.has(sympy.Float) or other.has(sympy.Float)
    if not (difference.is_finite and size.is_finite):
        return True
    return bool(difference <= size * (RELATIVE_ROUNDING if rounded else RELATIVE_NOISE))


def equal_with_imaginary_i(one: Any, other: Any) -> bool:
    """Whether two numbers are equal where `i` is the imaginary unit."""
    import sympy

    if not (isinstance(one, sympy.Expr) and isinstance(other, sympy.Expr)):
        return False
    unknowns = list(one.free_symbols | other.free_symbols)
    if [str(unknown) for unknown in unknowns] != ["i"]:
        return False
    return bool(sympy.simplify((one - other).subs(unknowns[0], sympy.I)) == 0)


def main() -> None:
    cpu_seconds, memory = float(sys.argv[1]), int(sys.argv[2])
    limit(resource.RLIMIT_AS, memory)
    try:
        from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify
    except ImportError as exc:
        print(json.dumps({"error": str(exc)}), flush=True)
        sys.exit(1)
    print(json.dumps({"ready": True}), flush=True)
    targets = [LatexExtractionConfig(), ExprExtractionConfig()]

    @functools.lru_cache(maxsize=256)  # one vote after the other is compared with the same answer
    def read(text: str) -> Any:
        wrapped = text if "$" in text or "\\boxed" in text else f"${text}$"
        return parse(wrapped, targets, parsing_timeout=None, raise_on_error=False)

    for line in sys.stdin:
        a, b = json.loads(line)
        # The kernel ends what does not end, also where the parent was killed and nobody waits any more.
        limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + cpu_seconds) + 1)
        try:
            left, right = read(a), read(b)
            same = bool(left) and bool(right)
            same = same and (verify(left, right, timeout_seconds=None) or verify(right, left, timeout_seconds=None))
            same = (
                close(left[0], right[0]) if same else bool(left and right and equal_with_imaginary_i(left[0], right[0]))
            )
        except (Exception, RecursionError):
            same = False
        print(json.dumps({"equal": same}), flush=True)


if __name__ == "__main__":
    main()
