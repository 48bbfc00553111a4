"""Writing of a movie as a video file: portable H.264 or lossless FFV1.

H.264 is written as 4:2:0 in the full range of BT.709 (ITU-T H.273: matrix, primaries and transfer
1, range flag 1), with these tags in the stream and in the ``colr`` box of the file, so that all
256 gray levels are preserved. Sizes are made even by repeating the last line, as 4:2:0 requires.
Key frames are frequent, so that any frame is found quickly.

A long movie is encoded in segments, independent of each other, and these are joined without being
encoded again. Their division depends on the movie alone, so that the file does as well.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Region
from napari_ferry.arrays.regions import region_bytes, region_shape
from napari_ferry.codecs.video.encoder import Encoder
from napari_ferry.codecs.video.encoding_job import Job
from napari_ferry.codecs.video.ffmpeg_options import (
    QUIET,
    encoding_options,
    file_options,
    frame_options,
    metadata_options,
)
from napari_ferry.codecs.video.segment import (
    SEGMENT_INPUT,
    SegmentEncoder,
    copy_options,
    segment_frames,
    segment_memory,
)
from napari_ferry.movie.frame_preparation import FramePreparation
from napari_ferry.movie.frame_rate import RATE_KEY
from napari_ferry.movie.movie import Movie
from napari_ferry.saving import Plan, PlannedFile, Stream, Write
from napari_ferry.saving.write_groups import WriteGroup, Writes

LARGEST_SIDE = 16384
"""Maximum side in any level of H.264, in pixels."""

_READ_BYTES = 1 << 20
_NEUTRAL_CHROMA = 128
_BLOCK = 16
_HEADER_BYTES = 1 << 16
_FRAME_BYTES = 1024
"""Estimated size of a file header, and of the data of a frame in addition to its pixels."""


def plan_video(job: Job) -> Plan:
    """Return the plan of one file, with a stream of its frames or a write for each segment."""
    movie = job.movie
    encode = None
    if job.codec == "h264":
        encode = even if movie.is_rgb else with_chroma
    regions = movie.segments(segment_frames(job))
    file = PlannedFile(path=job.path, nbytes=_estimate_bytes(movie))
    if len(regions) == 1:
        write = partial(write_frames, job=job)
        stream = Stream(paths=(job.path,), tasks=movie.tasks(encode), assemble=write)
        return Plan(files=(file,), nframes=movie.nframes, stream=stream)

    join = partial(join_segments, job=job)
    file = replace(file, create=Path.touch, is_encoded=True, join=join)
    writes = Writes([_group_segments(job, regions, movie.preparation(encode))])
    return Plan(files=(file,), nframes=movie.nframes, writes=writes)


def _group_segments(job: Job, regions: Sequence[Region], prepare: FramePreparation) -> WriteGroup:
    """Return the writes of all segments of the movie."""
    movie = job.movie
    array, axis = movie.image.array, movie.frame_axis or 0
    options = (*QUIET, *frame_options(job), *encoding_options(job))
    longest = max(math.prod(region_shape(region)[: prepare.lead]) for region in regions)
    encode = SegmentEncoder(prepare=prepare, options=options, first=0, path=job.path)
    return WriteGroup(
        path=job.path,
        count=len(regions),
        make=partial(_make_segment, array=array, regions=regions, axis=axis, encode=encode),
        nbytes=sum(region_bytes(array, region) for region in regions),
        key=f"{options} {[region[axis].start for region in regions]}",
        arrays=(array,),
        program_memory=segment_memory(job, longest),
    )


def _make_segment(
    path: Path,
    index: int,
    *,
    array: Array,
    regions: Sequence[Region],
    axis: int,
    encode: SegmentEncoder,
) -> Write:
    """Return the write of one segment."""
    region = regions[index]
    put = replace(encode, first=region[axis].start)
    return Write(path=path, array=array, region=region, put=put, stored=put.digest)


def _estimate_bytes(movie: Movie) -> int:
    """Return an upper limit of the file size in bytes: encoders fall back to raw samples."""
    height, width = (-(-side // _BLOCK) * _BLOCK for side in movie.size)
    samples = height * width * (4 if movie.is_rgb else 2) * movie.intensity.out_dtype.itemsize
    text = len(json.dumps(dict(movie.image.metadata), default=str))
    return movie.nframes * (samples + _FRAME_BYTES) + 8 * text + _HEADER_BYTES


def even(frames: NDArray[Any]) -> NDArray[Any]:
    """Return frames of even size; the last line or column is repeated if their number is odd.

    Axes (frames, y, x) or (frames, y, x, s).
    """
    height, width = frames.shape[1:3]
    if height % 2 == width % 2 == 0:
        return frames
    padding = [(0, 0), (0, height % 2), (0, width % 2), (0, 0)][: frames.ndim]
    return np.pad(frames, padding, mode="edge")


def with_chroma(frames: NDArray[Any]) -> NDArray[Any]:
    """Return gray frames as yuv420p of even size: a luma plane and neutral chroma planes.

    ffmpeg could convert them, too, but needs a tenth of the encoding time for this.

    Parameters
    ----------
    frames : numpy.ndarray
        Axes (frames, y, x), uint8.
    """
    luma = even(frames)
    count, height, width = luma.shape
    planes = np.full((count, height + height // 2, width), _NEUTRAL_CHROMA, np.uint8)
    planes[:, :height] = luma
    return planes


def write_frames(partials: Sequence[Path], results: Iterator[NDArray[Any]], *, job: Job) -> int:
    """Encode blocks of consecutive frames into one file; return the number of files.

    Raises
    ------
    SaveError
        ffmpeg could not write the file.
    """
    _write_file(partials[0], results, job, frame_options(job), encoding_options(job))
    return 1


def join_segments(target: Path, segments: Iterator[Path], *, job: Job) -> None:
    """Join the files of encoded segments in one file, without encoding them again.

    Raises
    ------
    SaveError
        ffmpeg could not write the file.
    """
    _write_file(target, _read_files(segments), job, SEGMENT_INPUT, copy_options(job))


def _read_files(paths: Iterator[Path]) -> Iterator[NDArray[Any]]:
    """Yield the bytes of files in order, a few at a time."""
    for path in paths:
        with path.open("rb") as file:
            while data := file.read(_READ_BYTES):
                yield np.frombuffer(data, np.uint8)


def _write_file(
    target: Path,
    data: Iterator[NDArray[Any]],
    job: Job,
    input_options: Sequence[str],
    output_options: Sequence[str],
) -> None:
    """Write one file from data for the pipe of ffmpeg.

    The metadata are too long for a command line, so they are stored in a file next to the video.
    The cleanup of the video also removes that file, even after this process was killed.
    """
    # the encoder of a killed save may still write to its file, or be about to create it
    own = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
    metadata_path = own.with_name(f"{own.name}-metadata")
    metadata_path.write_text(metadata_text(job), "utf-8", "replace", newline="\n")
    inputs = [*QUIET, *input_options, *metadata_options(metadata_path)]
    with Encoder([*inputs, *output_options, *file_options(job, own)], job.path) as encoder:
        encoder.write(data)
    own.replace(target)
    metadata_path.unlink()


def metadata_text(job: Job) -> str:
    """Return the title and our record in the metadata format of ffmpeg.

    https://ffmpeg.org/ffmpeg-formats.html#Metadata-2
    """
    movie = job.movie
    record = movie.record(is_timed=job.is_timed, is_exact=job.codec == "ffv1")
    record[RATE_KEY] = str(movie.frame_rate)
    fields = {"comment": json.dumps(record), "title": movie.image.name}
    lines = [f"{key}={_escape(text)}" for key, text in fields.items() if text]
    return "\n".join([";FFMETADATA1", *lines, ""])


def _escape(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in text)
