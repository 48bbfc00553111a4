"""Raw files with their descriptions: sidecars, and headers of other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arguments import is_count
from napari_ferry.arrays.memmap import Mode
from napari_ferry.codecs.binary.calibration import Calibration, split_axes
from napari_ferry.codecs.binary.compressed_samples import open_compressed
from napari_ferry.codecs.binary.fit import remaining_bytes
from napari_ferry.codecs.binary.headers import json_header
from napari_ferry.codecs.binary.headers.foreign_header import Header, refuse
from napari_ferry.codecs.binary.headers.header_search import (
    find_header,
    is_header,
    read_header_file,
)
from napari_ferry.codecs.binary.layout import Interleaving, Layout
from napari_ferry.codecs.binary.padding import Padding, open_samples
from napari_ferry.codecs.binary.sidecar import (
    DEFAULT_NAME,
    LEGACY_SIDECAR,
    RAW_SUFFIXES,
    is_complete,
    load_sidecar,
    sidecar_path,
)
from napari_ferry.errors import InvalidImageError, UnreadableFileError, warn
from napari_ferry.files.links import leads_outside, refuse_outside
from napari_ferry.image import Axis, Image
from napari_ferry.image.axes import is_valid_scale
from napari_ferry.image.record import Description
from napari_ferry.saving import interrupted_save
from napari_ferry.saving.partial.interruption import interrupted_in
from napari_ferry.units import METERS, SECONDS


def find_foreign_header(path: Path) -> Header | None:
    """Find the header of another program for a raw file; ``None`` with a sidecar of its own.

    Parameters
    ----------
    path : Path
        A raw file, or the header itself.

    Raises
    ------
    UnreadableFileError
        The header is damaged or not supported, or it names a missing file.
    """
    if is_header(path):
        header = read_header_file(path)
        if header is None:
            size = path.stat().st_size
            problem = "is not a header of raw samples, as its suffix says" if size else "is empty"
            refuse(path, problem, "check its format" if size else "get a complete copy of it")
        return None if _has_sidecar(header.data) else header
    return None if _has_sidecar(path) else find_header(path)


def _has_sidecar(data: Path) -> bool:
    """Return True if a raw file has a sidecar of its own, even one to be refused."""
    sidecar = sidecar_path(data)
    if not sidecar.is_file():
        return data.name == DEFAULT_NAME and data.with_name(LEGACY_SIDECAR).is_file()
    if leads_outside(sidecar, data):
        return True
    try:
        return is_complete(load_sidecar(sidecar))
    except UnreadableFileError:
        return True


def data_file(path: Path) -> Path:
    """Return the raw file of a path to it, to its sidecar or to its header.

    Raises
    ------
    UnreadableFileError
        The raw file does not exist, or the header is damaged.
    """
    if is_header(path) and path.is_file():
        header = read_header_file(path)
        return path if header is None else header.data
    if path.suffix.lower() == ".json":
        candidates = _beside(path)
        found = next((data for data in candidates if data.is_file()), None)
        if found is None:
            raise UnreadableFileError(
                interrupted_in(path.parent, path.name)
                or f"{path.name} describes a raw file, but none of "
                f"{', '.join(data.name for data in candidates)} is in the same folder: put the raw "
                "file there."
            )
        refuse_outside(found, path)
        return found

    if not path.is_file():
        raise UnreadableFileError(
            interrupted_save(path) or f"{path.name} is not a file: check its name."
        )
    return path


def _beside(sidecar: Path) -> list[Path]:
    """Return the possible raw files of JSON named after them, with or without their suffix."""
    bare = sidecar.with_suffix("")
    named = [bare] if bare.suffix.lower() in RAW_SUFFIXES else []
    return [*named, *(sidecar.with_suffix(suffix) for suffix in RAW_SUFFIXES)]


def json_header_of(path: Path) -> Header | None:
    """Return the description in another program's JSON; ``None`` without its raw file."""
    data = next((data for data in _beside(path) if data.is_file()), None)
    try:
        return None if data is None else json_header.read(path, data)
    except UnreadableFileError:
        return None


def open_header(header: Header, mode: Mode | None) -> Image:
    """Open the raw file of a header, lazily.

    Parameters
    ----------
    header : Header
        The header.
    mode : {"r", "r+", "c"} or None
        As for `open_samples`.

    Raises
    ------
    UnreadableFileError
        The raw file is shorter than the header describes.
    InvalidImageError
        `mode` allows changes, and the axes have another order in the file; or the samples are
        compressed, and a mode was given.

    Warns
    -----
    FerryWarning
        Something was assumed, or is left out.
    """
    for note in (*header.notes, *header.check_size()):
        warn(note)
    description = header.description
    if header.encoding:
        if mode is not None:
            raise InvalidImageError(
                f"{header.data.name} is compressed and cannot be mapped: open it without a mode."
            )
        return description.to_image(open_compressed(header))
    array = open_samples(
        header.data,
        header.dtype,
        description.shape,
        Padding(header.start),
        mode,
        strides=header.strides,
    )
    return description.to_image(array)


def header_layout(header: Header) -> Layout | None:
    """Return the layout in a header, or ``None`` if a layout cannot express it."""
    dimensions = header.dimensions
    if header.dtype.kind not in "uif" or header.encoding:
        return None
    in_file = Description(
        shape=tuple(size for _, size in dimensions), axes=tuple(axis for axis, _ in dimensions)
    )
    return described_layout(header.dtype, max(0, header.start), 0, in_file)


def find_described_layout(data: Path) -> Layout | None:
    """Return the layout in the header of another program, if it fits the file."""
    try:
        header = find_foreign_header(data)
    except UnreadableFileError:
        return None
    layout = None if header is None else header_layout(header)
    if header is None or layout is None or remaining_bytes(data.stat().st_size, layout) < 0:
        return None
    source = "the name of the file" if header.path == data else header.path.name
    return replace(layout, confidence=1.0, reasons=(f"{source} ({header.program}) describes it",))


def described_layout(
    dtype: np.dtype[Any], offset: int, gap: int, description: Description
) -> Layout | None:
    """Return the layout of a description in the order of the file.

    ``None`` if a layout cannot express it.
    """
    sizes = description.sizes
    split = split_axes(tuple(sizes))
    if split is None:
        return None
    lead, frame = split

    # the first axis of a frame tells how its channels are interleaved
    interleaving = {"c": "plane", "y": "pixel" if len(frame) > 2 else ""}[frame[0]]
    channels = sizes[frame[0 if interleaving == "plane" else -1]] if interleaving else 1
    frames = int(np.prod([sizes[name] for name in lead], dtype=object))
    counts = [_count(size) for size in (frames, channels, sizes["y"], sizes["x"])]
    if None in counts or (gap and len(lead) > 1):  # a gap follows each index of the first axis
        return None

    of_frame: Interleaving = interleaving if channels > 1 else ""  # type: ignore[assignment]
    return Layout(
        dtype=dtype,
        offset=offset,
        frames=frames,
        channels=channels,
        interleaving=of_frame,
        y=sizes["y"],
        x=sizes["x"],
        gap=gap,
    )


def described_calibration(description: Description) -> Calibration:
    """Return the calibration of the axes of a record."""
    axes = {axis.name: axis for axis in description.axes}
    x, t, z = (axes.get(name, Axis(name)) for name in "xtz")
    lengths = [axis.unit for axis in (x, z) if axis.unit in METERS and is_valid_scale(axis.scale)]
    unit = lengths[0] if lengths else "micrometer"
    pixel = x.scale if x.unit == unit else None

    if "z" in axes and "t" not in axes:
        step = z.scale * (METERS[z.unit] / METERS[unit]) if z.unit in METERS else None
        return Calibration(frame_axis="z", frame_step=step, pixel_size=pixel, unit=unit)
    seconds = t.scale * SECONDS[t.unit] if t.unit in SECONDS else None
    return Calibration(frame_axis="t", frame_step=seconds, pixel_size=pixel, unit=unit)


def _count(value: object) -> int | None:
    return value if is_count(value, 1) else None
