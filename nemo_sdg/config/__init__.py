"""One YAML file plus `key=value` overrides become a RunConfig; its fingerprint is the identity of a run.

Paths are relative to the working directory, as in the YAML files of lm-eval, NeMo and Megatron.
"""

import dataclasses
import enum
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from nemo_sdg.config.curate import CurateSection
from nemo_sdg.config.engine import EngineKind, EngineSection
from nemo_sdg.config.export import BlendSection, BlendSource, Budget, ExportSection, MixtureSection
from nemo_sdg.config.generate import GenerateSection, OriginShare, Sandbox, VerifySection
from nemo_sdg.config.run import Executor, RunSection, Verify
from nemo_sdg.config.seeds import DeclaredSplit, GuardSection, LicensePolicy, SeedsSection
from nemo_sdg.errors import ConfigError

__all__ = [
    "OPERATIONAL",
    "BlendSection",
    "BlendSource",
    "Budget",
    "CurateSection",
    "DeclaredSplit",
    "EngineKind",
    "EngineSection",
    "Executor",
    "ExportSection",
    "GenerateSection",
    "GuardSection",
    "LicensePolicy",
    "MixtureSection",
    "OriginShare",
    "RunConfig",
    "RunSection",
    "Sandbox",
    "SeedsSection",
    "Verify",
    "VerifySection",
    "as_plain",
    "differences",
    "fingerprint",
    "identity",
    "load_config",
]


@dataclass(kw_only=True)
class RunConfig:
    run: RunSection = field(default_factory=RunSection)
    seeds: SeedsSection = field(default_factory=SeedsSection)
    guard: GuardSection = field(default_factory=GuardSection)
    engine: EngineSection = field(default_factory=EngineSection)
    generate: GenerateSection = field(default_factory=GenerateSection)
    verify: VerifySection = field(default_factory=VerifySection)
    curate: CurateSection = field(default_factory=CurateSection)
    mixture: MixtureSection = field(default_factory=MixtureSection)
    export: ExportSection = field(default_factory=ExportSection)
    blend: BlendSection = field(default_factory=BlendSection)


OPERATIONAL = {
    "run": {"dir", "executor", "workers", "dask_address", "verify", "cache_dir", "progress_every", "trackers"},
    "engine": {
        "base_urls",
        "api_key_env",
        "max_in_flight",
        "replicas",
        "request_timeout",
        "max_retries",
        "give_up_after",
        "threads",
    },
    "curate": {"embedder_gpus"},
}
"""Fields that say how a run is carried out, not what comes out of it: outside config.yaml and the fingerprint."""


def load_config(path: str | Path, overrides: list[str] | None = None) -> RunConfig:
    """Reads a YAML file and `key=value` overrides. Raises ConfigError in one line that names the field and the file."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    if not Path(path).is_file():
        raise ConfigError(f"no configuration file at {path}")
    try:
        merged = OmegaConf.merge(
            OmegaConf.structured(RunConfig), OmegaConf.load(path), OmegaConf.from_dotlist(list(overrides or []))
        )
        config = OmegaConf.to_object(merged)
    except (OmegaConfBaseException, YAMLError, TypeError) as exc:
        message = " ".join(line.strip() for line in str(exc).splitlines() if line.strip())
        raise ConfigError(f"{message} ({path})") from exc
    except ConfigError as exc:
        raise ConfigError(f"{exc} ({path})") from exc
    assert isinstance(config, RunConfig)
    return config


def identity(config: RunConfig) -> dict[str, Any]:
    """The part of the configuration that shapes the bytes of a run, as plain data. A folder of templates counts by its
    content.
    """
    plain = as_plain(config)
    if (folder := config.generate.prompts_dir) is not None:
        templates = {
            str(path.relative_to(folder)): path.read_text(errors="replace")
            for path in sorted(Path(folder).rglob("*.jinja"))
        }
        plain["generate"]["prompts_dir"] = f"templates {fingerprint(templates)}"
    return {
        section: {k: v for k, v in fields.items() if k not in OPERATIONAL.get(section, set())}
        for section, fields in plain.items()
    }


def fingerprint(value: Any) -> str:
    """32 hex digits over the canonical JSON of plain data."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def differences(old: Any, new: Any, prefix: str = "") -> list[str]:
    """`field: old -> new` for every leaf in which two identities differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(old.keys() | new.keys())
            for line in differences(old.get(key), new.get(key), f"{prefix}{key}.")
        ]
    return [] if old == new else [f"{prefix[:-1]}: {old} -> {new}"]


def as_plain(value: Any) -> Any:
    """Dataclasses, enums, lists and dicts as plain data, for YAML and JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_plain(item) for item in value]
    return value
