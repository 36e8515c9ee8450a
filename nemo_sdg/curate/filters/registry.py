"""Filters over finished samples: small named functions, each with its reason; on/off and thresholds by config.

    curate:
      filters:
        personal_data: false                  # off
        repetition: {max_top_ngram: 0.4}      # another threshold
        my_filters:no_shouting: true          # your own: a function of the sample dict, by `package.module:function`
        my_filters:long_enough: {words: 5}    # with thresholds, given as keyword arguments

A filter takes a sample dict and keyword-only thresholds. It returns None to keep the sample, else a reason (snake_case:
it is counted), or a reason and a detail for the reader of dropped/:

    def no_shouting(sample, *, max_share=0.5):
        letters = [letter for letter in sample["question"] if letter.isalpha()]
        return "shouting" if letters and sum(map(str.isupper, letters)) > max_share * len(letters) else None
"""

import copy
import difflib
import functools
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters import code, form, personal, residue, slots, talk
from nemo_sdg.curate.filters.question import completeness, material, options
from nemo_sdg.curate.filters.solution import agreement, asked_and_told, giveaway, kind_asked, topic, units
from nemo_sdg.curate.filters.solution.numbers import arithmetic
from nemo_sdg.curate.filters.view import Finding, View
from nemo_sdg.curate.filters.wording import characters, endings, fluency, languages, repetition, word_order
from nemo_sdg.curate.own_code import import_named, sources_of
from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.storage import sha256_file

Filter = Callable[[View], Finding | None]


BUILT_IN: dict[str, Callable[..., Finding | None]] = {
    function.__name__: function
    for function in (
        form.schema,
        form.length,
        code.code_parses,
        code.code_tests,
        form.latex_balance,
        characters.control_characters,
        characters.mojibake,
        repetition.repetition,
        word_order.word_salad,
        languages.language,
        personal.personal_data,
        talk.refusal,
        talk.assistant_chatter,
        residue.prompt_leak,
        residue.residue,
        slots.placeholder,
        talk.advertising,
        talk.dodge,
        talk.self_doubt,
        completeness.no_question,
        completeness.empty_solution,
        options.options_distinct,
        asked_and_told.answer_in_question,
        material.missing_material,
        agreement.reasoning_end,
        units.unit_missing,
        units.wrong_quantity,
        arithmetic.wrong_arithmetic,
        options.all_of_the_above,
        giveaway.context_gives_answer,
        completeness.context_restatement,
        endings.cut_off,
        topic.answer_off_topic,
        topic.context_off_topic,
        topic.reasoning_off_topic,
        kind_asked.answer_of_another_kind,
        fluency.fluency,
    )
}
"""In the order in which they are asked: what is malformed is named as such before anything reads it. The first finding
counts.
"""

OFF = {"fluency"}
"""built-in filters that run only where the configuration names them"""

REASON = re.compile(r"[a-z][a-z0-9_]*")


def apply_filters(sample: dict[str, Any], config: CurateSection) -> Finding | None:
    """The first filter's reason and detail, or None when the sample passes all. Raises ConfigError for an unknown
    filter or threshold.
    """
    view = View(sample)
    for _, check in load_filters(config):
        finding = check(view)
        if finding is not None:
            return finding
    return None


def load_filters(config: CurateSection) -> list[tuple[str, Filter]]:
    """(name, filter with its thresholds bound) for all that are on: the built-in ones, then the user's in the order of
    the config.
    """
    return _load(orjson.dumps(config.filters))


def filters_identity(config: CurateSection) -> dict[str, Any]:
    """What shapes the verdicts: every filter that is on, with its thresholds, and for a user's filter the SHA-256 of
    its source files.
    """
    out: dict[str, Any] = {}
    for name, (function, thresholds) in _resolve(config.filters).items():
        out[name] = dict(sorted(thresholds.items()))
        if name not in BUILT_IN:
            sources = {part: sha256_file(path) for part, path in sources_of(name, function, "curate.filters").items()}
            out[name] = {"thresholds": out[name], "source": sources.pop(name), **sources}
    return out


def filter_sources(config: CurateSection) -> dict[str, Path]:
    """The source files of every filter of the user's that is on."""
    found: dict[str, Path] = {}
    for name, (function, _) in _resolve(config.filters).items():
        if name not in BUILT_IN:
            found |= sources_of(name, function, "curate.filters")
    return found


@functools.lru_cache(maxsize=8)
def _load(settings: bytes) -> list[tuple[str, Filter]]:
    resolved = _resolve(orjson.loads(settings))
    return [(name, _bind(name, function, thresholds)) for name, (function, thresholds) in resolved.items()]


def _bind(name: str, function: Callable[..., Any], thresholds: dict[str, Any]) -> Filter:
    if name in BUILT_IN:
        return functools.partial(function, **thresholds)
    return functools.partial(_ask_user_filter, name, functools.partial(function, **thresholds))


def _ask_user_filter(name: str, check: Callable[[dict[str, Any]], Any], view: View) -> Finding | None:
    sample = view.sample
    try:
        found = check(copy.deepcopy(sample))  # what a filter changes is not changed in the corpus
    except Exception as exc:
        raise DataError(
            f"curate.filters.{name} failed on sample {sample.get('sample_id')}: {type(exc).__name__}: {exc}"
        ) from exc
    if found is None:
        return None
    reason, detail = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
    if not isinstance(reason, str) or not REASON.fullmatch(reason) or not isinstance(detail, str | None):
        raise DataError(
            f"curate.filters.{name} returned {found!r}; a filter returns None, a snake_case reason, or (reason, detail)"
        )
    return reason, detail


def _resolve(settings: dict[str, Any]) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    functions = dict(BUILT_IN)
    for name in settings:
        if name not in functions:
            functions[name] = _import_filter(name)
    return {
        name: (function, _thresholds(name, function, settings.get(name)))
        for name, function in functions.items()
        if settings.get(name, name not in OFF) is not False
    }


def _import_filter(name: str) -> Callable[..., Any]:
    if ":" not in name:
        close = difflib.get_close_matches(name, BUILT_IN, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise ConfigError(
            f"curate.filters.{name} is not a filter; {hint}known are {', '.join(BUILT_IN)}, or "
            "package.module:function for your own"
        )
    return import_named(name, "curate.filters")


def _thresholds(name: str, function: Callable[..., Any], setting: Any) -> dict[str, Any]:
    if setting is None or setting is True:
        setting = {}
    if not isinstance(setting, dict):
        raise ConfigError(f"curate.filters.{name} must be false, true or a mapping of thresholds, got {setting!r}")
    known = {p.name: p.default for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY}
    for key, value in setting.items():
        if key not in known:
            raise ConfigError(f"curate.filters.{name} has no threshold {key!r}; it has {', '.join(known) or 'none'}")
        if name in BUILT_IN and not _fits(value, known[key]):
            raise ConfigError(f"curate.filters.{name}.{key} must be like {known[key]!r}, got {value!r}")
    defaults = {key: default for key, default in known.items() if default is not inspect.Parameter.empty}
    missing = sorted(known.keys() - defaults.keys() - setting.keys())
    if missing:
        raise ConfigError(f"curate.filters.{name} needs {', '.join(missing)}")
    merged = {
        key: {**defaults[key], **value} if isinstance(value, dict) and isinstance(defaults.get(key), dict) else value
        for key, value in setting.items()
    }
    return {**defaults, **merged}


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float) and value >= 0
    if isinstance(default, dict):
        return isinstance(value, dict) and all(
            key in default and _fits(item, default[key]) for key, item in value.items()
        )
    return isinstance(value, type(default))
