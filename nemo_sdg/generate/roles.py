"""Opens the engines of a step's roles. Roles with the same engine share it.

engines = open_roles(config, Role.solver, Role.judge)
number = engines.deal(Role.solver, sample_id, vote)
request = Request(role=Role.solver, number=number, tag=f"vote{vote}", ...)
engines.used(request, prompt="solve/code", prompt_hash=…)      a ModelUse with the sampling that is sent
"""

import asyncio
import itertools
import logging
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from nemo_sdg.config import EngineKind, EngineSection, Role, RunConfig
from nemo_sdg.config.engine import same_engine
from nemo_sdg.errors import EngineError
from nemo_sdg.generate.engines import open_engine
from nemo_sdg.generate.engines.base import Engine, TransportError
from nemo_sdg.generate.engines.sent import prepare, sampling_sent
from nemo_sdg.generate.requests import Completion, Request
from nemo_sdg.records import ModelUse

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Player:
    """One engine in one role."""

    engine: Engine
    section: EngineSection
    lane: int
    """index of the engine among those of the step"""


class RoleEngines:
    """The engines of a step. A request without a role goes to the first role."""

    def __init__(self, players: dict[Role, list[Player]]) -> None:
        assert players, "a step asks at least one role"
        self.players = players
        self.main = next(iter(players))
        by_lane = {player.lane: player for of_role in players.values() for player in of_role}
        self.engines = [by_lane[lane].engine for lane in sorted(by_lane)]
        self.sections = [by_lane[lane].section for lane in sorted(by_lane)]
        """the configuration of each engine"""

    def num(self, role: Role) -> int:
        """The number of engines that share a role."""
        return len(self.players[role])

    def deal(self, role: Role, record_id: str, index: int) -> int:
        """The engine of a role for the index-th completion of a record: the engines take turns, and the record's id
        decides which one begins.
        """
        return (zlib.crc32(record_id.encode()) + index) % self.num(role)

    def player(self, request: Request) -> Player:
        return self.players[request.role or self.main][request.number]

    def section(self, role: Role, number: int = 0) -> EngineSection:
        """The configuration of an engine; prompts depend on some of its fields (base_model, embedded, …)."""
        return self.players[role][number].section

    def prepare(self, request: Request) -> Request:
        return prepare(request, self.player(request).section)

    def key(self, request: Request) -> str:
        """Key of a flow's request in journal and cache."""
        return self.key_of_prepared(self.prepare(request))

    def key_of_prepared(self, request: Request) -> str:
        player = self.player(request)
        return request.key(f"{player.engine.model} context={player.section.context_length}")

    def model_use(self, role: Role) -> ModelUse:
        """The first model of a role, without a prompt."""
        player = self.players[role][0]
        return ModelUse(engine=player.engine.name, model=player.engine.model, license=player.section.model_license)

    def used(self, request: Request, *, prompt: str, prompt_hash: str) -> ModelUse:
        """The model that answers a request, with prompt and sampling: the entry in a sample's `generator`."""
        player = self.player(request)
        return ModelUse(
            engine=player.engine.name,
            model=player.engine.model,
            license=player.section.model_license,
            prompt=prompt,
            prompt_hash=prompt_hash,
            sampling=sampling_sent(request, player.section),
        )

    async def start(self) -> None:
        for engine in self.engines:
            await engine.start()

    async def ask(self, request: Request) -> Completion:
        """One completion, without journal, window and retries. Call start() first."""
        return await self.player(request).engine.complete(self.prepare(request))

    async def ask_again(self, request: Request) -> Completion:
        """As ask; a lost request is sent again up to engine.max_retries times, after a pause."""
        for attempt in itertools.count():
            try:
                return await self.ask(request)
            except TransportError as fault:
                if attempt >= self.player(request).section.max_retries:
                    raise
                await asyncio.sleep(fault.retry_after or min(60.0, 0.5 * 2**attempt))
        raise AssertionError("the loop ends by a reply or a fault")

    async def close(self) -> None:
        for engine in self.engines:
            await engine.close()


def open_roles(config: RunConfig, *roles: Role) -> RoleEngines:
    """The engines of some roles, not started. Raises EngineError when a model is missing, and MissingDependencyError
    with the name of the extra when a package is missing.
    """
    opened: list[tuple[EngineSection, Engine]] = []
    players: dict[Role, list[Player]] = {}
    for role in dict.fromkeys(roles):
        for section in config.engines(role):
            lane = next((i for i, (known, _) in enumerate(opened) if same_engine(known, section)), len(opened))
            if lane == len(opened):
                opened.append((section, open_engine(section)))
            players.setdefault(role, []).append(Player(engine=opened[lane][1], section=section, lane=lane))
    return RoleEngines(players)


class NamedEngine:
    """A model of which only the name is known, for code that reads a run and sends no request."""

    adaptive = False

    def __init__(self, name: str, model: str) -> None:
        self.name, self.model = name, model
        self.notify: Callable[[str], None] = log.warning

    async def start(self) -> None:
        raise EngineError(f"{self.model} cannot be started: only its name is known")

    async def complete(self, request: Request) -> Completion:
        raise EngineError(f"{self.model} cannot complete requests: only its name is known")

    async def close(self) -> None:
        return


def named_roles(config: RunConfig, in_process: str, *roles: Role) -> RoleEngines:
    """The engines of some roles by name. The configuration names a server's model; the name of a model in process,
    which has a hash of its weights, is `in_process`.
    """
    players: dict[Role, list[Player]] = {}
    lane = 0
    for role in roles:
        for section in config.engines(role):
            served = section.kind in (EngineKind.openai, EngineKind.batch)
            engine = NamedEngine(section.kind.value, str(section.model) if served else in_process)
            players.setdefault(role, []).append(Player(engine=engine, section=section, lane=lane))
            lane += 1
    return RoleEngines(players)


def one_engine(engine: Engine, section: EngineSection) -> RoleEngines:
    """One engine for every role."""
    return RoleEngines({role: [Player(engine=engine, section=section, lane=0)] for role in Role})
