"""Makes a Request from a record, with the templates of a style, a head that a task's requests share, schema, sampling.

    prompts/compact/solve/numeric.jinja     for models under about 3B: few words, JSON, worked examples
    prompts/full/solve/numeric.jinja        for strong models: sections, rules, examples of the task

A template has the blocks `instruction` and `ask`, and optionally worked examples, `example` and `reply`, `example2` and
`reply2`, and so on. In a chat the instruction is the system message and each ask a user turn; for base models
`completion.jinja` joins the same parts as running text. Instruction and examples, which all requests of a task share,
come first and are byte-identical, so an engine prefills them once; the varying part comes last. These blocks therefore
get only TASK_VARIABLES, and of a passage only whether there is one.

`generate.prompts_dir` replaces single files (`full/solve/numeric.jinja`, or `solve/numeric.jinja` for both styles). A
template's hash covers every file that affects its text, and is stored in each sample.
"""

import hashlib
import json
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta

from nemo_sdg.config import EngineSection, RunConfig, Style
from nemo_sdg.errors import ConfigError
from nemo_sdg.generate.requests import Request
from nemo_sdg.generate.templates import open_templates, require_used
from nemo_sdg.records import Frame, Kind, Sample, Seed

LANGUAGE_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish",
    "de": "German", "el": "Greek",
    "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "gl": "Galician", "gu": "Gujarati",
    "ha": "Hausa", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "ht": "Haitian Creole", "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian", "ig": "Igbo", "is": "Icelandic", "it": "Italian", "ja": "Japanese", "kn": "Kannada",
    "ko": "Korean", "lt": "Lithuanian",
    "ml": "Malayalam", "mr": "Marathi", "my": "Burmese", "ne": "Nepali", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese",
    "qu": "Quechua", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian",
    "sv": "Swedish", "sw": "Swahili",
    "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese",
    "xh": "Xhosa",
    "yo": "Yoruba", "zh": "Chinese", "zu": "Zulu",
}  # fmt: skip

TEMPLATE_KINDS = ("multiple_choice", "classification", "numeric", "short_text", "free_text", "code")
PURPOSES = ("similar", "solve", "guided", "judge", "student")
TEMPLATES = {
    Style.compact: tuple(f"{purpose}/{kind}" for purpose in ("similar", "solve", "guided") for kind in TEMPLATE_KINDS),
    Style.full: (
        *(f"{purpose}/{kind}" for purpose in ("similar", "solve", "guided") for kind in TEMPLATE_KINDS),
        "judge/question",
        "judge/answer",
        "judge/agreement",
        "student/answer",
    ),
}
BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
COMPLETION_STOP = ["\n### "]
TASK_VARIABLES = (
    "language", "language_name", "family", "label_set", "task", "frame", "capability", "kind", "examples", "lettered",
    "options",
)  # fmt: skip
"""fields of a record that instruction and worked examples get, besides whether it has a passage"""
MISSING = object()
MAX_TOKENS = {Style.compact: {"question": 512, "answer": 2048}, Style.full: {"question": 12288, "answer": 24576}}
"""max_tokens if the configuration sets none; thinking counts, and servers reduce it to their context"""
SAMPLING: dict[Style, dict[str, tuple[float | None, float | None]]] = {
    Style.compact: {"question": (0.9, 0.95), "answer": (0.7, 0.95)},
    Style.full: {"question": (None, None), "answer": (None, None)},
}
"""temperature and top_p if the configuration sets none; None is not sent, so the model's default applies"""


def style_of(config: RunConfig, section: EngineSection) -> Style:
    """The style of an engine's prompts: compact for the embedded model, else full, unless the configuration sets it."""
    if config.generate.style is not Style.auto:
        return config.generate.style
    return Style.compact if section.embedded else Style.full


def template_kind(record: Seed | Sample) -> str:
    """The template kind of a seed or sample. Classification is separate: its label set is given, not written."""
    if record.kind == Kind.multiple_choice and record.frame == Frame.classification:
        return "classification"
    return str(record.kind)


def request_seed(run_seed: int, record_id: str, purpose: str) -> int:
    return random.Random(f"{run_seed}:{record_id}:{purpose}").getrandbits(31)


@cache
def _included(source: str) -> tuple[str, ...]:
    """Names of the templates that one includes, by its text: to parse all those of a style takes 20 ms."""
    referenced = jinja2.meta.find_referenced_templates(jinja2.Environment().parse(source))
    return tuple(name for name in referenced if name is not None)


class Prompts:
    """The templates of one engine of a run. Raises ConfigError when the user's folder is missing or one of its
    templates is broken.
    """

    def __init__(self, config: RunConfig, section: EngineSection | None = None, *, style: Style | None = None) -> None:
        section = section or config.engine
        self.style = style or style_of(config, section)
        self.base_model = section.base_model
        self.generate = config.generate
        folder = config.generate.prompts_dir
        if folder is not None and not Path(folder).is_dir():
            raise ConfigError(f"generate.prompts_dir must be a folder of templates, got {folder}")
        if folder is not None:
            require_used(folder, tuple(sorted({name for names in TEMPLATES.values() for name in names})))
        self.folder: str | None = folder
        self.environment = open_templates(folder)
        self._hashes: dict[str, str] = {}
        self._layout = self._load("completion.jinja")
        self._templates: dict[str, jinja2.Template] = {}
        self._heads: dict[tuple[Any, ...], tuple[str, list[tuple[str, str]]]] = {}
        for name in TEMPLATES[self.style]:
            path = self._path(f"{name}.jinja")
            template = self._load(path)
            replies = {block.replace("example", "reply") for block in template.blocks if block.startswith("example")}
            if missing := {"instruction", "ask", *replies} - template.blocks.keys():
                raise ConfigError(
                    f"{template.filename} must have the blocks instruction and ask, and a reply for "
                    f"each example: {', '.join(sorted(missing))} is missing"
                )
            self._templates[name] = template
            sources = self._sources(path) | (self._sources("completion.jinja") if self.base_model else {})
            self._hashes[name] = hashlib.sha256(b"".join(sources[key] for key in sorted(sources))).hexdigest()[:16]

    def _path(self, name: str) -> str:
        """The path of a template: in the style's folder, or in the user's folder for both styles."""
        styled = f"{self.style.value}/{name}"
        if self.folder is not None and not (Path(self.folder) / styled).is_file():
            return name if (Path(self.folder) / name).is_file() else styled
        return styled

    def _sources(self, name: str) -> dict[str, bytes]:
        """Contents of a template's file and of the files that it includes."""
        found = {name: self._source(name)}
        for included in _included(found[name].decode()):
            if included not in found:
                found |= self._sources(included)
        return found

    def _source(self, name: str) -> bytes:
        assert self.environment.loader is not None
        return self.environment.loader.get_source(self.environment, name)[0].encode()

    def _load(self, name: str) -> jinja2.Template:
        try:
            template = self.environment.get_template(name)
        except jinja2.TemplateSyntaxError as exc:
            raise ConfigError(f"{exc.filename}, line {exc.lineno}: {exc.message}") from exc
        template.globals = dict(template.globals)  # a ChainMap doubles the time of a rendering
        return template

    def hash(self, name: str) -> str:
        """16 hex digits over the sources that affect a template's text."""
        return self._hashes[name]

    def _render(self, name: str, block: str, variables: dict[str, Any]) -> str:
        template = self._templates[name]
        try:
            text = "".join(template.blocks[block](template.new_context(variables))).strip()
            return text if self.style is Style.compact else BLANK_LINES.sub("\n\n", text)
        except (jinja2.UndefinedError, jinja2.exceptions.SecurityError, TypeError) as exc:
            raise ConfigError(f"{template.filename}, block {block}: {exc}") from exc

    def _head(self, name: str, variables: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
        """Instruction and written examples. They depend only on fields that all records of a task share, so they are
        rendered once per task.
        """
        key = (name, bool(variables.get("passage")), *[variables.get(key, MISSING) for key in TASK_VARIABLES])
        if key not in self._heads:
            shared = {key: variables[key] for key in TASK_VARIABLES if key in variables} | {
                "passage": bool(variables.get("passage"))
            }
            numbers = sorted(
                block.removeprefix("example") for block in self._templates[name].blocks if block.startswith("example")
            )
            examples = [
                (self._render(name, f"example{number}", shared), self._render(name, f"reply{number}", shared))
                for number in numbers
            ]
            self._heads[key] = self._render(name, "instruction", shared), examples
        return self._heads[key]

    def request(
        self,
        name: str,
        variables: dict[str, Any],
        *,
        examples: list[tuple[dict[str, Any], str]] = [],  # noqa: B006  never changed
        schema: dict[str, Any] | None,
        purpose: str,
        seed: int,
    ) -> Request:
        """The request. `examples` are (variables, reply) of worked examples before the ask, in order. `purpose` is
        question or answer, and selects the limits.
        """
        instruction, written = self._head(name, variables)
        shots = written + [(self._render(name, "ask", {**variables, **shown}), reply) for shown, reply in examples]
        ask = self._render(name, "ask", variables)
        temperature, top_p = self.sampling(purpose)
        request = Request(
            schema=schema, temperature=temperature, top_p=top_p, max_tokens=self.max_tokens(purpose), seed=seed
        )
        if self.base_model:
            request.prompt = self._layout.render(
                instruction=instruction, examples=[{"ask": shot, "reply": reply} for shot, reply in shots], ask=ask
            )
            request.prompt = request.prompt.rstrip("\n") + "\n"
            request.stop = list(COMPLETION_STOP)
        else:
            request.messages = [{"role": "system", "content": instruction}]
            for shot, reply in shots:
                request.messages += [{"role": "user", "content": shot}, {"role": "assistant", "content": reply}]
            request.messages.append({"role": "user", "content": ask})
        return request

    def max_tokens(self, purpose: str) -> int:
        given: int | None = getattr(self.generate, f"max_tokens_{purpose}")
        return MAX_TOKENS[self.style][purpose] if given is None else given

    def sampling(self, purpose: str) -> tuple[float | None, float | None]:
        """Temperature and top_p for a purpose."""
        temperature, top_p = SAMPLING[self.style][purpose]
        given = getattr(self.generate, f"temperature_{purpose}")
        return temperature if given is None else given, top_p if self.generate.top_p is None else self.generate.top_p


def language_variables(language: str) -> dict[str, str]:
    return {
        "language": language,
        "language_name": LANGUAGE_NAMES.get(language, f"the language with the code {language}"),
    }


def item_json(seed: Seed, *, with_choices: bool) -> str:
    """A seed for the writer of style compact, as the JSON that the writer is to write: without its answer."""
    item: dict[str, Any] = {}
    if seed.passage:
        item["passage"] = seed.passage
    item["question"] = seed.question
    if with_choices and seed.choices:
        item["choices"] = seed.choices
    if seed.kind == Kind.code:
        item["tests"] = list(seed.tests or [])[:3]
    return json.dumps(item, ensure_ascii=False)


def task_variables(record: Seed | Sample) -> dict[str, Any]:
    """The variables that describe a task in the templates of style full."""
    return {
        **language_variables(record.language),
        "task": record.task,
        "frame": record.frame,
        "kind": record.kind,
        "family": record.family.replace("_", " "),
        "capability": record.capability,
        "label_set": ", ".join(record.choices or []) if record.frame == Frame.classification else "",
        "options": bool(record.choices),
    }


def item_text(seed: Seed) -> str:
    """A seed as text for the writer of style full: with its right answer."""
    lines = [f"Passage:\n{seed.passage}\n"] if seed.passage else []
    lines.append(f"Question:\n{seed.question}")
    if seed.choices:
        lines.append("\nOptions:\n" + "\n".join(f"- {choice}" for choice in seed.choices))
    if seed.kind == Kind.code:
        lines.append("\nTests:\n" + "\n".join(list(seed.tests or [])[:3]))
    lines.append(f"\nRight answer:\n{seed.answer.text}")
    return "\n".join(lines)
