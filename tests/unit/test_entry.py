"""The command line answers, however it is started."""

import runpy
import subprocess
import sys

import pytest

from nemo_sdg import __version__


@pytest.mark.parametrize("module", ["nemo_sdg", "nemo_sdg.cli"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_module_is_the_command(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nemo-sdg", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    assert ended.value.code in (0, None)
    assert __version__ in capsys.readouterr().out


COMMANDS = ["cli", "commands.check.laws", "commands.launch", "commands.look.samples", "commands.mix", "pipeline.run"]
HEAVY = ["datasets", "matplotlib", "nemo_curator", "pandas", "ray", "requests", "scipy", "sympy", "torch"]
"""packages that take 0.15 s or more to import"""
COMPILES = ["nemo_sdg.curate.filters.registry", "nemo_sdg.text.answers"]
"""modules that compile hundreds of patterns, which takes 0.3 s"""


def test_commands_that_look_at_a_run_start_without_what_makes_one() -> None:
    code = "".join(f"import nemo_sdg.{name}\n" for name in COMMANDS) + "import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert [name for name in (*HEAVY, *COMPILES) if name in loaded] == []
