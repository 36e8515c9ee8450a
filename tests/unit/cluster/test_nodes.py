"""--nodes on a single node; tests/e2e/test_slurm.py runs it on several nodes."""

import pytest

from nemo_sdg.cluster.nodes import ports, slurm_nodes
from nemo_sdg.config import Executor, RunConfig
from nemo_sdg.errors import ConfigError


@pytest.mark.parametrize("nodes", [None, "1"])
def test_one_node_changes_nothing(monkeypatch: pytest.MonkeyPatch, nodes: str | None) -> None:
    monkeypatch.delenv("SLURM_NNODES", raising=False)
    if nodes:
        monkeypatch.setenv("SLURM_NNODES", nodes)
    config = RunConfig()
    with slurm_nodes(config) as leads:
        assert leads
        assert config.run.executor is Executor.local
        assert config.run.dask_address is None


def test_several_tasks_a_node_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NNODES", "2")
    monkeypatch.setenv("SLURM_NTASKS", "16")
    with pytest.raises(ConfigError, match="one task a node, got 16 tasks on 2 nodes"), slurm_nodes(RunConfig()):
        pass


def test_ports_differ() -> None:
    options = ports("a", "b")
    assert options[0].startswith("--a=")
    assert options[0].split("=")[1] != options[1].split("=")[1]
