"""A real API server in a thread, on a journal and a store of its own, and a client for it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.api.app import build
from services.api.server import HttpServer
from shared.events import (
    Detection,
    Event,
    SnapshotAnalyzed,
    SnapshotArchived,
    SnapshotRejected,
    counts_of,
    now,
)
from shared.ingest.intake import Arrival, Intake
from shared.service import Context, Service
from shared.settings import Settings
from shared.settings.directory import CameraDirectory
from shared.stop import Stop
from shared.store import Store
from tests.support.fakes import eventually
from tests.support.making import open_journal
from tests.support.pictures import jpeg

PERSON = {"label": "person", "confidence": 0.91, "box": (0.1, 0.2, 0.4, 0.9)}
CAR = {"label": "car", "confidence": 0.62, "box": (0.5, 0.5, 0.9, 0.8)}
CAMERAS: dict[str, Any] = {
    "porch": {
        "place": "Front door",
        "ftp": {"password": "ftp-canary-1"},
        "fetch": {"url": "http://10.0.0.9/still", "username": "u", "password": "fetch-canary-2"},
    },
    "street": {"place": "Street", "ftp": {"username": "str33t", "password": "ftp-canary-3"}},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Sequence[str] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Api:
    """One running API and what is behind it."""

    context: Context
    service: Service
    announced: list[Event] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)

    @property
    def port(self) -> int:
        server = self.service.sources[0]
        assert isinstance(server, HttpServer)
        return server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, path: str, method: str = "GET", body: Any = None, **headers: str | None
    ) -> Answer:
        """One request on a connection of its own. A header of None is left out."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items() if value}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            if "Content-Type" not in headers:
                sent["Content-Type"] = "application/json"
        with closing(link):
            link.request(method, path, body, sent)
            answer = link.getresponse()
            cookies = answer.headers.get_all("Set-Cookie", [])
            return Answer(answer.status, dict(answer.getheaders()), answer.read(), cookies)

    def post(self, path: str, body: Any = None, **headers: str | None) -> Answer:
        return self.ask(path, "POST", {} if body is None else body, **headers)

    def take(self, camera: str = "porch", data: bytes = b"", **arrival: Any) -> Event:
        """Let a picture come in; its ``snapshot.taken``."""
        part = self.context.intake.receive()
        part.write(data or jpeg())
        door = arrival.pop("door", "ftp")
        key = arrival.pop("key", f"{camera} {now().isoformat()}")
        accepted = self.context.intake.accept(
            part, Arrival(camera=camera, door=door, key=key, **arrival)
        )
        return self.context.journal.read.story(accepted.snapshot_id)[0].event

    def analyze(
        self,
        taken: Event,
        *found: Mapping[str, Any],
        reason: str = "",
        after_s: float = 0.0,
        analyzer: str = "detector",
    ) -> Event:
        """Let an analyser be done with it so long after it; its ``snapshot.analyzed``."""
        seen = [Detection.model_validate(each) for each in found]
        counts: Mapping[str, Any] = {} if reason else dict(counts_of(seen, 0.8))
        data = SnapshotAnalyzed.model_validate(
            {
                **counts,
                "camera": taken.subject,
                "analyzer": analyzer,
                "analyzed": not reason,
                "reason": reason,
                "detections": found,
                "engine": "" if reason else "onnx",
                "model": "" if reason else "yolov8n.onnx",
                "width": 320,
                "height": 240,
                "milliseconds": {"decode": 2.5, "infer": 40},
            }
        )
        event = _later(data.event(subject=taken.subject, cause=taken), taken, after_s)
        self.context.journal.finish(analyzer, taken, [event])
        return event

    def archive(
        self,
        analyzed: Event,
        path: str = "2026/01/02/porch.jpg",
        after_s: float = 0.0,
        archive: str = "folder",
    ) -> Event:
        """Let an archive have it so long after that; its ``snapshot.archived``."""
        data = SnapshotArchived(
            camera=analyzed.subject, archive=archive, path=path, sha256="0" * 64, size=1
        )
        event = _later(data.event(subject=analyzed.subject, cause=analyzed), analyzed, after_s)
        service = "drive" if archive == "folder" else f"drive-{archive}"
        self.context.journal.finish(service, analyzed, [event])
        return event

    def reject(self, taken: Event, reason: str = "the JPEG does not decode") -> Event:
        """Let the detector find damage."""
        event = SnapshotRejected(camera=taken.subject, reason=reason).event(
            subject=taken.subject, cause=taken
        )
        self.context.journal.finish("detector", taken, [event])
        return event

    def give_up(self, service: str, event: Event, error: str) -> None:
        """Let a service give an event up."""
        self.context.journal.fail(service, event, error, attempts=5, retry_after_s=None)

    @contextmanager
    def stream(self, query: str = "", port: int = 0, **headers: str) -> Iterator[Frames]:
        """An open event stream, from its greeting on; ``port`` is that of a proxy before it."""
        link = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(link):
            link.request("GET", f"/v1/events{query}", headers=sent)
            answer = link.getresponse()
            assert answer.status == 200, answer.read()
            yield Frames(answer)


def _later(event: Event, cause: Event, after_s: float) -> Event:
    return replace(event, time=cause.time + timedelta(seconds=after_s)) if after_s else event


class Frames:
    """The frames of a stream as dicts of their fields."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer
        self.greeting = self.next()
        assert self.greeting["event"] == "hello"

    def next(self) -> dict[str, Any]:
        """The next frame; comments come as the field ``comment``."""
        fields: dict[str, Any] = {}
        while line := self._answer.readline():
            text = line.decode().rstrip("\n")
            if not text:
                return fields
            name, _, value = text.partition(":")
            fields[name or "comment"] = value.removeprefix(" ")
        raise EOFError("the stream ended")

    def next_event(self) -> dict[str, Any]:
        """The next frame that is an event of ours, its data as JSON."""
        while True:
            frame = self.next()
            if "id" in frame and frame.get("event") != "hello":
                return {**frame, "data": json.loads(frame["data"])}


@contextmanager
def running_api(folder: Path, tree: Mapping[str, Any] | None = None) -> Iterator[Api]:
    """An API that serves on a free port until the end of the block."""
    base: dict[str, Any] = {"data": str(folder), "cameras": CAMERAS}
    base["api"] = {"host": "127.0.0.1", "port": 0, "open": True}
    for name, section in (tree or {}).items():
        base[name] = {**base.get(name, {}), **section} if name != "cameras" else section
    settings = Settings.model_validate(base)
    store = Store(settings.store_root)
    store.create()
    announced: list[Event] = []
    with closing(open_journal(settings)) as journal:
        directory = CameraDirectory(settings.cameras)
        whose = directory.organisation
        intake = Intake(store, journal, announced.extend, max_bytes=5_000_000, organisation=whose)
        context = Context(
            settings,
            store,
            journal,
            intake,
            announced.extend,
            lambda *_: None,
            directory,
        )
        service = build(context)
        api = Api(context, service, announced)
        stop = api.stop
        thread = threading.Thread(
            target=service.sources[0].run, args=(stop,), name="api", daemon=True
        )
        thread.start()
        try:
            eventually(lambda: api.port and _answers(api), message="the API answers")
            yield api
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive(), "the API did not stop"


def _answers(api: Api) -> bool:
    try:
        return api.ask("/v1/health/live").status == 200
    except OSError:
        return False
