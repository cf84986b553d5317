"""The service writes manifests by itself, also after an archive was away."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from services.drive.app import build
from services.drive.archives.archive import MANIFEST
from services.drive.verified import keeper
from shared.stop import Stop
from tests.support.fakes import eventually
from tests.support.making import analyzed, core, events_of, picture


@pytest.mark.promise("feat F21", "fault G3")
def test_manifests_are_kept_by_the_service_and_wait_for_an_archive_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(keeper, "FIRST_S", 0.05)
    with closing(core(tmp_path, {"drive": {"timezone": "UTC", "manifest_s": 0.05}})) as here:
        (service,) = build(here.parts)
        (source,) = service.sources
        nas, off = here.settings.data / "archive", tmp_path / "off"
        here.arrive(picture())
        here.journal.append(
            events_of(service.handlers["snapshot.analyzed"](analyzed(here.told[0])))
        )
        (day,) = here.journal.manifests.days("folder")
        manifest = nas.joinpath(*day.split("-"), MANIFEST)
        nas.rename(off)
        stop = Stop()
        thread = threading.Thread(target=source.run, args=[stop], daemon=True)
        thread.start()
        try:
            eventually(lambda: "manifests of folder wait" in caplog.text)
            assert not nas.exists()
            off.rename(nas)
            eventually(manifest.is_file)
            eventually(lambda: here.journal.manifests.open_days("folder") == [])
        finally:
            stop.set()
            thread.join(10)
        assert not thread.is_alive()
        told = here.journal.manifests.of("folder", date.fromisoformat(day).isoformat())
        assert told is not None
        assert manifest.read_bytes() == told.data
