"""The Jinja environment of all prompts."""

import difflib
import functools
import re
from pathlib import Path

import jinja2
import jinja2.ext
import jinja2.sandbox

from nemo_sdg.errors import ConfigError

INCLUDE = re.compile(r'\{% include "([^"]+)" %\}')


class Inlined(jinja2.ext.Extension):
    """Puts included templates into those that include them. Left to Jinja, they are looked up, and given a context of
    their own, at each rendering: 6% of the client's CPU time.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return INCLUDE.sub(self._source, source)

    def _source(self, include: re.Match[str]) -> str:
        assert self.environment.loader is not None
        source = self.environment.loader.get_source(self.environment, include[1])[0].removesuffix("\n")
        # these would strip the text around the include
        strips = source.startswith(("{%-", "{{-", "{#-")) or source.endswith(("-%}", "-}}", "-#}"))
        return include[0] if strips else INCLUDE.sub(self._source, source)


@functools.cache
def open_templates(folder: str | None) -> jinja2.Environment:
    """The environment that all flows of a process share: compiling the templates takes 70 ms. `folder` is the user's,
    whose templates go before the shipped ones. They are sandboxed: `report` and `trace` render those that a run names,
    and somebody else may have made the run.
    """
    shipped = jinja2.PackageLoader("nemo_sdg.generate", "prompts")
    loader = shipped if folder is None else jinja2.ChoiceLoader([jinja2.FileSystemLoader(folder), shipped])
    kind = jinja2.Environment if folder is None else jinja2.sandbox.SandboxedEnvironment
    return kind(
        loader=loader, undefined=jinja2.StrictUndefined, autoescape=False, auto_reload=False, extensions=[Inlined]
    )


@functools.cache
def require_used(folder: str, names: tuple[str, ...]) -> None:
    """Raises ConfigError for a template of the user's that nothing reads: it replaces none of the shipped ones and none
    of `names` (without a style), and no other template of the folder names it. Its author would take it for used.
    """
    own = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*.jinja")}
    shipped = jinja2.PackageLoader("nemo_sdg.generate", "prompts").list_templates()
    known = [*(f"{name}.jinja" for name in names), *shipped]
    texts = [path.read_text("utf-8", errors="replace") for path in own.values()]
    for name in sorted(own.keys() - set(known)):
        if any(f"{quote}{name}{quote}" in text for text in texts for quote in "\"'"):
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = (
            f"did you mean {close[0]}?" if close else "names are such as solve/numeric.jinja or full/solve/code.jinja"
        )
        raise ConfigError(f"generate.prompts_dir: {own[name]} replaces no template, so nothing would read it; {hint}")
