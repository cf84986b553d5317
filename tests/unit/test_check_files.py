"""``--check`` looks at what the configuration names: certificates, ports, folders."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from services.allinone.checks import check, check_demo
from shared.errors import ConfigError
from shared.settings import Settings
from shared.settings.doubts import doubts
from shared.tls import CertificateFiles

DATA = Path(__file__).parents[1] / "data"
FTP = {"cameras": {"porch": {"ftp": {"password": "x"}}}}


def settings(**tree: Any) -> Settings:
    return Settings.model_validate(FTP | tree)


def with_passphrase() -> bytes:
    pem = (DATA / "self_signed.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    locked = serialization.BestAvailableEncryption(b"a passphrase")
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, locked)


@pytest.mark.promise("find T1", "feat K15")
@pytest.mark.parametrize("section", ["api", "ftp"])
@pytest.mark.parametrize(
    ("certificate", "key", "says"),
    [
        ("none.pem", "good.pem", r"none\.pem can't be read: No such file"),
        ("good.pem", "none.pem", r"none\.pem can't be read: No such file"),
        ("good.pem", "folder", r"folder can't be read: Is a directory"),
        ("good.pem", "other.pem", "the key does not belong to the certificate"),
        ("good.pem", "text.pem", "can't be used: .*Both must be PEM"),
        ("text.pem", "good.pem", "can't be used: .*Both must be PEM"),
        ("good.pem", "locked.pem", "the key has a passphrase"),
    ],
)
def test_a_certificate_that_can_not_be_served_is_refused_with_the_remedy(
    tmp_path: Path, section: str, certificate: str, key: str, says: str
):
    (tmp_path / "good.pem").write_bytes((DATA / "certificate_good.pem").read_bytes())
    (tmp_path / "other.pem").write_bytes((DATA / "self_signed.pem").read_bytes())
    (tmp_path / "text.pem").write_text("no certificate")
    (tmp_path / "locked.pem").write_bytes(with_passphrase())
    (tmp_path / "folder").mkdir()
    files = {"certificate": str(tmp_path / certificate), "certificate_key": str(tmp_path / key)}
    with pytest.raises(ConfigError, match=rf"(?s){section}\.certificate: .*{says}"):
        check(settings(**{section: files}))


def test_a_certificate_with_its_key_is_fine_and_of_a_server_that_is_off_nobody_asks():
    pair = {name: str(DATA / "certificate_good.pem") for name in ("certificate", "certificate_key")}
    assert check(settings(api=pair, ftp=pair)) == []
    missing = dict.fromkeys(pair, "/nowhere.pem")
    assert check(settings(api=missing | {"enabled": False}, ftp=missing | {"enabled": False})) == []


@pytest.mark.promise("feat L6", "sec A6")
def test_half_of_a_new_pair_leaves_the_old_one_in_force(tmp_path: Path):
    """OpenSSL forgets the key at once when it is given a certificate that another one belongs
    to."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    for file in (certificate, key):
        file.write_bytes((DATA / "certificate_good.pem").read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    files = CertificateFiles("api.certificate", certificate, key)
    files.load(context)
    certificate.write_bytes((DATA / "self_signed.pem").read_bytes())
    with pytest.raises(ConfigError):
        files.load(context)
    assert handshake(context)


def handshake(context: ssl.SSLContext) -> bytes:
    """The certificate that a client gets from this server."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(down, up)
    other = context.wrap_bio(up, down, server_side=True)
    for _ in range(3):
        for side in (one, other):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return one.getpeercert(binary_form=True) or b""


@pytest.mark.promise("find T1")
@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({"api": {"port": 2121}}, r"ftp.port \(2121\): is taken by api.port \(2121\)"),
        ({"api": {"port": 8081}}, r"api.port \(8081\): is taken by health.port \(8081\)"),
        ({"health": {"port": 2121}}, r"ftp.port \(2121\): is taken by health.port \(2121\)"),
        ({"ftp": {"port": 30005}}, r"ftp.passive_ports \(30000-30009\): is taken by ftp.port"),
        ({"api": {"port": 30009}}, r"ftp.passive_ports \(30000-30009\): is taken by api.port"),
        (
            {"api": {"port": 81, "host": "127.0.0.1"}, "ftp": {"port": 81, "host": "127.0.0.1"}},
            "is taken by",
        ),
    ],
)
def test_ports_that_two_would_listen_on_are_refused_by_name(tree: dict[str, Any], says: str):
    with pytest.raises(ConfigError, match=says):
        check(settings(**tree))


@pytest.mark.parametrize(
    "tree",
    [
        {"api": {"port": 0}, "ftp": {"port": 0}, "health": {"port": 0}},
        {"api": {"port": 2121, "host": "127.0.0.1"}, "ftp": {"host": "127.0.0.2"}},
        {"api": {"port": 2121}, "ftp": {"enabled": False}},
        {"ftp": {"passive_ports": ""}, "api": {"port": 30000}},
        {"simulator": {"http_port": 8080}},
    ],
)
def test_ports_that_differ_are_fine(tree: dict[str, Any]):
    assert check(settings(**tree)) == []


def test_the_demo_listens_for_its_cameras_too():
    with pytest.raises(ConfigError, match=r"simulator.http_port \(8080\): is taken by api.port"):
        check_demo(settings(simulator={"http_port": 8080}))


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """As a user that may write to nothing of ours."""
    if os.geteuid() == 0:
        os.seteuid(65_534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that anybody may enter and read, and nobody but root may write to; pytest's own are
    of its user alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        yield Path(folder)


@pytest.mark.promise("find T1")
@pytest.mark.parametrize(
    ("below", "says"),
    [("", "can't be written by user"), ("data", "can't be made by user"), ("a/b", "can't be made")],
)
def test_a_data_folder_that_can_not_be_written_is_doubted(open_folder: Path, below: str, says: str):
    with nobody():
        (doubt,) = doubts(settings(data=str(open_folder / below)))
    assert doubt.startswith(f"data: {open_folder / below}".rstrip("/")) and says in doubt


@pytest.mark.promise("find T1")
def test_a_data_folder_that_is_a_file_is_doubted_and_one_that_can_be_made_is_not(tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    (at,), (below,) = (list(doubts(settings(data=str(each)))) for each in (file, file / "a"))
    assert "is no folder, so no picture can be kept" in at
    assert f"is below {file}, no folder" in below
    assert list(doubts(settings(data=str(tmp_path / "a" / "b")))) == []


def watched(path: Path, **more: Any) -> Settings:
    return settings(cameras={"shed": {"folder": {"path": str(path), **more}}})


@pytest.mark.promise("find T1", "fault W6")
def test_a_watched_folder_that_is_missing_is_doubted(tmp_path: Path):
    (missing,) = check(watched(tmp_path / "none"))
    assert missing.startswith(f"cameras.shed.folder.path: {tmp_path / 'none'} is not there")
    (tmp_path / "file").touch()
    assert "is no folder" in check(watched(tmp_path / "file"))[0]
    assert check(watched(tmp_path)) == []


def test_a_watched_folder_whose_pictures_can_not_be_taken_away_is_doubted(open_folder: Path):
    with nobody():
        assert "can't be read and written by user" in check(watched(open_folder))[0]
        assert check(watched(open_folder, keep=True)) == []
