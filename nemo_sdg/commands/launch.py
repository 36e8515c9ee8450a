"""`nemo-sdg launch`: writes the resolved configuration to a file, and submits all steps as Slurm jobs."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer
import yaml

from nemo_sdg import config as configuration
from nemo_sdg.errors import ConfigError
from nemo_sdg.pipeline.order import STEPS, WITH_ROLES, configured_steps, step_module
from nemo_sdg.pipeline.run import look_ahead

if TYPE_CHECKING:
    from nemo_sdg.cluster.sites import ClusterConfig


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


def show_status(run_dir: Path) -> None:
    from nemo_sdg.commands.look.status import print_status

    # steps that hang on a role are shown where they ran
    print_status(run_dir, [step for step in STEPS if step not in WITH_ROLES or (run_dir / step).is_dir()])
