"""Sidecars of raw files that are still being written, and thus have other sizes than they give."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_ferry.codecs.binary.sidecar import Sidecar, read_sidecar
from napari_ferry.codecs.binary.sidecar_check import read_sidecar_status
from napari_ferry.errors import UnreadableFileError

_LEAST_AXES = 3
"""Number of axes of an image that can become longer; one with fewer is a single frame."""


def read_growing_sidecar(data: Path, nbytes: int) -> Sidecar:
    """Read a sidecar for the whole frames that its raw file has so far.

    If the image has further axes before those of a frame, only complete steps of the first one
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
    status = read_sidecar_status(data)
    layout = None if status is None else status.layout
    declared = nbytes if layout is None else layout.offset + layout.extent
    found = read_sidecar(data, declared)
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
