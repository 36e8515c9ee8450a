"""Finds which split of which dataset a file holds, from its path: in a mirror, on the hub, in a cache of the hub.

    splits_behind("hf://datasets/openai/gsm8k@main/main/test-00000-of-00001.parquet")
    splits_behind("/home/me/link.jsonl", Mirror("/data/mirror"))
                                           [("openai/gsm8k", ["main"], ["test"])] for both, if the link leads there

A path can often be read in several ways (`gsm8k/main` may be owner and name, or name and configuration); all readings
are returned. A pattern or an archive may hold any split, which is written `*`.
"""

import functools
import os
import re
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

from nemo_sdg.catalog.data_files import SHARD, SPLIT_WORDS

ANY_SPLIT = "*"
Held = tuple[str, list[str], list[str]]
"""dataset path, folders that may be its configuration, names that the split may have"""

_ENDINGS = re.compile(r"(\.(jsonl?|ndjson|parquet|csv|tsv|txt|arrow|xml|gz|bz2|xz|zst|lz4))+$", re.I)
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.\w+|7z)$", re.I)
_MAGIC = re.compile(r"[*?\[]")
_HUB = re.compile(
    r"hf://datasets/(?P<file>.+)$|https?://[^/]+/(?:api/)?(?:datasets/(?P<page>.+)|[\w-]+\?(?P<query>.+))$", re.I
)
_REVISION = re.compile(r"(?:refs/convert/\w+|refs/pr/\d+|~\w+|[^/]+)/")
_CONVERTED = re.compile(r"(^|/)refs/(convert/\w+|pr/\d+)(?=/)")
_CACHED = re.compile(r"(?:^|/)datasets--(?P<repository>[^/]+?)/(?:snapshots/[^/]+/)?(?P<rest>.+)$")
_BUILT = re.compile(r"(?:^|/)(?P<owner>[^/]+)___(?P<rest>[^/]+/.+)$")


def hub_file(url: str) -> tuple[str, str] | None:
    """(dataset path, file) of a file of the hub, in whichever form its address is; None for other addresses."""
    found = _hub_parts(url)
    return found[0] if found else None


def splits_behind(file: str, mirror: "Mirror | None" = None) -> list[Held]:
    """What a file or an address may hold; [] if it is unknown. `zip://rows.jsonl::FILE` is a file within FILE."""
    *outer, last = file.split("::")
    inside = [inner for part in outer if (inner := part.partition("://")[2])]
    if "://" in last and not last.startswith("file://"):
        parts = _hub_parts(last)
        parts += [(path, _beside(whole, inner)) for path, whole in parts for inner in inside]
        return [held for path, whole in parts for held in _readings(path, whole)]
    local = last.removeprefix("file://")
    files = [local, *(_beside(local, inner) for inner in inside)]
    return [held for one in files for held in [*_cached(one), *(mirror.splits(one) if mirror else [])]]


def _cached(file: str) -> list[Held]:
    """What a file in a cache of the hub's client or of `datasets` may hold, for a cache in any folder."""
    cached, built = _CACHED.search(file), _BUILT.search(file)
    if cached:
        return list(_readings(cached["repository"].replace("--", "/"), cached["rest"]))
    if built:
        name, _, rest = built["rest"].partition("/")
        return list(_readings(f"{built['owner']}/{name}", rest))
    return []


class Mirror:
    """The files of a mirror. A file is recognised by its inode, so links and other spellings of its path are found."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @functools.cached_property
    def _places(self) -> dict[tuple[int, int], list[str]]:
        """(device, inode): paths within the mirror."""
        found: dict[tuple[int, int], list[str]] = {}
        for place, entry in _walk(self._folder, "", (os.path.realpath(self._folder),)):
            found.setdefault((entry.st_dev, entry.st_ino), []).append(place)
        return found

    def splits(self, file: str) -> list[Held]:
        """What a file may hold; [] for one outside the mirror."""
        places = []
        for written in {os.path.abspath(file), os.path.realpath(file)}:  # noqa: PTH100
            for top in {os.path.abspath(self._folder), os.path.realpath(self._folder)}:  # noqa: PTH100
                if written.startswith(f"{top}/"):
                    places.append(written.removeprefix(f"{top}/"))
        try:
            known = Path(file).stat()
            places += self._places.get((known.st_dev, known.st_ino), [])
        except OSError:
            pass  # a missing file can be recognised by its path only
        return [held for place in dict.fromkeys(places) for held in _in_mirror(place)]


def _walk(top: str, within: str, above: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
    """Every file with its path. Links to folders are followed, except into a folder of `above`, which would loop."""
    try:
        entries = list(os.scandir(f"{top}/{within}"))
    except OSError:
        return
    for entry in entries:
        place = f"{within}/{entry.name}" if within else entry.name
        try:
            if entry.is_dir():
                real = os.path.realpath(entry.path)
                if real not in above:
                    yield from _walk(top, place, (*above, real))
            elif entry.is_file():
                yield place, entry.stat()
        except OSError:
            continue


def _in_mirror(place: str) -> Iterator[Held]:
    yield from _cached(place)
    parts = _CONVERTED.sub("", place.removeprefix("datasets/")).split("/")
    for num in (2, 1):
        if len(parts) > num:
            yield from _readings("/".join(parts[:num]), "/".join(parts[num:]))


def _hub_parts(url: str) -> list[tuple[str, str]]:
    """(dataset path, file) in each way in which an address of the hub may be read."""
    found = _HUB.match(urllib.parse.unquote(url))
    if found is None:
        return []
    if found["query"]:
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        rest = "/".join(filter(None, (asked.get("config"), asked.get("split"), "0.parquet")))
        return [(asked["dataset"].lower(), rest)] if "dataset" in asked else []
    if found["page"]:
        page = re.match(r"([^/]+(?:/[^/]+)?)/(resolve|raw|blob|parquet)/([^?]+)", found["page"])
        if page is None:
            return []
        rest = page[3] if page[2] == "parquet" else _REVISION.sub("", page[3], count=1)
        return [(page[1].lower(), os.path.normpath(rest))]
    repository, at, rest = found["file"].partition("@")
    if at:
        return [(repository.lower(), os.path.normpath(_REVISION.sub("", rest, count=1)))]
    parts = os.path.normpath(repository).split("/")
    return [("/".join(parts[:num]).lower(), "/".join(parts[num:])) for num in (2, 1) if len(parts) > num]


def _beside(file: str, inner: str) -> str:
    return os.path.join(file.rpartition("/")[0], inner)


def _readings(path: str, file: str) -> Iterator[Held]:
    *folders, name = _CONVERTED.sub("", file).lstrip("/").split("/")
    splits, folders = _splits_of(folders, name)
    yield path, [folder for folder in folders if folder != "data"], splits


def _splits_of(folders: list[str], name: str) -> tuple[list[str], list[str]]:
    """Names of the split that a file holds, which `datasets` finds in its name and folders, and the remaining
    folders.
    """
    stem = _ENDINGS.sub("", name)
    if _ARCHIVE.search(name) or "blobs" in folders or name.startswith("**"):
        return [ANY_SPLIT], folders
    shard = SHARD.match(stem)
    if shard and not _MAGIC.search(stem):
        return [shard["split"].removeprefix("partial-")], folders
    if stem.isdigit() and folders:  # CONFIG/SPLIT/0000.parquet
        split = folders[-1].removeprefix("partial-")
        return [ANY_SPLIT if _MAGIC.search(split) else split], folders[:-1]
    said = _said([stem]) or _said(folders[::-1])
    if _MAGIC.search(stem):
        return [said or ANY_SPLIT], folders
    return [stem, *([said] if said else [stem.lower(), "train"])], folders


def _said(names: Sequence[str]) -> str | None:
    """The split in the first of these names that has one."""
    for name in names:
        words = set(re.split(r"[^a-z]+", name.lower()))
        split = next((split for split, said in SPLIT_WORDS.items() if not words.isdisjoint(said)), None)
        if split is not None:
            return split
    return None
