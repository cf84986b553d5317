"""What each kind of camera needs is checked before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest

from services.camera.brands import ADAPTERS
from services.camera.brands.url import address
from shared.settings.fetch import KINDS, USES, FetchSection


def section(**given: Any) -> FetchSection:
    return FetchSection.model_validate(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "kind 'url' needs 'url'"),
        ({"kind": "reolink", "host": "cam"}, "kind 'reolink' needs 'username'"),
        ({"kind": "axis"}, "kind 'axis' needs 'host', or 'url'"),
        ({"kind": "axis", "host": "cam", "url": "http://cam"}, "'host', or 'url' in place of it"),
        ({"kind": "file"}, "kind 'file' needs 'path'"),
        ({"kind": "rtsp", "url": "http://cam/"}, "must begin with rtsp://"),
        ({"url": "rtsp://cam/"}, "must begin with http:// or https://"),
        ({"url": "http:///x.jpg"}, "'url' names no host"),
        ({"url": "http://u:p@cam/"}, "into 'username' and 'password'"),
        ({"kind": "axis", "host": "cam", "path": "/x"}, "kind 'axis' has no use for 'path'"),
        ({"kind": "dahua", "host": "cam", "command": "x"}, "has no use for 'command'"),
        ({"kind": "unifi", "host": "cam", "id": "64b2"}, "API key as 'password'"),
        (
            {"kind": "reolink", "host": "cam", "username": "a", "password": "x" * 32},
            "31 characters",
        ),
        ({"url": "http://cam/", "username": "a:b", "auth": "basic"}, "name with : can't be sent"),
        ({"url": "http://cam/", "fingerprint": "00" * 32}, "must begin with https://"),
        ({"url": "https://cam/", "fingerprint": "00"}, "fingerprint"),
        ({"kind": "axis", "host": "cam/x"}, "host"),
        ({"kind": "axis", "host": "u@cam"}, "host"),
        ({"kind": "axis", "host": "cam", "resolution": "large"}, "resolution"),
        ({"kind": "hikvision", "host": "cam", "channel": 0}, "channel"),
    ],
)
def test_what_does_not_fit_a_kind_is_told(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r"^1 validation error") as caught:
        section(**given)
    assert words in str(caught.value)


def test_a_setting_at_its_default_may_stand_anywhere() -> None:
    assert section(url="http://cam/", channel=1, warm_up=0, stream="main").channel == 1


def test_every_kind_says_what_it_uses_and_has_an_adapter() -> None:
    assert set(KINDS) == set(USES) == set(ADAPTERS)
    assert set().union(*USES.values()) <= set(FetchSection.model_fields)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"host": "cam"}, "http://cam:88"),
        ({"host": "cam:443"}, "http://cam:443"),
        ({"host": "[fe80::1]"}, "http://[fe80::1]:88"),
        ({"url": "https://cam:443/"}, "https://cam:443"),
    ],
)
def test_the_address_is_that_of_the_settings(given: dict[str, Any], asked: str) -> None:
    assert address(section(kind="foscam", **given), port=88) == asked
