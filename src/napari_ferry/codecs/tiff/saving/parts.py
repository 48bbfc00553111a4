"""Parts of a size-capped series: their pixels, names and descriptions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_ferry.arrays import split_by_frames, whole_region
from napari_ferry.codecs.tiff.folders.own_series import is_own_part
from napari_ferry.codecs.tiff.names import PART, PartName, stem_of
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.codecs.tiff.saving.headers import (
    DIRECTORY_BYTES,
    file_bytes,
    header_bytes,
    header_writer,
    is_ome,
    json_description,
    series_uuid,
    single_file_xml,
)
from napari_ferry.codecs.tiff.saving.layer import Flavor, Layer
from napari_ferry.errors import InvalidImageError, UnreadableFileError, warn
from napari_ferry.image import Axis, Image, describe
from napari_ferry.ome_xml import TiffData, plane_position, write_ome_xml
from napari_ferry.saving import Plan, PlannedFile
from napari_ferry.saving.partial.interruption import interrupted_files


class FrameRun(NamedTuple):
    """Consecutive frames of one image in one file of a series.

    Parameters
    ----------
    image : int
        Index of the image.
    first : int
        Index of the first frame.
    nframes : int
        Number of frames.
    """

    image: int
    first: int
    nframes: int


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
    edges = [np.arange(n + 1) for n in layer.shape[: layer.lead]]
    return [
        Layer(layer.image, region)
        for region in split_by_frames(layer.region, layer.lead, most, edges)
    ]


def part_files(
    parts: Sequence[Layer],
    paths: Sequence[Path],
    flavor: Flavor,
    images: Sequence[Image],
    nonce: str,
) -> list[PlannedFile]:
    """Plan the files of a series; each file of OME-TIFF describes the whole series.

    `nonce` distinguishes this save from all others, so that their parts are never mixed.
    """
    uuids = [series_uuid(nonce, i) for i in range(len(parts))]
    indices = [next(k for k, image in enumerate(images) if image is part.image) for part in parts]
    runs = [
        FrameRun(image=index, first=_first_frame(part), nframes=part.nframes)
        for index, part in zip(indices, parts, strict=True)
    ]
    tiff_data = _tiff_data(runs, images, paths, uuids)

    files = []
    for i, (part, path) in enumerate(zip(parts, paths, strict=True)):
        xml = write_ome_xml(images, tiff_data, uuid=uuids[i]) if flavor == "ome" else ""
        create = header_writer([part], flavor, xml, _part_mark(part, uuids[0], i, len(parts)))
        nbytes = file_bytes([part], create)
        files.append(PlannedFile(path=path, nbytes=nbytes, create=create, may_replace=is_own_part))
    return files


def describe_parts(
    partials: Sequence[Path],
    runs: Sequence[FrameRun],
    images: Sequence[Image],
    paths: Sequence[Path],
    nonce: str,
) -> None:
    """Write the final descriptions into the parts of a series.

    Parameters
    ----------
    partials, paths : sequence of Path
        Current and final paths of the parts.
    runs : sequence of FrameRun
        Frames in each part.
    images : sequence of Image
        The images.
    nonce : str
        Random identifier of the save, from which the UUIDs are made.
    """
    import tifffile

    texts = run_descriptions(runs, images, paths, nonce)
    for partial, text in zip(partials, texts, strict=False):
        with silent_tifffile(), tifffile.TiffFile(partial, mode="r+") as tif:
            tif.pages.first.tags["ImageDescription"].overwrite(text.encode())


def run_descriptions(
    runs: Sequence[FrameRun], images: Sequence[Image], paths: Sequence[Path], nonce: str
) -> Iterator[str]:
    """Yield the description of each part: OME-XML, or JSON for data types unknown to OME."""
    uuids = [series_uuid(nonce, i) for i in range(len(runs))]
    if len(runs) == 1:  # a single file, not a series
        layer = Layer(images[0], whole_region(images[0].shape))
        yield single_file_xml([layer]) if is_ome(images) else json_description(images[0])
        return

    if not is_ome(images):
        for i, run in enumerate(runs):
            yield _json_of_run(run, images[run.image], uuids[0], i, len(runs))
        return
    tiff_data = _tiff_data(runs, images, paths, uuids)
    for uuid in uuids:
        yield write_ome_xml(images, tiff_data, uuid=uuid)


def _tiff_data(
    runs: Sequence[FrameRun], images: Sequence[Image], paths: Sequence[Path], uuids: Sequence[str]
) -> list[list[TiffData]]:
    """Return the location of each image's planes in a series; extra paths are ignored."""
    return [
        [
            TiffData(0, run.nframes, *plane_position(image, run.first), path.name, uuid)
            for run, path, uuid in zip(runs, paths, uuids, strict=False)
            if run.image == index
        ]
        for index, image in enumerate(images)
    ]


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


def part_path(path: Path, index: int) -> Path:
    """Return the path of one part, ``<stem>_00000.tif``."""
    stem = stem_of(path)
    return PartName(stem, 0, path.name[len(stem) :]).sibling(path, index)


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

    named = [(file, PartName.of(file)) for file in files if file not in plan.paths]
    stale = [
        file for file, name in named if name and name.series == series and _is_obsolete(files[file])
    ]
    single = [path] if path not in plan.paths and files.get(path, path).is_file() else []
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
