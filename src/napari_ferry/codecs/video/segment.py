"""Segments of a movie, each encoded by an ffmpeg of its own, and their join without re-encoding.

A segment is a fragmented QuickTime file (ISO/IEC 14496-12, section 8.8). Such files may be appended
to each other: their fragments have the times of the whole movie, and a reader ignores the headers
of all but the first. A segment begins with a key frame and does not depend on others.

Segments are encoded with the same options and a fixed number of threads, as x264's output depends
on it. Their length depends on the movie alone.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import xxhash

from napari_ferry.arrays import BlockReader
from napari_ferry.arrays.reading_context import own_sequence
from napari_ferry.codecs.video.encoder import Encoder, find_ffmpeg
from napari_ferry.codecs.video.encoding_job import Job
from napari_ferry.codecs.video.ffmpeg_options import KEY_FRAMES, is_large
from napari_ferry.errors import SaveError
from napari_ferry.movie.frame_preparation import FramePreparation
from napari_ferry.movie.movie import Movie
from napari_ferry.saving.write import file_digest, write_bytes

SEGMENT_INPUT = ("-copyts", "-f", "mov", "-i", "pipe:0")
"""Options to read segments from the pipe, with their own times."""

_SEGMENT_PIXELS = 64 << 20
"""Pixels in a segment of H.264: some seconds of encoding, 50 times the start of an encoder."""

_FEWEST_FRAMES = 2 * KEY_FRAMES
"""Minimum number of frames in a segment of H.264, as each costs a little quality at its end."""

_EVEN_COUNT = 4
"""Number of which the number of segments is a multiple, if they can be made shorter."""

_EXACT_BYTES = 64 << 20
"""Bytes of the frames in a segment of FFV1, which may be as large when encoded."""

_THREADS = 4
"""Threads of an encoder: more of them need less memory than more encoders."""

_FIRST_TIME = 64
"""Time of the first frame, in frames: decoding times of the first frames are earlier."""

_DELAY, _LARGE_DELAY = 2, 1
"""Frames from decoding to display in H.264 by x264, whose B-frames refer to each other; and of
large frames, where no two B-frames are neighbors."""

_PROGRAM_BYTES = 48 << 20
_PIXEL_BYTES = {False: 132, True: 172}
_LARGE_PIXEL_BYTES = {False: 100, True: 132}
"""Memory of ffmpeg with x264: of the program, and for each gray or RGB pixel of a frame."""

_EXACT_FACTOR = 48
"""Memory of ffmpeg with FFV1 for each byte of a frame."""


def segment_frames(job: Job) -> int:
    """Return the number of frames in a segment, for segments of about equal length."""
    height, width = job.movie.size
    if job.codec == "ffv1":
        return _even_length(job.movie.nframes, max(1, _EXACT_BYTES // _frame_bytes(job.movie)))
    pixels = write_bytes(_SEGMENT_PIXELS, job.movie.nframes * height * width)
    fewest = _FEWEST_FRAMES // KEY_FRAMES
    most = max(fewest, pixels // (height * width) // KEY_FRAMES)
    total = -(-job.movie.nframes // KEY_FRAMES)
    return max(fewest, _even_length(total, most)) * KEY_FRAMES


def _even_length(total: int, most: int) -> int:
    """Return the length of a few parts of a total, so that two or four encoders end together."""
    count = -(-total // most)
    even = -(-count // _EVEN_COUNT) * _EVEN_COUNT if count > 1 else 1
    return -(-total // even)


def segment_memory(job: Job, nframes: int) -> int:
    """Return the memory to encode a segment, in bytes; measured with 1 to 9 million pixels.

    Parameters
    ----------
    job : Job
        The video to write.
    nframes : int
        Number of frames in the segment.
    """
    height, width = job.movie.size
    if job.codec == "ffv1":
        return _PROGRAM_BYTES + _frame_bytes(job.movie) * (_EXACT_FACTOR + nframes)
    pixel_bytes = _LARGE_PIXEL_BYTES if is_large(job) else _PIXEL_BYTES
    return _PROGRAM_BYTES + height * width * pixel_bytes[job.movie.is_rgb]


def _frame_bytes(movie: Movie) -> int:
    height, width = movie.size
    return height * width * movie.samples * movie.intensity.out_dtype.itemsize


def copy_options(job: Job) -> list[str]:
    """Return the options to copy the frames of segments, with the times of the movie."""
    # FFmpeg stores the range and matrix of FFV1 in Matroska, but not in QuickTime
    matrix = ("-colorspace", "rgb") if job.movie.is_rgb else ()
    tags = ("-color_range", "pc", *matrix) if job.codec == "ffv1" else ()
    # the delay of decoding is shorter in a segment of a few frames
    delay = _delay(job)
    frame = f"1/TB/({job.rate})"
    times = f"pts=PTS-STARTPTS:dts=(N-{delay})*{frame}:duration={frame}"
    return [
        *("-map_metadata:s:v", "-1", "-c", "copy", *tags, "-r", job.rate),
        *("-bsf:v", f"setts={times}"),
    ]


def _delay(job: Job) -> int:
    """Return the number of frames from decoding to display."""
    if job.codec == "ffv1":
        return 0
    return _LARGE_DELAY if is_large(job) else _DELAY


@dataclass(frozen=True, kw_only=True)
class SegmentEncoder:
    """Encoder of one segment to a file; picklable.

    Parameters
    ----------
    prepare : FramePreparation
        Reads and prepares frames.
    options : tuple of str
        Options of ffmpeg to read frames from the pipe and to encode them.
    first : int
        Number of the first frame of the segment in the movie.
    path : Path
        The file, for messages.
    """

    prepare: FramePreparation
    options: tuple[str, ...]
    first: int
    path: Path

    def __call__(self, target: Path, pixels: BlockReader) -> str | None:
        """Encode the segment, and return its digest; the frames are read while they are encoded.

        Each attempt writes a file of its own, so that a late one does no harm.

        Raises
        ------
        SaveError
            ffmpeg failed, or the frames cannot be read.
        """
        own = target.with_name(f"{target.name}-{secrets.token_hex(4)}")
        try:
            self._encode(own, pixels)
            pixels.check()
            own.replace(target)
        finally:
            own.unlink(missing_ok=True)  # the files of failed attempts could fill the disk
        return self.digest(target)

    def digest(self, target: Path) -> str | None:
        """Return the digest of the file and of what it depends on; ``None`` without a file.

        These are limits found in frames of other segments, and the program: segments of different
        ones may have different headers, and cannot be joined.
        """
        stored, limits = file_digest(target), self.prepare.intensity.limits
        context = f"{Path(find_ffmpeg()).name} {limits and limits.find()}"
        return stored and xxhash.xxh3_64_hexdigest(f"{stored} {context}".encode())

    def _encode(self, own: Path, pixels: BlockReader) -> None:
        """Encode the segment to a file of this attempt."""
        arguments = [*self.options, *_segment_options(self.first), str(own)]
        with (
            own_sequence(),
            ThreadPoolExecutor(1, thread_name_prefix="ferry-pipe") as pool,
            Encoder(arguments, self.path) as encoder,
        ):
            pool.submit(encoder.kill_on, pixels.check)
            try:
                encoder.write(self.prepare.parts(pixels))
            except SaveError:
                pixels.check()  # it was killed because of a cancellation
                raise


def _segment_options(first: int) -> list[str]:
    """Return the options of a segment whose first frame has this number in the movie."""
    shift = _FIRST_TIME + first
    return [
        *("-threads", str(_THREADS), "-bsf:v", f"setts=pts=PTS+{shift}:dts=DTS+{shift}"),
        *("-movflags", "+frag_keyframe+empty_moov+default_base_moof+frag_discont"),
        # without an edit list, the times in the file are those given above
        *("-use_editlist", "0", "-avoid_negative_ts", "disabled"),
        *("-fflags", "+bitexact", "-f", "mov"),
    ]
