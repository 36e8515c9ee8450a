"""The one reader of numbers and their units; see `reader` for what it reads."""

from nemo_sdg.text.numbers.equality import numbers_equal
from nemo_sdg.text.numbers.reader import FoundNumber, find_numbers, is_hedged, is_numeral, read_number, sole_number
from nemo_sdg.text.numbers.scan import Number
from nemo_sdg.text.numbers.units import Unit
