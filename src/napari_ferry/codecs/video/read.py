"""Reading of a video file as an image: frames, times, and the metadata in our own record."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_ferry.arrays import Frames
from napari_ferry.arrays.stamp import Stamp
from napari_ferry.codecs.video.color import (
    FrameFormat,
    choose_frame_format,
    gray_levels,
    is_known_colored,
)
from napari_ferry.codecs.video.decoder import Decoder, opened_video, read_tags
from napari_ferry.codecs.video.packet_index import PacketIndex
from napari_ferry.codecs.video.packet_scan import read_index
from napari_ferry.codecs.video.reader import VideoFrames
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Axis, Image
from napari_ferry.image.json_values import parse_json
from napari_ferry.image.record import KEY, Description, merge_axes, read_record
from napari_ferry.movie.frame_rate import parse_rate

if TYPE_CHECKING:
    from av.container import InputContainer

RATE = "frame rate"
"""Key of our record in a video: the frame rate as saved, such as ``30000/1001``."""

TIMESTAMPS = "timestamps"
"""Key of `Image.metadata`: the time of each frame in seconds, if they are unevenly spaced."""

_MOST_TIMESTAMPS = 1_000_000

_PROBED_FRAMES = 9
"""Frames checked for color at the beginning, and key frames checked in the whole video."""

_BEGINNING = 64
"""Frames of the beginning, where a title may fade in."""


class OwnRecord(NamedTuple):
    """Our own record in the comment of a video.

    Parameters
    ----------
    content : mapping
        JSON values.
    description : Description
        The image described in it.
    """

    content: Mapping[str, Any]
    description: Description


def read_video(path: Path) -> Image:
    """Open a video: read its packets, and decode a few frames to detect colors.

    Raises
    ------
    UnreadableFileError
        The file is not a video, or contains no video stream or no whole frame.

    Warns
    -----
    FerryWarning
        The file is cut off and opens with its whole frames, or it stores no times.
    """
    stamp = Stamp.of(path)
    with opened_video(path) as container:
        index = read_index(container, partial(opened_video, path))
        record = find_record(container)
        metadata = _file_metadata(container)
        rate = frame_rate(index, container, None if record is None else record.content.get(RATE))
    _check_index(path, index, rate)

    with closing(Decoder(path, index)) as decoder:
        has_colors = None if record is None else "s" in record.description.sizes
        frame_format = _choose_format(decoder, has_colors)
    if record is None or not _matches(record.description, frame_format):
        return _foreign_image(VideoFrames(path, index, frame_format, stamp), rate, metadata)

    frame_format = replace(frame_format, crop=_own_size(record))
    return _own_image(VideoFrames(path, index, frame_format, stamp), rate, record)


def _own_size(record: OwnRecord) -> tuple[int, int]:
    """Return the height and width of the frames that were saved, without padding."""
    sizes = record.description.sizes
    return sizes["y"], sizes["x"]


def _check_index(path: Path, index: PacketIndex, rate: Fraction | None) -> None:
    """Refuse a file without frames; warn about a damaged file and about missing times."""
    if not len(index):
        raise UnreadableFileError(
            f"{path} holds no whole frame{f' ({index.damage})' if index.damage else ''}: it is "
            "damaged, or contains only the header of a video."
        )

    if index.damage:
        warnings.warn(
            f"{path} is damaged: {index.damage}; {len(index)} frames are whole and were opened.",
            FerryWarning,
            stacklevel=5,
        )
    if not index.has_times:
        spacing = f"{float(rate):g} frames per second" if rate else "evenly spaced frames"
        warnings.warn(
            f"{path} has no container and no time stamps: {spacing} are assumed; set the scale of "
            "axis t if this is wrong.",
            FerryWarning,
            stacklevel=5,
        )


def _choose_format(decoder: Decoder, has_colors: bool | None) -> FrameFormat:
    """Decide if frames are gray, from our record or from frames of the whole video."""
    path, index = decoder.path, decoder.index
    first = decoder.frame(0)
    if has_colors is None or is_known_colored(path):
        has_colors = is_known_colored(path) or gray_levels(first) is None
        for i in _probed_frames(index):
            if has_colors:
                break
            has_colors = gray_levels(decoder.frame(i)) is None
    return choose_frame_format(first, is_gray=not has_colors)


def _probed_frames(index: PacketIndex) -> list[int]:
    """Return the numbers of the frames to check for color.

    These are frames of the beginning, where a title may fade in, and key frames of the whole
    video, because a key frame costs only its own decoding.
    """
    beginning = np.linspace(0, min(len(index), _BEGINNING) - 1, _PROBED_FRAMES).astype(int)
    keys = index.key_packets[np.linspace(0, len(index.key_packets) - 1, _PROBED_FRAMES).astype(int)]
    frames = (*beginning.tolist(), *index.frame_numbers[keys].tolist())
    return sorted({i for i in frames if i >= 0})


def frame_rate(
    index: PacketIndex, container: InputContainer, saved_rate: object = None
) -> Fraction | None:
    """Return the frames per second; ``None`` if frames are unevenly spaced.

    Times are rounded to ticks, so the rate is the first candidate that explains all of them.

    Parameters
    ----------
    index : PacketIndex
        The packets of the file.
    container : av.container.InputContainer
        The file.
    saved_rate : object
        The rate in our record, which may be more precise than ticks.
    """
    stream = container.streams.video[0]
    times = index.presentation_times - index.presentation_times[:1]
    n = len(times)
    if (exact := parse_rate(saved_rate)) and _explains_times(exact, index, 1.0):
        return exact

    declared = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    rates = [Fraction(rate) for rate in declared if rate]
    if n > 1 and times[-1] > 0:
        mean = Fraction(n - 1, int(times[-1])) / index.time_base
        rates = [*rates, mean.limit_denominator(1001), mean]

    for rate in filter(None, rates):
        step = 1 / (rate * index.time_base)
        # times are rounded if the step is not a whole number of ticks
        if _explains_times(rate, index, 1.0 if step.denominator > 1 and step > 2 else 0.25):
            return rate
    return None


def _explains_times(rate: Fraction, index: PacketIndex, tolerance: float) -> bool:
    """Return True if a rate gives the times of all frames, with a tolerance in ticks."""
    expected = np.arange(len(index)) * float(1 / (rate * index.time_base))
    times = index.presentation_times - index.presentation_times[:1]
    return bool(np.all(np.abs(times - expected) <= tolerance + 1e-9 * expected))


def find_record(container: InputContainer) -> OwnRecord | None:
    """Return our record from the comment of a file, or ``None`` if it has none."""
    texts = {key.lower(): text for key, text in read_tags(container).items()}
    text = texts.get("comment") or texts.get("description") or ""
    description = read_record(text) if text.startswith("{") else None
    return None if description is None else OwnRecord(parse_json(text), description)


def _file_metadata(container: InputContainer) -> dict[str, Any]:
    """Return codec, pixel format and tags of a file, without our record."""
    stream = container.streams.video[0]
    texts = {key: text for key, text in read_tags(container).items() if KEY not in text}
    metadata = {"codec": stream.codec_context.name, "pixel format": stream.pix_fmt}
    return {**metadata, "tags": texts} if texts else {**metadata}


def _foreign_image(read: VideoFrames, rate: Fraction | None, metadata: Mapping[str, Any]) -> Image:
    """Make the image of a file without a record of ours."""
    index, frame_format = read.index, read.frame_format
    frames = Frames(read, (len(index), *frame_format.shape), frame_format.dtype, 1)
    space = [Axis(name) for name in ("y", "x", "s")[: len(frame_format.shape)]]
    return Image(
        (frames,),
        (_time_axis(index, rate), *space),
        name=read.path.stem,
        display=_contrast_limits(frame_format),
        metadata={"video": dict(metadata), **_timestamps(index, rate)},
    )


def _own_image(read: VideoFrames, rate: Fraction | None, record: OwnRecord) -> Image:
    """Make the image of a file with our record, updated if the times were changed since."""
    own, index, frame_format = record.description, read.index, read.frame_format
    lead = len(own.axes) - len(frame_format.shape)
    shape = (len(index), *frame_format.shape)[1 - lead :]
    frames = Frames(read, shape, frame_format.dtype, lead)

    # another program may have changed the times since
    first = own.axes[0]
    timestamps = _timestamps(index, rate)
    saved = replace(_saved_axis(record.content.get(RATE), first), name=first.name)
    is_even = lead and not timestamps
    current = [replace(_time_axis(index, rate), name=first.name)] if is_even else []
    axes = merge_axes(own.axes, (saved, *own.axes[1:]), current)

    # the record does not describe the channels if frames are missing
    has_all = own.sizes.get("c", 1) == len(index) or "c" not in own.sizes
    description = replace(
        own, axes=axes, channels=own.channels if has_all else (), name=own.name or read.path.stem
    )
    image = description.to_image(frames)
    return replace(image, metadata={**image.metadata, **timestamps})


def _matches(own: Description, frame_format: FrameFormat) -> bool:
    """Return True if a record describes frames of this size, apart from an added last line."""
    names = tuple(axis.name for axis in own.axes)
    space = ("y", "x", "s")[: len(frame_format.shape)]
    sizes = zip(frame_format.upright_size, (own.sizes["y"], own.sizes["x"]), strict=True)
    is_padded = all(decoded in (size, size + size % 2) for decoded, size in sizes)
    return is_padded and names[-len(space) :] == space and len(names) - len(space) in (0, 1)


def _saved_axis(rate: object, frame_axis: Axis) -> Axis:
    """Return the frame axis in the header of the file as saved, from the rate in our record."""
    exact = parse_rate(rate)
    return Axis("t", float(1 / exact), "second") if exact else frame_axis


def _time_axis(index: PacketIndex, rate: Fraction | None) -> Axis:
    """Return the time axis of the frames, with the mean step if they are unevenly spaced."""
    times = index.presentation_times
    first = float(times[0] * index.time_base)
    span = float((times[-1] - times[0]) * index.time_base)
    step = float(1 / rate) if rate else span / max(1, len(index) - 1)
    return Axis("t", step, "second", first) if step > 0 else Axis("t")


def _timestamps(index: PacketIndex, rate: Fraction | None) -> dict[str, Any]:
    """Return the metadata with the time of each frame in seconds, empty for even frames."""
    if rate is not None or len(index) <= 1:
        return {}
    if len(index) > _MOST_TIMESTAMPS:
        return {TIMESTAMPS: f"{len(index)}, too many to list"}
    tick = float(index.time_base)
    return {TIMESTAMPS: [round(time * tick, 9) for time in index.presentation_times.tolist()]}


def _contrast_limits(frame_format: FrameFormat) -> dict[str, Any]:
    """Return the contrast limits of gray of 9 to 15 bits, less than the range of its type."""
    is_partial = frame_format.is_gray and 8 < frame_format.bits < 16
    return {"contrast_limits": [0, (1 << frame_format.bits) - 1]} if is_partial else {}
