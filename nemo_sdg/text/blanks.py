"""Long runs of white space, in which some models end a reply: patterns that read over white space begin anew at each
character of a run, so that a run of 20,000 takes minutes.
"""

import re

LONGEST = 200
"""characters of a run that are kept; indentation and tables have fewer"""
_LONG_RUN = re.compile(rf"(\s{{{LONGEST}}})\s++")
_EVERY = 40
_MAY_RUN = re.compile(rf"\s{{{LONGEST // _EVERY}}}")
"""of every 40th character: a first look, for a hundredth of the time"""


def without_long_blanks(text: str) -> str:
    """The text with no more than LONGEST characters of each run of white space."""
    if len(text) <= LONGEST or _MAY_RUN.search(text[::_EVERY]) is None:
        return text
    return _LONG_RUN.sub(r"\1", text)
