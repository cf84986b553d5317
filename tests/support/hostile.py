"""Pictures that are small to send and dear to decode, made on the spot: JPEG and PNG."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable

from PIL import Image

from tests.support.pictures import jpeg, png, scene

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n"


def segment(code: int, content: bytes) -> bytes:
    return bytes((0xFF, code)) + struct.pack(">H", len(content) + 2) + content


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def _bits(text: str) -> bytes:
    """Picture data of a JPEG: padded with ones, each FF followed by 00."""
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")


def _huffman(kind: int, *symbols: int) -> bytes:
    """A table of codes of two bits each."""
    return segment(0xC4, bytes((kind, 0, len(symbols), *([0] * 14), *symbols)))


def _frame(code: int, width: int, height: int, factors: Iterable[int], precision: int = 8) -> bytes:
    parts = b"".join(bytes((i, factor, 0)) for i, factor in enumerate(factors, 1))
    return segment(code, struct.pack(">BHHB", precision, height, width, len(parts) // 3) + parts)


def _scan(
    data: bytes, components: Iterable[int] = (1,), first: int = 0, last: int = 63, bits: int = 0
) -> bytes:
    parts = b"".join(bytes((each, 0)) for each in components)
    head = bytes((len(parts) // 2,)) + parts + bytes((first, last, bits))
    return segment(0xDA, head) + data


_TABLES = segment(0xDB, bytes((0, *([1] * 64)))) + _huffman(0x00, 0, 1)


def _runs(blocks: int) -> bytes:
    """Bits that say of so many blocks, and some more, that nothing comes in them: 16 for 32,767."""
    return _bits(("00" + "1" * 14) * -(-blocks // (2**15 - 1)))


def scan_bomb(side: int, scans: int, *, restart: int = 0) -> bytes:
    """A grey progressive JPEG of which the same scan comes again and again."""
    blocks = (-(-side // 8)) ** 2
    again = _scan(_runs(blocks), first=1)
    return b"".join(
        (
            SOI,
            _TABLES,
            _huffman(0x10, 0xE0),
            segment(0xDD, struct.pack(">H", restart)) if restart else b"",
            _frame(0xC2, side, side, (0x11,)),
            _scan(_bits("00" * blocks), last=0),
            again * scans,
            EOI,
        )
    )


def component_bomb(side: int, scans: int) -> bytes:
    """A JPEG that is not progressive, though its components come one by one, again and again."""
    blocks = (-(-side // 8)) ** 2
    tables = _TABLES + _huffman(0x10, 0x00, 0x01)
    empty = _bits("0000" * blocks)
    each = b"".join(_scan(empty, (number,)) for number in (1, 2, 3))
    frame = _frame(0xC0, side, side, (0x11, 0x11, 0x11))
    return SOI + tables + frame + each * scans + EOI


def flat_jpeg(width: int, height: int, factors: tuple[int, ...] = (0x11,)) -> bytes:
    """A JPEG of one colour, two bits to a code."""
    blocks = -(-width // 8) * -(-height // 8) * len(factors)
    tables = _TABLES + _huffman(0x10, 0x00, 0x01)
    data = _scan(_bits("0000" * blocks), range(1, len(factors) + 1))
    return SOI + tables + _frame(0xC0, width, height, factors) + data + EOI


def dense_jpeg(side: int, progressive: bool = True) -> bytes:
    """As many bits to a pixel as an encoder writes."""
    image = Image.effect_noise((side, side), 90).convert("RGB")
    return jpeg(image, quality=98, subsampling=0, progressive=progressive)


def pixel_bomb(
    width: int, height: int, *, depth: int = 8, colour: int = 2, row_filter: int = 0, woven: int = 0
) -> bytes:
    """A PNG of one colour, which compresses a thousandfold."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = bytes((row_filter,)) + bytes((width * samples * depth + 7) // 8)
    together = max(1, 2**20 // len(row))
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row * together) for _ in range(height // together))
    data += packer.compress(row * (height % together))
    if woven:  # in seven passes of more rows; what is left over does not matter
        data += packer.compress(bytes(8 * height))
    data += packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, woven)
    palette = chunk(b"PLTE", bytes(3 * 256)) if colour == 3 else b""
    return PNG + chunk(b"IHDR", header) + palette + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def with_chunks(chunks: bytes) -> bytes:
    """A small PNG with these before its picture data."""
    whole = png(scene(40, 30))
    place = whole.index(b"IDAT") - 4
    return whole[:place] + chunks + whole[place:]


def text_bomb(texts: int = 60) -> bytes:
    """Texts of a million letters each, packed."""
    packed = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_000_000), 9))
    return with_chunks(packed * texts)


def with_segments(segments: bytes) -> bytes:
    """A small JPEG with these behind its start."""
    whole = jpeg()
    return whole[:2] + segments + whole[2:]


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("page.html", "<script>alert(1)</script>")
    return file.getvalue()


POLYGLOTS: dict[str, Callable[[], bytes]] = {
    "JPEG and HTML": lambda: with_segments(segment(0xFE, b"<script>alert(1)</script>")),
    "JPEG and PHP": lambda: jpeg() + b"<?php system($_GET[0]); ?>",
    "JPEG and ZIP": lambda: jpeg() + archive(),
    "JPEG and PNG": lambda: jpeg() + png(),
    "JPEG and JavaScript": lambda: with_segments(segment(0xFE, b"*/=alert(1);/*")),
    "JPEG and PDF": lambda: with_segments(segment(0xFE, b"%PDF-1.4 script")),
    "PNG and HTML": lambda: with_chunks(chunk(b"tEXt", b"Comment\0<script>alert(1)</script>")),
    "PNG and ZIP": lambda: png() + archive(),
}
"""Files that are something else too."""

SIZE_LIMIT = 32_000_000


def _filled(unit: bytes) -> bytes:
    return unit * ((SIZE_LIMIT - 100_000) // len(unit))


BOMBS: dict[str, Callable[[], bytes]] = {
    "1,100 scans": lambda: scan_bomb(7064, 1100),
    "99 scans": lambda: scan_bomb(7064, 99),
    "99 scans of few pixels": lambda: scan_bomb(3000, 99),
    "as many scans as are allowed": lambda: scan_bomb(7064, 19),
    "15 scans with restarts": lambda: scan_bomb(7064, 15, restart=65535),
    "components again and again": lambda: component_bomb(4000, 20),
    "50 megapixels": lambda: flat_jpeg(7064, 7064, (0x11, 0x11, 0x11)),
    "65535 pixels each way": lambda: flat_jpeg(64, 64).replace(
        struct.pack(">HH", 64, 64), b"\xff" * 4
    ),
    "as dense as can be": lambda: dense_jpeg(2300),
    "PNG of 50 megapixels": lambda: pixel_bomb(7071, 7070),
    "33 megapixels": lambda: pixel_bomb(5800, 5800),
    "16 bits, four channels": lambda: pixel_bomb(5700, 5700, depth=16, colour=6, row_filter=4),
    "grey, one bit": lambda: pixel_bomb(7000, 7000, depth=1, colour=0),
    "palette": lambda: pixel_bomb(5800, 5800, colour=3),
    "interlaced": lambda: pixel_bomb(5000, 5000, woven=1),
    "one row": lambda: pixel_bomb(33_000_000, 1),
    "one column": lambda: pixel_bomb(1, 33_000_000),
    "texts": text_bomb,
    "two million chunks": lambda: with_chunks(_filled(chunk(b"abcd", b""))),
    "chunks as many as are allowed": lambda: with_chunks(chunk(b"tEXt", b"a\0b") * 19_000),
    "eight million segments": lambda: with_segments(_filled(b"\xff\xfe\x00\x02")),
    "sixteen million starts": lambda: with_segments(_filled(SOI)),
    "segments as many as are allowed": lambda: with_segments(segment(0xFE, b"") * 19_000),
    "tables as many as are allowed": lambda: with_segments(_huffman(0x10, *range(3)) * 19_000),
    "nothing but FF": lambda: jpeg()[:-2] + _filled(b"\xff") + EOI,
    "nothing but restarts": lambda: jpeg()[:-2] + _filled(b"\xff\xd0") + EOI,
    "nothing but escapes": lambda: jpeg()[:-2] + _filled(b"\xff\x00") + EOI,
}
"""What costs more than it weighs, each under the size limit of a picture."""
