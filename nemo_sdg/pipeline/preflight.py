"""Checks before the first request, so that errors of later steps are found at once."""

import difflib
import importlib.util
import shutil

from nemo_sdg.config import EngineKind, Role, RunConfig
from nemo_sdg.errors import ConfigError, MissingDependencyError, SdgError
from nemo_sdg.execution.context import Context
from nemo_sdg.pipeline.order import step_module
from nemo_sdg.pipeline.plan import Plan
from nemo_sdg.storage import usable_ledger

BYTES_A_TOKEN = 4
ENGINE_PACKAGES = {EngineKind.trtllm: ("tensorrt_llm", "trtllm"), EngineKind.llama: ("xllamacpp", "embedded")}
COPIES = 2
"""minimum number of copies of a completion on disk: in the journal, and in the step's shard"""
SHRINKS = 6
"""times at most by which compression shrinks them; replies of a large model by 2.7 and 3.8"""


def check_configuration(config: RunConfig, names: list[str]) -> None:
    """Runs the preflight of each step with this configuration. Writes nothing. Raises SdgError if a step cannot run."""
    for name in names:
        module = step_module(name)
        if hasattr(module, "preflight"):
            module.preflight(config)
    check_families(config)


def check_families(config: RunConfig) -> None:
    """Raises ConfigError for a family that no task has."""
    named = {f"mixture.family_caps.{name}": name for name in config.mixture.family_caps}
    named |= {f"generate.origins_by_family.{name}": name for name in config.generate.origins_by_family}
    if not named:
        return
    from nemo_sdg.catalog.walk import build_catalog

    known = sorted({row.family for row in build_catalog(config.seeds, config.guard)})
    for field, name in named.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ConfigError(f"{field} names a family that no task has; {hint}")


def check_machine(context: Context, plan: Plan) -> None:
    """Raises MissingDependencyError if a package that a step needs is not installed, and SdgError if the forecast needs
    more disk than is free or more epochs than the mixture allows.
    """
    todo = [name for name, wanted in plan.wanted.items() if not _is_current(context, name, wanted.identity)]
    for name in todo:
        for package in getattr(step_module(name), "PACKAGES", []):
            if not _is_installed(package):
                raise MissingDependencyError(
                    f"step {name} needs the package {package}: install nemo-sdg's requirements"
                )
    for role in roles_of(todo, context.config):
        for section in context.config.engines(role):
            package, extra = ENGINE_PACKAGES.get(section.kind, ("", ""))
            if package and not _is_installed(package):
                raise MissingDependencyError(
                    f"engine.kind={section.kind.value} needs the package {package}: pip install 'nemo-sdg[{extra}]'"
                )
    if context.config.curate.dedup_gpu and "curated" in todo:
        _require_gpu()
    if any(hasattr(step_module(name), "flow_maker") for name in todo) and context.worker[0] == 0:
        _check_forecast(context)


def roles_of(names: list[str], config: RunConfig) -> list[Role]:
    """The roles whose engines these steps use."""
    roles = [role for name in names for role in getattr(step_module(name), "ROLES", [])]
    return [role for role in dict.fromkeys(roles) if role in (Role.writer, Role.solver) or config.roles.of(role)]


def _is_current(context: Context, name: str, identity: str) -> bool:
    ledger = usable_ledger(context.run_dir, name)
    return ledger is not None and ledger.identity == identity


def _is_installed(package: str) -> bool:
    """Whether a package is installed. It is not imported."""
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def _require_gpu() -> None:
    if not _is_installed("cudf"):
        raise MissingDependencyError(
            "curate.dedup_gpu=true needs cudf and a GPU: install nemo-sdg[gpu] there, or set it to false"
        )
    import torch

    if not torch.cuda.is_available():
        raise SdgError(
            "curate.dedup_gpu=true needs a GPU, and torch finds none here; run on a GPU machine, or set it to false"
        )


def _check_forecast(context: Context) -> None:
    """Compares the forecast's tokens with the epoch guard and with the free disk. A problem at the assumed yields gives
    a warning; a problem at any yield raises an error.
    """
    from nemo_sdg.export.blend.mixture import plan_mixture
    from nemo_sdg.pipeline.forecast import accepted_samples, attempts, count_seeds, make_forecast
    from nemo_sdg.pipeline.rates import assumed
    from nemo_sdg.seeds.sources.rows import uses_hub

    config, line = context.config, context.progress.line
    if uses_hub(config.seeds):
        if config.mixture.train_tokens is not None:
            line("the epoch guard cannot be checked before the seeds are counted: they come from the hub")
        return
    seeds, unknown, in_sentences = count_seeds(config)
    rates = assumed(config)
    forecast = make_forecast(config, rates, seeds, in_sentences, tokens_per_s=1.0, price=None)
    need = COPIES * BYTES_A_TOKEN * forecast["completion_tokens"] / SHRINKS
    free = shutil.disk_usage(context.run_dir).free
    if need > free:
        raise SdgError(
            f"{context.run_dir} has {free / 1e6:,.1f} MB free, but the completions of this run alone need at least "
            f"{need / 1e6:,.1f} MB; free space or set run.dir to a larger disk"
        )
    if config.mixture.train_tokens is None or not seeds:
        return
    if unknown:
        line(f"the epoch guard cannot be checked now: the rows of {unknown[0]} must be read to count them")
        return
    most = {
        family: sum(row.values()) * config.export.max_document_tokens for family, row in attempts(config, seeds).items()
    }
    likely = {
        family: samples * rates.tokens_per_sample for family, samples in accepted_samples(config, rates, seeds).items()
    }
    for tokens, certain in ((most, True), (likely, False)):
        available = {family: {family: round(num)} for family, num in tokens.items() if num >= 1}
        try:
            plan_mixture(dict.fromkeys(config.export.variants, available), config.mixture, config.export.budget)
        except ConfigError as exc:
            if certain:
                raise ConfigError(f"however well this run goes: {exc}") from exc
            line(f"at the yields that `nemo-sdg forecast` assumes, the step blend would stop: {exc}")
