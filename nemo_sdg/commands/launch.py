"""`nemo-sdg launch`: the resolved configuration is written down, and all steps become Slurm jobs."""

from pathlib import Path

import typer
import yaml

from nemo_sdg import config as configuration
from nemo_sdg.errors import ConfigError
from nemo_sdg.pipeline.order import STEPS


def launch_run(path: Path, overrides: list[str] | None, cluster_path: Path, *, dry_run: bool) -> None:
    """Submits the run, or prints its scripts. Raises ConfigError for an executor that jobs cannot use."""
    from nemo_sdg.cluster.jobs import launch
    from nemo_sdg.cluster.sites import load_cluster

    config = configuration.load_config(path, overrides)
    cluster = load_cluster(cluster_path)
    run_dir = Path(config.run.dir)
    if (run_dir / "config.yaml").is_file():
        changes = configuration.differences(
            yaml.safe_load((run_dir / "config.yaml").read_text()), configuration.identity(config)
        )
        if changes:
            raise ConfigError(
                f"{run_dir} holds a run of another configuration ({'; '.join(changes[:5])}); choose another "
                "run.dir, or delete the folder"
            )
    text = yaml.safe_dump(configuration.as_plain(config), sort_keys=False, allow_unicode=True)
    for name, value in launch(text, run_dir, cluster, dry_run=dry_run).items():
        typer.echo(f"##### {name}\n{value}" if dry_run else f"{name:<10} job {value}")
    if not dry_run:
        typer.echo(f"follow it with: nemo-sdg launch --status {run_dir}")


def show_status(run_dir: Path) -> None:
    from nemo_sdg.commands.status import print_status

    print_status(run_dir, STEPS)
