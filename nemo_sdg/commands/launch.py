"""`nemo-sdg launch`: writes the resolved configuration to a file, and submits all steps as Slurm jobs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer
import yaml

from nemo_sdg import config as configuration
from nemo_sdg.errors import ConfigError
from nemo_sdg.pipeline.order import STEPS, WITH_ROLES, configured_steps, step_module
from nemo_sdg.pipeline.run import look_ahead

if TYPE_CHECKING:
    from nemo_sdg.cluster.sites import ClusterConfig

LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}
"""hosts of an address on the worker's own node"""


def launch_run(
    path: Path, overrides: list[str] | None, cluster_path: Path, *, dry_run: bool, redo: bool = False
) -> None:
    """Submits the run, or prints its scripts. Raises SdgError where results would be overwritten without `redo`, and
    for what a step would stumble over.
    """
    from nemo_sdg.cluster.jobs import launch
    from nemo_sdg.cluster.sites import load_cluster
    from nemo_sdg.cluster.slurm import not_mounted

    config = configuration.load_config(path, overrides)
    cluster = load_cluster(cluster_path)
    run_dir = Path(config.run.dir)
    require_gpus(config, cluster)
    for told in look_at_servers(config, cluster):
        typer.echo(f"warning: {told}", err=True)
    look_ahead(config, redo=redo)
    for hidden in not_mounted(run_dir, cluster):
        typer.echo(
            f"warning: container_mounts does not name {hidden}; unless your site mounts it, containers do not see it: "
            f"add {hidden}:{hidden}",
            err=True,
        )
    text = yaml.safe_dump(configuration.as_plain(config), sort_keys=False, allow_unicode=True)
    for name, value in launch(
        text, run_dir, cluster, dry_run=dry_run, redo=redo, steps=configured_steps(config)
    ).items():
        typer.echo(f"##### {name}\n{value}" if dry_run else f"{name:<10} job {value}")
    if not dry_run:
        typer.echo(f"follow it with: nemo-sdg launch --status {run_dir}")


def require_gpus(config: configuration.RunConfig, cluster: "ClusterConfig") -> None:
    """Raises ConfigError where a worker of a generation step is given fewer GPUs than its engines take, by the count
    that the forecast and Ray use.
    """
    from nemo_sdg.cluster.sites import ARRAY_STEPS
    from nemo_sdg.steps.generation import num_gpus

    for step in configured_steps(config):
        if step not in ARRAY_STEPS:
            continue
        size = cluster.generation_steps.get(step, cluster.generation)
        needed = num_gpus([section for role in step_module(step).ROLES for section in config.engines(role)])
        if size.gpus_per_node is not None and size.gpus_per_node * size.nodes < needed:
            raise ConfigError(
                f"a worker of {step} has nodes={size.nodes} x gpus_per_node={size.gpus_per_node} in the cluster file, "
                f"its engines take {needed} GPUs (tensor_parallel_size x pipeline_parallel_size); raise the one or "
                "lower the other"
            )


def look_at_servers(config: configuration.RunConfig, cluster: "ClusterConfig") -> Iterator[str]:
    """Lines about workers that look for a server on their own node where none is started, or elsewhere where one is.
    Raises ConfigError where the servers of `serve` are at another port than the step's engines ask.
    """
    from nemo_sdg.cluster.sites import ARRAY_STEPS

    for step in configured_steps(config):
        if step not in ARRAY_STEPS:
            continue
        field = f"generation_steps.{step}" if step in cluster.generation_steps else "generation"
        serve = cluster.generation_steps.get(step, cluster.generation).serve
        engines = [section for role in step_module(step).ROLES for section in config.engines(role)]
        urls = sorted({url for section in engines for url in section.base_urls})
        local = [url for url in urls if urlsplit(url).hostname in LOCAL]
        ports = {port for line in serve for port in re.findall(r"--port[= ](\d+)", line)}
        if serve and not local:
            yield (
                f"{field}.serve starts servers beside each worker, but the engines of {step} are at "
                f"{', '.join(urls) or 'no address'}; for these servers give engine.base_urls=[http://localhost:PORT/v1]"
            )
        for url in local:
            if ports and not any("$" in line for line in serve) and str(urlsplit(url).port) not in ports:
                raise ConfigError(f"the engines of {step} ask {url}, but {field}.serve names port {', '.join(ports)}")
        if local and not serve:
            yield f"{step} asks {local[0]} on the node of each worker; {field}.serve starts no server there"


def show_status(run_dir: Path) -> None:
    from nemo_sdg.commands.look.status import print_status

    # steps that hang on a role are shown where they ran
    print_status(run_dir, [step for step in STEPS if step not in WITH_ROLES or (run_dir / step).is_dir()])
