"""Writes the metadata of a release: the card, Croissant metadata, and Nemotron's data_blend_raw.json."""

from pathlib import Path
from typing import Any

from nemo_sdg.config import recorded_settings
from nemo_sdg.errors import DataError
from nemo_sdg.export.blend.mixture_file import MixtureFile
from nemo_sdg.export.packed_shards import PREFIX_SUFFIX
from nemo_sdg.export.publish.release import CHAT, GENERATIVE, MULTIPLE_CHOICE, Release
from nemo_sdg.storage import read_shaped, write_bytes, write_json

HUB = "hub:"
CROISSANT_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""the standard context of Croissant 1.0"""
FIELDS = ("text", "license", "uuid")
"""the plain columns of the released form"""


def write_metadata(release: Release, target: str) -> None:
    """Writes README.md, croissant.json and data_blend_raw.json. `target` is `hub:ORG/NAME`, or a folder."""
    header, body = _card(release.run_dir)
    header["configs"] = _configs(release)
    header["configs"][0]["default"] = True
    write_bytes(release.folder / "README.md", f"---\n{_yaml(header)}---\n{body}".encode())
    write_json(release.folder / "croissant.json", croissant(release, header, target))
    write_json(release.folder / "data_blend_raw.json", data_blend(release, target))


def _card(run_dir: Path) -> tuple[dict[str, Any], str]:
    import yaml

    path = run_dir / "report" / "README.md"
    parts = path.read_text(encoding="utf-8").split("---\n", 2)
    if len(parts) != 3 or parts[0]:
        raise DataError(f"{path} has no YAML header; `nemo-sdg report {run_dir}` writes the card again")
    return dict(yaml.safe_load(parts[1])), parts[2]


def _yaml(header: dict[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(header, sort_keys=False, allow_unicode=True))


def _configs(release: Release) -> list[dict[str, Any]]:
    """Released configurations first, then the run's own variants. The chat is JSON lines, and `datasets` reads all
    configurations of a card with one reader: it is loaded by its path.
    """
    names = sorted(
        (name for name in release.configurations if name != CHAT),
        key=lambda name: not name.startswith((MULTIPLE_CHOICE, GENERATIVE)),
    )
    return [
        {
            "config_name": name,
            "data_files": [
                {"split": split, "path": _glob(release, name, split)} for split in release.configurations[name]
            ],
        }
        for name in names
    ]


def _glob(release: Release, configuration: str, split: str) -> str:
    """One pattern for the files of a configuration and split."""
    file = next(file for file in release.files if (file.configuration, file.split) == (configuration, split))
    path = Path(file.path)
    if path.parts[0] == "packed":
        return f"packed/{path.parts[1]}/*/{path.parts[3]}/*.text.parquet"
    return f"{path.parent}/*{path.suffix}"


def croissant(release: Release, header: dict[str, Any], target: str) -> dict[str, Any]:
    """Croissant 1.0: a file set for each configuration and split, and a record set for each released configuration."""
    config = recorded_settings(release.run_dir)
    repository = target.removeprefix(HUB)
    on_hub = target.startswith(HUB)
    url = f"https://huggingface.co/datasets/{repository}" if on_hub else release.folder.resolve().as_uri()
    sets, records = [], []
    for name, splits in release.configurations.items():
        kind = "application/jsonlines" if name == CHAT else "application/x-parquet"
        identity = f"files-{name}"
        sets.append(
            {
                "@type": "cr:FileSet",
                "@id": identity,
                "name": identity,
                "encodingFormat": kind,
                "includes": [_glob(release, name, split) for split in splits],
                **({"containedIn": {"@id": "repo"}} if on_hub else {}),
            }
        )
        if name.startswith((MULTIPLE_CHOICE, GENERATIVE)):
            fields = [_field(name, column, column, identity) for column in FIELDS]
            inner = [
                _field(name, f"metadata/{part}", "metadata", identity) | {"name": f"{name}/metadata_{part}"}
                for part in ("category", "models_used")
            ]
            for part, one in zip(("category", "models_used"), inner, strict=True):
                one["source"]["transform"] = {"jsonPath": f"$.{part}"}
            records.append({"@type": "cr:RecordSet", "@id": name, "name": name, "field": [*fields, *inner]})
    repo = {
        "@type": "cr:FileObject", "@id": "repo", "name": "repo", "contentUrl": url, "encodingFormat": "git+https",
        "sha256": "https://github.com/mlcommons/croissant/issues/80",
    }  # fmt: skip
    return {
        "@context": CROISSANT_CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": repository.split("/")[-1] if on_hub else release.folder.name,
        "description": f"{header['pretty_name']}: questions, answers and reasoning written by language models after "
        "the training splits of lm-evaluation-harness tasks.",
        "license": header.get("license", "other"),
        "url": url,
        "version": "1.0.0",
        "inLanguage": header.get("language", []),
        "keywords": header.get("tags", []),
        "rai:dataCollection": f"Written by {config['engine'].get('model') or 'the embedded model'} (nemo-sdg); see "
        "README.md for sources, filters and decontamination.",
        "distribution": [*([repo] if on_hub else []), *sets],
        "recordSet": records,
    }


def _field(configuration: str, column: str, source: str, file_set: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{configuration}/{column}",
        "name": f"{configuration}/{column}",
        "dataType": "sc:Text",
        "source": {"fileSet": {"@id": file_set}, "extract": {"column": source}},
    }


def data_blend(release: Release, target: str) -> dict[str, Any]:
    """The first variant's train part, as Nemotron's data preparation takes it: names, paths and weights.

    Weights are those of the blend. A file stands for its part of a packed shard by its characters. From the hub a
    configuration is read as a whole, so that its shards share its weight as found.
    """
    mixture = read_shaped(release.run_dir / "blend" / "mixture.json", MixtureFile)
    variant = next(iter(mixture["variants"]))
    weights = {
        row["prefix"].removesuffix(PREFIX_SUFFIX): row["weight"] for row in mixture["variants"][variant]["train"]
    }
    files = [file for file in release.files if file.shard and file.configuration in (MULTIPLE_CHOICE, GENERATIVE)]
    files = [file for file in files if file.split == "train"]
    whole: dict[str, int] = {}
    for file in files:
        whole[file.shard] = whole.get(file.shard, 0) + file.characters
    shares = [(file, weights[file.shard] * file.characters / whole[file.shard]) for file in files]
    if not target.startswith(HUB):
        return {
            "datasets": [
                {
                    "name": file.path.removesuffix(".parquet").replace("/", "-"),
                    "path": str(release.folder.resolve() / file.path),
                    "weight": share,
                    "text_field": "text",
                }
                for file, share in shares
            ]
        }
    by_configuration: dict[str, float] = {}
    for file, share in shares:
        by_configuration[file.configuration] = by_configuration.get(file.configuration, 0.0) + share
    return {
        "datasets": [
            {
                "name": f"{target.split('/')[-1]}-{name}".lower(),
                "path": f"hf://{target.removeprefix(HUB)}",
                "split": "train",
                "subset": name,
                "weight": share,
                "text_field": "text",
            }
            for name, share in by_configuration.items()
        ]
    }
