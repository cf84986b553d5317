"""The first five minutes of a person: the configuration, the first account, a key, a camera over
FTPS by the guide's lines for curl and lftp, and its pictures on the page, analysed and filed."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from services.simulator.scenes import Scene
from tests.support.fakes import eventually
from tests.support.system import ROOT, System

CAMERA = "choose-one"
PERSON = "correct horse"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """One process as the README starts it, closed; its camera must use TLS."""
    tree = {
        "api": {"open": False},
        "cameras": {
            "porch": {"place": "Front door", "ftp": {"password": CAMERA, "tls": "required"}}
        },
        "detector": {"engine": "auto", "model": str(ROOT / "services/simulator/figures.onnx")},
    }
    with closing(System(tmp_path, tree)) as running:
        running.start("allinone")
        yield running


def push(program: str, system: System, picture: Path) -> subprocess.CompletedProcess[str]:
    """Run the guide's line for FTPS by this program in the folder of the picture."""
    guide = (ROOT / "docs/guide/first-camera.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^{program} .*ssl.*$", guide, re.MULTILINE)
    line = line.replace("localhost", "127.0.0.1").replace("2121", str(system.ftp_port))
    line = line.replace("picture.jpg", picture.name)
    return subprocess.run(
        ["sh", "-c", line], cwd=picture.parent, capture_output=True, text=True, timeout=60
    )


def ask(system: System, key: str = "") -> tuple[int, Any]:
    """The list of snapshots by a program."""
    request = urllib.request.Request(f"http://127.0.0.1:{system.api_port}/v1/snapshots")
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.promise("find H1")
def test_a_persons_first_five_minutes(system: System, page: Page, tmp_path: Path) -> None:
    page.goto(f"http://127.0.0.1:{system.api_port}/")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PERSON)
    page.get_by_role("button", name="Make the account").click()
    page.get_by_role("link", name="Access").click()
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Name").fill("house")
    page.get_by_role("button", name="Make it").click()
    key = page.locator(".secret").inner_text()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("link", name="Snapshots").click()

    for number, program in enumerate(("curl", "lftp")):
        picture = tmp_path / f"{program}.jpg"
        moment = datetime(2026, 6, 1, 12, number, tzinfo=UTC)
        Scene("porch", (1280, 720)).at(moment).image.save(picture, "JPEG")
        done = push(program, system, picture)
        assert done.returncode == 0, done.stderr
        expect(page.locator(".card[data-id]")).to_have_count(number + 1)  # it comes by itself

    def filed() -> Any:
        status, told = ask(system, key)
        found = told["snapshots"]
        return status == 200 and [each["state"] for each in found] == ["archived"] * 2 and found

    snapshots = eventually(filed, timeout=30)
    assert {each["name"] for each in snapshots} == {"curl.jpg", "lftp.jpg"}
    assert ask(system)[0] == 401
    plain = ["curl", "-sS", "-T", str(tmp_path / "curl.jpg")]
    url = f"ftp://porch:{CAMERA}@127.0.0.1:{system.ftp_port}/plain.jpg"
    refused = subprocess.run([*plain, url], capture_output=True, text=True, timeout=60)
    assert refused.returncode != 0 and "534" in refused.stderr
