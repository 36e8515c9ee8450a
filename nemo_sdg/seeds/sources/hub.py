"""Rows through `datasets`: streamed from the Hugging Face hub at a fixed commit, or from files that only its builders
read (csv, text).
"""

import functools
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError, few
from nemo_sdg.seeds.sources.formats import LOCAL, Damaged, Row, Rows, iterate_rows, why
from nemo_sdg.seeds.sources.rows import Split

CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
"""a hub that does not answer within these is slow; huggingface_hub itself waits for ever on some of its calls"""


class HubUnreachable(DataError):
    """The hub itself cannot be reached: the next split need not be tried."""


@functools.cache
def _be_patient_but_not_forever() -> None:
    """Gives every request of huggingface_hub and `datasets` a time limit, and another try where the connection or the
    server fails.
    """
    import huggingface_hub
    import requests
    import urllib3

    class Adapter(requests.adapters.HTTPAdapter):
        def send(
            self,
            request: Any,
            stream: bool = False,
            timeout: Any = None,
            verify: Any = True,
            cert: Any = None,
            proxies: Any = None,
        ) -> requests.Response:
            return super().send(request, stream, timeout or (CONNECT_SECONDS, READ_SECONDS), verify, cert, proxies)

    def session() -> requests.Session:
        found = requests.Session()
        retries = urllib3.Retry(
            connect=2,
            read=1,
            status=3,
            other=0,
            backoff_factor=1,
            status_forcelist=(429, 500, 502, 503, 504),
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            found.mount(scheme, Adapter(max_retries=retries))
        return found

    huggingface_hub.configure_http_backend(session)


def hub_rows(split: Split, seeds: SeedsSection, task: str, revision: str | None) -> Rows:
    """Streams a split from the hub at `revision`, by default the newest commit. Offline (HF_HUB_OFFLINE=1) it is read
    from the local cache.
    """
    import datasets

    options = split.keywords() | ({"data_files": {split.split: list(split.data_files)}} if split.data_files else {})
    options.pop("trust_remote_code", None)
    options.pop("streaming", None)
    revision = options.pop("revision", None) if revision is None else revision
    if int(datasets.__version__.split(".")[0]) < 4:
        options["trust_remote_code"] = split.path in seeds.trust_remote_code
    offline = _offline()
    if not offline:
        _be_patient_but_not_forever()
    commit = revision if offline else _commit(split, revision, task)
    try:
        rows = datasets.load_dataset(
            split.path, split.name, split=split.split, streaming=not offline, revision=commit, **options
        )
    except Exception as exc:  # the hub client raises errors of many libraries
        raise DataError(_explain(exc, split, task, offline)) from exc
    count = (
        None
        if rows.info.splits is None or split.split not in rows.info.splits
        else rows.info.splits[split.split].num_examples or None
    )
    return Rows(
        commit or LOCAL,
        functools.partial(_guarded, rows, lambda exc: _explain(exc, split, task, _offline())),
        lambda: count,
    )


def builder_rows(builder: str, files: list[str], options: dict[str, Any], task: str) -> Rows:
    """Streams files through a generic builder of `datasets` (csv, text, or json with options)."""
    import datasets

    options = {key: value for key, value in options.items() if key not in ("trust_remote_code", "streaming")}

    def explain(exc: Exception) -> str:
        return (
            f"task {task}: {few(files, 3)} cannot be read by the builder {builder} ({why(exc)}); correct the file or "
            "dataset_kwargs"
        )

    try:
        rows = datasets.load_dataset(builder, data_files={"train": files}, split="train", streaming=True, **options)
    except Exception as exc:  # the builders raise errors of many libraries
        raise DataError(explain(exc)) from exc
    return Rows(LOCAL, functools.partial(_guarded, rows, explain), lambda: None)


def _guarded(
    rows: Any, explain: Callable[[Exception], str], wanted: Callable[[int], bool] | None
) -> Iterator[tuple[int, Row | Damaged]]:
    try:
        yield from iterate_rows(rows, wanted)
    except DataError:
        raise
    except Exception as exc:  # the connection may break while rows stream
        raise DataError(explain(exc)) from exc


def _offline() -> bool:
    import huggingface_hub.constants

    return bool(huggingface_hub.constants.HF_HUB_OFFLINE) or os.environ.get("HF_HUB_OFFLINE", "").upper() in (
        "1",
        "ON",
        "YES",
        "TRUE",
    )


@functools.lru_cache(maxsize=4096)
def _sha(path: str, revision: str | None) -> str:
    import huggingface_hub

    sha = huggingface_hub.HfApi().dataset_info(path, revision=revision).sha
    assert sha is not None
    return sha


_down: dict[str, str] = {}
"""endpoint: how it failed. A hub that cannot be reached is not asked again for each of thousands of splits."""


def commit_of(split: Split, revision: str | None, task: str) -> str | None:
    """The commit that a split of the hub would be read at; None offline, where the local cache decides."""
    return None if _offline() else _commit(split, revision, task)


def _commit(split: Split, revision: str | None, task: str) -> str:
    import huggingface_hub.constants
    import requests

    if revision is not None and len(revision) == 40 and set(revision) <= set("0123456789abcdef"):
        return revision
    endpoint = huggingface_hub.constants.ENDPOINT
    if endpoint in _down:
        raise HubUnreachable(f"task {task}: {split} was not tried: {endpoint} cannot be reached ({_down[endpoint]})")
    _be_patient_but_not_forever()
    try:
        return _sha(split.path, revision)
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as exc:
        _down[endpoint] = why(exc)
        raise HubUnreachable(_explain(exc, split, task, False)) from exc
    except Exception as exc:  # the hub client raises errors of many libraries
        raise DataError(_explain(exc, split, task, False)) from exc


_REFUSED = re.compile(
    r"\bgated (?:repo|data)|\bGatedRepoError\b|\b40[13] (?:Client Error|Forbidden|Unauthorized)", re.IGNORECASE
)


def _is_refused(exc: BaseException | None, text: str) -> bool:
    """Whether the hub wants other credentials: by the status of its reply, or by the words of an error without one."""
    while exc is not None:
        status = getattr(getattr(exc, "response", None), "status_code", None)
        if status is not None:
            return status in (401, 403)
        exc = exc.__cause__ or exc.__context__
    return _REFUSED.search(text) is not None


def _explain(exc: Exception, split: Split, task: str, offline: bool) -> str:
    """Explains a failure of the hub in one line, with how to fix it."""
    text = why(exc)
    dataset = f"task {task}: dataset {split.path}"
    if "scripts are no longer supported" in text or "trust_remote_code" in text:
        return (
            f"{dataset} wants to run a loading script of its own, which is refused; put its rows into seeds.mirror, or "
            "name it in seeds.trust_remote_code with datasets < 4 installed"
        )
    if _is_refused(exc, text):
        return (
            f"{dataset} is gated or private ({text}); accept its terms and set HF_TOKEN, or put its rows into "
            "seeds.mirror"
        )
    if "BuilderConfig" in text or "Config name is missing" in text:
        return f"{dataset} has no configuration {split.name} ({text}); correct dataset_name in the task file"
    if "Bad split" in text or "Unknown split" in text or "unknown split" in text:
        where = "correct the split's name in the task file or in seeds.declared"
        return f"{dataset} has no split {split.split} ({text}); {where}"
    if offline:
        return (
            f"task {task}: {split} is not in the local cache and HF_HUB_OFFLINE is set ({text}); put it into "
            "seeds.mirror or unset HF_HUB_OFFLINE"
        )
    return (
        f"task {task}: {split} cannot be read from the hub ({text}); try again later, or put the split into "
        "seeds.mirror"
    )
