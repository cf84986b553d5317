"""Pictures over HTTP: clean ones for browsers, the original only as a logged download."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.api import derivatives
from services.api.recent import Recent
from shared.picture import decode
from tests.support.api import Api, running_api
from tests.support.pictures import damaged, jpeg, png, scene, with_orientation


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path) as server:
        yield server


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def with_gps() -> bytes:
    """A JPEG whose EXIF says where and with what it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCam"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    file = io.BytesIO()
    scene().save(file, "JPEG", exif=exif, comment=b"made by canary")
    return file.getvalue()


@pytest.mark.promise("feat F22")
def test_a_thumbnail_is_small_cached_and_never_asked_for_or_made_twice(api, monkeypatch):
    made = []

    def thumbnail(data: bytes, *args: Any) -> bytes:
        made.append(data)
        return decode.thumbnail(data, *args)

    monkeypatch.setattr(derivatives, "thumbnail", thumbnail)
    taken = api.take(data=jpeg(scene(1600, 900)))
    path = f"/v1/snapshots/{taken.snapshot_id}/thumbnail"

    first = api.ask(path)
    again = api.ask(path, If_None_Match=first.headers["etag"])

    assert opened(first.body).size == (480, 270)
    assert first.headers["content-type"] == "image/jpeg"
    assert "immutable" in first.headers["cache-control"]
    assert "private" in first.headers["cache-control"]
    assert (again.status, again.body) == (304, b"")
    cache = api.context.store.derived("thumbnail-480", str(taken.data["sha256"]))
    assert cache.read_bytes() == first.body
    assert api.ask(path).body == first.body
    assert api.ask(path, "HEAD").status == 200
    assert len(made) == 1
    cache.unlink()
    assert api.ask(path, Range="bytes=0-").body == first.body  # in parts it comes from the file
    assert len(made) == 2, "what is gone from the cache is made again"


@pytest.mark.promise("sec B9")
def test_browsers_get_pictures_without_exif_and_upright(api):
    plain = api.take(data=with_gps())
    turned = api.take(data=with_orientation(scene(320, 200), 6))

    for kind in ("picture", "thumbnail"):
        answer = api.ask(f"/v1/snapshots/{plain.snapshot_id}/{kind}")
        assert b"SecretCam" not in answer.body and b"Exif" not in answer.body
        assert b"canary" not in answer.body
        upright = opened(api.ask(f"/v1/snapshots/{turned.snapshot_id}/{kind}").body)
        assert upright.size == (200, 320)


@pytest.mark.promise("sec B9")
def test_the_original_is_a_logged_download_under_a_name_of_our_own(api, caplog):
    data = with_gps()
    taken = api.take(data=data, name='"><img src=x onerror=alert(1)>.jpg')

    with caplog.at_level(logging.INFO, "services.api"):
        answer = api.ask(f"/v1/snapshots/{taken.snapshot_id}/picture?original=1")

    assert hashlib.sha256(answer.body).hexdigest() == taken.data["sha256"]
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="porch_')
    assert "onerror" not in disposition
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [r for r in caplog.records if getattr(r, "action", "") == "original_downloaded"]


@pytest.mark.promise("sec B9")
def test_a_picture_that_is_html_as_well_is_never_sent_as_html(api):
    page = b"<html><script>document.title='ran'</script></html>"
    data = jpeg()
    taken = api.take(data=data[:-2] + b"\xff\xfe" + (len(page) + 2).to_bytes(2) + page + data[-2:])
    base = f"/v1/snapshots/{taken.snapshot_id}"

    for path in (f"{base}/picture", f"{base}/thumbnail", f"{base}/picture?original=1"):
        answer = api.ask(path)
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "original" in path or b"<script>" not in answer.body


def test_a_png_is_shown_as_jpeg_and_downloaded_as_png(api):
    taken = api.take(data=png())
    base = f"/v1/snapshots/{taken.snapshot_id}/picture"

    assert opened(api.ask(base).body).format == "JPEG"
    original = api.ask(f"{base}?original=1")
    assert original.headers["content-type"] == "image/png"
    assert ".png" in original.headers["content-disposition"]


def test_a_damaged_picture_is_not_shown_but_can_be_downloaded(api):
    data = damaged(jpeg())["tail of zeros, then an end"]
    unknown = api.take(data=data)
    quarantined = api.take(data=data)
    api.reject(quarantined)

    for each, kind in ((unknown, "unsound-picture"), (quarantined, "quarantined")):
        answer = api.ask(f"/v1/snapshots/{each.snapshot_id}/thumbnail")
        assert answer.status == 404
        assert answer.json["type"].endswith(kind)
        original = api.ask(f"/v1/snapshots/{each.snapshot_id}/picture?original=1")
        assert original.body == data


@pytest.mark.promise("sec B9")
@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fsnapbus.db", "%00", "..", "....//", "..%5c..%5c", "%2e%2e/%2e%2e/etc/passwd"],
)
def test_no_path_of_a_client_reaches_a_file(api, name):
    for path in (f"/v1/snapshots/{name}/picture", f"/static/{name}", f"/snapshots/../{name}"):
        answer = api.ask(path)
        assert answer.status in (200, 400, 404, 422)
        assert answer.status != 200 or b"<title>Snapbus" in answer.body
        assert b"root:" not in answer.body and b"SQLite" not in answer.body


def test_a_lost_file_is_told_as_such(api):
    taken = api.take()
    api.context.store.path(str(taken.data["sha256"])).unlink()

    answer = api.ask(f"/v1/snapshots/{taken.snapshot_id}/picture")

    assert (answer.status, answer.json["type"]) == (404, "urn:snapbus:problem:file-missing")


@pytest.mark.promise("feat A18")
def test_what_was_shown_is_shown_again_from_memory_whole_or_in_parts(api):
    taken = api.take(data=jpeg(scene(1600, 900)))
    path = f"/v1/snapshots/{taken.snapshot_id}"
    thumbnail, whole = api.ask(f"{path}/thumbnail"), api.ask(f"{path}/picture")
    for file in (api.context.store.root / "cache").rglob("*"):
        if file.is_file():
            file.unlink()  # what is in memory needs no file

    assert api.ask(f"{path}/thumbnail").body == thumbnail.body
    again = api.ask(f"{path}/picture")
    assert (again.status, again.body) == (200, whole.body)
    assert again.headers["etag"] == whole.headers["etag"]
    assert again.headers["content-type"] == "image/jpeg"
    part = api.ask(f"{path}/picture", Range="bytes=2-5")
    assert (part.status, part.body) == (206, whole.body[2:6])


@pytest.mark.promise("feat A18", "inv I17")
def test_the_memory_of_pictures_is_bounded_and_keeps_what_was_used_last():
    recent = Recent(8 * 1000)
    for number in range(9):
        recent.keep(f"{number}", bytes(1000))
        recent.get("0")
    recent.keep("large", bytes(1001))

    assert recent.size == 8 * 1000
    assert [recent.get(each) is not None for each in ("0", "1", "2", "8", "large")] == [
        True, False, True, True, False
    ]  # fmt: skip
    none = Recent(0)
    none.keep("a", b"1")
    assert none.get("a") is None
