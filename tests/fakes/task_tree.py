"""A small tree of task files in the place of lm-eval's 14,000, whose catalog takes seconds in each process."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from nemo_sdg.catalog import walk
from nemo_sdg.catalog.about.families import read_data


def write(folder: Path, files: dict[str, str]) -> Path:
    """Writes the texts of files by their names in the folder, which it returns."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@contextlib.contextmanager
def instead_of_lm_eval(folder: Path, files: dict[str, str]) -> Iterator[Path]:
    """The catalog's own folder of tasks is `folder`/lm_eval/tasks, which holds `files`; its cache is beside it."""
    tasks = write(folder / "lm_eval" / "tasks", files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "lm_eval_tasks_folder", lambda: str(tasks))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        forget()
        yield tasks
    forget()


def forget() -> None:
    """The catalog that is remembered is of other files."""
    walk._last.clear()
    walk._files.cache_clear()
    walk._built_in_templates.cache_clear()


def reported_tasks() -> dict[str, str]:
    """Task files for every benchmark of catalog/splits.yaml that is commonly reported; a name is that of a group."""
    return {
        f"{name}.yaml": f"task: {name}_all\ntag: {name}\ndataset_path: own/{name}\ntraining_split: train\n"
        f'test_split: test\noutput_type: generate_until\ndoc_to_text: "{{{{q}}}}"\ndoc_to_target: a\n'
        for name in (pattern.replace("*", "") for pattern in read_data("splits.yaml")["reported"])
    }
