"""What goes to Sentry: that a process failed, where and why, and no secret with it."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.processes import Process

SECRET = "p@ss wörd/1"


@contextmanager
def sentry() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that takes what Sentry's library sends: its DSN, and the events so far."""
    events: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            _head, *lines = body.splitlines()
            # An envelope: its header, then for each item a header and a line of JSON.
            for about, item in zip(lines[::2], lines[1::2], strict=True):
                if json.loads(about)["type"] == "event":
                    events.append(json.loads(item))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://key@127.0.0.1:{server.server_address[1]}/1", events
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.promise("feat J6", "sec K1", "inv I16", "feat L10")
def test_sentry_hears_of_a_failure_and_of_no_password(tmp_path: Path) -> None:
    with sentry() as (dsn, events):
        process = Process(
            tmp_path,
            log={"format": "json", "sentry_dsn": dsn},
            cameras={"porch": {"ftp": {"password": SECRET}}},
        )
        says = f"no way to http://u:{quote(SECRET)}@camera/ with {SECRET}"
        process.start(DIES="source", SAYS=says)
        assert process.running.wait(20) == 1

    failure = next(each for each in events if "ZeroDivisionError" in json.dumps(each))
    told = json.dumps(failure, ensure_ascii=False)
    error = failure["exception"]["values"][-1]
    assert error["type"] == "ZeroDivisionError"
    assert error["value"] == "no way to http://u:•••@camera/ with •••"
    assert "runtime_services.py" in told, "it says where"
    assert [each for each in failure["breadcrumbs"]["values"] if "about to fail" in each["message"]]
    assert SECRET not in told
    assert quote(SECRET) not in told
