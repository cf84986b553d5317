"""A stored picture gives its bytes at once and its pixels on demand, once."""

from __future__ import annotations

import pytest

from shared.errors import UnsoundPicture
from shared.picture import stored
from shared.picture.decode import Limits, decode
from shared.picture.stored import StoredPicture
from tests.support.pictures import damaged, jpeg


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was decoded."""
    seen: list[bytes] = []

    def watched(data, limits, *, fit=None):
        seen.append(data)
        return decode(data, limits, fit=fit)

    monkeypatch.setattr(stored, "decode", watched)
    return seen


def test_who_wants_the_file_gets_it_without_a_decode(decodes: list[bytes]):
    picture = StoredPicture(jpeg(), Limits())

    assert (picture.data, picture.media_type) == (jpeg(), "image/jpeg")
    assert decodes == []


def test_pixels_are_decoded_once_however_many_look_at_them(decodes: list[bytes]):
    picture = StoredPicture(jpeg(), Limits())

    assert picture.upright is picture.upright
    assert picture.upright.pixels.shape[2] == 3
    assert len(decodes) == 1


def test_a_damaged_picture_is_told_by_its_pixels_and_its_bytes_stay():
    data = damaged(jpeg())["flipped bytes"]
    picture = StoredPicture(data, Limits())

    with pytest.raises(UnsoundPicture):
        _ = picture.upright
    assert picture.data == data
