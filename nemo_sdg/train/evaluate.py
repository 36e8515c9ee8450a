"""Scores an arm with lm-eval's tasks, templates and metrics. Rows come from the hub or from a local mirror."""

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nemo_sdg.errors import ConfigError, DataError
from nemo_sdg.storage import read_jsonl, write_json
from nemo_sdg.train.ablation import BASE, EvaluationSection, Scores, row_scores


@contextlib.contextmanager
def mirrored(mirror: str | None) -> Iterator[None]:
    """Within this block, lm-eval's calls of `datasets.load_dataset` read MIRROR/<path>/<name or default>/<split>.jsonl
    if it exists.
    """
    if mirror is None:
        yield
        return
    import datasets

    original = datasets.load_dataset

    def load(path: str, name: str | None = None, **options: Any) -> Any:
        folder = Path(mirror) / path / (name or "default")
        if not folder.is_dir():
            return original(path, name, **options)
        # Train first: the builder takes column types from the first split, and some test splits have only nulls.
        files = sorted(folder.glob("*.jsonl"), key=lambda file: (file.stem != "train", file.stem))
        if not files:
            raise DataError(f"the mirror folder {folder} holds no .jsonl; lm-eval needs the evaluation split there")
        return original("json", data_files={file.stem: str(file) for file in files})

    datasets.load_dataset = load
    try:
        yield
    finally:
        datasets.load_dataset = original


@functools.cache
def task_manager(include_path: tuple[str, ...], names: tuple[str, ...]) -> Any:
    """lm-eval's index of tasks, made once for all arms. That of its own tasks takes 10 s: it is left out where the
    folders of the user alone have every name, as a task or a tag (a group may hold tasks of lm-eval).
    """
    from lm_eval.tasks import TaskManager

    if include_path:
        own = TaskManager(include_path=list(include_path), include_defaults=False)
        if {*names} <= {*own.all_subtasks, *own.all_tags}:
            return own
    return TaskManager(include_path=list(include_path) or None)


def evaluate_arm(model: Any, out: Path, evaluation: EvaluationSection, *, tokenizer: Any, mirror: str | None) -> Scores:
    """Runs lm-eval on one arm's model and writes the scores of each row.

    `tokenizer` is that of the corpus. Raises ConfigError for a task that lm-eval does not know or cannot load.
    """
    if mirror:
        os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from transformers import PreTrainedTokenizerFast

    if not evaluation.tasks:
        raise ConfigError("evaluation.tasks is empty: name lm-eval tasks to score the arms on")
    end = tokenizer.backend.id_to_token(tokenizer.eod)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend, eos_token=end, pad_token=end)
    wrapped = HFLM(
        pretrained=model.eval(),
        tokenizer=fast,
        backend="causal",
        batch_size=evaluation.batch_size,
        device=str(model.device),
        add_bos_token=False,
    )
    # lm-eval's progress bars would disturb this display.
    with mirrored(mirror), open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        try:
            results = lm_eval.simple_evaluate(
                model=wrapped,
                tasks=list(evaluation.tasks),
                num_fewshot=evaluation.num_fewshot,
                limit=evaluation.limit,
                task_manager=task_manager(tuple(evaluation.include_path), tuple(evaluation.tasks)),
                bootstrap_iters=0,
                log_samples=True,
                random_seed=evaluation.seed,
                numpy_random_seed=evaluation.seed,
                torch_random_seed=evaluation.seed,
                fewshot_random_seed=evaluation.seed,
            )
        except (KeyError, ValueError, FileNotFoundError, ConnectionError) as exc:
            raise ConfigError(
                f"lm-eval cannot score {evaluation.tasks}: {type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
            ) from exc
    scores = {task: row_scores(task, samples) for task, samples in sorted(results["samples"].items())}
    write_json(out, scores)
    return scores


def read_lm_eval_logs(folder: Path) -> dict[str, Scores]:
    """Scores of arms that were trained and evaluated elsewhere: FOLDER/<arm>/**/samples_<task>_<time>.jsonl, written by
    `lm_eval --log_samples`.

    Raises DataError when the base or every other arm is missing, or when an arm's folder has no scores.
    """
    names = [path.name for path in sorted(folder.iterdir()) if path.is_dir()] if folder.is_dir() else []
    if BASE not in names or len(names) < 2:
        raise DataError(
            f"{folder} must hold a folder {BASE} and one for each other arm, with the logs of `lm_eval --log_samples "
            f"--output_path {folder}/ARM`; it holds {', '.join(names) or 'no folder'}"
        )
    arms: dict[str, Scores] = {}
    for arm in names:
        files = sorted((folder / arm).rglob("samples_*.jsonl"))
        if not files:
            raise DataError(
                f"{folder / arm} holds no samples_*.jsonl; evaluate the arm with `lm_eval --log_samples "
                f"--output_path {folder / arm}`"
            )
        arms[arm] = {}
        for file in files:  # sorted by name, which ends with the time: the last evaluation of a task counts
            task = file.stem.removeprefix("samples_").rsplit("_", 1)[0]
            arms[arm][task] = row_scores(task, list(read_jsonl(file)))
    return arms
