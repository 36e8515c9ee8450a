"""`nemo-sdg publish RUN --to FOLDER|hub:ORG/NAME`: a finished run as a data set that others can load."""

import re
from pathlib import Path

from nemo_sdg.errors import ConfigError, EngineError, MissingDependencyError
from nemo_sdg.export.publish.metadata import HUB, write_metadata
from nemo_sdg.export.publish.release import Published, Release, shards_to_publish, text_files, write_release

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def publish(run_dir: Path, to: str, *, dry_run: bool = False, private: bool = True) -> None:
    """Writes the release, or what is missing of it, and pushes it where `to` is a repository of the hub.

    A dry run lists what would be written and needs no network. Raises ConfigError for a target that is neither,
    DataError for a run that is not finished, EngineError when the hub cannot be reached; what was pushed stays, and
    the same command goes on.
    """
    import typer

    if to.startswith(HUB) and not REPOSITORY.fullmatch(to.removeprefix(HUB)):
        raise ConfigError(f"--to {to} must be a folder or hub:ORG/NAME, such as hub:my-lab/my-corpus")
    folder = run_dir / "publish" if to.startswith(HUB) else Path(to)
    if dry_run:
        found = list(text_files(shards_to_publish(run_dir)))
        for shard, variant, name, facts in found:
            documents = shard.variants[variant].documents
            typer.echo(f"{documents:>10,} documents  {facts['bytes']:>14,} bytes  {name}")
        size = sum(facts["bytes"] for _, _, _, facts in found)
        typer.echo(
            f"would write {len(found):,} text files ({size:,} bytes), the same in the released columns, and chat to "
            f"{folder}{f', and push that to {to}' if to.startswith(HUB) else ''}"
        )
        return
    new = 0

    def tell(file: Published, fresh: bool) -> None:
        nonlocal new
        new += fresh

    release = write_release(run_dir, folder, on_file=tell)
    write_metadata(release, to)
    typer.echo(f"{len(release.files):,} files in {folder}, {new:,} of them new")
    for name in release.configurations:
        rows = sum(file.rows for file in release.files if file.configuration == name)
        typer.echo(f"{rows:>10,} rows  {name}")
    if to.startswith(HUB):
        push(release, to.removeprefix(HUB), private=private)
        typer.echo(f"pushed to https://huggingface.co/datasets/{to.removeprefix(HUB)}")


def push(release: Release, repository: str, *, private: bool) -> None:
    """Pushes the folder; huggingface_hub keeps what is done in the folder's .cache, and goes on from there."""
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as exc:
        raise MissingDependencyError("--to hub:… needs the package huggingface_hub: install it") from exc
    api = HfApi()
    try:
        api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        api.upload_large_folder(repository, release.folder, repo_type="dataset", print_report=False)
    except (HfHubHTTPError, OSError, ValueError) as exc:
        reason = (str(exc).strip().splitlines() or [type(exc).__name__])[0]
        raise EngineError(
            f"the hub did not take {repository} ({reason}); log in by `hf auth login` or HF_TOKEN, check the network, "
            "and run the same command to go on"
        ) from exc
