"""Reader of one side of an equality: recursive descent over its tokens, in exact fractions. Nothing is run."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from nemo_sdg.text.numbers.digits import read_digits

SIGNS = {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "÷", "：": ":"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int
    spaced: bool
    """whether a space stands before it"""


@dataclass
class Reader:
    """Recursive descent over the tokens of one side. Raises ValueError for what is no plain sum."""

    tokens: list[Token]
    language: str
    loose: bool
    """whether a slash divides by the whole product behind it"""
    place: int = 0
    operators: str = ""
    units: list[str] = field(default_factory=list)
    decimals: bool = False

    def next(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def operator(self, wanted: str) -> str | None:
        token = self.next()
        if token is None or token.kind != "operator":
            return None
        sign = SIGNS.get(token.text, token.text)
        if sign not in wanted:
            return None
        self.place += 1
        return sign

    def read(self) -> tuple[Fraction, Fraction]:
        value = self.sum()
        if self.next() is not None:
            raise ValueError("rest")
        return value

    def sum(self) -> tuple[Fraction, Fraction]:
        value, error = self.product()
        while (sign := self.operator("+-")) is not None:
            self.operators += sign
            other, more = self.product()
            value, error = (value + other if sign == "+" else value - other), error + more
        return value, error

    def product(self) -> tuple[Fraction, Fraction]:
        value, error = self.signed()
        divided = False
        while True:
            token = self.next()
            if token is not None and token.kind == "open" and not token.spaced:
                if divided:
                    raise ValueError("6/2(1+2)")
                sign: str | None = "*"
            else:
                sign = self.operator("*/÷:")
            if sign is None:
                return value, error
            self.operators += sign
            if sign in "/:" and self.loose:
                other, more = self.product()
            else:
                other, more = self.signed()
            if sign == "*":
                value, error = value * other, abs(value) * more + abs(other) * error + error * more
                continue
            if other == 0 or (sign in "/:" and divided):
                raise ValueError("division")
            divided = True
            value, error = value / other, (error + abs(value / other) * more) / abs(other)

    def signed(self) -> tuple[Fraction, Fraction]:
        sign = self.operator("+-")
        if sign is None:
            return self.power()
        token = self.next()
        if token is None or (token.spaced and token.kind != "open" and self.place > 1):
            raise ValueError("sign")
        value, error = self.signed()
        return (-value if sign == "-" else value), error

    def power(self) -> tuple[Fraction, Fraction]:
        value, error = self.atom()
        if self.operator("^") is None:
            return value, error
        self.operators += "^"
        exponent, inexact = self.signed()
        if exponent.denominator != 1 or abs(exponent) > 400 or inexact or (value == 0 and exponent <= 0):
            raise ValueError("exponent")
        power = int(exponent)
        if max(abs(value.numerator), value.denominator).bit_length() * abs(power) > 4000:
            raise ValueError("too large")
        result = Fraction(value**power)
        return result, (abs(power * result / value) * error if value else Fraction(0))

    def atom(self) -> tuple[Fraction, Fraction]:
        token = self.next()
        if token is not None and token.kind == "money":
            self.place += 1
            self.units.append(token.text)
            return self.number(self.next(), prefixed=True)
        if token is not None and token.kind == "open":
            self.place += 1
            value = self.sum()
            closing = self.next()
            if closing is None or closing.kind != "close":
                raise ValueError("bracket")
            self.place += 1
            return value
        return self.number(token)

    def number(self, token: Token | None, *, prefixed: bool = False) -> tuple[Fraction, Fraction]:
        if token is None or token.kind != "number":
            raise ValueError("no number")
        self.place += 1
        if self.language != "en" and re.fullmatch(r"\d{1,3}[.,]\d{3}", token.text):
            raise ValueError("two readings")
        read = read_digits(token.text, self.language)
        if read is None:
            raise ValueError("no number")
        unit = self.next()
        if unit is not None and unit.kind in ("word", "ideograph", "money"):
            self.place += 1
            self.units.append(unit.text)
            power = self.next()
            if power is not None and power.text == "^":
                raise ValueError("power of a unit")
        elif not prefixed:
            self.units.append("")
        value, places = read
        self.decimals = self.decimals or places > 0
        return value, Fraction(5, 10 ** (places + 1)) if places else Fraction(0)
