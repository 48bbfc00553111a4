"""Sidecars of raw files still being written, with other sizes than the sidecars give."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_ferry.arguments import is_count
from napari_ferry.codecs.binary.padding import Padding
from napari_ferry.codecs.binary.sidecar import (
    Sidecar,
    load_sidecar,
    parse_dtype,
    read_sidecar,
    sidecar_path,
)
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image.record import parse_description

_LEAST_AXES = 3
"""Minimum number of axes of a growing image; an image with fewer axes is a single frame."""


def read_growing_sidecar(data: Path, nbytes: int) -> Sidecar:
    """Read a sidecar for the whole frames in its raw file so far.

    If the image has further axes before the axes of a frame, only complete steps of the first one
    count.

    Parameters
    ----------
    data : Path
        The raw file.
    nbytes : int
        Its present size.

    Raises
    ------
    UnreadableFileError
        The file has no whole frame yet, or its sidecar is damaged.
    MissingMetadataError
        It has no sidecar, or the sidecar lacks a dimension.
    """
    found = read_sidecar(data, _declared_size(data, nbytes))
    shape = found.description.shape
    if len(shape) < _LEAST_AXES:
        return found

    step = math.prod(shape[1:]) * np.dtype(found.description.dtype).itemsize
    count = found.padding.frames_in(nbytes, step)
    if count < 1:
        raise UnreadableFileError(
            f"{data.name} has no whole frame yet ({nbytes} of {step} bytes): wait until it has."
        )
    description = replace(found.description, shape=(count, *shape[1:]))
    return found._replace(description=description, computed="")


def _declared_size(data: Path, nbytes: int) -> int:
    """Return the size of a raw file according to its sidecar, in bytes.

    This is `nbytes` if the sidecar leaves a dimension open, or is missing or damaged, apart from
    the number of frames: the whole frames in `nbytes` are counted then.
    """
    sidecar = sidecar_path(data)
    if not sidecar.is_file():
        return nbytes
    record = load_sidecar(sidecar)
    itemsize = parse_dtype(record.get("dtype"), sidecar.name).itemsize
    padding = Padding(**{key: _count(record.get(key)) for key in Padding._fields})
    description = parse_description(record)
    if description is not None:
        count, *others = description.shape
    else:
        count, *others = (_count(record.get(key)) for key in ("frames", "y", "x"))
        if not all(others):
            return nbytes
        count = count or max(1, padding.frames_in(nbytes, math.prod(others) * itemsize))

    samples = count * math.prod(others) * itemsize
    return padding.offset + samples + padding.gap * max(0, count - 1) + padding.rest


def _count(value: object) -> int:
    return value if is_count(value) else 0
