"""Images of raw files with the header of another program."""

from __future__ import annotations

from napari_ferry.arrays.memmap import Mode
from napari_ferry.codecs.binary.headers.foreign_header import Header
from napari_ferry.codecs.binary.padding import Padding, open_samples
from napari_ferry.errors import warn
from napari_ferry.image import Image


def open_header(header: Header, mode: Mode | None = None) -> Image:
    """Open the raw file of a header, lazily.

    Parameters
    ----------
    header : Header
        The header.
    mode : {"r", "r+", "c"}, optional
        As for `open_samples`.

    Raises
    ------
    UnreadableFileError
        The raw file is shorter than the header describes.
    InvalidImageError
        `mode` allows changes, and the axes have another order in the file.

    Warns
    -----
    FerryWarning
        Something was assumed, or is left out.
    """
    for note in (*header.notes, *header.check_size()):
        warn(note)
    description = header.description
    array = open_samples(
        header.data,
        header.dtype,
        description.shape,
        Padding(header.start),
        mode,
        strides=header.strides,
    )
    return description.to_image(array)
