"""Reading of a GIF file as an image, from its blocks and our own record."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arrays import Frames
from napari_ferry.arrays.growth import warn_incomplete
from napari_ferry.codecs.gif.comment_record import split_record
from napari_ferry.codecs.gif.delays import frame_delays
from napari_ferry.codecs.gif.disposal import FrameComposer, may_be_transparent
from napari_ferry.codecs.gif.scan import FrameTable, scan
from napari_ferry.errors import warn
from napari_ferry.image import Axis, Image
from napari_ferry.image.plane_entries import FRAME_DELAYS, list_times
from napari_ferry.image.record import Description, read_record


def read_gif(path: Path, *, least_samples: int = 1) -> Image:
    """Open a GIF file; at most its first frame is decoded.

    Parameters
    ----------
    path : Path
        The file.
    least_samples : int
        Minimum number of samples of a pixel: 1 for gray, 3 for colors, 4 with transparency.

    Raises
    ------
    UnreadableFileError
        The file is not a GIF, or it has no whole frame.

    Warns
    -----
    FerryWarning
        The file is damaged after its last whole frame, or has frames outside its canvas.
    """
    table = scan(path)
    if table.damage:
        warn_incomplete(
            f"{path.name} is damaged ({table.damage}): {len(table)} of its frames are whole and "
            "were opened.",
        )

    _warn_of_outside(table)

    record, frame_rate = _find_record(table)
    frames = _frames(table, record, least_samples)
    if record is None or record.shape != frames.shape:
        return _foreign_image(table, frames)
    if not _is_timed(table, frame_rate):  # another program has changed the times
        axes = tuple(_time_axis(table) if axis.name == "t" else axis for axis in record.axes)
        record = replace(record, axes=axes)
    image = record.to_image(frames)
    return image if image.name else replace(image, name=path.stem)


def _warn_of_outside(table: FrameTable) -> None:
    """Warn of frames beyond the canvas, enlarged to the first frame as in browsers."""
    right, bottom = (
        table.column(start) + table.column(length)
        for start, length in (("left", "width"), ("top", "height"))
    )
    canvas = table.width, table.height
    declared = [size or first for size, first in zip(table.declared, canvas, strict=True)]
    count = int(((right > declared[0]) | (bottom > declared[1])).sum())
    if not count:
        return

    is_cut = bool(((right > canvas[0]) | (bottom > canvas[1])).any())
    is_enlarged = tuple(declared) != canvas
    enlarged = f"it is enlarged to {canvas[0]} by {canvas[1]}, as in browsers"
    cut = "pixels outside it are left out"
    consequences = [text for text, holds in ((enlarged, is_enlarged), (cut, is_cut)) if holds]
    warn(
        f"{count} of the {len(table)} frames of {table.path.name} extend beyond its canvas of "
        f"{declared[0]} by {declared[1]} pixels: {'; '.join(consequences)}."
    )


def _frames(table: FrameTable, record: Description | None, least_samples: int) -> Frames:
    """Make the frames with gray samples, colors, or colors with transparency."""
    recorded = record.shape[-1] if record is not None and record.axes[-1].name == "s" else 1
    has_colors = not table.is_gray or recorded > 1
    has_alpha = recorded == 4 or may_be_transparent(table)
    samples = max(least_samples, 4 if has_alpha else 3 if has_colors else 1)
    frame = (table.height, table.width, *([samples] if samples > 1 else []))
    is_still = len(table) == 1 and (record is None or record.shape == frame)
    lead = () if is_still else (len(table),)
    return Frames(FrameComposer(table, samples), (*lead, *frame), np.uint8, len(lead))


def _foreign_image(table: FrameTable, frames: Frames) -> Image:
    """Make the image of a file without our record."""
    names = ("y", "x", "s")[: frames.ndim - frames.lead]
    axes = (*([_time_axis(table)] if frames.lead else []), *map(Axis, names))
    return Image((frames,), axes, name=table.path.stem, metadata=_metadata(table))


def _time_axis(table: FrameTable) -> Axis:
    """Return the time axis, with the mean step; without a unit if the file has no times."""
    total = int(table.column("delay").sum())
    return Axis("t", total / (100 * len(table)), "second") if total else Axis("t")


def _metadata(table: FrameTable) -> dict[str, Any]:
    """Return repetitions, comments and uneven display times as metadata."""
    properties: dict[str, Any] = {} if table.loop is None else {"loop": table.loop}
    comment = "\n".join(text.decode("utf-8", "replace") for text in table.texts)
    properties |= {"comment": comment} if comment else {}
    metadata: dict[str, Any] = {"gif": properties} if properties else {}

    delays = table.column("delay")
    if (delays != delays[0]).any():
        metadata[FRAME_DELAYS] = list_times((delays / 100).tolist(), len(table))
    return metadata


def _find_record(table: FrameTable) -> tuple[Description | None, Fraction | None]:
    """Return our record, and the frame rate of its delays; ``None`` if they are missing."""
    for text in table.texts:
        content, frame_rate = split_record(text)
        record = read_record(content)
        if record is not None:
            return record, frame_rate
    return None, None


def _is_timed(table: FrameTable, frame_rate: Fraction | None) -> bool:
    """Return True if the delays match our record, so its time axis is valid."""
    if frame_rate is None or frame_rate <= 0:
        return False
    return bool(table.column("delay").tolist() == list(frame_delays(frame_rate, len(table))))
