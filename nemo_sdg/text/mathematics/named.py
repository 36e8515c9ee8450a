r"""What stands before the equals signs of an answer: the same value of another unknown is another answer.

named_apart("x = 5", "y = 5", "Solve for x.")                ->  True
named_apart("x = 5", "n = 5", "Find the number.")            ->  False   (each names it as it likes)
named_apart("P(A) = 0.3", "P(B) = 0.3", "")                  ->  True
named_apart("x = 5", "5", "Solve for x.")                    ->  False
"""

import functools
import re

from nemo_sdg.text.latex import plain

_LETTER = r"(?:\\[A-Za-z]+|[^\W\d_])(?:_\{?\w+\}?)?"
_NAME = re.compile(
    rf"(?:^|[,;]\s*|\s(?:and|or|und|oder|y|et|ou|e)\s+)\s*(?P<name>{_LETTER})(?P<primes>['′]*)"
    r"\s*(?P<argument>\(\s*[^()=]{1,20}\s*\))?\s*=(?!=|\s*\\?\{)"
)
"""A name whose value is a set names the set of solutions: L = {2}"""
_ASKED = re.compile(r"(?<![^\W\d_])(?<!['’])([^\W\d_](?:_\{?\w+\}?)?)(?![^\W\d_])")
_SOLVE_FOR = re.compile(r"\bsolve\b[^.?]{0,60}?\bfor\s+\$?([^\W\d_](?:_\{?\w+\}?)?)(?![^\W_])", re.IGNORECASE)
_WORD = frozenset("aioueyàéóяиусвокA")
"""Words of one letter; they name an unknown where no other word follows"""


def named_apart(a: str, b: str, question: str) -> bool:
    """Whether two answers give values to other unknowns, both of which the question speaks of, or one of which it
    wants solved for, or to one function at other places. All other names are each answer's own.
    """
    if "=" not in a or "=" not in b or len(a) > 200 or len(b) > 200:
        return False
    ones, others = _names(a), _names(b)
    if not ones or not others or ones == others or not all(name.isascii() for name, _, _ in ones | others):
        return False
    bare = [{(name.partition("_")[0], *rest) for name, *rest in names} for names in (ones, others)]
    if bare[0] == bare[1] and len(ones) != len(others):
        return False  # x = 2 or x = -2, and x_1 = 2, x_2 = -2
    if len(ones) == len(others) == 1:
        (one,), (other,) = ones, others
        if bool(one[2]) != bool(other[2]) or len(one[1]) != len(other[1]):
            return False  # y = 2x and f(x) = 2x
        if one[:2] == other[:2]:
            return not (_is_variable(one[2]) and _is_variable(other[2]))
    asked = _asked(question)
    told = [name in asked for name, _, _ in ones ^ others]
    if ones & others or (bare[0] == bare[1] and all("_" in name for name, _, _ in ones | others)):
        return any(told)  # p = 1, q = 2 and p = 1, r = 2; x_1 = 2 and x_2 = 2
    wanted = {_bare(found[1]) for found in _SOLVE_FOR.finditer(question)}
    return all(told) or any(name in wanted for name, _, _ in ones ^ others)


@functools.lru_cache(maxsize=1 << 13)
def _names(text: str) -> frozenset[tuple[str, str, str]]:
    """The names to which an answer gives values: (letter with its index, primes, argument)."""
    return frozenset(
        (_bare(found["name"]), found["primes"].replace("′", "'"), re.sub(r"[\s()]", "", found["argument"] or ""))
        for found in _NAME.finditer(plain(text))
    )


def _bare(name: str) -> str:
    return re.sub(r"[{}]", "", name).casefold()


def _is_variable(argument: str) -> bool:
    """Whether a function is named at no place of its own: f(x), f(t)."""
    return re.fullmatch(r"[a-z](?:,[a-z])*", argument) is not None


@functools.lru_cache(maxsize=1 << 12)
def _asked(question: str) -> frozenset[str]:
    """The unknowns of a question."""
    text = plain(question) if len(question) < 2000 else question
    found: set[str] = set()
    for letter in _ASKED.finditer(text):
        if letter[1] in _WORD and re.match(r"\s+[^\W\d_]{2}", text[letter.end() :]) and "$" not in text:
            after = re.match(r"\s+(?:and|or|if|when|such|is|for|where|in|und|wenn|et|si|y)\b", text[letter.end() :])
            if after is None:
                continue
        found.add(_bare(letter[1]))
    return frozenset(found | {_bare(name) for name in re.findall(r"\\[A-Za-z]+", text)})
