"""Clients of the HTTP doors: real programs, the ways of small cameras, the lines of the guide."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import requests

from tests.support.httpdoor import KINDS, Doors, http_doors, request, told
from tests.support.making import picture

GUIDE = Path(__file__).parents[2] / "docs/guide/http.md"
NUMBERS = count()
RAW = "/v1/cameras/porch/snapshots"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with http_doors(tmp_path_factory.mktemp("clients")) as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "MDAlarm_20260301-101112.jpg"
    path.write_bytes(picture(next(NUMBERS)) + bytes(400_000))
    return path


def newest(doors: Doors) -> bytes:
    return doors.api.context.store.read(doors.rows()[0].sha256)


def curl(doors: Doors, photo: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("curl")
    assert program, "curl is not installed"
    key = f"Authorization: Bearer {doors.keys['porch']}"
    return subprocess.run(
        [program, "-sS", "--noproxy", "*", "-w", "\n%{http_code}", "-H", key, *options],
        cwd=photo.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.promise("inv I1")
@pytest.mark.parametrize(
    ("options", "path"),
    [
        (["-T", "{}"], f"{RAW}/"),
        (["-T", "-"], f"{RAW}/s.jpg"),
        (["-X", "POST", "-T", "{}"], RAW),
        (["--data-binary", "@{}"], RAW),
        (["--data-binary", "@{}", "-H", "Transfer-Encoding: chunked"], RAW),
        (["--data-binary", "@{}", "-H", "Expect: 100-continue"], RAW),
        (["--data-binary", "@{}", "-H", "Content-Type:"], RAW),
        (["-T", "{}", "-H", "Expect: 100-continue", "--http1.0"], f"{RAW}/"),
        (["-F", "file=@{}"], "/api/snapshots"),
        (["-F", "a=b", "-F", "file=@{};type=image/jpeg", "-F", "c=d"], "/api/snapshots"),
    ],
)  # fmt: skip
def test_curl_brings_a_picture(doors: Doors, photo: Path, options: list[str], path: str):
    filled = [each.format(photo.name) for each in options]
    data = photo.read_bytes()
    if "-" in filled:
        filled[filled.index("-")] = "."  # its input, in chunks
        filled += ["--http1.1"]
    program = [*filled, f"{doors.api.url}{path}"]
    if "." in filled:
        done = subprocess.run(
            ["curl", "-sS", "-w", "\n%{http_code}",
             "-H", f"Authorization: Bearer {doors.keys['porch']}", *program],
            input=data, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        output, error = done.stdout.decode(), done.stderr.decode()
    else:
        ran = curl(doors, photo, *program)
        output, error = ran.stdout, ran.stderr
    assert output.splitlines()[-1] in ("201", "202"), (output, error)
    assert newest(doors) == data
    if path.endswith("/") or "api" in path:
        assert doors.rows()[0].name == photo.name
        assert doors.rows()[0].captured_by == "name"


def test_curl_that_waits_for_leave_sends_nothing_that_is_refused(doors: Doors, photo: Path):
    photo.write_bytes(bytes(20_000_000))
    done = curl(
        doors, photo, "-v", "-T", photo.name, "-H", "Expect: 100-continue", "--expect100-timeout",
        "30", f"{doors.api.url}/v1/cameras/porch/snapshots/",
    )  # fmt: skip
    assert done.stdout.endswith("413")
    assert "100 Continue" not in done.stderr


@pytest.mark.promise("feat C7", "feat C8", "feat C9")
def test_the_uploader_of_the_document(doors: Doors, photo: Path):
    """With requests, a form and a bearer token, as its pattern 2 has it."""
    with photo.open("rb") as file:
        answer = requests.post(
            f"{doors.api.url}/api/snapshots",
            files={"file": (photo.name, file, "image/jpeg")},
            headers={"Authorization": f"Bearer {doors.keys['porch']}"},
            timeout=30,
        )
    assert answer.status_code == 202
    assert newest(doors) == photo.read_bytes()


def test_requests_sends_in_chunks_and_keeps_its_connection(doors: Doors):
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {doors.keys['porch']}"
        for number in range(3):
            data = picture(50 + number) + bytes(200_000)
            pieces = (data[at : at + 5000] for at in range(0, len(data), 5000))
            url = f"{doors.api.url}/v1/cameras/porch/snapshots/{number}.jpg"
            assert session.put(url, data=pieces, timeout=30).status_code == 201
            assert newest(doors) == data


def esp32(doors: Doors, data: bytes, head: bytes, pieces: int = 1436) -> tuple[int, bytes]:
    """As its HTTPClient does: the head alone, the body in small pieces, then the answer."""
    with socket.create_connection(("127.0.0.1", doors.port), timeout=20) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sendall(head)
        for at in range(0, len(data), pieces):
            link.sendall(data[at : at + pieces])
        return told(link)


@pytest.mark.promise("inv I1")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pieces", [1436, 7])
def test_a_small_camera_brings_a_picture(doors: Doors, kind: str, pieces: int):
    data = picture(next(NUMBERS) + 1000) + bytes(60_000 if pieces > 7 else 600)
    sent = request(kind, data, "porch")[2]
    head = doors.head(
        kind, b"User-Agent: ESP32HTTPClient", b"Connection: close", b"Accept-Encoding: identity",
        b"Content-Length: %d" % len(sent),
    )  # fmt: skip
    status, answer = esp32(doors, sent, head, pieces)
    assert status in (201, 202), answer
    assert newest(doors) == data
    assert b"connection: close" in answer.lower()


def test_half_frames_of_a_small_camera_are_no_pictures(doors: Doors, photo: Path):
    data = photo.read_bytes()[:-400_002]  # the wireless went away within the picture
    before = len(doors.rows())
    head = doors.head("put", b"Connection: close", b"Content-Length: %d" % len(data))
    status, answer = esp32(doors, data, head)
    assert (status, b"incomplete-picture" in answer) == (422, True)
    assert len(doors.rows()) == before


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def test_the_curl_lines_of_the_guide(doors: Doors, photo: Path):
    shutil.copy(photo, photo.parent / "snapshot.jpg")
    (lines,) = [each for each in blocks("sh") if "curl" in each]
    for line in lines.strip().splitlines():
        done = subprocess.run(
            ["bash", "-c", line.replace("http://nas.local:8080", doors.api.url) + " -sS -f"],
            cwd=photo.parent, env={**os.environ, "KEY": doors.keys["porch"]},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (line, done.stderr)
        assert newest(doors) == photo.read_bytes()


@pytest.mark.parametrize("language", ["cpp", "berry"])
def test_the_lines_of_the_guide_for_small_cameras(doors: Doors, language: str):
    """What these lines make such a camera send."""
    (lines,) = blocks(language)
    url = re.search(r'begin\("http://nas\.local:8080(.*?)"\)', lines)
    header = re.search(r'(?:addHeader|add_header)\("(.*?)", "(Bearer )" \+? ?KEY\)', lines)
    assert url and header and "POST(picture" in lines
    data = picture(next(NUMBERS) + 2000)
    head = (
        f"POST {url[1]} HTTP/1.1\r\nHost: nas.local:8080\r\nUser-Agent: ESP32HTTPClient\r\n"
        f"Connection: close\r\n{header[1]}: {header[2]}{doors.keys['porch']}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    status, answer = esp32(doors, data, head.encode())
    assert status == 201, answer
    assert newest(doors) == data


def test_the_python_lines_of_the_guide(doors: Doors):
    (lines,) = blocks("python")
    data = picture(next(NUMBERS) + 3000)
    url = f"{doors.api.url}/v1/cameras/porch/snapshots"
    known = {"requests": requests, "URL": url, "KEY": doors.keys["porch"], "picture": data}
    for _ in range(2):
        before = len(doors.rows())
        exec(lines, {**known, "name": "2026-11-21 17:00"})
    assert newest(doors) == data and len(doors.rows()) == before


@pytest.mark.promise("feat C8", "feat C13")
def test_the_same_photographs_by_every_way_of_http_are_the_same(tmp_path: Path):
    """Real photographs: content, camera and time are equal, whichever way they came."""
    if "SNAPBUS_TEST_DATA" not in os.environ:
        pytest.skip("needs the photographs of SNAPBUS_TEST_DATA")
    folder = Path(os.environ["SNAPBUS_TEST_DATA"])
    found = sorted([*folder.glob("photos/*.jpg"), *folder.glob("coco128/**/*.jpg")])
    photos = [each.read_bytes() for each in found[:20]]
    assert len(photos) == 20
    with http_doors(tmp_path) as doors:
        for number, data in enumerate(photos):
            for kind in KINDS:
                method, path, body, own = request(kind, data, "porch")
                at = f"2026-03-01T10:{number:02}:00Z"
                if kind == "capture":
                    body = body[:-1] + b', "captured_at": "%b"}' % at.encode()
                else:
                    path += f"?captured_at={at}"
                answer = doors.api.ask(path, method, body, **own, **doors.headers())
                assert answer.status < 300, (kind, answer.body)
        # The same time and bytes of one camera are one snapshot.
        rows = doors.rows()
        assert len(rows) == len(photos)
        assert {row.sha256 for row in rows} == {hashlib.sha256(each).hexdigest() for each in photos}
        assert {row.camera for row in rows} == {"porch"}
        assert {row.captured_at.minute for row in rows} == set(range(len(photos)))
