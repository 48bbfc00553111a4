"""A server of a folder on this computer, for several tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Server:
    """A server of a folder, which can fail on purpose."""

    folder: Path
    has_ranges: bool = True
    status: dict[str, int] = field(default_factory=dict)
    """Status of addresses that end in a text."""
    wait: Callable[[], object] = lambda: None
    """Called before each answer."""
    requests: list[str] = field(default_factory=list)
    address: str = ""


class _Handler(SimpleHTTPRequestHandler):
    """Handler of requests with byte ranges, which that of Python lacks."""

    protocol_version = "HTTP/1.1"

    def __init__(self, server: Server, *args: Any) -> None:
        self.settings = server
        super().__init__(*args, directory=str(server.folder))

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.respond()

    def do_GET(self) -> None:
        self.wfile.write(self.respond())

    def respond(self) -> bytes:
        """Send the headers, and return the content."""
        path = Path(self.translate_path(self.path))
        self.settings.requests.append(f"{self.command} {self.path}")
        self.settings.wait()
        status = next((s for end, s in self.settings.status.items() if self.path.endswith(end)), 0)
        if status or not path.is_file():
            self.send_response(status or 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return b""
        data, code = path.read_bytes(), 200
        wanted = self.headers.get("Range")
        if wanted and self.settings.has_ranges:
            first, last = wanted.removeprefix("bytes=").split("-")
            if first and int(first) >= len(data):
                data, code = b"", 416
            else:
                stop = int(last) + 1 if first and last else None
                data, code = (data[int(first) : stop] if first else data[-int(last) :]), 206
        self.send_response(code)
        self.send_header("ETag", f'"{path.stat().st_mtime_ns}-{path.stat().st_size}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return data


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve a folder within a ``with`` block."""
    settings = Server(folder)
    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, settings))
    settings.address = f"http://127.0.0.1:{served.server_port}"
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield settings
    finally:
        served.shutdown()
        served.server_close()
        thread.join()
