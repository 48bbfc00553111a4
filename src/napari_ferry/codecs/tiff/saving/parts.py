"""The files that a data set becomes: one, or parts below a size cap, known beforehand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_ferry.arrays import split_by_frames, whole_region
from napari_ferry.codecs.tiff.folders.own_series import is_own_part
from napari_ferry.codecs.tiff.names import PART, PartName, stem_of
from napari_ferry.codecs.tiff.saving.headers import (
    CLASSIC_BYTES,
    DIRECTORY_BYTES,
    Flavor,
    Layer,
    create_imagej,
    create_json,
    create_ome,
    is_ome,
    json_description,
    overhead,
    series_uuid,
)
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Image, describe
from napari_ferry.ome_xml import TiffData, plane_position, write_ome_xml
from napari_ferry.saving import Plan, PlannedFile
from napari_ferry.saving.partial import interrupted_files


def split_layer(layer: Layer, flavor: Flavor, cap: float, extra: int) -> list[Layer]:
    """Cut one image into parts that are below the cap with their headers.

    Parameters
    ----------
    extra : int
        Bytes to leave beside what a header is thought to need.
    """
    create = creator([layer], flavor, "", _part_mark(layer, "", 0, 0))
    fixed, per_frame = overhead(create, layer) + extra, DIRECTORY_BYTES + layer.frame_bytes
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
    """Plan the files of a series; those of OME-TIFF each describe the whole.

    `nonce` tells this save from every other, so that their parts are never taken for each other's.
    """
    uuids = [series_uuid(nonce, i) for i in range(len(parts))]
    numbers = [next(k for k, image in enumerate(images) if image is part.image) for part in parts]
    runs = [
        Run(k, _first_frame(part), part.nframes) for k, part in zip(numbers, parts, strict=True)
    ]
    tiff_data = _planes_of(runs, images, paths, uuids)
    files = []
    for i, (part, path) in enumerate(zip(parts, paths, strict=True)):
        xml = write_ome_xml(images, tiff_data, uuid=uuids[i]) if flavor == "ome" else ""
        create = creator([part], flavor, xml, _part_mark(part, uuids[0], i, len(parts)))
        nbytes = file_bytes([part], create)
        files.append(PlannedFile(path=path, nbytes=nbytes, create=create, may_replace=is_own_part))
    return files


def whole_file_xml(layers: Sequence[Layer]) -> str:
    """Return the OME-XML of one file that holds all images, one after the other."""
    tiff_data = [
        [TiffData(page, layer.nframes, 0, 0, 0)]
        for page, layer in zip(first_pages(layers), layers, strict=True)
    ]
    return write_ome_xml([layer.image for layer in layers], tiff_data)


def first_pages(layers: Sequence[Layer]) -> list[int]:
    """Return the page at which each image begins in one file."""
    return [*itertools.accumulate((layer.nframes for layer in layers[:-1]), initial=0)]


class Run(NamedTuple):
    """The frames of one file of a series: some of one image, in the order of the file.

    Parameters
    ----------
    image : int
        Which image they are of.
    first, count : int
        The first of its frames, and how many.
    """

    image: int
    first: int
    count: int  # type: ignore[assignment]  # a tuple's method of that name is not missed


def describe_parts(
    partials: Sequence[Path],
    runs: Sequence[Run],
    layers: Sequence[Layer],
    paths: Sequence[Path],
    nonce: str,
) -> None:
    """Give the parts of a series that was written their descriptions, each of the whole.

    Parameters
    ----------
    partials, paths : sequence of Path
        Where the parts are now, and where they will stand.
    runs : sequence of Run
        What is in each.
    layers : sequence of Layer
        The images.
    nonce : str
        What the UUIDs are made of.
    """
    import tifffile

    texts = run_descriptions(runs, [layer.image for layer in layers], paths, nonce)
    for place, text in zip(partials, texts, strict=False):
        with tifffile.TiffFile(place, mode="r+") as tif:
            tif.pages.first.tags["ImageDescription"].overwrite(text.encode())


def run_descriptions(
    runs: Sequence[Run], images: Sequence[Image], paths: Sequence[Path], nonce: str
) -> Iterator[str]:
    """Yield the description of each part: OME-XML, or JSON for types that OME does not know."""
    uuids = [series_uuid(nonce, i) for i in range(len(runs))]
    if len(runs) == 1:  # one file that stands alone
        layer = Layer(images[0], whole_region(images[0].shape))
        yield whole_file_xml([layer]) if is_ome(images) else json_description(images[0])
        return
    if not is_ome(images):
        for i, run in enumerate(runs):
            yield _json_of_run(run, images[run.image], uuids[0], i, len(runs))
        return
    tiff_data = _planes_of(runs, images, paths, uuids)
    for uuid in uuids:
        yield write_ome_xml(images, tiff_data, uuid=uuid)


def _planes_of(
    runs: Sequence[Run], images: Sequence[Image], paths: Sequence[Path], uuids: Sequence[str]
) -> list[list[TiffData]]:
    """Return where the planes of each image are in a series; it may have fewer files than paths."""
    return [
        [
            TiffData(0, run.count, *plane_position(image, run.first), path.name, uuid)
            for run, path, uuid in zip(runs, paths, uuids, strict=False)
            if run.image == index
        ]
        for index, image in enumerate(images)
    ]


def _json_of_run(run: Run, image: Image, series: str, index: int, count: int) -> str:
    """Return the description of some frames, with what is known of the whole in its metadata."""
    frame = image.shape[image.ndim - image.frame_ndim :]
    room = np.broadcast_to(np.zeros((), image.dtype), (run.count, *frame))
    mark = {"of": series, "index": index, "count": count, "whole": describe(image)}
    axes = (Axis("frame"), *image.axes[image.ndim - len(frame) :])
    flat = Image((room,), axes, (), image.name, image.kind, {}, {PART: mark})
    return json_description(flat)


def _first_frame(part: Layer) -> int:
    """Return which frame of the whole image is the first of a part, in C order."""
    counts = part.image.shape[: part.lead]
    starts = [side.start for side in part.region[: part.lead]]
    return int(np.ravel_multi_index(starts, counts)) if starts else 0


def part_path(path: Path, index: int) -> Path:
    """Return the name of one part, ``<stem>_00000.tif``."""
    stem = stem_of(path)
    return PartName(stem, 0, path.name[len(stem) :]).sibling(path, index)


def _part_mark(part: Layer, series: str, index: int, count: int) -> dict[str, Any]:
    """Return what a part says of the whole, in its metadata."""
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


def creator(
    layers: Sequence[Layer], flavor: Flavor, xml: str, part: dict[str, Any]
) -> Callable[..., None]:
    """Return what makes the file of some layers, given where.

    It also takes ``layer=``, which stands for the first of them.
    """
    if flavor == "imagej":
        return partial(create_imagej, layer=layers[0], part=part)
    total = sum(layer.nframes * (layer.frame_bytes + DIRECTORY_BYTES) for layer in layers)
    bigtiff = total + len(xml) > CLASSIC_BYTES
    if flavor == "ome":
        return partial(create_ome, layers=tuple(layers), xml=xml, bigtiff=bigtiff)
    return partial(create_json, layers=tuple(layers), part=part, bigtiff=bigtiff)


def file_bytes(layers: Sequence[Layer], create: Callable[..., None]) -> int:
    """Return the size of a file, never too small."""
    return sum(
        overhead(create, layer) + layer.nframes * (layer.frame_bytes + DIRECTORY_BYTES)
        for layer in layers
    )


def with_stale(plan: Plan, path: Path) -> Plan:
    """Add the files of an earlier data set of the same name that the new one does not have."""
    series = (stem_of(path), path.name[len(stem_of(path)) :].lower())
    beside = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    # what an interrupted save will put in place again, where nothing stands, is taken away, too
    left = {path.with_name(name): file for name, file in interrupted_files(plan.paths[0]).items()}
    files = left | {found: found for found in beside}
    named = [(found, PartName.of(found)) for found in files if found not in plan.paths]
    stale = [
        found
        for found, name in named
        if name and name.series == series and is_own_part(files[found])
    ]
    whole = [path] if path not in plan.paths and files.get(path, path).is_file() else []
    return replace(plan, stale=(*whole, *stale))
