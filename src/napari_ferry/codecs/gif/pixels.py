"""The pixels of one frame of a GIF, and the colors that they stand for."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.gif.scan import NO_INDEX, Row


class BadCodeError(Exception):
    """The compressed pixels of a frame cannot be decoded."""


def read_indices(file: BinaryIO, row: Row) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """Decode one frame.

    Returns
    -------
    indices : numpy.ndarray
        Axes (y, x), uint8: places in the palette.
    known : numpy.ndarray, optional
        Which of them the file has, where it does not have all; browsers leave out the others.

    Raises
    ------
    BadCodeError
        The file is shorter than it was, or the codes make no sense.
    """
    file.seek(row.start)
    data = file.read(row.stop - row.start)
    if len(data) < row.stop - row.start or not data or data[0] > 11:
        raise BadCodeError
    first, is_whole = _decode(data, row, 0)
    if is_whole:
        return first, None
    # pixels that are missing keep the value that the image had before
    known = first == _decode(data, row, 255)[0]
    if len(data) > 1 and not known.any():
        raise BadCodeError
    return first, known


def _decode(data: bytes, row: Row, fill: int) -> tuple[NDArray[np.uint8], bool]:
    """Decode over an image that is full of one value, and say whether all of it was replaced."""
    from PIL import Image

    image = Image.new("P", (row.width, row.height), fill)
    try:
        image.frombytes(data[1:], "gif", (data[0], row.is_interlaced))
    except ValueError:
        return np.asarray(image), False
    return np.asarray(image), True


def read_colors(file: BinaryIO, row: Row, samples: int) -> NDArray[Any]:
    """Return what each index of a frame stands for.

    Parameters
    ----------
    samples : int
        1 for gray tones, uint8; otherwise r g b a of 8 bits in one uint32, as they lie in memory.
    """
    file.seek(row.palette)
    palette = np.frombuffer(file.read(3 * row.colors), np.uint8)
    if samples == 1:
        tones = np.zeros(256, np.uint8)
        tones[: len(palette) // 3] = palette[::3][: len(palette) // 3]
        return tones
    colors = np.zeros((256, 4), np.uint8)
    colors[:, 3] = 255
    colors[: len(palette) // 3, :3] = palette[: len(palette) // 3 * 3].reshape(-1, 3)
    packed: NDArray[Any] = colors.view(np.uint32)[:, 0]
    return packed


def shown(
    row: Row, indices: NDArray[np.uint8], known: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """Return which pixels of a frame are painted; ``None`` for all of them."""
    if row.transparent == NO_INDEX:
        return known
    opaque: NDArray[np.bool_] = indices != row.transparent
    return opaque if known is None else opaque & known
