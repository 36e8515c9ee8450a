"""Reads a YAML file and `key=value` overrides into a RunConfig. Each step names the fields that affect its result.

Paths are relative to the working directory, as in the YAML files of lm-eval, NeMo and Megatron.
"""

import contextlib
import dataclasses
import enum
import functools
import hashlib
import re
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson

from nemo_sdg.config.curate import CurateSection
from nemo_sdg.config.engine import EngineKind, EngineSection, SamplingSection, Structured
from nemo_sdg.config.explain import explain, refuse_overrides
from nemo_sdg.config.export import VARIANTS, BlendSection, BlendSource, Budget, ExportSection, Form, MixtureSection
from nemo_sdg.config.generate import GenerateSection, OriginShare, PerSeed, Sandbox, Style, VerifySection
from nemo_sdg.config.roles import Role, RoleSection, RolesSection, operational
from nemo_sdg.config.run import Executor, RunSection, Verify
from nemo_sdg.config.seeds import DeclaredSplit, FileSeeds, GuardSection, Labels, LicensePolicy, SeedsSection
from nemo_sdg.errors import ConfigError

T = TypeVar("T")


@dataclass(kw_only=True)
class RunConfig:
    """The whole configuration of a run."""

    run: RunSection = field(default_factory=RunSection)
    seeds: SeedsSection = field(default_factory=SeedsSection)
    guard: GuardSection = field(default_factory=GuardSection)
    engine: EngineSection = field(default_factory=EngineSection)
    roles: RolesSection = field(default_factory=RolesSection)
    generate: GenerateSection = field(default_factory=GenerateSection)
    verify: VerifySection = field(default_factory=VerifySection)
    curate: CurateSection = field(default_factory=CurateSection)
    mixture: MixtureSection = field(default_factory=MixtureSection)
    export: ExportSection = field(default_factory=ExportSection)
    blend: BlendSection = field(default_factory=BlendSection)

    def __post_init__(self) -> None:
        for role in Role:
            self.engines(role)
        if self.mixture.difficulty and not self.export.difficulty_bands:
            raise ConfigError("mixture.difficulty needs export.difficulty_bands=true, which packs the bands apart")

    def engines(self, role: Role) -> list[EngineSection]:
        """The engines of a role. Raises ConfigError if one of them is not valid."""
        return self.roles.engines(role, self.engine)


OPERATIONAL = {
    "run": {
        "dir",
        "executor",
        "workers",
        "dask_address",
        "verify",
        "cache_dir",
        "progress_every",
        "currency",
        "trackers",
        "measure",
    },
    "engine": {
        "base_urls",
        "api_key_env",
        "max_in_flight",
        "output_limit",
        "replicas",
        "request_timeout",
        "max_retries",
        "give_up_after",
        "threads",
        "price_input",
        "price_output",
    },
    "curate": {"embedder_gpus"},
    "guard": {"cache", "require"},
    "seeds": {"strict"},
}
"""fields that affect how a run is carried out, not its result. config.yaml and identities do not contain them"""


RECORD = "`nemo-sdg run` with the run's configuration writes it again"


def load_config(path: str | Path, overrides: list[str] | None = None) -> RunConfig:
    """Reads a run's YAML file, or `config.yaml` of a folder, and `key=value` overrides.

    `${config_dir:}` in the file is replaced by the file's folder. The config.yaml that a run keeps does not name the
    run's folder: it is the one that the file is in. Raises ConfigError in one line with the field and the file.
    """
    path = Path(path)
    path = path / "config.yaml" if path.is_dir() else path
    return read_config(RunConfig, path, overrides, complete=functools.partial(_name_folder, path.parent))


def is_run(folder: Path) -> bool:
    """Whether a folder is a run: it has a configuration, and the folder of a step."""
    return (folder / "config.yaml").is_file() and ((folder / "catalog").is_dir() or any(folder.glob("*/receipts")))


def load_recorded(run_dir: Path, overrides: list[str] | None = None) -> RunConfig:
    """The configuration that a run keeps in config.yaml. It does not say where the servers are, so no request can be
    sent by it. Raises ConfigError.
    """

    def complete(loaded: Any) -> None:
        _name_folder(run_dir, loaded)
        _name_servers(loaded)

    return read_config(RunConfig, run_dir / "config.yaml", overrides, complete=complete)


def recorded_settings(run_dir: Path) -> dict[str, dict[str, Any]]:
    """config.yaml of a run as it stands, also of another version: section -> field -> value. Raises ConfigError."""
    import yaml

    path = run_dir / "config.yaml"
    try:
        found = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as exc:
        raise ConfigError(f"{path} is damaged ({' '.join(str(exc).split())}); {RECORD}") from exc
    if not isinstance(found, dict) or not all(isinstance(fields, dict) for fields in found.values()) or not found:
        raise ConfigError(f"{path} must be a mapping of sections such as run, seeds, engine; {RECORD}")
    return found


def _name_folder(folder: Path, loaded: Any) -> None:
    fields = loaded.get("run")
    if is_run(folder) and isinstance(fields, MutableMapping) and "dir" not in fields:
        fields["dir"] = str(folder)


def _name_servers(loaded: Any) -> None:
    roles = loaded.get("roles")
    for section in [loaded.get("engine"), *(roles.values() if isinstance(roles, MutableMapping) else ())]:
        for one in section if isinstance(section, Sequence) else [section]:
            if isinstance(one, MutableMapping):
                one["base_urls"] = ["http://not-recorded/v1"]


def _in_home(loaded: Any) -> Any:
    """The same configuration with the home folder for `~/` at the beginning of a text: the shell leaves `key=~/x` as it
    is.
    """
    from omegaconf import OmegaConf

    def expanded(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: expanded(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [expanded(inner) for inner in value]
        return str(Path(value).expanduser()) if isinstance(value, str) and value.startswith("~/") else value

    return OmegaConf.create(expanded(OmegaConf.to_container(loaded, resolve=False)))


def read_config(
    structure: type[T],
    path: Path,
    overrides: list[str] | None = None,
    *,
    complete: Callable[[Any], None] = lambda loaded: None,
) -> T:
    """Reads a YAML file and overrides into a dataclass. Every configuration file is read here. `complete` adds what
    the file leaves out. Raises ConfigError.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    if not path.is_file():
        raise ConfigError(f"there is no configuration file at {path}; nemo-sdg init FOLDER writes one")
    OmegaConf.register_new_resolver("config_dir", lambda: str(path.parent), replace=True)
    given: Any = None
    try:
        loaded = OmegaConf.load(path)
        if not OmegaConf.is_dict(loaded):
            raise ConfigError("a configuration is a mapping of sections such as run, seeds, engine")
        loaded = _in_home(loaded)
        complete(loaded)
        refuse_overrides(overrides or [])
        changes = _in_home(OmegaConf.from_dotlist(list(overrides or [])))
        with contextlib.suppress(OmegaConfBaseException):
            given = OmegaConf.to_container(OmegaConf.unsafe_merge(loaded.copy(), changes), resolve=False)
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(structure), loaded, changes))
    except (OmegaConfBaseException, YAMLError, TypeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{explain(exc, structure, given)} ({path})") from exc
    except ConfigError as exc:
        raise ConfigError(f"{exc} ({path})") from exc
    assert isinstance(config, structure)
    return config


def validate(config: Any) -> None:
    """Checks the fields of a configuration, and of the sections in it, once more. Raises ConfigError."""
    if isinstance(config, list | tuple):
        for entry in config:
            validate(entry)
    elif isinstance(config, dict):
        validate(list(config.values()))
    elif dataclasses.is_dataclass(config):
        validate([getattr(config, each.name) for each in dataclasses.fields(config)])
        if (check := getattr(config, "__post_init__", None)) is not None:
            check()


def shaping(config: RunConfig) -> dict[str, dict[str, Any]]:
    """The configuration as plain data without the fields that only affect how a run is carried out."""
    plain = as_plain(config)
    plain["roles"] = operational(plain["roles"], OPERATIONAL["engine"])
    return {
        section: {k: v for k, v in fields.items() if k not in OPERATIONAL.get(section, set())}
        for section, fields in plain.items()
    }


def select(config: RunConfig, names: list[str], without: list[str]) -> dict[str, Any]:
    """The values of fields (`generate.votes`) and whole sections (`mixture`) as `{"generate.votes": 3, …}`, sorted.

    `without` names fields of these sections that are left out.
    """
    leaves = {
        f"{section}.{name}": value for section, fields in shaping(config).items() for name, value in fields.items()
    }
    chosen = {
        leaf: value
        for leaf, value in leaves.items()
        if (leaf in names or leaf.partition(".")[0] in names) and leaf not in without
    }
    unknown = [name for name in names if name not in chosen and not any(leaf.startswith(f"{name}.") for leaf in chosen)]
    assert not unknown, f"the configuration has no field {unknown}"
    return dict(sorted(chosen.items()))


def fingerprint(value: Any) -> str:
    """32 hex digits over the canonical JSON of plain data."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


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
