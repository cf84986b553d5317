"""What is asked of Google Drive. Any thread.

PyDrive2 would open a browser where a token is missing, wait without end for slow answers, and fail
at error pages that are no JSON. Here each of them is an error of google/errors.py.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from googleapiclient import errors as api_errors
from googleapiclient.http import MediaIoBaseDownload, MediaIoBaseUpload
from pydrive2.drive import GoogleDrive
from pydrive2.files import ApiRequestError, GoogleDriveFile

from services.drive.archives.google.client.answers import translated
from services.drive.archives.google.client.auth import Auth
from services.drive.archives.google.client.credentials import Credentials
from services.drive.archives.google.client.transport import Http
from services.drive.archives.google.errors import Busy, GoogleError
from services.drive.archives.google.pace import Pace
from services.drive.archives.google.token import TokenFile
from shared.http.deadline import Deadline

GOOGLE = "https://www.googleapis.com/"
CHUNK_BYTES = 1 << 20
MOST_TRIES, AGAIN_WITHIN_S = 4, 3.0
"""What fails more often or later is not called again at once: its work waits in the journal."""
MOST_EMPTY = 20
"""A list with more empty pages in a row has no end."""
T = TypeVar("T")
Item = dict[str, Any]


class Client:
    """Drive of one account. ``service`` is the key of a service account, for which there is no
    token file; ``acts_for`` whom it acts for. Any thread; every method raises GoogleError."""

    def __init__(
        self,
        token: TokenFile,
        *,
        service: Mapping[str, Any] | None = None,
        acts_for: str = "",
        scope: str,
        api: str = GOOGLE,
        timeout_s: float = 60.0,
        pace: Pace,
    ) -> None:
        self._login = Credentials(token, service, acts_for, scope, timeout_s)
        self._auth = Auth(self._login, api, timeout_s)
        self._drive = GoogleDrive(self._auth)
        self._timeout_s = timeout_s
        self._pace = pace
        self._open: set[Any] = set()

    def problem(self) -> GoogleError | None:
        """Why nothing can be asked now, as far as that is known without asking."""
        return self._login.problem()

    def ids(self, count: int) -> list[str]:
        """Ids for files that will be made."""
        service = self._auth.service
        return self._call(
            lambda http: service.files().generateIds(maxResults=count).execute(http=http)["ids"]
        )

    def insert(self, body: Mapping[str, Any], content: Path | bytes | None, fields: str) -> Item:
        """Make a file, or a folder when it has no content; ``body`` holds its id."""

        def insert(_http: Any) -> Item:
            file = _File(self._auth, dict(body))
            with _opened(content) as stream:
                if content is not None:
                    file.content = stream
                # Upload() takes a file with an id for one that is there already.
                file._FilesInsert(param={"fields": fields})
            return dict(file)

        return self._call(insert)

    def get(self, file_id: str, fields: str) -> Item:
        """What Drive knows of a file."""

        def get(_http: Any) -> Item:
            file = self._drive.CreateFile({"id": file_id})
            file.FetchMetadata(fields=fields)
            return dict(file)

        return self._call(get)

    def patch(
        self, file_id: str, body: Mapping[str, Any], fields: str, *, add: str = "", remove: str = ""
    ) -> Item:
        """Change what Drive knows of a file, or move it from one folder to another."""

        def patch(_http: Any) -> Item:
            file = self._drive.CreateFile({"id": file_id})
            file.update(body)
            moved = {"addParents": add, "removeParents": remove} if add else {}
            file.Upload(param={"fields": fields, **moved})
            return dict(file)

        return self._call(patch)

    def rewrite(self, file_id: str, content: bytes, fields: str) -> Item:
        """Replace the bytes of a file, as one step."""

        def rewrite(_http: Any) -> Item:
            file = _File(self._auth, {"id": file_id})
            file.content = io.BytesIO(content)
            file.Upload(param={"fields": fields})
            return dict(file)

        return self._call(rewrite)

    def trash(self, file_id: str) -> None:
        """Put a file into the trash, where a person can take it out again."""
        self._call(lambda _http: self._drive.CreateFile({"id": file_id}).Trash())

    def page(
        self, query: str, fields: str, *, token: str | None = None, **more: Any
    ) -> tuple[list[Item], str | None]:
        """One page of a list, and the token of the next one."""

        def page(_http: Any) -> tuple[list[Item], str | None]:
            asked = {"q": query, "maxResults": 1000, "fields": f"nextPageToken,items({fields})"}
            found = self._drive.ListFile(asked | more | ({"pageToken": token} if token else {}))
            items = [dict(each) for each in found.GetList()]
            return items, found.metadata.get("nextPageToken")

        return self._call(page)

    def all(self, query: str, fields: str, **more: Any) -> Iterator[Item]:
        """The files of all pages of a list."""
        token: str | None = None
        empty = 0
        while True:
            items, following = self.page(query, fields, token=token, **more)
            yield from items
            if not following:
                return
            empty = 0 if items else empty + 1
            if following == token or empty > MOST_EMPTY:
                raise Busy("Google's list has no end")
            token = following

    def read(self, file_id: str) -> Iterator[bytes]:
        """The bytes of a file, in chunks."""
        start, size = 0, 1
        while start < size:
            chunk, size = self._call(partial(self._part, file_id, start))
            start += len(chunk)
            yield chunk

    def _part(self, file_id: str, start: int, http: Any) -> tuple[bytes, int]:
        """The next chunk of a file, and the size of the file."""
        request = self._auth.service.files().get_media(fileId=file_id, supportsAllDrives=True)
        request.http = http
        buffer = io.BytesIO()
        download = MediaIoBaseDownload(buffer, request, chunksize=CHUNK_BYTES)
        download._progress = start
        download.next_chunk()
        if not buffer.tell() and download._total_size:
            raise ValueError("no bytes")
        return buffer.getvalue(), int(download._total_size or 0)

    def about(self) -> Item:
        """Whose Drive it is, and how full."""
        return self._call(lambda _http: dict(self._drive.GetAbout()))

    def _call(self, run: Callable[[Any], T]) -> T:
        """Call, and again soon where that may help: each call may be repeated without harm."""
        began = time.monotonic()
        for tries_left in reversed(range(MOST_TRIES)):
            self._pace.turn()
            try:
                done = self._once(run)
            except Busy as error:
                self._pace.slower(error)
                if not tries_left or time.monotonic() - began > AGAIN_WITHIN_S:
                    raise
                continue
            self._pace.well()
            return done
        raise AssertionError("unreachable")

    def _drop(self, local: Any) -> None:
        if connections := getattr(local, "http", None):
            self._open.discard(connections)
            connections.close()
        local.http = None

    def close(self) -> None:
        """End the connections of threads that ask no more."""
        for each in self._open:
            each.close()

    def _once(self, run: Callable[[Any], T]) -> T:
        local = self._auth.thread_local
        with Deadline(self._timeout_s) as deadline:
            try:
                credentials = self._login.current(deadline)
                if getattr(local, "credentials", None) is not credentials:
                    self._auth.credentials = local.credentials = credentials
                    self._drop(local)
                if local.http is None:
                    local.http = credentials.authorize(Http(self._timeout_s))
                    self._open.add(local.http)
                local.http.deadline = deadline
                return run(local.http)
            except GoogleError:
                raise
            except Exception as error:  # noqa: BLE001  a hostile answer makes the library raise anything
                meant = translated(error, self._login, deadline)
                if not isinstance(error, api_errors.HttpError | ApiRequestError):
                    self._drop(local)  # its connection may be in the middle of an answer
                raise meant from None


class _File(GoogleDriveFile):  # type: ignore[misc]
    """A file whose upload can be repeated after a 401: by the stream itself, which can seek."""

    def _BuildMediaBody(self) -> MediaIoBaseUpload:
        self.setdefault("mimeType", "application/octet-stream")
        return MediaIoBaseUpload(self.content, self["mimeType"], chunksize=-1, resumable=True)


def _opened(content: Path | bytes | None) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content or b"")
