"""The demo as people start it: on other ports when they say so, and gone when they press Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

from tests.support.fakes import eventually
from tests.support.ports import free_ports
from tests.support.system import ROOT


@contextmanager
def demo(folder: Path, *options: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *options, "-m", "services.allinone", "--demo"],
            cwd=ROOT,
            env={**os.environ, "SNAPBUS__DATA": str(folder / "data"), **env},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def archived(port: int) -> set[str]:
    """The cameras of which a picture is archived."""
    url = f"http://127.0.0.1:{port}/v1/snapshots?state=archived"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return {each["camera"] for each in json.load(answer)["snapshots"]}
    except urllib.error.URLError:
        return set()


def pictures_below(url: str) -> int:
    """How many pictures the folder of this page has, in the years, months and days in it."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        page = answer.read().decode()
    folders = re.findall(r'📁 <a href="([^"]+)">(Snapbus|\d+)<', page)
    below = [pictures_below(urljoin(url, path)) for path, _ in folders]
    return page.count("<img ") + sum(below)


def test_on_other_ports_all_three_cameras_of_the_demo_deliver(tmp_path: Path) -> None:
    page, health, ftp, cameras, google = free_ports(5)
    ports = {
        "SNAPBUS__API__PORT": page,
        "SNAPBUS__HEALTH__PORT": health,
        "SNAPBUS__FTP__PORT": ftp,
        "SNAPBUS__SIMULATOR__HTTP_PORT": cameras,
        "SNAPBUS__SIMULATOR__GOOGLE_PORT": google,
    }
    env = {name: str(port) for name, port in ports.items()} | {"SNAPBUS__FTP__PASSIVE_PORTS": ""}
    with demo(tmp_path, **env) as process:
        log = tmp_path / "log"
        eventually(lambda: "loading, which takes some seconds; Ctrl-C ends it" in log.read_text())
        eventually(lambda: archived(page) == {"porch", "gate", "yard"}, timeout=60)
        drive = f"http://127.0.0.1:{google}"
        assert f"the simulated Google Drive is at {drive}/" in log.read_text()
        eventually(lambda: pictures_below(f"{drive}/"), timeout=60)
        assert f"the page is at http://localhost:{page}, and Ctrl-C ends Snapbus" in log.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, "once it runs, it stops in order"
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_ctrl_c_while_it_loads_ends_it_without_a_traceback(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with demo(tmp_path, "-X", "importtime") as process:
        eventually(lambda: "pydantic" in log.read_text(), message="it is loading")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert "shared.runtime.runtime" not in log.read_text(), "it was still loading"
    assert "Traceback" not in log.read_text()
