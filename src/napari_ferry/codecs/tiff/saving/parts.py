"""Parts of a size-capped series: their pixels, names and descriptions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arrays import split_by_frames, whole_region
from napari_ferry.codecs.tiff.folders.own_series import is_own_part
from napari_ferry.codecs.tiff.names import PART, PartName, stem_of
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.codecs.tiff.saving.headers import (
    CLASSIC_BYTES,
    DIRECTORY_BYTES,
    file_bytes,
    header_bytes,
    header_writer,
    is_ome,
    json_description,
    series_uuid,
    single_file_xml,
    stored_bytes,
    tiny_layer,
)
from napari_ferry.codecs.tiff.saving.layer import Flavor, Layer
from napari_ferry.codecs.tiff.saving.series_description import (
    FrameRun,
    SeriesDescription,
    create_part,
    part_path,
)
from napari_ferry.errors import InvalidImageError, UnreadableFileError, warn
from napari_ferry.image import Axis, Image, describe
from napari_ferry.saving import Plan, PlannedFile
from napari_ferry.saving.partial.interruption import interrupted_files

_PLACEHOLDER = "napari-ferry"
"""Description while the size of headers is computed, whose length is not that of the final one."""


def split_layer(layer: Layer, flavor: Flavor, cap: float, reserve: int) -> list[Layer]:
    """Split one image into parts below the cap, including their headers.

    Parameters
    ----------
    reserve : int
        Bytes to leave free in addition to the estimated header.

    Raises
    ------
    InvalidImageError
        A single frame is larger than the cap.
    """
    create = header_writer([layer], flavor, "", _part_mark(layer, "", 0, 0))
    fixed = header_bytes(create, layer) + reserve
    per_frame = DIRECTORY_BYTES + layer.frame_bytes
    most = int((cap - fixed - 1) // per_frame)
    if most < 1:
        raise InvalidImageError(
            f"One frame needs {(fixed + per_frame) / 1e9:.6g} GB with its header, more than the "
            f"size cap of {cap / 1e9:.6g} GB: raise the cap."
        )
    regions = split_by_frames(layer.region, layer.lead, most, (1,) * layer.lead)
    return [Layer(layer.image, region) for region in regions]


def part_files(
    parts: Sequence[Layer], flavor: Flavor, images: Sequence[Image], path: Path, nonce: str
) -> list[PlannedFile]:
    """Plan the files of a series; each file of OME-TIFF describes the whole series.

    `nonce` distinguishes this save from all others, so that their parts are never mixed.
    """
    if flavor == "ome":
        return _ome_files(parts, images, path, nonce)
    uuid, files = series_uuid(nonce, 0), []
    for i, part in enumerate(parts):
        create = header_writer([part], flavor, "", _part_mark(part, uuid, i, len(parts)))
        nbytes = file_bytes([part], create)
        files.append(_part_file(path, i, nbytes, create))
    return files


def _ome_files(
    parts: Sequence[Layer], images: Sequence[Image], path: Path, nonce: str
) -> list[PlannedFile]:
    """Plan the files of a series of OME-TIFF, whose description is made for each when needed."""
    indices = {id(image): k for k, image in enumerate(images)}
    runs = [
        FrameRun(image=indices[id(part.image)], first=_first_frame(part), nframes=part.nframes)
        for part in parts
    ]
    described = [Layer(image, whole_region(image.shape)).without_pixels() for image in images]
    series = SeriesDescription(tuple(layer.image for layer in described), runs, path, nonce)
    text_bytes = len(series.text(0).encode())
    headers: dict[tuple[int, tuple[int, ...]], int] = {}

    files = []
    for i, (part, run) in enumerate(zip(parts, runs, strict=True)):
        layer = Layer(series.images[run.image], part.region)
        # headers of the same pages differ only in their description
        tiny = tiny_layer(layer)
        key = run.image, tiny.shape
        if key not in headers:
            create = header_writer([layer], "ome", _PLACEHOLDER, {})
            headers[key] = header_bytes(create, layer) + text_bytes
        nbytes = headers[key] + stored_bytes(layer)
        bigtiff = stored_bytes(layer) + text_bytes > CLASSIC_BYTES
        create = partial(create_part, layer=layer, series=series, index=i, bigtiff=bigtiff)
        files.append(_part_file(path, i, nbytes, create))
    return files


def _part_file(path: Path, index: int, nbytes: int, create: Callable[[Path], None]) -> PlannedFile:
    return PlannedFile(
        path=part_path(path, index), nbytes=nbytes, create=create, may_replace=is_own_part
    )


def describe_parts(
    partials: Sequence[Path],
    runs: Sequence[FrameRun],
    images: Sequence[Image],
    path: Path,
    nonce: str,
) -> None:
    """Write the final descriptions into the parts of a series.

    Parameters
    ----------
    partials : sequence of Path
        Current paths of the parts.
    runs : sequence of FrameRun
        Frames in each part.
    images : sequence of Image
        The images.
    path : Path
        Name of the series.
    nonce : str
        Random identifier of the save, from which the UUIDs are made.
    """
    import tifffile

    texts = run_descriptions(runs, images, path, nonce)
    for file, text in zip(partials, texts, strict=False):
        with silent_tifffile(), tifffile.TiffFile(file, mode="r+") as tif:
            tif.pages.first.tags["ImageDescription"].overwrite(text.encode())


def run_descriptions(
    runs: Sequence[FrameRun], images: Sequence[Image], path: Path, nonce: str
) -> Iterator[str]:
    """Yield the description of each part: OME-XML, or JSON for data types unknown to OME."""
    if len(runs) == 1:  # a single file, not a series
        layer = Layer(images[0], whole_region(images[0].shape))
        yield single_file_xml([layer]) if is_ome(images) else json_description(images[0])
        return

    if not is_ome(images):
        uuid = series_uuid(nonce, 0)
        for i, run in enumerate(runs):
            yield _json_of_run(run, images[run.image], uuid, i, len(runs))
        return
    series = SeriesDescription(images, runs, path, nonce)
    yield from map(series.text, range(len(runs)))


def _json_of_run(run: FrameRun, image: Image, series: str, index: int, count: int) -> str:
    """Return the JSON of some frames; its metadata contain the record of the whole image."""
    frame = image.shape[image.ndim - image.frame_ndim :]
    placeholder = np.broadcast_to(np.zeros((), image.dtype), (run.nframes, *frame))
    mark = {"of": series, "index": index, "count": count, "whole": describe(image)}
    frames = Image(
        levels=(placeholder,),
        axes=(Axis("frame"), *image.axes[image.ndim - len(frame) :]),
        name=image.name,
        kind=image.kind,
        metadata={PART: mark},
    )
    return json_description(frames)


def _first_frame(part: Layer) -> int:
    """Return the index of a part's first frame in the whole image, in C order."""
    counts = part.image.shape[: part.lead]
    starts = [side.start for side in part.region[: part.lead]]
    return int(np.ravel_multi_index(starts, counts)) if starts else 0


def _part_mark(part: Layer, series: str, index: int, count: int) -> Mapping[str, Any]:
    """Return the metadata of a part about the whole series."""
    channels = [[c.name, c.color, c.contrast_limits] for c in part.image.channels]
    return {
        PART: {
            "of": series,
            "index": index,
            "count": count,
            "shape": list(part.image.shape),
            "channels": channels,
        }
    }


def with_stale(plan: Plan, path: Path) -> Plan:
    """Add the obsolete files of an earlier data set with the same name.

    Warns
    -----
    FerryWarning
        A file of this name cannot be read, so it is kept.
    """
    stem = stem_of(path)
    series = (stem, path.name[len(stem) :].lower())
    names = os.listdir(path.parent) if path.parent.is_dir() else []  # noqa: PTH208 - of many files
    existing = [path.with_name(name) for name in sorted(names) if name.startswith(stem)]
    # the files that an interrupted save will restore become obsolete, too
    left = {path.with_name(name): file for name, file in interrupted_files(plan.paths[0]).items()}
    files = left | {file: file for file in existing}

    planned = {*plan.paths}
    named = [(file, PartName.of(file)) for file in files if file not in planned]
    stale = [
        file for file, name in named if name and name.series == series and _is_obsolete(files[file])
    ]
    single = [path] if path not in planned and files.get(path, path).is_file() else []
    return replace(plan, stale=(*single, *stale))


def _is_obsolete(path: Path) -> bool:
    """Return True for a part of an earlier series; warn if it cannot be read."""
    try:
        return is_own_part(path)
    except UnreadableFileError as error:
        warn(
            f"{path.name} is kept, although it may be a part of the series to be replaced: "
            f"{str(error).rstrip('.')}, or remove it."
        )
        return False
