"""A Foscam whose address and login come with each trigger of the existing system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from services.camera.brands import foscam
from services.camera.brands.adapter import Adapter, Still
from services.camera.failures import Misdirected
from shared.http.deadline import Deadline
from shared.settings.fetch import FetchSection
from shared.settings.told import recall


class ToldAdapter:
    """Asks the camera where it was last told to be."""

    def __init__(self, fetch: FetchSection, file: Path) -> None:
        self._fetch = fetch
        self._file = file

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        told = recall(self._file)
        if told is None:
            raise Misdirected(
                "nobody told its address yet: that comes with a trigger of the existing system"
            )
        where = {"url": told.url, "username": told.username, "password": SecretStr(told.password)}
        foscam_there = self._fetch.model_copy(update={"kind": "foscam", "path": None, **where})
        with foscam.adapter(foscam_there).open(deadline) as still:
            yield still

    def close(self) -> None:
        """Nothing is kept: each picture has a connection of its own."""


def adapter(fetch: FetchSection) -> Adapter:
    """``path`` is the file with the address, ``command`` the command of the camera's CGI."""
    assert fetch.path is not None  # the section insists on it
    return ToldAdapter(fetch, fetch.path)
