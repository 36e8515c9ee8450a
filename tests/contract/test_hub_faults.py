"""The real hub client with servers on this machine that are down, hang, or fail for a while. No row comes from the
network.
"""

import http.server
import socket
import threading
from collections.abc import Iterator

import huggingface_hub
import huggingface_hub.constants
import pytest

from nemo_sdg.config import SeedsSection
from nemo_sdg.errors import DataError
from nemo_sdg.seeds.sources import hub
from nemo_sdg.seeds.sources.rows import Split, open_rows

SPLIT = Split(path="made/up", name=None, split="train")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "READ_SECONDS", 0.2)
    hub._sha.cache_clear()
    yield
    hub._sha.cache_clear()
    hub._be_patient_but_not_forever.cache_clear()
    huggingface_hub.configure_http_backend()


def failure(monkeypatch: pytest.MonkeyPatch, port: int) -> str:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    with pytest.raises(DataError) as caught:
        open_rows(SPLIT, SeedsSection(), task="my_task")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("task my_task: made/up, split train cannot be read from the hub (")
    assert message.endswith("try again later, or put the split into seeds.mirror")
    return message


def test_a_hub_that_is_down_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert "Connection refused" in failure(monkeypatch, closed.getsockname()[1])


def test_a_hub_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "Read timed out" in failure(monkeypatch, silent.getsockname()[1])


def test_a_hub_that_fails_for_a_while_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = (
                b'{"_id": "1", "id": "made/up", "sha": "'
                + b"a" * 40
                + b'", "private": false, "siblings": [], "tags": []}'
            )
            self.send_response(503 if len(asked) == 1 else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        hub._be_patient_but_not_forever()
        assert hub._commit(SPLIT, None, "my_task") == "a" * 40
        server.shutdown()
    assert len(asked) == 2
