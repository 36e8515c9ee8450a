"""National identity numbers, told by their shapes and check digits."""

import re
from collections.abc import Callable

NEAR = 120
TELEPHONE = re.compile(r"(?<![\w.])\+?\(?0?\d{2,4}\)?[ .-]\d{3,4}[ .-]\d{2,4}(?:[ .-]\d{2,4})?(?!\w)")
KOREAN = re.compile(r"(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-[1-8]\d{6}(?!\d)")
BRAZILIAN = re.compile(r"(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)")
CHINESE = re.compile(r"(?<!\d)[1-6]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)")
ITALIAN = re.compile(r"(?<!\w)[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)")
FRENCH = re.compile(r"(?<!\d)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?!\d)")
SPANISH = re.compile(r"(?<!\w)\d{8}-?[A-HJ-NP-TV-Z](?!\w)")
INDIAN = re.compile(r"(?<!\d)[2-9]\d{3} \d{4} \d{4}(?! ?\d)")
ELEVEN = re.compile(r"(?<![\d.,])\d{11}(?![\d.,]?\d)")
"""Polish and Turkish ones, which only their check digits tell from other numbers"""
NAMED = re.compile(
    r"pesel|t\.?c\.? ?kimlik|kimlik n|\bdni\b|\bnie\b|\bcpf\b|aadhaar|आधार|codice fiscale|sécurité sociale|\bnir\b",
    re.IGNORECASE,
)
WEIGHTS_CHINESE = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def has_identity_number(text: str) -> bool:
    """Whether a text holds a national identity number: one of a shape that nothing else has, or one whose check digits
    are right and beside which it is named or a telephone number stands.
    """
    if any(map(_is_checked, _found(text))):
        return True
    for pattern, check in BESIDE:
        for match in pattern.finditer(text):
            around = f"{text[max(0, match.start() - NEAR) : match.start()]} {text[match.end() : match.end() + NEAR]}"
            if check(match.group()) and (NAMED.search(around) or TELEPHONE.search(around)):
                return True
    return False


def _found(text: str) -> list[tuple[str, str]]:
    shapes = (("kr", KOREAN), ("br", BRAZILIAN), ("cn", CHINESE), ("it", ITALIAN), ("fr", FRENCH))
    return [(country, match.group()) for country, pattern in shapes for match in pattern.finditer(text)]


def _is_checked(found: tuple[str, str]) -> bool:
    country, written = found
    digits = _digits(written)
    if country in ("kr", "it"):
        return True
    if country == "br":
        return len(set(digits)) > 2 and digits != "12345678909" and all(_brazilian(digits, size) for size in (9, 10))
    if country == "cn":
        total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS_CHINESE, digits[:17], strict=True))
        return "10X98765432"[total % 11] == written[-1].upper()
    return int(digits[:13]) % 97 == 97 - int(digits[13:])


def _digits(written: str) -> str:
    return re.sub(r"\D", "", written)


def _brazilian(digits: str, size: int) -> bool:
    total = sum((size + 1 - place) * int(digit) for place, digit in enumerate(digits[:size]))
    return 10 * total % 11 % 10 == int(digits[size])


def _spanish(written: str) -> bool:
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(_digits(written)) % 23] == written[-1]


def _polish_or_turkish(digits: str) -> bool:
    values = list(map(int, digits))
    polish = 1 <= int(digits[2:4]) % 20 <= 12 and 1 <= int(digits[4:6]) <= 31
    if (
        polish
        and (10 - sum(a * b for a, b in zip((1, 3, 7, 9) * 3, values[:10], strict=False)) % 10) % 10 == values[10]
    ):
        return True
    odd, even = sum(values[0:9:2]), sum(values[1:8:2])
    return values[0] != 0 and (7 * odd - even) % 10 == values[9] and sum(values[:10]) % 10 == values[10]


def _aadhaar(written: str) -> bool:
    check = 0
    for place, digit in enumerate(reversed(_digits(written))):
        check = int(DIHEDRAL[check][int(PERMUTED[place % 8][int(digit)])])
    return check == 0


BESIDE: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (ELEVEN, _polish_or_turkish),
    (INDIAN, _aadhaar),
    (SPANISH, _spanish),
)
