"""The pages of the simulated Google are safe to open, whatever lies in it."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from pydrive2.drive import GoogleDrive

from services.simulator.google.account import OWNER, SimulatedGoogle
from tests.support.google import folder, upload

SCRIPT = "\"'><script>alert(1)</script>"


def opened(google: SimulatedGoogle, path: str = "", **headers: str) -> Any:
    return requests.get(f"{google.url}{path.lstrip('/')}", headers=headers, timeout=10)


def test_folders_and_pictures_can_be_looked_at(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    day = folder(drive, "22", folder(drive, "11", folder(drive, "2026")["id"])["id"])
    file = upload(drive, "porch.jpg", b"picture", parents=[{"id": day["id"]}])

    assert ">2026</a>" in opened(google).text
    page = opened(google, f"drive/folders/{day['id']}")
    assert f'<img src="/file/d/{file["id"]}/content"' in page.text
    assert requests.get(file["alternateLink"], timeout=10).status_code == 200
    picture = opened(google, f"file/d/{file['id']}/content")
    assert (picture.content, picture.headers["Content-Type"]) == (b"picture", "image/jpeg")


def test_nothing_in_a_page_is_a_script(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    odd = {"key": SCRIPT[:20], "value": SCRIPT, "visibility": "PRIVATE"}
    day = folder(drive, SCRIPT)
    file = upload(drive, SCRIPT, parents=[{"id": day["id"]}], description=SCRIPT, properties=[odd])
    html = upload(drive, "page.html", b"<script>alert(1)</script>", mimeType="text/html")

    for path in ("", f"drive/folders/{day['id']}", f"file/d/{file['id']}/view"):
        page = opened(google, path)
        assert "<script" not in page.text and "alert(1)" in page.text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none';")
    content = opened(google, f"file/d/{html['id']}/content")
    assert content.headers["Content-Type"] == "application/octet-stream"
    assert content.headers["X-Content-Type-Options"] == "nosniff"
    assert content.headers["Content-Disposition"] == "attachment"


def test_a_foreign_name_for_this_machine_opens_nothing(google: SimulatedGoogle) -> None:
    for host in ("elsewhere.example.org", "localhost.example.org", "", "127.0.0.1.example.org:80"):
        assert opened(google, Host=host).status_code == 404


def test_a_star_is_given_by_the_page_and_by_no_other(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    file = upload(drive, "porch.jpg")
    path, own = f"{google.url}file/d/{file['id']}/star", google.url.rstrip("/")

    for origin in ("http://elsewhere.example.org", "null", ""):
        assert requests.post(path, headers={"Origin": origin}, timeout=10).status_code == 404
    assert google.tree.get(file["id"]).starred == frozenset()
    requests.post(path, headers={"Origin": own}, timeout=10)
    assert google.tree.get(file["id"]).starred == {OWNER}
    file.FetchMetadata()
    assert file["labels"]["starred"]


@pytest.mark.parametrize("path", ["file/d/unknown/view", "drive/folders/..", "x", "drive/v2/x"])
def test_what_is_not_there_is_not_found(google: SimulatedGoogle, path: str) -> None:
    assert opened(google, path).status_code == 404
