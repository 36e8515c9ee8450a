"""GPUs of a cluster file and of a configuration: forecast, Ray and Slurm count them alike."""

from pathlib import Path

import pytest

from nemo_sdg.cluster.sites import ClusterConfig, GenerationSection
from nemo_sdg.commands.ahead.forecast import num_gpus as forecast_gpus
from nemo_sdg.commands.launch import look_at_servers, require_gpus
from nemo_sdg.config import RunConfig, load_config
from nemo_sdg.errors import ConfigError
from nemo_sdg.steps.generation import num_gpus


def two_by_four(root: Path, *overrides: str) -> RunConfig:
    engine = [
        "engine.kind=trtllm",
        "engine.model=org/model",
        "engine.options={tensor_parallel_size: 4, pipeline_parallel_size: 2}",
    ]
    return load_config(root / "configs" / "quickstart.yaml", [*engine, *overrides])


def test_forecast_and_ray_count_tensor_and_pipeline_parallel_gpus(root: Path) -> None:
    config = two_by_four(root)
    assert forecast_gpus(config) == num_gpus([config.engine]) == 8


@pytest.mark.parametrize(("nodes", "gpus"), [(1, 8), (2, 4), (2, 8), (1, None)])
def test_a_worker_with_enough_gpus_is_launched(root: Path, nodes: int, gpus: int | None) -> None:
    size = GenerationSection(nodes=nodes, gpus_per_node=gpus, mpi=nodes > 1)
    require_gpus(two_by_four(root), ClusterConfig(generation=size))


@pytest.mark.parametrize(("nodes", "gpus"), [(1, 4), (1, 7), (3, 2)])
def test_a_worker_with_too_few_gpus_is_refused_in_one_line(root: Path, nodes: int, gpus: int) -> None:
    enough, few = GenerationSection(gpus_per_node=8), GenerationSection(nodes=nodes, gpus_per_node=gpus, mpi=nodes > 1)
    for cluster in (ClusterConfig(generation=few), ClusterConfig(generation=enough, generation_steps={"answers": few})):
        with pytest.raises(
            ConfigError, match=r"gpus_per_node=\d in the cluster file, its engines take 8 GPUs"
        ) as caught:
            require_gpus(two_by_four(root), cluster)
        assert "\n" not in str(caught.value)


def test_servers_hold_gpus_that_are_not_counted(root: Path) -> None:
    served = ["engine.kind=openai", "engine.model=m", "engine.base_urls=[http://localhost:8000/v1]"]
    config = load_config(root / "configs" / "quickstart.yaml", served)
    assert num_gpus([config.engine]) == 0
    require_gpus(config, ClusterConfig(generation=GenerationSection(gpus_per_node=1)))


def served(root: Path, url: str) -> RunConfig:
    engine = ["engine.kind=openai", "engine.model=m", f"engine.base_urls=[{url}]"]
    return load_config(root / "configs" / "quickstart.yaml", engine)


def test_servers_beside_the_workers_are_where_the_engines_ask(root: Path) -> None:
    line = "vllm serve M --port 8000"
    beside = ClusterConfig(generation=GenerationSection(serve=[line]))
    assert list(look_at_servers(served(root, "http://localhost:8000/v1"), beside)) == []
    elsewhere = list(look_at_servers(served(root, "http://gpu7:8000/v1"), beside))
    assert all("starts servers beside each worker, but" in line and "gpu7" in line for line in elsewhere)
    assert elsewhere
    with pytest.raises(ConfigError, match=r"ask http://localhost:8001/v1, but generation\.serve names port 8000"):
        list(look_at_servers(served(root, "http://localhost:8001/v1"), beside))


def test_workers_that_ask_their_own_node_where_no_server_starts_are_told(root: Path) -> None:
    told = list(look_at_servers(served(root, "http://localhost:8000/v1"), ClusterConfig()))
    assert [line.split()[0] for line in told] == ["questions", "answers"]
    assert list(look_at_servers(served(root, "http://gpu7:8000/v1"), ClusterConfig())) == []
