"""A broker that is a list of letters, and the threads' way to it, for tests without threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.envelope import decode


@dataclass(frozen=True)
class Letter:
    """A message in a queue."""

    queue: str
    body: bytes
    redelivered: bool = False


@dataclass
class Post:
    """The broker, and the connection to it. ``outgoing``: nobody knows yet what becomes of these;
    ``unmarked``: the broker has confirmed them, and the journal doesn't know."""

    topics: dict[str, str] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    outgoing: list[list[bytes]] = field(default_factory=list)
    unmarked: list[bytes] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)

    def take(self, *, confirm: bool) -> None:
        """The broker takes the oldest outgoing message; its confirm may get lost."""
        if not self.outgoing:
            return
        event_id, _key, queue, body = self.outgoing.pop(0)
        topic = decode(body).topic
        for name, wanted in self.topics.items():
            if queue.decode() in ("", name) and wanted == topic:
                self.letters.append(Letter(name, body, redelivered=bool(queue)))
        self.confirmed.add(event_id.decode())
        if confirm:
            self.unmarked.append(event_id)


class FakeEnd:
    """The relay's end of one thread."""

    def __init__(
        self,
        post: Post,
        incoming: list[list[bytes]] | None = None,
        on_done: Callable[[], None] = lambda: None,
    ) -> None:
        self.post = post
        self.settled = False
        self._incoming = incoming or []
        self._on_done = on_done

    def send(self, *frames: bytes) -> None:
        if frames[0] == b"publish":
            self.post.outgoing.append(list(frames[1:5]))
        elif frames[0] == b"done":
            self.settled = True
            self._on_done()

    hold = send

    def receive(self, _timeout_s: float) -> list[bytes] | None:
        return self._incoming.pop(0) if self._incoming else None
