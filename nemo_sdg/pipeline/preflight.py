"""What a later step would stumble over, asked before the first request."""

import importlib.util

from nemo_sdg.config import RunConfig
from nemo_sdg.errors import MissingDependencyError
from nemo_sdg.execution.context import Context
from nemo_sdg.pipeline.order import step_module
from nemo_sdg.pipeline.plan import Plan


def check_configuration(config: RunConfig, names: list[str]) -> None:
    """Asks the steps whether they could work with this configuration. Writes nothing; raises an SdgError."""
    for name in names:
        module = step_module(name)
        if hasattr(module, "preflight"):
            module.preflight(config)


def check_machine(context: Context, plan: Plan) -> None:
    """Raises MissingDependencyError where a package is not installed that a step of this start needs."""
    for name in plan.wanted:
        for package in getattr(step_module(name), "PACKAGES", []):
            if importlib.util.find_spec(package) is None:
                raise MissingDependencyError(
                    f"step {name} needs the package {package}; install nemo-sdg's requirements"
                )
