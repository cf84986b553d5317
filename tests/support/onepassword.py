"""A small 1Password Connect server, which knows its items and can misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN, VAULT = "token-canary-1", "vault7"

Answer = tuple[int, bytes]


class Connect:
    """Use as a context manager. ``items``: title to values by section and label. ``instead``
    answers in its place."""

    def __init__(self, items: dict[str, dict[tuple[str, str], str]]) -> None:
        self.items = items
        self.instead: Callable[[str], Answer] | None = None
        self.asked: list[str] = []
        connect = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                connect.asked.append(self.path)
                status, body = connect._answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                if status in (301, 302):
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Connect:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _answer(self, url: str, authorization: str) -> Answer:
        if self.instead:
            return self.instead(url)
        if authorization != f"Bearer {TOKEN}":
            return 401, b'{"status": 401, "message": "Invalid token signature"}'
        path, query = urlsplit(url).path, parse_qs(urlsplit(url).query)
        items = f"/v1/vaults/{VAULT}/items"
        titles = list(self.items)
        if path == "/v1/vaults":
            return _json([{"id": VAULT, "name": "House"}, {"id": "other", "name": "Other"}])
        if path == items:
            (wanted,) = query["filter"]
            found = [each for each in titles if wanted == f'title eq "{each}"']
            return _json([{"id": f"item{titles.index(each)}", "title": each} for each in found])
        if path.startswith(f"{items}/item"):
            return _json(self._item(titles[int(path.rpartition("/item")[2])]))
        return 404, b"{}"

    def _item(self, title: str) -> dict[str, Any]:
        values = self.items[title]
        sections = sorted({section for section, _ in values if section})
        return {
            "title": title,
            "sections": [{"id": f"s{n}", "label": each} for n, each in enumerate(sections)],
            "fields": [
                {
                    "label": label,
                    "value": value,
                    **({"section": {"id": f"s{sections.index(section)}"}} if section else {}),
                }
                for (section, label), value in values.items()
            ],
        }


def _json(value: object) -> Answer:
    return 200, json.dumps(value).encode()
