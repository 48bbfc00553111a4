"""A video file -> an image: its frames, when they are shown, and what our record says of them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.arrays import Frames
from napari_ferry.codecs.video.color import Look, choose_look, gray_levels, is_known_colored
from napari_ferry.codecs.video.decoder import Decoder, opened_video, read_tags
from napari_ferry.codecs.video.packet_index import Index
from napari_ferry.codecs.video.packet_scan import read_index
from napari_ferry.codecs.video.reader import VideoFrames
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import KEY, Description, join_axes, read_record

if TYPE_CHECKING:
    from av.container import InputContainer

RATE = "frame rate"
"""Key of our record in a video: the rate that was written, as ``30000/1001``."""

TIMESTAMPS = "timestamps"
"""Key of `Image.metadata`: seconds at which each frame is shown, where they are not even."""

_MOST_TIMESTAMPS = 1_000_000
_LOOKED_AT = 9
_BEGINNING = 64


def read_video(path: Path) -> Image:
    """Open a video; its packets are read, and a few frames decoded to see whether it is gray.

    Raises
    ------
    UnreadableFileError
        It is no video, has no pictures, or not one whole frame.

    Warns
    -----
    FerryWarning
        The file is cut off: it has the frames that are whole. Or it holds no times.
    """
    with opened_video(path) as container:
        index = read_index(container, partial(opened_video, path))
        record, said = find_record(container), _said(container)
        rate = frame_rate(index, container, None if record is None else record[0].get(RATE))
    if not len(index):
        raise UnreadableFileError(
            f"{path} holds no whole frame{f' ({index.trouble})' if index.trouble else ''}: it is "
            "damaged, or only the header of a video."
        )
    if index.trouble:
        warnings.warn(
            f"{path} is damaged: {index.trouble}, and {len(index)} are whole, which are opened.",
            FerryWarning,
            stacklevel=4,
        )
    if not index.has_times:
        said_rate = f"{float(rate):g} frames per second" if rate else "even times"
        warnings.warn(
            f"{path} has no container, and no times: {said_rate} are assumed; give the axis t "
            "another scale if that is wrong.",
            FerryWarning,
            stacklevel=4,
        )
    with closing(Decoder(path, index)) as decoder:
        look = _look(decoder, None if record is None else "s" in record[1].sizes)
    return _image(path, index, look, rate, record, said)


def _look(decoder: Decoder, has_colors: bool | None) -> Look:
    """Decide whether frames are gray, by our record or by some of them from first to last."""
    path, index = decoder.path, decoder.index
    first = decoder.frame(0)
    if has_colors is None or is_known_colored(path):
        has_colors = is_known_colored(path) or gray_levels(first) is None
        for i in _places(index):
            if has_colors:
                break
            has_colors = gray_levels(decoder.frame(i)) is None
    return choose_look(first, is_gray=not has_colors)


def _places(index: Index) -> list[int]:
    """Return the frames that are looked at.

    They are of the beginning, where a title may fade in, and key frames from first to last, which
    cost no more than themselves.
    """
    begin = np.linspace(0, min(len(index), _BEGINNING) - 1, _LOOKED_AT).astype(int)
    keys = index.keys[np.linspace(0, len(index.keys) - 1, _LOOKED_AT).astype(int)]
    return sorted({i for i in (*begin.tolist(), *index.shown[keys].tolist()) if i >= 0})


def frame_rate(index: Index, container: InputContainer, wrote: object = None) -> Fraction | None:
    """Return the frames per second; ``None`` where not all are shown equally long.

    Time stamps are rounded to ticks, so the rate is the first one that explains all of them.

    Parameters
    ----------
    index, container : Index, InputContainer
        The file.
    wrote : object
        The rate of our record, which may be finer than ticks are.
    """
    stream = container.streams.video[0]
    stamps = index.stamps - index.stamps[:1]
    n = len(stamps)
    if (exact := _to_fraction(wrote)) and _explains(exact, index, 1.0):
        return exact
    said = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    rates = [Fraction(rate) for rate in said if rate]
    if n > 1 and stamps[-1] > 0:
        mean = Fraction(n - 1, int(stamps[-1])) / index.time_base
        rates = [*rates, mean.limit_denominator(1001), mean]
    for rate in filter(None, rates):
        step = 1 / (rate * index.time_base)
        # where a frame is no whole number of ticks, it is rounded to one
        if _explains(rate, index, 1.0 if step.denominator > 1 and step > 2 else 0.25):
            return rate
    return None


def _explains(rate: Fraction, index: Index, slack: float) -> bool:
    """Whether all frames are shown when a rate says, but for some ticks."""
    ticks = np.arange(len(index)) * float(1 / (rate * index.time_base))
    shown = index.stamps - index.stamps[:1]
    return bool(np.all(np.abs(shown - ticks) <= slack + 1e-9 * ticks))


def _to_fraction(rate: object) -> Fraction | None:
    """Return the rate that a record says, if it is one; `Fraction` alone takes 1e999999999, too."""
    is_one = re.fullmatch(r"[1-9]\d{0,11}(/[1-9]\d{0,11})?", str(rate), re.ASCII)
    return Fraction(str(rate)) if is_one else None


def find_record(container: InputContainer) -> tuple[dict[str, Any], Description] | None:
    """Return our record, from the comment of the file."""
    import json

    texts = {key.lower(): text for key, text in read_tags(container).items()}
    text = texts.get("comment") or texts.get("description") or ""
    record = read_record(text) if text.startswith("{") else None
    return None if record is None else (json.loads(text), record)


def _said(container: InputContainer) -> dict[str, Any]:
    """Return what a file says of itself beside its pictures."""
    stream = container.streams.video[0]
    texts = {key: text for key, text in read_tags(container).items() if KEY not in text}
    found: dict[str, Any] = {"codec": stream.codec_context.name, "pixel format": stream.pix_fmt}
    return {**found, **({"tags": texts} if texts else {})}


def _image(
    path: Path,
    index: Index,
    look: Look,
    rate: Fraction | None,
    record: tuple[Mapping[str, Any], Description] | None,
    said: Mapping[str, Any],
) -> Image:
    """Join the frames with what the file, and our record in it, say of them."""
    own = record[1] if record and _fits(record[1], look) else None
    if own:
        look = replace(look, crop=(own.sizes["y"], own.sizes["x"]))
    timestamps = _timestamps(index) if rate is None and len(index) > 1 else {}
    time = _time_axis(index, rate)
    read = VideoFrames(path, index, look)
    if own is None or record is None:
        space = [Axis(name) for name in ("y", "x", "s")[: len(look.shape)]]
        frames = Frames(read, (len(index), *look.shape), look.dtype, 1)
        metadata = {"video": dict(said), **timestamps}
        display = _deep_limits(look)
        return Image((frames,), (time, *space), name=path.stem, display=display, metadata=metadata)
    lead = len(own.axes) - len(look.shape)
    frames = Frames(read, (len(index), *look.shape)[1 - lead :], look.dtype, lead)
    running = own.axes[0]
    wrote = replace(_timed(record[0].get(RATE), running), name=running.name)
    said_axes = [replace(time, name=running.name)] if lead and not timestamps else []
    axes = join_axes(own.axes, (wrote, *own.axes[1:]), said_axes)
    channels = own.channels if own.sizes.get("c", 1) == len(index) or "c" not in own.sizes else ()
    name = own.name or path.stem
    description = replace(own, axes=axes, channels=channels, name=name)
    image = description.to_image(frames)
    return replace(image, metadata={**image.metadata, **timestamps})


def _fits(own: Description, look: Look) -> bool:
    """Whether a record is of these frames: of their size, but for a line that made it even."""
    names = tuple(axis.name for axis in own.axes)
    space = ("y", "x", "s")[: len(look.shape)]
    more = [a - own.sizes[name] for a, name in zip(look.upright, ("y", "x"), strict=True)]
    is_padded = all(
        k == 0 or (k == 1 and own.sizes[n] % 2) for k, n in zip(more, "yx", strict=True)
    )
    return is_padded and names[-len(space) :] == space and len(names) - len(space) in (0, 1)


def _timed(rate: object, running: Axis) -> Axis:
    """Return the axis that a reader would have found in the file as it was written."""
    exact = _to_fraction(rate)
    return Axis("t", float(1 / exact), "second") if exact else running


def _time_axis(index: Index, rate: Fraction | None) -> Axis:
    """Return the axis of time: the distance of frames, in the mean where that is not even."""
    first = float(index.stamps[0] * index.time_base)
    span = float((index.stamps[-1] - index.stamps[0]) * index.time_base)
    step = float(1 / rate) if rate else span / max(1, len(index) - 1)
    return Axis("t", step, "second", first) if step > 0 else Axis("t")


def _timestamps(index: Index) -> dict[str, Any]:
    """Return when each frame is shown, in seconds."""
    if len(index) > _MOST_TIMESTAMPS:
        return {TIMESTAMPS: f"{len(index)}, too many to be listed"}
    tick = float(index.time_base)
    return {TIMESTAMPS: [round(stamp * tick, 9) for stamp in index.stamps.tolist()]}


def _deep_limits(look: Look) -> dict[str, Any]:
    """Return the contrast limits of gray of 9 to 15 bits, which do not fill their type."""
    is_partial = look.is_gray and 8 < look.bits < 16
    return {"contrast_limits": [0, (1 << look.bits) - 1]} if is_partial else {}
