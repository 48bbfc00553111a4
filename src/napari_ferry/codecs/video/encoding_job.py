"""A video file to write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_ferry.codecs.video.video_options import Quality, VideoCodec
from napari_ferry.movie.movie import Movie


@dataclass(frozen=True, kw_only=True)
class Job:
    """A video file to write.

    Parameters
    ----------
    movie : Movie
        Its frames.
    path : Path
        The final path of the file; its suffix determines the container.
    codec : {"h264", "ffv1"}
        Encoding of the frames.
    quality : {"small", "good", "high", "best"}
        Quality of H.264.
    is_timed : bool
        True if the user gave the frame rate.
    """

    movie: Movie
    path: Path
    codec: VideoCodec
    quality: Quality
    is_timed: bool

    @property
    def rate(self) -> str:
        """Frame rate as ffmpeg reads it, an exact fraction."""
        rate = self.movie.frame_rate
        return f"{rate.numerator}/{rate.denominator}"
