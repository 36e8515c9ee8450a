"""The container file: it pins the versions of the tested environment, and nothing runs as root."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> str:
    return (root / "Dockerfile").read_text()


def pins(text: str) -> dict[str, str]:
    return {
        name.lower().replace("_", "-"): version
        for name, version in re.findall(r"([A-Za-z0-9_-]+)==([0-9][0-9a-z.]*)", text)
    }


def test_pins_are_those_of_the_constraints(dockerfile: str, root: Path) -> None:
    found, constraints = (
        pins(dockerfile),
        pins((root / "constraints.txt").read_text() + (root / "Makefile").read_text()),
    )
    assert len(found) > 8
    assert {name: version for name, version in found.items() if constraints.get(name) != version} == {}


def test_every_stage_is_pinned_by_tag_and_ends_as_another_user_than_root(dockerfile: str) -> None:
    images = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", dockerfile, re.M))
    stages = re.split(r"^FROM ", dockerfile, flags=re.M)[1:]
    assert [stage.split()[2] for stage in stages] == ["core", "generate", "train"]
    for stage in stages:
        image = re.sub(r"\$\{(\w+)\}", lambda match: images[match[1]], stage.split()[0])
        assert re.search(r":[0-9][^:]+$", image), image
        assert re.findall(r"^USER (\S+)$", stage, re.M) == ["10001"]


def test_hadolint_finds_nothing(root: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), root / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_what_generation_imports_is_in_its_image(dockerfile: str) -> None:
    """Beside what the TensorRT-LLM image has: Curator and what it needs, and the libraries of the steps questions and
    answers.
    """
    script = """
import sys
import nemo_sdg.cli, nemo_sdg.pipeline.run, nemo_sdg.execution.stages, nemo_sdg.execution.executors
import nemo_sdg.steps.questions, nemo_sdg.steps.answers
import nemo_sdg.generate.engines.trtllm, nemo_sdg.generate.scheduling.scheduler
print(*{name.split(".")[0] for name in sys.modules})
"""
    loaded = set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )
    ours = {
        "aiohttp",
        "cosmos_xenna",
        "jinja2",
        "loguru",
        "math_verify",
        "omegaconf",
        "orjson",
        "ray",
        "rich",
        "typer",
        "nemo_curator",
        "lm_eval",
    }
    generate = dockerfile.split(" AS generate")[1].split(" AS train")[0]
    assert loaded & {"dask", "rensa", "ftfy", "megatron", "datasets"} == set()
    assert {name for name in loaded & ours if name.replace("_", "-") not in pins(generate)} == set()
