"""Task-seeded synthetic data generation: from the training splits of lm-evaluation-harness to a Megatron blend.

    import nemo_sdg

    config = nemo_sdg.load_config("configs/quickstart.yaml", ["run.dir=runs/mine"])
    run_dir = nemo_sdg.run(config, until="verified")

Importing this package loads its errors alone; each function imports what it needs when it is called.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nemo_sdg.errors import ConfigError, SdgError

if TYPE_CHECKING:
    from nemo_sdg.config import CurateSection, RunConfig

__version__ = "0.1.0"
__all__ = ["SdgError", "effective_license", "filter_sample", "load_config", "read_solution", "run", "same_answer"]


def load_config(path: str | Path, overrides: list[str] | None = None) -> "RunConfig":
    """Reads a YAML file and `key=value` overrides. Raises ConfigError in one line that names the field and the file."""
    from nemo_sdg.config import load_config as load

    return load(path, overrides)


def run(
    config: "RunConfig",
    *,
    only: str | None = None,
    start: str | None = None,
    until: str | None = None,
    redo: bool = False,
) -> Path:
    """Runs the steps that are not done yet, all or those named, and returns the run's folder. `redo` allows finished
    steps that a change concerns to be overwritten. Raises SdgError in one line for what a user can fix.
    """
    from nemo_sdg.config import RunConfig, validate
    from nemo_sdg.pipeline.run import run as run_steps

    if not isinstance(config, RunConfig):
        raise ConfigError(f"run takes what load_config returns, got {type(config).__name__}: run(load_config(path))")
    validate(config)  # its fields may have been set since it was loaded
    return run_steps(config, only=only, start=start, until=until, redo=redo)


def effective_license(seeds: list[str], models: list[str]) -> str:
    """The licences that bind a sample made from seeds under `seeds` by models under `models`: ids joined by ` AND `."""
    from nemo_sdg.catalog.about.licenses import effective

    if isinstance(seeds, str) or isinstance(models, str):
        raise ConfigError("effective_license takes two lists of SPDX ids, such as ['CC-BY-4.0'], ['Apache-2.0']")
    return effective(seeds, models)


def same_answer(a: str, b: str, *, kind: str, question: str = "", language: str = "en") -> bool:
    """Whether two answers to a question are the same, by kind and language; see `nemo_sdg.text.answers`."""
    from nemo_sdg.text import answers

    _require_kind(kind)
    return answers.same_answer(a, b, kind=kind, question=question, language=language)


def read_solution(
    text: str, *, kind: str, options: list[str] | None = None, finish_reason: str = "stop", trace: str | None = None
) -> dict[str, str] | tuple[str, str]:
    """Reads a model's reply: {answer, reasoning, context, trace}, or (reason, detail) where it holds no answer.

    `options` stand in the order in which the model saw them; the answer is then the text of one of them. `trace` is the
    thinking that a server sent apart from the text.
    """
    from nemo_sdg.generate.parsing.solutions import read_solution as read

    _require_kind(kind, "classification")
    return read(text, kind=kind, options=options, finish_reason=finish_reason, trace=trace)


def filter_sample(sample: dict[str, Any], config: "CurateSection | None" = None) -> tuple[str, str | None] | None:
    """The first filter's (reason, detail) for a sample, or None where it passes all; `config` switches filters off and
    sets their thresholds. See `nemo_sdg.curate.filters.registry`.

    A sample needs kind, language, question and answer (a text, or {"text": ..., "label": ...}), with `choices` where
    the kind has options; what else a record of a run holds may be missing.
    """
    from nemo_sdg.config import CurateSection
    from nemo_sdg.curate.filters.registry import apply_filters

    filled = {"sample_id": "sample", "task": "none", "family": "other", **sample}
    if isinstance(filled.get("answer"), str):
        filled["answer"] = {"text": filled["answer"]}
    return apply_filters(filled, config or CurateSection())


def _require_kind(kind: str, *more: str) -> None:
    from nemo_sdg.records import Kind

    if kind not in (known := (*Kind.__members__, *more)):
        raise ConfigError(f"kind must be one of {', '.join(known)}, got {kind!r}")
