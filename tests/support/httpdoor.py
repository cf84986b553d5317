"""The HTTP doors on a free port, keys for their cameras, and clients as simple as cameras are."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.access import Access, Actor
from shared.store.part import BUFFERS
from tests.support.api import Answer, Api, running_api

CAMERAS: dict[str, Any] = {"porch": {"http": {}}, "yard": {}, "gate": {"organisation": "other"}}
KINDS = ("put", "post", "form", "capture")
"""Every way to bring a picture."""
ADDRESSES = {
    "put": "/v1/cameras/porch/snapshots/x.jpg",
    "post": "/v1/cameras/porch/snapshots",
    "form": "/api/snapshots",
    "capture": "/v1/captures",
}
BOUNDARY = b"--------b0undary"


@dataclass
class Doors:
    """A running API, and the keys of its cameras."""

    api: Api
    keys: Mapping[str, str]

    @property
    def port(self) -> int:
        return self.api.port

    def headers(self, camera: str = "porch") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[camera]}"}

    def send(self, kind: str, data: bytes, camera: str = "porch", **headers: str) -> Answer:
        """Bring a picture; a header ``X_Y`` is X-Y."""
        method, path, body, own = request(kind, data, camera)
        return self.api.ask(path, method, body, **own, **self.headers(camera) | headers)

    def rows(self) -> list[Any]:
        return self.api.context.journal.read.snapshots(limit=500)

    def kept_nothing(self) -> bool:
        """Whether nothing is in the journal, half on the disk, or in memory."""
        store = self.api.context.store
        held = BUFFERS - store._buffers._value
        return not (held or self.rows() or any(store.incoming.iterdir()) or any(store.blobs()))

    def link(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def head(self, kind: str, *more: bytes, camera: str = "porch") -> bytes:
        """The head of a request by hand, without its end."""
        method, path, _, own = request(kind, b"", camera)
        lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: 127.0.0.1"]
        lines += [f"{name.replace('_', '-')}: {value}".encode() for name, value in own.items()]
        lines.append(f"Authorization: Bearer {self.keys[camera]}".encode())
        return b"\r\n".join([*lines, *more]) + b"\r\n\r\n"


def request(kind: str, data: bytes, camera: str) -> tuple[str, str, bytes, dict[str, str]]:
    """Method, address, body and headers of one way to bring a picture."""
    match kind:
        case "put":
            return "PUT", f"/v1/cameras/{camera}/snapshots/x.jpg", data, {}
        case "post":
            kind_of = {"Content_Type": "image/jpeg"}
            return "POST", f"/v1/cameras/{camera}/snapshots", data, kind_of
        case "form":
            kind_of = {"Content_Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
            return "POST", "/api/snapshots", form(data), kind_of
    body = json.dumps({"device_id": camera, "image_base64": base64.b64encode(data).decode()})
    return "POST", "/v1/captures", body.encode(), {"Content_Type": "application/json"}


def form(data: bytes, name: str = "file", filename: str = "x.jpg") -> bytes:
    """A form as requests makes it."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'.encode()
    return b"--%b\r\n%b%b\r\n--%b--\r\n" % (BOUNDARY, head, data, BOUNDARY)


def snapshot_id(answer: Answer) -> str:
    """The id that an answer of any door tells."""
    told = answer.json
    return str(told.get("record_id") or told.get("id") or told["result"]["id"])


def told(link: socket.socket) -> tuple[int, bytes]:
    """The status of an answer and all of it; reads until the server hangs up."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while piece := link.recv(65_536):
            answer += piece
    return int(answer.split(b" ", 2)[1]) if answer else 0, answer


@contextlib.contextmanager
def http_doors(
    folder: Path, tree: Mapping[str, Any] | None = None, rate: int = 100_000
) -> Iterator[Doors]:
    """An API with a key for each of its cameras. Who waits for a result waits for 50 ms."""
    merged: dict[str, Any] = {"cameras": CAMERAS, "api": {"open": False}, **(tree or {})}
    pace = {"result_s": 0.05, **merged["api"].get("doors", {})}
    merged["api"] = {"open": False, **merged["api"], "doors": pace}
    with running_api(folder, merged) as api:
        access, keys = Access(api.context.journal), {}
        for name, camera in merged["cameras"].items():
            actor = Actor("t", camera.get("organisation", "default"))
            scopes, cameras = ["ingest"], [name]
            keys[name] = access.keys.add(name, scopes, actor, cameras=cameras, rate=rate)[1]
        keys["reads"] = access.keys.add("reads", ["read"], Actor("t"))[1]
        yield Doors(api, keys)
