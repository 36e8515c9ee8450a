"""Chemical elements, isotopes and common compounds by their formula and their names.

same_substance("CO2", "carbon dioxide")  ->  True
same_substance("C-14", "carbon-14")      ->  True
same_substance("CO", "carbon dioxide")   ->  False
"""

import functools
import re
import unicodedata

from nemo_sdg.text.forms.lexicon import lexicon

_ISOTOPE = re.compile(r"([^\W\d_]+)[\s-]*(\d{1,3})|\^?\{?(\d{1,3})\}?\s*([A-Z][a-z]?)")
_OXIDATION = re.compile(r"([A-Z][a-z]?)\s*\((I{1,3}|IV|VI{0,2})\)|([A-Z][a-z]?)\s*\^?\{?(\d?)\+\}?")
_STATES = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}


@functools.cache
def _elements() -> dict[str, str]:
    """Symbol by name."""
    names = str(lexicon()["elements"]).split()
    table = {name: symbol for symbol, name in zip(names[::2], names[1::2], strict=True)}
    table |= {"aluminium": "Al", "sulphur": "S", "caesium": "Cs"}
    return table | {str(name): str(symbol) for symbol, others in lexicon()["element_names"].items() for name in others}


@functools.cache
def _compounds() -> dict[str, frozenset[str]]:
    """Formulas by name."""
    table: dict[str, set[str]] = {}
    for formula, names in lexicon()["compounds"].items():
        for name in names:
            table.setdefault(str(name), set()).add(str(formula))
    return {name: frozenset(formulas) for name, formulas in table.items()}


def same_substance(a: str, b: str) -> bool:
    """Whether a formula and a name stand for one substance, or two texts for one isotope or ion. Symbols keep their
    case.
    """
    a, b = (_plainly(side) for side in (a, b))
    if (isotope := _isotope(a)) is not None:
        return isotope == _isotope(b)
    if (ion := _ion(a)) is not None:
        return ion == _ion(b)
    return _names(a, b) or _names(b, a)


def same_formula(a: str, b: str) -> bool:
    r"""Whether two texts are one chemical formula, in LaTeX, with small digits or plainly."""
    one, other = (_plainly(with_one_arrow(side)).replace(" ", "").replace("^", "") for side in (a, b))
    if "→" in one + other:
        one, other = (re.sub("(?<=[A-Za-z0-9)+-])=(?=[A-Z0-9])", "→", side) for side in (one, other))
        if None in (_STATE.search(one), _STATE.search(other)):  # what only changes its state has them
            if any(len(set(_STATE.sub("", side).split("→"))) == 1 for side in (one, other)):
                return False
            one, other = _STATE.sub("", one), _STATE.sub("", other)
        one, other = _in_order(one), _in_order(other)
    return one == other and _FORMULA.fullmatch(one) is not None


def _in_order(equation: str) -> str:
    """An equation with what reacts and what is made each in one order: `2O2+CH4→…` is `CH4+2O2→…`."""
    return "→".join("+".join(sorted(_PLUS.split(side))) for side in equation.split("→"))


_PLUS = re.compile(r"\+(?=\d*[A-Z(\[e])")
_STATE = re.compile(r"\((?:g|l|s|aq)\)")


_FORMULA = re.compile(
    r"(?:\(?[A-Z][a-z]?\d*\)?\d*){2,}[+-]?|(?:\[[A-Z][a-z]?\])?(?:\d[spdfg]\d{1,2})+"
    r"|\d*[A-Ze][\w()\[\].+-]*→\d*[A-Ze][\w()\[\].+-]*"
)
"""a compound or an ion, a configuration of electrons, the equation of a reaction"""
_ARROW = re.compile(r"\s*(?:(?<![<=])[-=]+>|[→⟶⇒⟹]|\\(?:to|(?:long)?rightarrow|(?:Long)?[rR]ightarrow)(?![A-Za-z]))\s*")


def with_one_arrow(text: str) -> str:
    """A text with all arrows to the right written in one way: ->, =>, →."""
    return _ARROW.sub(" → ", text) if ">" in text or "\\" in text or not text.isascii() else text


_SPECIES = re.compile(r"([A-Z])(\.|[a-z]+) ([a-z]{3,})\.?")


def same_species(a: str, b: str) -> bool:
    """Whether one of two names of a species has its genus as an initial: E. coli."""
    one, other = _SPECIES.fullmatch(a.strip(" *_")), _SPECIES.fullmatch(b.strip(" *_"))
    if one is None or other is None or (one[2] == ".") == (other[2] == "."):
        return False
    return one[1] == other[1] and one[3] == other[3]


def _plainly(text: str) -> str:
    text = re.sub(
        r"\\(?:text|mathrm|ce|rm)\b|\\[,;:! ]|[{}$\\]",
        "",
        unicodedata.normalize("NFKC", _caret(text)).replace("−", "-"),
    )
    return re.sub(r"_(?=\d)", "", text).strip(" .")


def _caret(text: str) -> str:
    return re.sub("[⁰¹²³⁴-⁹]+", lambda found: "^" + found[0], text)


def _names(formula: str, name: str) -> bool:
    lower = name.casefold()
    lower = re.sub(r"^the\s+|\s+gas$", "", lower)
    return formula in _compounds().get(lower, ()) or _elements().get(lower) == formula


def _isotope(text: str) -> tuple[str, int] | None:
    found = _ISOTOPE.fullmatch(text)
    if found is None:
        return None
    if found[1] is None:
        return (
            (found[4], int(found[3]))
            if (found[4] in _elements().values() and "^" in text) or _heavy(found[3])
            else None
        )
    symbol = _elements().get(found[1].casefold())
    if symbol is None and "-" in text and found[1] in _elements().values():
        symbol = found[1]
    return None if symbol is None else (symbol, int(found[2]))


def _heavy(mass: str) -> bool:
    """A number before a symbol is a mass and not a count."""
    return int(mass) > 9


def _ion(text: str) -> tuple[str, int] | None:
    found = _OXIDATION.fullmatch(text)
    if found is None:
        return None
    return (found[1], _STATES[found[2]]) if found[1] else (found[3], int(found[4] or 1))
