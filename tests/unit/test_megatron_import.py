"""A machine without a GPU and torch's CUDA build: an architecture is named while megatron-core is imported, and then no more."""

import logging
import os
import warnings

import pytest

from nemo_sdg.megatron_import import ARCH_LIST, importing_megatron


@pytest.mark.parametrize(("has_gpu", "users_own", "during"), [(False, None, "8.0"), (False, "9.0", "9.0"), (True, None, None)])
def test_an_architecture_is_named_where_torch_can_find_none(monkeypatch: pytest.MonkeyPatch, has_gpu: bool, users_own: str | None, during: str | None) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: has_gpu)
    monkeypatch.delenv(ARCH_LIST, raising=False)
    if users_own:
        monkeypatch.setenv(ARCH_LIST, users_own)
    with importing_megatron():
        assert os.environ.get(ARCH_LIST) == during
    assert os.environ.get(ARCH_LIST) == users_own


def test_the_import_is_quiet_and_nothing_after_it_is(caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(ImportError), importing_megatron():
        warnings.warn("during", stacklevel=1)
        logging.getLogger("megatron").warning("during")
        raise ImportError("megatron")
    logging.getLogger("megatron").warning("after")
    warnings.warn("after", stacklevel=1)
    assert [str(warning.message) for warning in recwarn] == ["after"]
    assert [record.message for record in caplog.records] == ["after"]
