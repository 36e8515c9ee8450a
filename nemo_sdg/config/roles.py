"""The roles of the models in a run, and the engines of these roles.

roles:
  solver: [{base_urls: [http://b:8000/v1], model: deepseek-ai/DeepSeek-V3.2, sampling: {temperature: 0.6}}]
"""

import enum
from dataclasses import dataclass, field
from typing import Any

from nemo_sdg.config.engine import EngineKind, EngineSection, OutputLimit, SamplingSection, Structured
from nemo_sdg.errors import ConfigError


class Role(enum.StrEnum):
    """The role of a model in a run."""

    writer = "writer"
    """writes questions"""
    solver = "solver"
    """answers questions; several solvers share the votes"""
    judge = "judge"
    """grades questions and answers"""
    student = "student"
    """a weaker model whose pass rate measures difficulty"""


MODEL_FIELDS = {
    "tokenizer",
    "model_license",
    "base_model",
    "sampling",
    "extra_body",
    "system_role",
    "prefix",
    "structured",
    "context_length",
    "options",
    "price_input",
    "price_output",
}
"""fields that belong to a model: a role that names another model does not take them from `engine`"""


@dataclass(kw_only=True)
class RoleSection:
    """The engine of one role, with the fields of `engine`. Unset fields are taken from `engine`. If a role names
    another model, MODEL_FIELDS are not taken from `engine`.
    """

    kind: EngineKind | None = None
    model: str | None = None
    tokenizer: str | None = None
    model_license: str | None = None
    base_model: bool | None = None
    base_urls: list[str] | None = None
    api_key_env: str | None = None
    sampling: SamplingSection = field(default_factory=SamplingSection)
    extra_body: dict[str, Any] | None = None
    system_role: bool | None = None
    prefix: str | None = None
    structured: Structured | None = None
    replicas: int | None = None
    max_in_flight: int | None = None
    output_limit: OutputLimit | None = None
    context_length: int | None = None
    request_timeout: float | None = None
    max_retries: int | None = None
    give_up_after: float | None = None
    threads: int | None = None
    price_input: float | None = None
    price_output: float | None = None
    options: dict[str, Any] | None = None

    def over(self, engine: EngineSection) -> EngineSection:
        """The complete engine of the role. Raises ConfigError if it is not valid."""
        own = {
            name: value for name, value in vars(self).items() if value is not None and name not in ("kind", "sampling")
        }
        other_kind = self.kind is not None and self.kind is not engine.kind
        if (self.model is not None and self.model != engine.model) or other_kind:
            base = {name: value for name, value in vars(engine).items() if name not in MODEL_FIELDS | {"model"}}
            sampling = self.sampling
            if other_kind:
                base["base_urls"] = []
        else:
            base = dict(vars(engine))
            sampling = SamplingSection(**{**engine.sampling.given(), **self.sampling.given()})
        kind = {"kind": self.kind} if self.kind is not None else {}
        return EngineSection(**{**base, **own, **kind, "sampling": sampling})


@dataclass(kw_only=True)
class RolesSection:
    """The engines of the roles. `engine` is the writer and solver if none is named. Without a judge nothing is graded,
    and without a student no difficulty is measured.
    """

    writer: RoleSection | None = None
    """writes questions"""
    solver: list[RoleSection] = field(default_factory=list)
    """answer questions; several solvers share the votes on each question, in turn"""
    judge: RoleSection | None = None
    """grades questions and answers"""
    student: RoleSection | None = None
    """a weaker model that tries each question; its pass rate measures difficulty"""

    def of(self, role: Role) -> list[RoleSection]:
        """The configured sections of a role."""
        if role is Role.solver:
            return self.solver
        section: RoleSection | None = getattr(self, role.value)
        return [] if section is None else [section]

    def engines(self, role: Role, engine: EngineSection) -> list[EngineSection]:
        """The engines of a role; `engine` if none is named. Only solvers can be several."""
        found = []
        for number, section in enumerate(self.of(role)):
            try:
                found.append(section.over(engine))
            except ConfigError as exc:
                place = f"{role.value}[{number}]" if role is Role.solver else role.value
                raise ConfigError(f"roles.{place}: {exc}") from exc
        return found or [engine]


def operational(section: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    """The plain `roles` section without the operational `fields` of its engines."""

    def without(role: dict[str, Any] | None) -> dict[str, Any] | None:
        return role and {name: value for name, value in role.items() if name not in fields}

    return {
        name: [without(one) for one in value] if isinstance(value, list) else without(value)
        for name, value in section.items()
    }
