"""NPY: one array in numpy's own format, whose header gives its data type and shape."""

import io
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from napari_ferry.arrays.blocks import c_strides
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Image, check_pixels
from napari_ferry.saving import Plan, PlannedFile, pixel_writes

SUFFIXES = (".npy",)
HOLDS_ONE = True


def open(path: Path) -> list[Image]:
    """Open an NPY file, memory-mapped."""
    try:
        array = np.load(path, mmap_mode="r")
    except ValueError as error:
        raise UnreadableFileError(f"{path} is not an NPY file ({error}): check it.") from error
    return [replace(Image.from_array(array), name=path.stem)]


def plan(
    images: Sequence[Image], path: Path, *, byte_order: Literal["little", "big"] = "little"
) -> Plan:
    """Plan to save one image as NPY.

    Parameters
    ----------
    images, path
        One image, and the file.
    byte_order : {"little", "big"}
        Byte order of the samples.
    """
    (image,) = images
    check_pixels(image)
    dtype, header = image.dtype.newbyteorder(byte_order), io.BytesIO()
    fields = {"descr": dtype.str, "fortran_order": False, "shape": image.shape}
    np.lib.format.write_array_header_1_0(header, fields)
    start = partial(_start, header=header.getvalue(), nbytes=image.nbytes)
    region = tuple(slice(0, n) for n in image.shape)
    strides, lead = c_strides(image.shape, dtype.itemsize), image.ndim - image.frame_ndim
    offset = len(header.getvalue())
    writes = pixel_writes(
        path, image.array, region, lead=lead, strides=strides, dtype=dtype, offset=offset
    )
    return Plan(
        files=(PlannedFile(path=path, nbytes=offset + image.nbytes, create=start),),
        writes=tuple(writes),
        losses=("NPY holds pixels alone: names, axes, scale and units are lost",),
        nframes=math.prod(image.shape[:lead]),
        identity=str(fields),
    )


def _start(path: Path, *, header: bytes, nbytes: int) -> None:
    path.write_bytes(header)
    with path.open("r+b") as file:
        file.truncate(len(header) + nbytes)
