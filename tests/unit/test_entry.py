"""The command line answers, however it is started."""

import runpy
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
