"""Markup of the report's pages, by Jinja with escaping. A page has one script and one style, and its content security
policy names their hashes.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from nemo_sdg.export.report.sections import charts
from nemo_sdg.export.report.shown import cut, votes_in_words
from nemo_sdg.records import visible

MAX_READ = 1200
"""characters of a text that is shown without a click"""
FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; img-src data:; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'"
)
NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+%?( of [\d,]+)?")
POLICY_TAG = re.compile(rb'http-equiv="Content-Security-Policy" content="([^"]+)"')


def render(template: str, *scripts: str, beside: str = "", **values: Any) -> bytes:
    """A page from a template and scripts of this folder, which are joined. `beside` is a policy source for others."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "visible": visible,
        "votes": lambda record: votes_in_words(record.agree, record.guidance),
        "short": lambda text: cut(text, MAX_READ),
    }
    environment.tests["numberlike"] = lambda cell: NUMBER.fullmatch(str(cell)) is not None
    environment.tests["drawing"] = lambda part: isinstance(part, charts.Drawing)
    code, style = "".join((FOLDER / name).read_text() for name in scripts), (FOLDER / "page.css").read_text()
    allowed = f"{_hash(code)}{beside}" if scripts else "'none'"
    page = environment.get_template(template).render(
        policy=POLICY.format(script=allowed, style=_hash(style)), script=code, style=style, **values
    )
    return page.encode("utf-8", "replace")


def policy(page: bytes) -> str:
    """The content security policy of a page, which a server sends as a header."""
    found = POLICY_TAG.search(page)
    return found[1].decode().replace("&#39;", "'") if found else "default-src 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
