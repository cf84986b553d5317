"""One picture is cut out of whatever a camera sends, however the network cuts it up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.camera.failures import CameraError, CredentialsRefused, WrongAnswer
from services.camera.still import one_picture
from tests.support.camera_pictures import PICTURE, jpeg, jpeg_with_thumbnail, png
from tests.support.cameras import FOSCAM_WRONG

THUMBNAILED = jpeg_with_thumbnail()


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def cut(data: bytes, size: int = 1000) -> bytes:
    return b"".join(one_picture(pieces(data, size)))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 511, 512, 513, 100_000])
@pytest.mark.parametrize("picture", [PICTURE, THUMBNAILED, png()], ids=["jpeg", "thumb", "png"])
def test_a_picture_comes_out_as_it_went_in_for_any_size_of_pieces(
    picture: bytes, size: int
) -> None:
    assert cut(picture, size) == picture


@given(size=st.integers(1, 4000), garbage=st.binary(max_size=300))
def test_what_follows_the_end_of_a_jpeg_is_cut_off(size: int, garbage: bytes) -> None:
    assert cut(THUMBNAILED + garbage, size) == THUMBNAILED


def test_the_rest_of_the_stream_is_not_waited_for() -> None:
    def endless() -> Iterator[bytes]:
        yield PICTURE
        raise AssertionError("asked for more than the picture")

    assert b"".join(one_picture(endless())) == PICTURE


@given(end=st.integers(3, len(THUMBNAILED) - 1), size=st.integers(1, 4000))
def test_a_jpeg_without_its_end_is_an_error(end: int, size: int) -> None:
    with pytest.raises(WrongAnswer, match="cut off"):
        cut(THUMBNAILED[:end], size)


@pytest.mark.promise("fault C3")
@pytest.mark.parametrize("size", [1, 5, 600, 100_000])
@pytest.mark.parametrize("length", [True, False], ids=["with length", "without length"])
@pytest.mark.parametrize("newline", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_the_first_part_of_a_stream_is_the_picture(size: int, length: bool, newline: bytes) -> None:
    second = jpeg(20)
    stream = newline
    for picture in (THUMBNAILED, second):
        stream += b"--myboundary" + newline + b"Content-Type: image/jpeg" + newline
        if length:
            stream += b"Content-Length: %d" % len(picture) + newline
        stream += newline + picture + newline
    assert cut(stream, size) == THUMBNAILED


@pytest.mark.promise("fault C3")
@pytest.mark.parametrize("length", [b"", b"Content-Length: %d\r\n" % (len(PICTURE) // 2)])
def test_half_a_frame_is_not_completed_with_the_next_one(length: bytes) -> None:
    header = b"--x\r\nContent-Type: image/jpeg\r\n" + length + b"\r\n"
    stream = header + PICTURE[: len(PICTURE) // 2] + b"\r\n" + header + PICTURE + b"\r\n--x--"
    with pytest.raises(WrongAnswer, match="cut off"):
        cut(stream)


def test_a_stream_whose_part_is_an_error_page_says_what_it_says() -> None:
    with pytest.raises(CredentialsRefused):
        cut(b"--x\r\nContent-Type: text/xml\r\n\r\n" + FOSCAM_WRONG + b"\r\n--x--")


@pytest.mark.parametrize("data", [b"--x\r\n", b"--x" * 9000, b"--x\r\n\r\n"])
def test_a_stream_without_picture_is_an_error(data: bytes) -> None:
    with pytest.raises(WrongAnswer):
        cut(data, 700)


@given(data=st.binary(max_size=3000), size=st.integers(1, 3000))
def test_any_bytes_give_a_picture_or_a_camera_error(data: bytes, size: int) -> None:
    with suppress(CameraError):
        cut(data, size)
