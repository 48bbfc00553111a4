"""Reading of a video file as an image: frames, times, and the metadata in our own record."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_ferry.arrays import Frames
from napari_ferry.arrays.growth import warn_incomplete
from napari_ferry.arrays.stamp import Stamp
from napari_ferry.codecs.video.container_tags import read_tags
from napari_ferry.codecs.video.decoder import Decoder
from napari_ferry.codecs.video.frame_format import FrameFormat
from napari_ferry.codecs.video.frame_probe import probe_format
from napari_ferry.codecs.video.frame_times import (
    count_missing,
    frame_rate,
    time_axis,
    timestamps,
)
from napari_ferry.codecs.video.packet_index import PacketIndex
from napari_ferry.codecs.video.packet_scan import read_index
from napari_ferry.codecs.video.reader import VideoFrames
from napari_ferry.codecs.video.video_file import VideoFile, opened_video
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.files.json_files import parse_json
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import KEY, Description, merge_axes, read_record
from napari_ferry.movie.frame_rate import RATE_KEY, parse_rate

if TYPE_CHECKING:
    from av.container import InputContainer

_MOST_NAMED = 10
"""Maximum number of damaged frames named in a warning."""

_USUAL_GROUP = 300
"""Usual maximum distance of key frames, in frames: ten seconds."""

_SLOW_PIXELS = 150_000_000
"""Number of pixels decoded in about 0.3 s."""

_MOST_ASPECT = 20
"""Maximum plausible ratio of width and height of a pixel."""


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


def read_video(path: Path, *, least_samples: int = 1) -> Image:
    """Open a video: read its packets, and decode a few frames to detect colors.

    Parameters
    ----------
    path : Path
        The file.
    least_samples : int
        Minimum number of samples of a pixel: gray frames are opened in color for more than 1.

    Raises
    ------
    UnreadableFileError
        The file is not a video, or contains no video stream or no whole frame.

    Warns
    -----
    FerryWarning
        The file is cut off and opens with its whole frames, it stores no times, or it has further
        video streams, which are left out.
    """
    stamp = Stamp.of(path)
    with opened_video(path) as file:
        index = read_index(file, partial(opened_video, path))
        n_streams = _count_streams(file)
        record = find_record(file.container)
        metadata = _file_metadata(file)
        rate = frame_rate(index, file.stream, record and record.content.get(RATE_KEY))
        missing = count_missing(index, file.stream)
        aspect_ratio = file.stream.sample_aspect_ratio
    _check_index(path, index)
    _warn_of_streams(path, n_streams)
    _warn_of_damage(path, index, missing)
    _warn_of_times(path, index, rate)

    with closing(Decoder(path, index)) as decoder:
        recorded = None if record is None else "s" in record.description.sizes
        frame_format = probe_format(decoder, True if least_samples > 1 else recorded)
    _warn_of_jumps(path, index, frame_format)

    if record is None or not _matches(record.description, frame_format):
        read = VideoFrames(path, index, frame_format, stamp)
        return _foreign_image(read, rate, aspect_ratio, metadata)
    frame_format = replace(frame_format, crop=_own_size(record))
    return _own_image(VideoFrames(path, index, frame_format, stamp), rate, record)


def _own_size(record: OwnRecord) -> tuple[int, int]:
    """Return the height and width of the saved frames in pixels, without padding."""
    sizes = record.description.sizes
    return sizes["y"], sizes["x"]


def _check_index(path: Path, index: PacketIndex) -> None:
    """Refuse a file without frames."""
    if not len(index):
        if not path.stat().st_size:
            raise UnreadableFileError(f"{path.name} is empty: get a complete copy of it.")
        raise UnreadableFileError(
            f"{path.name} holds no whole frame{f' ({index.damage})' if index.damage else ''}: it "
            "is damaged, or contains only the header of a video."
        )


def _count_streams(file: VideoFile) -> int:
    """Count the video streams of a file, except pictures such as covers and previews."""
    from av.stream import Disposition

    pictures = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    return sum(not stream.disposition & pictures for stream in file.container.streams.video)


def _warn_of_streams(path: Path, count: int) -> None:
    """Warn about further video streams."""
    if count > 1:
        warn(
            f"{path.name} holds {count} video streams: the first one is opened, and the others are "
            "left out; to open these, copy each to a file of its own, such as with "
            f"`ffmpeg -i {path.name} -map 0:v:1 -c copy second{path.suffix}`."
        )


def _warn_of_damage(path: Path, index: PacketIndex, missing: int) -> None:
    """Warn about a cut-off file and about missing frames."""
    count = len(index)
    if index.damage:
        gaps = f"; about {missing} frames between them are missing" if missing else ""
        warn_incomplete(
            f"{path.name} is damaged: {index.damage}; {count} frames are whole and were "
            f"opened{gaps}.",
        )

    if index.empty and index.has_independent_frames:
        warn(
            f"{path.name} has {count + index.empty} frames, of which its recorder dropped "
            f"{index.empty}: the others were opened, and keep their times."
        )
    elif index.empty:
        warn(
            f"{path.name} has {index.empty} empty chunks between its {count} frames, for frames "
            "that were dropped or repeat the previous one: the others keep their times."
        )

    if index.incomplete:
        lost = sorted(int(i) for i in index.frame_numbers[list(index.incomplete)] if i >= 0)
        named = ", ".join(map(str, lost[:_MOST_NAMED])) + (" ..." if lost[_MOST_NAMED:] else "")
        warn_incomplete(
            f"{path.name} is damaged: data are missing from {len(lost)} frames ({named}).",
        )


def _warn_of_times(path: Path, index: PacketIndex, rate: Fraction | None) -> None:
    """Warn about a file without the times of its frames."""
    if not index.has_times:
        spacing = f"{float(rate):g} frames per second" if rate else "evenly spaced frames"
        warn(
            f"{path.name} has no container and no time stamps: {spacing} are assumed; set the "
            "scale of axis t if this is wrong."
        )


def _warn_of_jumps(path: Path, index: PacketIndex, frame_format: FrameFormat) -> None:
    """Warn about a file with slow jumps between frames."""
    longest = index.longest_group
    if longest > _USUAL_GROUP and longest * frame_format.width * frame_format.height > _SLOW_PIXELS:
        warn(
            f"{path.name} has {len(index.key_packets)} key frames for {len(index)} frames, so a "
            f"jump decodes up to {longest} frames and is slow: save it as .mkv or .mp4 for quick "
            "jumps."
        )


def find_record(container: InputContainer) -> OwnRecord | None:
    """Return our record from the comment of a file, or ``None`` if it has none."""
    texts = {key.lower(): text for key, text in read_tags(container).items()}
    text = texts.get("comment") or texts.get("description") or ""
    description = read_record(text) if text.startswith("{") else None
    return None if description is None else OwnRecord(parse_json(text), description)


def _file_metadata(file: VideoFile) -> dict[str, Any]:
    """Return codec, pixel format and tags of a file, without our record."""
    texts = {key: text for key, text in read_tags(file.container).items() if KEY not in text}
    metadata = {"codec": file.codec_name, "pixel format": file.stream.pix_fmt}
    return {**metadata, "tags": texts} if texts else {**metadata}


def _foreign_image(
    read: VideoFrames,
    rate: Fraction | None,
    aspect_ratio: Fraction | None,
    metadata: Mapping[str, Any],
) -> Image:
    """Make the image of a file without our record."""
    index, frame_format = read.index, read.frame_format
    frames = Frames(read, (len(index), *frame_format.shape), frame_format.dtype, 1)
    space = _space_axes(frame_format, aspect_ratio)
    return Image(
        (frames,),
        (time_axis(index, rate), *space),
        name=read.path.stem,
        display=_contrast_limits(frame_format),
        metadata={"video": dict(metadata), **timestamps(index, rate)},
    )


def _space_axes(frame_format: FrameFormat, aspect_ratio: Fraction | None) -> list[Axis]:
    """Return the axes of a frame; pixels wider than high have a larger scale along x.

    Parameters
    ----------
    frame_format : FrameFormat
        Size and samples of the frames.
    aspect_ratio : Fraction, optional
        Width of a decoded pixel, divided by its height.
    """
    wide = float(aspect_ratio or 1)
    if not 1 / _MOST_ASPECT <= wide <= _MOST_ASPECT:
        warn(f"The file declares pixels {wide:g} times as wide as high: this was left out.")
        wide = 1.0
    is_turned = frame_format.quarter_turns % 2
    axes = [Axis("y", wide), Axis("x")] if is_turned else [Axis("y"), Axis("x", wide)]
    return axes if frame_format.is_gray else [*axes, Axis("s")]


def _own_image(read: VideoFrames, rate: Fraction | None, record: OwnRecord) -> Image:
    """Make the image of a file with our record, updated if the times were changed since."""
    own, index, frame_format = record.description, read.index, read.frame_format
    lead = len(own.axes) - len(frame_format.shape)
    shape = (len(index), *frame_format.shape)[1 - lead :]
    frames = Frames(read, shape, frame_format.dtype, lead)

    # another program may have changed the times since
    first = own.axes[0]
    times = timestamps(index, rate)
    saved = replace(_saved_axis(record.content.get(RATE_KEY), first), name=first.name)
    is_even = lead and not times
    current = [replace(time_axis(index, rate), name=first.name)] if is_even else []
    axes = merge_axes(own.axes, (saved, *own.axes[1:]), current)

    # the record does not describe the channels if frames are missing
    has_all = own.sizes.get("c", 1) == len(index) or "c" not in own.sizes
    description = replace(
        own, axes=axes, channels=own.channels if has_all else (), name=own.name or read.path.stem
    )
    image = description.to_image(frames)
    return replace(image, metadata={**image.metadata, **times})


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


def _contrast_limits(frame_format: FrameFormat) -> dict[str, Any]:
    """Return the contrast limits of gray of 9 to 15 bits, less than the range of its type."""
    is_partial = frame_format.is_gray and 8 < frame_format.bits < 16
    return {"contrast_limits": [0, (1 << frame_format.bits) - 1]} if is_partial else {}
