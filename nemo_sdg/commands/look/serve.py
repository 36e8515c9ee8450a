"""`nemo-sdg report RUN --serve`: shows the page to a browser on this machine."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nemo_sdg.errors import ConfigError


def serve(path: Path, port: int) -> None:
    """Serves only the page, and only to this machine, until interrupted. Raises ConfigError when the port is in use."""
    import typer

    from nemo_sdg.export.report.page import policy

    content = path.read_bytes()
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy(content),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path in ("/", "/index.html")
            self.send_response(200 if found else 404)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.end_headers()
            if found:
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Writes no log line to the user's terminal."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    except (OSError, OverflowError) as exc:
        raise ConfigError(
            f"--port {port} cannot be opened ({getattr(exc, 'strerror', None) or exc}); choose another, or 0 "
            "for any free port"
        ) from exc
    typer.echo(f"report: http://127.0.0.1:{server.server_port}/  (Ctrl-C ends it)")
    with server:
        server.serve_forever()
