"""Checks before a run whether a model that the configuration names by folder or hub id can be loaded."""

import re
from pathlib import Path

from nemo_sdg.errors import ConfigError, UnreachableError

SECONDS = 10.0
"""until a hub that does not answer counts as unreachable"""


def is_cached(name: str) -> bool:
    """Whether the cache of the hub's client holds files of a model."""
    import huggingface_hub.constants

    folder = Path(huggingface_hub.constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    return any(folder.glob("snapshots/*"))


def require_model(field: str, name: str | None) -> None:
    """Raises ConfigError in one line where `name` is neither a file or folder nor a model that can be had. Downloads
    nothing.
    """
    if name is None or Path(name).exists() or is_cached(name):
        return  # before `requests` is imported, which takes 0.15 s
    import huggingface_hub
    import huggingface_hub.constants
    import requests
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    if not re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?", name):
        raise ConfigError(f"{field}={name}: there is no such file or folder; correct the path, or give a hub id")
    if huggingface_hub.constants.HF_HUB_OFFLINE:
        raise ConfigError(
            f"{field}={name} is no folder here, is not in the hub's cache, and HF_HUB_OFFLINE is set; give a "
            "folder, or unset HF_HUB_OFFLINE"
        )
    try:
        huggingface_hub.HfApi().model_info(name, timeout=SECONDS)
    except GatedRepoError as exc:
        raise ConfigError(f"{field}={name} is gated; accept its terms on the hub and set HF_TOKEN") from exc
    except RepositoryNotFoundError as exc:
        raise ConfigError(
            f"{field}={name}: there is no such folder here and no such public model on the hub; correct the name, "
            "or set HF_TOKEN if it is private"
        ) from exc
    except (requests.exceptions.RequestException, HfHubHTTPError) as exc:
        raise UnreachableError(
            f"{field}={name} is no folder here, and the hub cannot be reached ({type(exc).__name__}); give a folder, "
            "or try again with a network"
        ) from exc
