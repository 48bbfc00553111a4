"""Plans for TIFF files whose pixels are laid, as they are, into files of known length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from napari_ferry.codecs.tiff.saving.headers import Flavor, Layer, data_start
from napari_ferry.codecs.tiff.saving.parts import (
    creator,
    file_bytes,
    first_pages,
    part_files,
    part_path,
    split_layer,
    whole_file_xml,
)
from napari_ferry.saving import PlannedFile, Write, pixel_writes

Laid = tuple[tuple[PlannedFile, ...], tuple[Write, ...]]
"""Files, and what fills them."""


def plan_laid_file(layers: Sequence[Layer], path: Path, flavor: Flavor) -> Laid:
    """Plan one file that holds everything."""
    xml = whole_file_xml(layers) if flavor == "ome" else ""
    create = creator(layers, flavor, xml, {})
    writes = [
        write
        for layer, page in zip(layers, first_pages(layers), strict=True)
        for write in _writes(layer, path, flavor, page)
    ]
    return (PlannedFile(path=path, nbytes=file_bytes(layers, create), create=create),), tuple(
        writes
    )


def plan_laid_series(
    layers: Sequence[Layer], path: Path, flavor: Flavor, cap: float, nonce: str
) -> Laid:
    """Plan files below the cap, each with some frames of one image, known before the first byte."""
    images, extra = [layer.image for layer in layers], 0
    while True:
        parts = [part for layer in layers for part in split_layer(layer, flavor, cap, extra)]
        paths = [part_path(path, i) for i in range(len(parts))]
        files = part_files(parts, paths, flavor, images, nonce)
        too_large = max(file.nbytes for file in files) - math.ceil(cap) + 1
        if too_large <= 0:
            break
        extra += too_large
    writes = [
        write
        for part, place in zip(parts, paths, strict=True)
        for write in _writes(part, place, flavor, 0)
    ]
    return tuple(files), tuple(writes)


def _writes(part: Layer, path: Path, flavor: Flavor, page: int) -> list[Write]:
    """Plan the writes that lay the pixels of one part into its file."""
    return pixel_writes(
        path,
        part.image.array,
        part.region,
        lead=part.lead,
        strides=part.strides(flavor),
        dtype=part.dtype,
        locate=partial(data_start, page=page),
    )
