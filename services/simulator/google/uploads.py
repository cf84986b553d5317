"""Uploads to a simulated Drive: in one piece, in two parts, or resumable in many."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.simulator.google.clock import Clock
from services.simulator.google.file import Caller, File
from services.simulator.google.files import Files
from services.simulator.google.mask import masked
from services.simulator.google.wire import Answer, Call, Refusal, answer, invalid, not_found

STEP = 262_144
"""Of this every part but the last must be a multiple."""

_RANGE = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15}|\*)")


@dataclass(slots=True)
class _Session:
    """An upload that was begun. ``done`` is the id of the file that it became."""

    caller: Caller
    call: Call
    body: Mapping[str, Any]
    file: File
    is_new: bool
    total: int | None
    ends: float
    received: bytearray = field(default_factory=bytearray)
    done: str = ""


class Uploads:
    """One thread at a time. A session is good for ``life`` seconds."""

    def __init__(self, files: Files, clock: Clock) -> None:
        self._files = files
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self.life = 7 * 86_400.0

    def begin(self, call: Call, caller: Caller, id: str = "") -> Answer:
        """An upload of a new file, or of new bytes of one. Raises Refusal."""
        kind = call.query.get("uploadType", "")
        if kind == "media":
            meta: Mapping[str, Any] = {}
            mime, content = call.headers.get("content-type", ""), call.body
        elif kind == "multipart":
            meta, mime, content = _parts(call)
        elif kind == "resumable":
            return self._session(call, caller, id)
        else:
            raise invalid("uploadType")
        body = {"mimeType": mime or None, **meta}
        file = self._described(body, caller, call, id, len(content))
        return self._done(file, body, content, not id, caller, call)

    def put(self, call: Call) -> Answer:
        """A part of a resumable upload, or the question how far it is. Raises Refusal."""
        session = self._sessions.get(call.query.get("upload_id", ""))
        if not session or session.ends <= self._clock.now():
            raise not_found("upload session")
        if session.done:
            file = self._files.tree.get(session.done)
            return self._told(file, session.caller, session.call)
        asked = _RANGE.fullmatch(call.headers.get("content-range", ""))
        if "content-range" in call.headers and not asked:
            raise invalid("Content-Range")
        if asked and asked[3] != "*":
            session.total = int(asked[3])
        if not asked:
            session.received, session.total = bytearray(call.body), len(call.body)
        elif asked[1] is not None:
            self._take(session, int(asked[1]), int(asked[2]), call.body)
        if session.total != len(session.received) or (asked and not asked[1] and session.total):
            return _incomplete(session)
        return self._finish(session)

    def cut(self, call: Call) -> None:
        """Take only half of a part, as if the rest had never come. Raises Refusal."""
        asked = _RANGE.fullmatch(call.headers.get("content-range", ""))
        session = self._sessions.get(call.query.get("upload_id", ""))
        if session and not session.done and asked and asked[1] is not None:
            half = call.body[: len(call.body) // 2]
            if int(asked[1]) == len(session.received):
                session.received += half

    def forget(self, call: Call) -> None:
        """Let a session be no more."""
        self._sessions.pop(call.query.get("upload_id", ""), None)

    def _session(self, call: Call, caller: Caller, id: str) -> Answer:
        body = {"mimeType": call.headers.get("x-upload-content-type"), **call.json()}
        size = call.headers.get("x-upload-content-length", "")
        total = int(size) if size.isdecimal() and len(size) < 16 else None
        file = self._described(body, caller, call, id, total or 1)
        now, name = self._clock.now(), secrets.token_urlsafe(24)
        self._sessions = {key: each for key, each in self._sessions.items() if each.ends > now}
        self._sessions[name] = _Session(caller, call, body, file, not id, total, now + self.life)
        place = f"{call.base}{call.path}?uploadType=resumable&upload_id={name}"
        return Answer(headers={"Location": place, "X-GUploader-UploadID": name})

    def _described(
        self, body: Mapping[str, Any], caller: Caller, call: Call, id: str, size: int
    ) -> File:
        if not id:
            return self._files.checked(body, caller, call, size)
        file = self._files.see(id, caller, call)
        self._files.need(file, caller)
        return file

    def _take(self, session: _Session, first: int, last: int, body: bytes) -> None:
        have = len(session.received)
        if last - first + 1 != len(body) or first > have:
            raise Refusal(400, "invalid", f"Invalid request. {have} bytes were received so far.")
        if session.total is not None and last >= session.total:
            raise invalid("Content-Range")
        if session.total in (None, last + 1) or not (last + 1) % STEP:
            session.received += body[have - first :]
            return
        raise Refusal(400, "invalid", f"A part must be a multiple of {STEP} bytes.")

    def _finish(self, session: _Session) -> Answer:
        content = bytes(session.received)
        given = self._done(
            session.file, session.body, content, session.is_new, session.caller, session.call
        )
        session.done, session.received = session.file.id, bytearray()
        return given

    def _done(
        self,
        file: File,
        body: Mapping[str, Any],
        content: bytes,
        is_new: bool,
        caller: Caller,
        call: Call,
    ) -> Answer:
        if not is_new:
            file = self._files.patch(file.id, body, caller, call)
        held = self._files.insert(file, content) if is_new else self._files.write(file, content)
        return self._told(held, caller, call)

    def _told(self, file: File, caller: Caller, call: Call) -> Answer:
        told = self._files.told(file, caller, call.base)
        return answer(masked(told, call.query.get("fields", "")))


def _incomplete(session: _Session) -> Answer:
    have = len(session.received)
    return Answer(308, headers={"Range": f"bytes=0-{have - 1}"} if have else {})


def _parts(call: Call) -> tuple[dict[str, Any], str, bytes]:
    """What is said of a file, its type, and its bytes, of ``multipart/related``."""
    found = re.search(r'boundary="?([^";]{1,70})"?', call.headers.get("content-type", ""))
    if not found:
        raise Refusal(400, "badContent", "Missing multipart boundary")
    pieces = re.split(rb"(?:\A|\r?\n)--" + re.escape(found[1].encode()) + rb"(?:--)?", call.body)
    heads = [re.split(rb"\r?\n\r?\n", piece, maxsplit=1) for piece in pieces[1:3]]
    if len(heads) != 2 or any(len(each) != 2 for each in heads):
        raise Refusal(400, "badContent", "Malformed multipart body.")
    try:
        meta = json.loads(heads[0][1])
    except ValueError:
        raise Refusal(400, "parseError", "Parse Error") from None
    mime = re.search(rb"(?i)content-type:\s*([^\r\n;]+)", heads[1][0])
    if not isinstance(meta, dict):
        raise Refusal(400, "parseError", "Parse Error")
    return meta, mime[1].decode("latin-1").strip() if mime else "", heads[1][1]
