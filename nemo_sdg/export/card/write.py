"""Writes the dataset card, report/README.md: what the corpus holds, how it was made, and what may be wrong with it.
Everything in it is read from the run's files.
"""

import re
from pathlib import Path
from typing import Any

from nemo_sdg.export.card.collect import collect
from nemo_sdg.export.card.words import HUB_LICENSES, SIZES, TASK_CATEGORIES
from nemo_sdg.export.packed_shards import TEXT_SUFFIX
from nemo_sdg.records.lines import Manifest
from nemo_sdg.storage import write_bytes


def write_card(run_dir: Path, facts: Manifest) -> Path:
    """Writes report/README.md and returns its path. `facts` is the manifest: fingerprint, counts per step, versions,
    unreachable splits.
    """
    import jinja2
    import yaml

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(thousands=lambda number: f"{number:,}", plural=_plural, cell=_cell, fence=_fence)
    content = collect(run_dir, facts)
    header = yaml.safe_dump(_header(content), sort_keys=False, allow_unicode=True).strip()
    text = environment.get_template("card.md.jinja").render(header=header, **content)
    path = run_dir / "report" / "README.md"
    write_bytes(path, text.encode())
    return path


def _header(card: dict[str, Any]) -> dict[str, Any]:
    """The YAML block that the hub reads: https://huggingface.co/docs/hub/datasets-cards."""
    licenses = {name.lower() for name, _ in card["licenses"]}
    header: dict[str, Any] = {"pretty_name": card["title"], "language": card["languages"]}
    if len(licenses) == 1 and licenses <= HUB_LICENSES:
        header["license"] = next(iter(licenses))
    else:
        header |= {
            "license": "other",
            "license_name": "per-sample",
            "license_details": "each row names its licence in the column license",
        }
    categories = {category for kind, _ in card["kinds"] for category in TASK_CATEGORIES.get(kind, [])}
    size = next((name for limit, name in SIZES if card["documents"] < limit), "100M<n<1B")
    header |= {
        "task_categories": sorted(categories),
        "size_categories": [size],
        "tags": ["synthetic", "megatron", "nemo"],
    }
    configs = list[dict[str, Any]]()
    for variant in card["variants"]:
        files = [
            {"split": "validation" if s == "valid" else s, "path": f"packed/{variant['name']}/*/{s}/*{TEXT_SUFFIX}"}
            for s in card["splits"]
        ]
        configs.append({"config_name": variant["name"], "data_files": files})
    configs[0]["default"] = True
    return {**header, "configs": configs}


def _fence(text: str) -> str:
    """A fence that no line of the text closes."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _cell(value: Any) -> str:
    """Text that cannot break a Markdown table or become HTML."""
    escaped = (
        str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|").replace("`", "'")
    )
    return " ".join(escaped.split())
