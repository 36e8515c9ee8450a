"""Which files of a folder a Python file imports, and the version of the package."""

from pathlib import Path

import pytest

import nemo_sdg
from nemo_sdg.errors import ConfigError
from nemo_sdg.storage import code, code_version, home_of, imported_files


def write(home: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)


def imports(file: Path) -> set[str]:
    home = home_of(file)
    return {str(path.relative_to(home)) for path in imported_files(file, home)}


def test_imports_are_followed_within_the_folder_and_no_further(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write(
        home,
        {
            "filters.py": "import os, json\nimport numpy\nimport nemo_sdg.text.words\nfrom helpers import words\n"
            "def keep(sample):\n    from helpers.late import limit\n    import outside\n",
            "helpers/__init__.py": "",
            "helpers/words.py": "from . import deep as d\nfrom .broken import x\nimport filters\n",
            "helpers/deep/__init__.py": "from .inner import LIMIT",
            "helpers/deep/inner.py": "LIMIT = 3\nfrom ... import words\n",
            "helpers/late.py": "limit = 1",
            "helpers/broken.py": "def (",
            "helpers/unused.py": "",
            "nemo_sdg/text/words.py": "",
        },
    )
    write(tmp_path, {"outside.py": "", "numpy.py": "", "words.py": ""})
    assert imports(home / "filters.py") == {
        "helpers/__init__.py",
        "helpers/words.py",
        "helpers/deep/__init__.py",
        "helpers/deep/inner.py",
        "helpers/late.py",
        "helpers/broken.py",
    }


def test_the_folder_of_a_package_is_its_top_package(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "mine/__init__.py": "",
            "mine/filters/__init__.py": "",
            "mine/filters/good.py": "from mine.words import a\nfrom ..numbers import b\nimport beside\n",
            "mine/words.py": "",
            "mine/numbers.py": "",
            "beside.py": "",
        },
    )
    assert imports(tmp_path / "mine" / "filters" / "good.py") == {"__init__.py", "words.py", "numbers.py"}


def test_installed_modules_are_not_searched_and_too_many_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"site-packages/one.py": "import two", "site-packages/two.py": "", "a.py": "import b", "b.py": ""})
    assert imports(tmp_path / "site-packages" / "one.py") == set()
    assert imports(tmp_path / "a.py") == {"b.py"}
    monkeypatch.setattr(code, "MAX_FILES", 1)
    with pytest.raises(ConfigError, match=r"a\.py imports more than 1 files"):
        imports(tmp_path / "a.py")


def test_the_version_names_the_release_and_the_sources() -> None:
    release, _, sources = code_version().partition("+")
    assert release == nemo_sdg.__version__
    assert len(sources) == 8
