"""What a picture file says of itself, and whether it is whole and sound."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from shared.errors import IncompletePicture, NotAPicture, PictureError, UnsoundPicture
from shared.picture.decode import Limits, decode, encode, thumbnail
from shared.picture.format import check_complete, sniff
from shared.picture.header import read_header
from tests.support.pictures import damaged, jpeg, png, scene, with_orientation

WHOLE = jpeg()
# Those that keep their end; only a full decode finds what is wrong with them.
HIDDEN = {"tail of zeros, then an end", "flipped bytes"}


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\r\n <html><body>401 Unauthorized", "HTML"),
        (b'<?xml version="1.0"?>', "XML"),
        (b'{"error": "busy"}', "JSON"),
        (b"[]", "JSON"),
        (b"GIF89a....", "GIF"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x18ftypisom", "MP4"),
        (b"--frame\r\nContent-Type: image/jpeg\r\n", "multipart"),
        (b"HTTP/1.1 200 OK\r\n", "header"),
        (bytes(100), "zero"),
        (b"\xff\xd8", "first two bytes"),
        (b"busy", "text"),
        (b"\x01\x02\x03\x80", "01 02 03 80"),
    ],
)
def test_what_is_no_picture_is_told_by_what_it_seems_to_be(head, words):
    with pytest.raises(NotAPicture, match=words):
        sniff(head)


@pytest.mark.promise("feat F24")
def test_kinds_are_known_by_their_first_bytes_and_not_by_names():
    assert sniff(WHOLE) == "image/jpeg"
    assert sniff(png()) == "image/png"


@pytest.mark.promise("fault D8")
@pytest.mark.parametrize("padding", [b"", bytes(4096), b"\r\n\r\n", b"\xff" * 9, b"....ftypmp4"])
@pytest.mark.parametrize(
    "data", [WHOLE, jpeg(progressive=True), jpeg(restart_marker_rows=1), png()]
)
def test_a_whole_picture_is_complete_whatever_follows_it(data, padding, tmp_path):
    file = tmp_path / "picture"
    file.write_bytes(data + padding)
    assert check_complete(data + padding) == check_complete(file) == sniff(data)


def test_an_empty_file_is_no_picture(tmp_path):
    file = tmp_path / "empty"
    file.touch()
    with pytest.raises(NotAPicture, match="empty"):
        check_complete(file)


@given(cut=st.integers(4, len(WHOLE) - 1))
def test_a_jpeg_cut_anywhere_is_incomplete(cut):
    with pytest.raises(IncompletePicture):
        check_complete(WHOLE[:cut])


def test_a_png_cut_anywhere_is_incomplete():
    data = png(scene(40, 30))
    for cut in range(8, len(data)):
        with pytest.raises(IncompletePicture):
            check_complete(data[:cut])


def test_the_end_of_a_thumbnail_inside_is_not_the_end_of_the_picture():
    inner = jpeg(scene(64, 48))
    exif = b"\xff\xe1" + struct.pack(">H", len(inner) + 2) + inner
    outer = WHOLE[:2] + exif + WHOLE[2:]
    check_complete(outer)
    with pytest.raises(IncompletePicture):
        check_complete(outer[: len(exif) + 1000])


@pytest.mark.promise("fault D8")
@pytest.mark.parametrize("how", damaged(WHOLE))
def test_a_damaged_picture_is_refused_and_the_intact_one_passes(how):
    data = damaged(WHOLE)[how]
    if how in HIDDEN:
        check_complete(data)  # this is why a full decode is needed
        with pytest.raises(UnsoundPicture):
            decode(data)
    else:
        with pytest.raises(IncompletePicture):
            check_complete(data)
        with pytest.raises(PictureError):
            decode(data)
        with pytest.raises(PictureError):
            decode(data, Limits(strict=False))
    assert decode(WHOLE).pixels.shape == (240, 320, 3)


@pytest.mark.promise("fault D8")
def test_a_smaller_decode_finds_the_same_damage():
    for data in damaged(WHOLE).values():
        with pytest.raises(PictureError):
            decode(data, fit=(40, 40))
    assert decode(WHOLE, fit=(40, 40)).pixels.shape == (30, 40, 3)


def test_a_lenient_decode_takes_what_most_viewers_show():
    flawed = damaged(WHOLE)["tail of zeros, then an end"]
    assert decode(flawed, Limits(strict=False)).pixels.shape == (240, 320, 3)


def test_a_smaller_decode_is_never_smaller_than_fits_and_tells_the_true_size():
    small = decode(jpeg(scene(1300, 700)), fit=(640, 640))
    assert small.pixels.shape == (350, 650, 3)
    assert (small.width, small.height) == (1300, 700)
    assert decode(jpeg(scene(1270, 700)), fit=(640, 640)).pixels.shape == (700, 1270, 3)


@pytest.mark.promise("fault D8")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_pictures_stand_upright_whatever_way_the_camera_was_held(orientation, form):
    image = scene(96, 64)
    data = with_orientation(image, orientation, form)
    with Image.open(io.BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))[:, :, ::-1]
    found = decode(data)
    assert found.pixels.flags.c_contiguous
    assert (found.height, found.width) == expected.shape[:2] == found.pixels.shape[:2]
    assert np.abs(found.pixels.astype(int) - expected).max() <= 2
    assert read_header(data).orientation == orientation


@pytest.mark.promise("fault D8")
@pytest.mark.parametrize(
    "image",
    [
        scene(31, 17).convert("L"),
        scene(31, 17).convert("CMYK"),
        scene(31, 17).convert("1"),
    ],
)
def test_grey_and_print_colours_become_three_channels(image):
    form = "JPEG" if image.mode != "1" else "PNG"
    file = io.BytesIO()
    image.save(file, form)
    assert decode(file.getvalue()).pixels.shape == (17, 31, 3)


@pytest.mark.promise("fault D8")
@pytest.mark.parametrize("mode", ["P", "LA", "RGBA", "1", "I;16"])
def test_every_kind_of_png_becomes_three_channels(mode):
    if mode == "I;16":
        image = Image.fromarray(np.full((17, 31), 0x80FF, dtype=np.uint16))
    else:
        image = scene(31, 17).convert("RGB").convert(mode)
    pixels = decode(png(image)).pixels
    assert pixels.shape == (17, 31, 3)
    assert pixels.dtype == np.uint8
    if mode == "I;16":
        assert pixels[0, 0].tolist() == [0x80] * 3


def test_a_damaged_png_is_refused():
    data = bytearray(png())
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(UnsoundPicture):
        decode(bytes(data))


def _bomb(side: int) -> bytes:
    """A PNG of side × side black pixels; compresses a thousandfold."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.promise("sec V1", "fault D8")
def test_a_decompression_bomb_is_refused_before_it_is_decoded():
    bomb = _bomb(30_000)
    assert len(bomb) < 200_000
    start = time.thread_time()
    with pytest.raises(UnsoundPicture, match="30000×30000"):
        decode(bomb)
    assert time.thread_time() - start < 0.5


@pytest.mark.promise("sec V1", "fault D8")
def test_the_pixel_limit_counts_for_jpegs_too():
    with pytest.raises(UnsoundPicture, match="320×240 pixels are more than the 1000 allowed"):
        decode(WHOLE, Limits(max_pixels=1000))


@pytest.mark.promise("sec V3")
def test_thumbnails_are_upright_small_and_carry_nothing_of_the_original():
    data = with_orientation(scene(640, 480), 6)
    small = thumbnail(data + b"secret", 200)
    with Image.open(io.BytesIO(small)) as image:
        assert image.size == (150, 200)
        assert not image.getexif()
    assert b"Exif" not in small
    assert b"secret" not in small


def test_a_thumbnail_is_never_larger_than_the_picture():
    with Image.open(io.BytesIO(thumbnail(jpeg(scene(30, 20)), 200))) as image:
        assert image.size == (30, 20)


def test_encoding_keeps_the_pixels():
    pixels = decode(WHOLE).pixels
    again = decode(encode(pixels, quality=95)).pixels
    assert np.abs(again.astype(int) - pixels).mean() < 6


@settings(max_examples=300)
@given(
    base=st.sampled_from([WHOLE, with_orientation(scene(40, 30), 6), png(scene(40, 30))]),
    places=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12),
    cut=st.integers(0, 10**6),
)
def test_no_bytes_make_anything_but_a_picture_or_a_picture_error(base, places, cut):
    data = bytearray(base)
    for place, value in places:
        data[place % len(data)] = value
    data = data[: 1 + cut % len(data)]
    for reader in (check_complete, read_header, decode):
        try:
            reader(bytes(data))
        except PictureError as error:
            assert str(error)


def test_the_doors_need_no_decoder():
    code = (
        "import shared.picture.format, sys;"
        "print(sorted({'numpy', 'PIL', 'simplejpeg'} & {*sys.modules}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


ODD = {
    "truncated_jpeg.jpg": IncompletePicture,
    "hopper_bad_exif.jpg": UnsoundPicture,
    "icc-after-SOF.jpg": UnsoundPicture,
    "jpeg_ff00_header.jpg": UnsoundPicture,
    "junk_jpeg_header.jpg": UnsoundPicture,
    "truncated_app14.jpg": UnsoundPicture,
}


@pytest.mark.promise("fault D8")
def test_real_odd_files_are_taken_or_refused_as_listed(test_data):
    for file in sorted((test_data / "broken").glob("*.jpg")):
        data = file.read_bytes()
        try:
            check_complete(data)
            decode(data)
            found = None
        except PictureError as error:
            found = type(error)
        assert found is ODD.get(file.name), file.name
        if found is UnsoundPicture:
            decode(data, Limits(strict=False))


def test_real_camera_pictures_are_all_sound(test_data):
    photos = [*(test_data / "camera").glob("*.jpg"), *(test_data / "coco128").rglob("*.jpg")]
    assert len(photos) == 135
    for photo in photos:
        assert check_complete(photo) == "image/jpeg"
        decode(photo.read_bytes(), fit=(640, 640))
