"""Plans for TIFF files whose pages are encoded: compressed, tiled, or with a pyramid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arrays import Region, split_by_frames, whole_region
from napari_ferry.arrays.regions import chunk_edges
from napari_ferry.codecs.tiff.folders.own_series import is_own_part
from napari_ferry.codecs.tiff.saving.headers import (
    CLASSIC_BYTES,
    DIRECTORY_BYTES,
    Flavor,
    Layer,
    imagej_tags,
    json_description,
    page_options,
)
from napari_ferry.codecs.tiff.saving.page_encoder import (
    Compression,
    EncodeFrames,
    PageFormat,
    page_format,
)
from napari_ferry.codecs.tiff.saving.page_writer import Job, assemble
from napari_ferry.codecs.tiff.saving.parts import Run, part_path, run_descriptions, whole_file_xml
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.imagej import to_imagej
from napari_ferry.saving import PlannedFile, Stream
from napari_ferry.saving.stream import EncodeTask, frames_per_task

_TO_BE_DESCRIBED = "napari-ferry"
"""Description of a part until all parts are known."""


def choose_pages(
    layers: Sequence[Layer], flavor: Flavor, compression: Compression, pyramid: bool | None
) -> tuple[PageFormat, ...]:
    """Choose how the pages of each image are encoded.

    Parameters
    ----------
    pyramid : bool, optional
        Whether halved copies are wanted; beside large planes of OME-TIFF when absent.

    Raises
    ------
    InvalidImageError
        A pyramid of a type that OME-TIFF does not know.
    """
    if pyramid and flavor == "json":
        raise InvalidImageError(
            f"A pyramid of {layers[0].dtype} is wanted, and only OME-TIFF, which does not know "
            "that type, holds pyramids: convert the image, or save it without."
        )
    return tuple(
        page_format(
            layer.shape[layer.lead :],
            layer.dtype,
            compression,
            may_tile=flavor == "ome",
            pyramid=_wants_pyramid(layer.image, pyramid) if flavor == "ome" else False,
            is_labels=layer.image.kind == "labels" or layer.image.dtype == bool,
        )
        for layer in layers
    )


def _wants_pyramid(image: Image, pyramid: bool | None) -> bool | None:
    """Whether an image gets a pyramid: it has one, or it is asked for; ``None`` if it is large."""
    return True if pyramid is None and len(image.levels) > 1 else pyramid


def plan_encoded_file(
    layers: Sequence[Layer], path: Path, flavor: Flavor, pages: Sequence[PageFormat]
) -> tuple[tuple[PlannedFile, ...], Stream]:
    """Plan one file of encoded pages."""
    nbytes = most_bytes(layers, pages)
    first, options = _tags(layers, flavor)
    nbytes += sum(len(str(tags).encode()) for tags in first)
    job = Job(tuple(layers), tuple(pages), options, first, nbytes > CLASSIC_BYTES)
    pieces = _pieces(layers, pages, flavor)
    stream = Stream(paths=(path,), tasks=tuple(pieces), assemble=partial(assemble, job=job))
    return (PlannedFile(path=path, nbytes=nbytes),), stream


def plan_encoded_series(
    layers: Sequence[Layer],
    path: Path,
    flavor: Flavor,
    pages: Sequence[PageFormat],
    cap: float,
    nonce: str,
) -> tuple[tuple[PlannedFile, ...], Stream]:
    """Plan parts of encoded pages, each as large as the cap lets it be.

    How many there will be is known when they are written; planned are as many as there can be.
    One alone is called as the series.

    Raises
    ------
    InvalidImageError
        The cap has no room for the description.
    """
    images = [layer.image for layer in layers]
    reserve, count = 0, 0
    while True:
        runs = [*_smallest_runs(layers, pages, cap - reserve)]
        paths = tuple(part_path(path, i) for i in range(len(runs)))
        text = next(run_descriptions(runs, images, paths, nonce))
        if len(runs) == count:
            break
        # the numbers in it may get longer than they are now
        count, reserve = len(runs), len(text.encode()) + 64 * len(runs) + 1024
    if cap <= reserve + DIRECTORY_BYTES:
        raise InvalidImageError(
            f"Each of up to {count} files has to describe the whole in {reserve / 1e9:.6g} GB, "
            f"and the size cap is {cap / 1e9:.6g} GB: raise the cap."
        )
    _, options = _tags(layers, flavor)
    first = ({"description": _TO_BE_DESCRIBED},) * len(layers)
    job = Job(
        tuple(layers),
        tuple(pages),
        options,
        first,
        cap > CLASSIC_BYTES,
        series=paths,
        nonce=nonce,
        cap=cap,
        reserve=reserve,
    )
    each = min(math.ceil(cap), most_bytes(layers, pages) // count + reserve)
    files = tuple(PlannedFile(path=part, nbytes=each, may_replace=is_own_part) for part in paths)
    pieces = tuple(_pieces(layers, pages, flavor))
    return files, Stream(
        paths=paths, tasks=pieces, assemble=partial(assemble, job=job), single_path=path
    )


def most_bytes(layers: Sequence[Layer], pages: Sequence[PageFormat]) -> int:
    """Return the most bytes that the pages of one file can have."""
    return sum(layer.nframes * page.most_bytes for layer, page in zip(layers, pages, strict=True))


def _smallest_runs(
    layers: Sequence[Layer], pages: Sequence[PageFormat], room: float
) -> Iterator[Run]:
    """Yield the runs of frames of a series in which nothing becomes smaller by encoding."""
    for index, (layer, page) in enumerate(zip(layers, pages, strict=True)):
        most = max(1, int(room // page.most_bytes))
        for first in range(0, layer.nframes, most):
            yield Run(index, first, min(most, layer.nframes - first))


def _tags(
    layers: Sequence[Layer], flavor: Flavor
) -> tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...]]:
    """Return what tifffile is told of the first page of each image, and of all its pages."""
    options = [page_options(layer.image) for layer in layers]
    if flavor == "imagej":
        first, resolution = imagej_tags(to_imagej(layers[0].image), is_rgb=layers[0].image.is_rgb)
        return (first,), ({**options[0], **resolution},)
    texts: list[str | None] = [json_description(layer.image) for layer in layers]
    if flavor == "ome":
        texts = [whole_file_xml(layers), *[None] * (len(layers) - 1)]
    return tuple({"description": text and text.encode()} for text in texts), tuple(options)


def _pieces(
    layers: Sequence[Layer], pages: Sequence[PageFormat], flavor: Flavor
) -> Iterator[EncodeTask]:
    """Yield pieces in the order of the pages of a file, whole frames or bands of one."""
    for layer, page in zip(layers, pages, strict=True):
        names = layer.image.axis_names[: layer.lead]
        stored = sorted(names, key="tzc".index) if flavor == "imagej" else names
        turn = tuple(names.index(name) for name in stored)
        encode = EncodeFrames(page, turn)
        frames, rows = _piece_size(layer, page)
        for region in _frame_boxes(layer, turn, frames):
            for y in range(0, page.shape[0], rows):
                side = slice(y, min(y + rows, page.shape[0]))
                part = (*region[: layer.lead], side, *region[layer.lead + 1 :])
                yield EncodeTask(layer.image.array, part, encode)


def _piece_size(layer: Layer, page: PageFormat) -> tuple[int, int]:
    """Return how many frames, and how many of their rows, are encoded at a time.

    A chunk of the source is read for one piece only, unless it has many large frames.
    """
    steps = [int(np.diff(side).max()) for side in chunk_edges(layer.image.array)]
    in_chunk, height = math.prod(steps[: layer.lead]), page.shape[0]
    together = frames_per_task(page.nbytes, in_chunk)
    if page.band_rows is None:
        return together, height
    if min(together, in_chunk) > 1:
        return min(together, in_chunk), height
    bands = -(-steps[layer.lead] // page.band_rows)
    return 1, min(height, max(1, bands) * page.band_rows)


def _frame_boxes(layer: Layer, turn: Sequence[int], most: int) -> Iterator[Region]:
    """Yield regions of whole frames, in the order in which the leading axes are stored."""
    lead, region, edges = layer.lead, whole_region(layer.shape), chunk_edges(layer.image.array)
    stored = (*(region[k] for k in turn), *region[lead:])
    for piece in split_by_frames(stored, lead, most, [edges[k] for k in turn]):
        yield (*(piece[turn.index(k)] for k in range(lead)), *piece[lead:])
