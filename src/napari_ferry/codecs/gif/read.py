"""A GIF file -> an image: what its blocks and our record say of it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arrays import Frames
from napari_ferry.codecs.gif.comment_record import split_record
from napari_ferry.codecs.gif.delays import frame_delays
from napari_ferry.codecs.gif.disposal import Composed, may_show_through
from napari_ferry.codecs.gif.scan import Table, scan
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import Description, read_record

DELAYS = "delays"
"""Key of `Image.metadata`: seconds that each frame is shown, where they differ."""

_MOST_DELAYS = 1_000_000


def read_gif(path: Path) -> Image:
    """Open a GIF file; at most its first frame is decoded.

    Raises
    ------
    UnreadableFileError
        It is no GIF, or damaged from its beginning.

    Warns
    -----
    FerryWarning
        What follows the last whole frame is damaged.
    """
    table = scan(path)
    if table.damage:
        warnings.warn(
            f"{path} is damaged ({table.damage}): {len(table)} of its frames are whole, which are "
            "opened.",
            FerryWarning,
            stacklevel=4,
        )
    record, frame_rate = _own_record(table)
    frames = _frames(table, record)
    if record is None or record.shape != frames.shape:
        return _foreign_image(table, frames)
    if not _is_timed(table, frame_rate):  # another program has changed the times since
        axes = tuple(_time_axis(table) if axis.name == "t" else axis for axis in record.axes)
        record = replace(record, axes=axes)
    image = record.to_image(frames)
    return image if image.name else replace(image, name=path.stem)


def _frames(table: Table, record: Description | None) -> Frames:
    """Choose what a frame is made of: gray tones, colors, or colors with transparency."""
    has_colors = not table.is_gray or (record is not None and record.axes[-1].name == "s")
    samples = 4 if may_show_through(table) else 3 if has_colors else 1
    frame = (table.height, table.width, *([samples] if samples > 1 else []))
    is_still = len(table) == 1 and (record is None or record.shape == frame)
    lead = () if is_still else (len(table),)
    return Frames(Composed(table, samples), (*lead, *frame), np.uint8, len(lead))


def _foreign_image(table: Table, frames: Frames) -> Image:
    names = ("y", "x", "s")[: frames.ndim - frames.lead]
    axes = (*([_time_axis(table)] if frames.lead else []), *map(Axis, names))
    return Image((frames,), axes, name=table.path.stem, metadata=_metadata(table))


def _time_axis(table: Table) -> Axis:
    """Return the axis of frames: their mean distance; no unit where the file gives no times."""
    total = int(table.column("delay").sum())
    return Axis("t", total / (100 * len(table)), "second") if total else Axis("t")


def _metadata(table: Table) -> dict[str, Any]:
    """Return what the file says besides: comments, how often it is played, uneven times."""
    said: dict[str, Any] = {} if table.loop is None else {"loop": table.loop}
    comment = "\n".join(text.decode("utf-8", "replace") for text in table.texts)
    said |= {"comment": comment} if comment else {}
    found: dict[str, Any] = {"gif": said} if said else {}
    delays = table.column("delay")
    if (delays != delays[0]).any():
        is_long = len(table) > _MOST_DELAYS
        found[DELAYS] = (
            f"{len(table)}, too many to be listed" if is_long else (delays / 100).tolist()
        )
    return found


def _own_record(table: Table) -> tuple[Description | None, Fraction | None]:
    """Return our record, and the frame rate that the delays were made of."""
    for text in table.texts:
        content, frame_rate = split_record(text)
        record = read_record(content)
        if record is not None:
            return record, frame_rate
    return None, None


def _is_timed(table: Table, frame_rate: Fraction | None) -> bool:
    """Whether the frames last as long as we made them, so that our record still holds."""
    if frame_rate is None or frame_rate <= 0:
        return False
    return bool(table.column("delay").tolist() == list(frame_delays(frame_rate, len(table))))
