"""Decoding of the pictures of a PNG file, by libpng."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from numpy.typing import NDArray

from napari_ferry.arrays.file_window import FileWindow
from napari_ferry.codecs.png.chunks import SIGNATURE, DamagedError, make_chunk, read_chunk
from napari_ferry.codecs.png.picture_header import PALETTE
from napari_ferry.codecs.png.pixel_layout import PixelLayout, convert_samples
from napari_ferry.codecs.png.png_table import Picture, PngTable, damaged

_MOST_DATA_BYTES = 1 << 30
"""Bytes of pixels in one chunk passed to libpng."""


def decode_picture(
    file: BinaryIO, table: PngTable, picture: Picture, layout: PixelLayout
) -> NDArray[Any]:
    """Decode a picture.

    Parameters
    ----------
    file : binary file
        The open file.
    table : PngTable
        Its content.
    picture : Picture
        One of its pictures.
    layout : PixelLayout
        Samples of the result.

    Returns
    -------
    numpy.ndarray
        Axes (y, x) or (y, x, s), of the size of the picture.

    Raises
    ------
    UnreadableFileError
        The pixels are damaged.
    """
    import imagecodecs

    try:
        data = _single_picture(FileWindow(file), table, picture)
        pixels: NDArray[Any] = imagecodecs.png_decode(data)
    except (DamagedError, imagecodecs.PngError) as error:
        cause = str(error) or "its pixels cannot be decoded"
        raise damaged(table.path, cause) from error
    return convert_samples(pixels, layout)


def _single_picture(window: FileWindow, table: PngTable, picture: Picture) -> bytes:
    """Return a PNG file with one picture only, without metadata."""
    header = replace(table.header, width=picture.width, height=picture.height)
    parts = [SIGNATURE, make_chunk(b"IHDR", header.pack())]
    if header.color == PALETTE:
        parts.append(make_chunk(b"PLTE", table.palette))
    if table.transparency:
        parts.append(make_chunk(b"tRNS", table.transparency))
    data = b"".join(_compressed(window, picture))
    for start in range(0, len(data), _MOST_DATA_BYTES):
        parts.append(make_chunk(b"IDAT", data[start : start + _MOST_DATA_BYTES]))
    return b"".join((*parts, make_chunk(b"IEND", b"")))


def _compressed(window: FileWindow, picture: Picture) -> Iterator[bytes]:
    """Yield the compressed pixels of a picture, without the sequence numbers of an animation."""
    for chunk in picture.chunks:
        data = read_chunk(window, chunk)
        yield data[4:] if chunk.kind == b"fdAT" else data
