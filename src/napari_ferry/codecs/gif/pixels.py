"""Pixels of one frame of a GIF: palette indices and their colors."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.gif.scan import NO_INDEX, FrameRow


class BadCodeError(Exception):
    """The compressed pixels of a frame cannot be decoded."""


def read_indices(
    file: BinaryIO, row: FrameRow
) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """Decode one frame.

    Returns
    -------
    indices : numpy.ndarray
        Palette index of each pixel, axes (y, x), uint8.
    known : numpy.ndarray, optional
        True for pixels in the file, axes (y, x), bool; browsers do not paint the others. ``None``
        if the file has all pixels.

    Raises
    ------
    BadCodeError
        The file is shorter than before, or the codes are invalid.
    """
    file.seek(row.start)
    data = file.read(row.stop - row.start)
    if len(data) < row.stop - row.start or not data or data[0] > 11:
        raise BadCodeError
    first, is_whole = _decode(data, row, 0)
    if is_whole:
        return first, None

    # missing pixels keep the value that filled the image before
    known = first == _decode(data, row, 255)[0]
    if len(data) > 1 and not known.any():
        raise BadCodeError
    return first, known


def _decode(data: bytes, row: FrameRow, fill: int) -> tuple[NDArray[np.uint8], bool]:
    """Decode into an image filled with one value; return True if all of it was replaced."""
    from PIL import Image

    image = Image.new("P", (row.width, row.height), fill)
    try:
        image.frombytes(data[1:], "gif", (data[0], row.is_interlaced))
    except ValueError:
        return np.asarray(image), False
    return np.asarray(image), True


def read_colors(file: BinaryIO, row: FrameRow, samples: int) -> NDArray[Any]:
    """Return the color of each palette index of a frame.

    Parameters
    ----------
    file : file object
        The GIF file.
    row : FrameRow
        The frame.
    samples : int
        1 for gray, 3 or 4 for colors.

    Returns
    -------
    numpy.ndarray
        256 gray levels as uint8, or 256 colors as uint32: r g b a of 8 bits in memory order.
    """
    file.seek(row.palette)
    palette = np.frombuffer(file.read(3 * row.colors), np.uint8)
    if samples == 1:
        levels = np.zeros(256, np.uint8)
        levels[: len(palette) // 3] = palette[::3][: len(palette) // 3]
        return levels

    colors = np.zeros((256, 4), np.uint8)
    colors[:, 3] = 255
    colors[: len(palette) // 3, :3] = palette[: len(palette) // 3 * 3].reshape(-1, 3)
    packed: NDArray[Any] = colors.view(np.uint32)[:, 0]
    return packed


def painted_mask(
    row: FrameRow, indices: NDArray[np.uint8], known: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """Return a mask of the painted pixels of a frame, axes (y, x); ``None`` if all are painted."""
    if row.transparent == NO_INDEX:
        return known
    opaque: NDArray[np.bool_] = indices != row.transparent
    return opaque if known is None else opaque & known
