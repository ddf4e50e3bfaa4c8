"""Pictures as PNG, 8 bits a channel, unfiltered: enough to write them and to join them."""

import struct
import zlib

Pixel = tuple[int, int, int]
Rows = list[list[Pixel]]
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode(rows: Rows) -> bytes:
    """Rows of (red, green, blue) as a file."""
    lines = [b"\0" + bytes(value for pixel in row for value in pixel) for row in rows]
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    packed = zlib.compress(b"".join(lines), 9)
    return SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def decode(file: bytes) -> Rows:
    """The rows of a file that ``encode`` made."""
    chunks, at = {}, len(SIGNATURE)
    while at < len(file):
        (length,) = struct.unpack_from(">I", file, at)
        chunks[file[at + 4 : at + 8]] = file[at + 8 : at + 8 + length]
        at += length + 12
    (width,) = struct.unpack_from(">I", chunks[b"IHDR"])
    lines, stride = zlib.decompress(chunks[b"IDAT"]), 3 * width + 1
    return [
        [(lines[i], lines[i + 1], lines[i + 2]) for i in range(start + 1, start + stride, 3)]
        for start in range(0, len(lines), stride)
    ]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
