"""Reading of a single PNG file as an image, from its chunks and our own record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from napari_ferry.arrays import Frames
from napari_ferry.codecs.png.animation import AnimationReader, may_be_clear
from napari_ferry.codecs.png.chunk_scan import scan
from napari_ferry.codecs.png.file_frames import frames_in_files
from napari_ferry.codecs.png.frame_delays import frame_delays
from napari_ferry.codecs.png.pixel_layout import PixelLayout, layout_of
from napari_ferry.codecs.png.png_table import PngTable
from napari_ferry.codecs.png.resolution import calibrate, merge_resolution
from napari_ferry.codecs.png.text_record import TextRecord, find_record
from napari_ferry.errors import warn
from napari_ferry.image import Axis, Image
from napari_ferry.image.plane_entries import FRAME_DELAYS, list_times
from napari_ferry.image.record import KEY, Description


def scan_file(path: Path) -> PngTable:
    """Scan a file, and warn of damage to a part of it.

    Raises
    ------
    UnreadableFileError
        The file is not a PNG file, or it has no whole picture.

    Warns
    -----
    FerryWarning
        The file is damaged after its last whole frame, or its metadata are damaged.
    """
    table = scan(path)
    if table.damage:
        warn(
            f"{path.name} is damaged ({table.damage}): {len(table.pictures)} of its frames are "
            "whole and were opened."
        )
    if table.ignored:
        warn(f"{path.name} is damaged ({table.ignored}): some of its metadata are left out.")
    return table


def read_png(path: Path, *, least_samples: int = 1) -> Image:
    """Open a PNG file by itself; no pixels are decoded.

    Parameters
    ----------
    path : Path
        The file.
    least_samples : int
        Minimum number of samples of a pixel: 1 for gray, 3 for colors, 4 with transparency.

    Raises
    ------
    UnreadableFileError
        As `scan_file`.
    """
    table = scan_file(path)
    return image_of(table, find_record(table), least_samples=least_samples)


def image_of(table: PngTable, found: TextRecord, *, least_samples: int = 1) -> Image:
    """Make the image of a single file.

    Parameters
    ----------
    table : PngTable
        Content of the file.
    found : TextRecord
        Our record in it.
    least_samples : int
        Minimum number of samples of a pixel.
    """
    frames = _frames(table, found.description, least_samples)
    record = matching(found.description, frames)
    if record is None:
        names = ("y", "x", "s")[: frames.ndim - frames.lead]
        axes = (*([_time_axis(table)] if frames.lead else []), *map(Axis, names))
        axes = calibrate(axes, table.resolution)
        return Image((frames,), axes, name=table.path.stem, metadata=_metadata(table))

    if table.loop is not None and not _is_timed(table, found.frame_rate):
        axes = tuple(_time_axis(table) if axis.name == "t" else axis for axis in record.axes)
        record = replace(record, axes=axes)  # another program has changed the times
    return record_image(record, frames, table)


def record_image(record: Description, frames: Frames, table: PngTable) -> Image:
    """Make the image of a record; it has the name of the file if it has none of its own."""
    record = replace(record, axes=merge_resolution(record.axes, table.resolution))
    image = record.to_image(frames)
    return image if image.name else replace(image, name=table.path.stem)


def matching(record: Description | None, frames: Frames) -> Description | None:
    """Return a record, or ``None`` if another program has changed the pixels."""
    is_same = record is not None and record.shape == frames.shape
    return record if record and is_same and record.has_dtype([frames.dtype.name]) else None


def _frames(table: PngTable, record: Description | None, least_samples: int) -> Frames:
    """Make the frames of a file."""
    layout = layout_of(table)
    needs_alpha = table.loop is not None and may_be_clear(table)
    samples = max(layout.samples, least_samples, 4 if needs_alpha else 1)
    if samples > 1:
        layout = PixelLayout(layout.height, layout.width, samples, table.header.dtype.name)

    count = len(table.pictures)
    is_stack = count > 1 or (record is not None and record.shape == (1, *layout.shape))
    if table.loop is None:
        return frames_in_files([table.path], layout, lead=1 if is_stack else 0)
    lead = (count,) if is_stack else ()
    reader = AnimationReader(table, layout)
    return Frames(reader, (*lead, *layout.shape), layout.dtype, len(lead))


def _time_axis(table: PngTable) -> Axis:
    """Return the time axis, with the mean step; without a unit if the file has no times."""
    mean = sum(_delays(table), Fraction()) / len(table.pictures)
    return Axis("t", float(mean), "second") if mean else Axis("t")


def _metadata(table: PngTable) -> dict[str, Any]:
    """Return repetitions, texts and uneven display times as metadata."""
    properties: dict[str, Any] = {} if table.loop is None else {"plays": table.loop}
    texts = {keyword: text for keyword, text in table.texts.items() if keyword != KEY}
    properties |= {"texts": texts} if texts else {}
    metadata: dict[str, Any] = {"png": properties} if properties else {}

    delays = _delays(table)
    if len(set(delays)) > 1:
        metadata[FRAME_DELAYS] = list_times(map(float, delays), len(delays))
    return metadata


def _delays(table: PngTable) -> Sequence[Fraction]:
    return [picture.delay for picture in table.pictures]


def _is_timed(table: PngTable, frame_rate: Fraction | None) -> bool:
    """Return True if the delays match our record, so its time axis is valid."""
    if frame_rate is None or frame_rate <= 0:
        return False
    return list(_delays(table)) == [*frame_delays(frame_rate, len(table.pictures))]
