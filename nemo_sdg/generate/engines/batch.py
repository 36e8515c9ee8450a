"""An engine whose requests go out in files and whose replies come back in files (scheduling/batch.py carries them)."""

import logging
from collections.abc import Callable

from nemo_sdg.config import EngineSection
from nemo_sdg.errors import EngineError
from nemo_sdg.generate.requests import Completion, Request

log = logging.getLogger(__name__)


class BatchEngine:
    """The model's name and nothing to call."""

    name = "batch"
    adaptive = False

    def __init__(self, config: EngineSection) -> None:
        if not config.model:
            raise EngineError("engine.kind=batch needs engine.model, the name that the requests are to carry")
        self.config = config
        self.model = config.model
        self.notify: Callable[[str], None] = log.warning

    async def start(self) -> None:
        raise EngineError("engine.kind=batch answers in files: `nemo-sdg run` writes them and reads the replies")

    async def complete(self, request: Request) -> Completion:
        raise EngineError("engine.kind=batch answers in files: `nemo-sdg run` writes them and reads the replies")

    async def close(self) -> None:
        return
