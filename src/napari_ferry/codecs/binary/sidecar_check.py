"""Status of a sidecar: its layout and calibration, even if they do not fit the raw file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arguments import is_count
from napari_ferry.codecs.binary.calibration import Calibration, split_axes
from napari_ferry.codecs.binary.layout import Interleaving, Layout, count_frames
from napari_ferry.codecs.binary.sidecar import (
    DEFAULT_NAME,
    load_sidecar,
    raw_files,
    read_sidecar,
    sidecar_path,
)
from napari_ferry.errors import MissingMetadataError, UnreadableFileError
from napari_ferry.image import Axis
from napari_ferry.image.checks import is_number
from napari_ferry.image.record import Description, is_valid_scale, parse_description
from napari_ferry.links import refuse_outside
from napari_ferry.saving import interrupted_save
from napari_ferry.units import METERS, SECONDS


@dataclass(frozen=True, kw_only=True)
class SidecarStatus:
    """Status of a sidecar.

    Parameters
    ----------
    path : Path
        The sidecar.
    layout : Layout, optional
        The layout in the sidecar, if complete.
    calibration : Calibration
        The calibration in the sidecar.
    error : str
        Message of the error on opening the raw file with it; empty if it opens.
    """

    path: Path
    layout: Layout | None
    calibration: Calibration
    error: str


def read_sidecar_status(data: Path) -> SidecarStatus | None:
    """Read the status of the sidecar of a raw file, or ``None`` without a sidecar."""
    path = sidecar_path(data)
    if not path.is_file():
        return None

    nbytes = data.stat().st_size
    try:
        error = ""
        read_sidecar(data, nbytes)
    except (UnreadableFileError, MissingMetadataError) as problem:
        error = str(problem)

    try:
        refuse_outside(path, data)
        record = load_sidecar(path)
    except UnreadableFileError:
        return SidecarStatus(path=path, layout=None, calibration=Calibration(), error=error)
    description = parse_description(record)
    calibration = Calibration() if description is None else _calibration(description)
    layout = _layout(record, description, nbytes)
    return SidecarStatus(path=path, layout=layout, calibration=calibration, error=error)


def lacks_layout(path: Path) -> bool:
    """Return True if a raw file, or each one in a folder, needs a layout to be opened.

    No pixels are read. An empty file, the remainder of an interrupted save and a folder without raw
    files have other problems: the result is False.
    """
    files = raw_files(path) if path.is_dir() else [path]
    return bool(files) and all(map(_lacks_layout, files))


def _lacks_layout(data: Path) -> bool:
    if data.name == DEFAULT_NAME or not data.stat().st_size or interrupted_save(data):
        return False
    status = read_sidecar_status(data)
    return status is None or bool(status.error)


def _layout(
    record: Mapping[str, Any], description: Description | None, nbytes: int
) -> Layout | None:
    """Return the layout in a sidecar, or ``None`` if it is not complete."""
    dtype = _dtype(record.get("dtype"))
    offset, gap = (_count(record.get(key, 0), least=0) for key in ("offset", "gap"))
    if dtype is None or offset is None or gap is None:
        return None

    if description is not None:
        return _described_layout(dtype, offset, gap, description)
    frames, y, x = (_count(record.get(key)) for key in ("frames", "y", "x"))
    if y is None or x is None:
        return None
    frame = Layout(dtype=dtype, offset=offset, frames=1, y=y, x=x, gap=gap)
    return replace(frame, frames=frames or max(1, count_frames(nbytes, frame)[0]))


def _described_layout(
    dtype: np.dtype[Any], offset: int, gap: int, description: Description
) -> Layout | None:
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


def _calibration(description: Description) -> Calibration:
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


def _dtype(value: object) -> np.dtype[Any] | None:
    try:
        dtype: np.dtype[Any] = np.dtype(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, SyntaxError):
        return None
    return dtype if isinstance(value, str) and is_number(dtype) and dtype.kind in "uif" else None


def _count(value: object, least: int = 1) -> int | None:
    return value if is_count(value, least) else None
