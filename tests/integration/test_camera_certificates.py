"""Certificates of cameras: good, expired, of another host, of no authority."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from services.camera.failures import Misdirected
from tests.support.asking import fetch, take
from tests.support.camera_pictures import PICTURE
from tests.support.cameras import FaultyCamera

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine trusts the authority of the tests, and no other."""
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(DATA / "authority.pem"))


@contextmanager
def camera_with(certificate: str) -> Iterator[FaultyCamera]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / certificate)
    with FaultyCamera(tls=context) as camera:
        yield camera


@pytest.mark.promise("fault C5")
def test_a_certificate_of_a_trusted_authority_is_taken() -> None:
    with camera_with("certificate_good.pem") as camera:
        assert take(fetch(camera.url("/fine", "https"))) == PICTURE


@pytest.mark.promise("feat K15")
@pytest.mark.promise("fault C5")
@pytest.mark.parametrize(
    "certificate", ["certificate_expired.pem", "certificate_elsewhere.pem", "self_signed.pem"]
)
def test_a_certificate_that_does_not_fit_is_refused_before_the_password_is_told(
    certificate: str,
) -> None:
    with camera_with(certificate) as camera:
        url = camera.url("/fine", "https")
        with pytest.raises(Misdirected, match="not trusted") as refused:
            take(fetch(url, username="admin", password="canary", auth="basic"))
        assert not refused.value.retryable
        assert camera.requests == []
        assert take(fetch(url, verify_tls=False)) == PICTURE


@pytest.mark.promise("fault C5")
def test_a_redirect_to_https_checks_the_certificate_too() -> None:
    """Without this a camera could choose to be unchecked by being asked over plain HTTP."""
    with ExitStack() as stack:
        secure = stack.enter_context(camera_with("certificate_expired.pem"))
        plain = stack.enter_context(FaultyCamera())
        target = secure.url("/fine", "https")
        plain.faults["/up"] = lambda _camera, wire, _request: wire.sendall(
            f"HTTP/1.1 302 Found\r\nLocation: {target}\r\n\r\n".encode()
        )
        with pytest.raises(Misdirected, match="not trusted"):
            take(fetch(plain.url("/up")))
        assert secure.requests == []
