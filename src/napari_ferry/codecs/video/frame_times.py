"""Frame rate and time axis of a video, from the times of its frames."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.codecs.video.packet_index import PacketIndex
from napari_ferry.image import Axis
from napari_ferry.image.plane_entries import FRAME_TIMES, list_times
from napari_ferry.movie.frame_rate import parse_rate

if TYPE_CHECKING:
    from av.video.stream import VideoStream


def frame_rate(
    index: PacketIndex, stream: VideoStream, saved_rate: object = None
) -> Fraction | None:
    """Return the frames per second; ``None`` if frames are unevenly spaced.

    Times are rounded to ticks, so the rate is the first candidate that explains all of them.

    Parameters
    ----------
    index : PacketIndex
        The packets of the file.
    stream : av.video.stream.VideoStream
        The video in the file.
    saved_rate : object
        The rate in our record, which may be more precise than ticks.
    """
    times = index.presentation_times - index.presentation_times[:1]
    n = len(times)
    if (exact := parse_rate(saved_rate)) and _explains_times(exact, index, 1.0):
        return exact

    declared = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    rates = [Fraction(rate) for rate in declared if rate]
    if n > 1 and times[-1] > 0 and not count_missing(index, stream):
        mean = Fraction(n - 1, int(times[-1])) / index.time_base
        rates = [*rates, mean.limit_denominator(1001), mean]

    for rate in filter(None, rates):
        step = 1 / (rate * index.time_base)
        # times are rounded if the step is not a whole number of ticks
        if _explains_times(rate, index, 1.0 if step.denominator > 1 and step > 2 else 0.25):
            return rate
    return None


def count_missing(index: PacketIndex, stream: VideoStream) -> int:
    """Estimate the number of missing frames inside a cut-off file, from its frame rate.

    A frame is decoded after the frames on which it depends, also if these are displayed later, so
    the end of a file contains frames that belong between earlier ones.
    """
    rate = stream.average_rate or stream.guessed_rate
    is_ordered = not stream.codec_context.has_b_frames and np.all(np.diff(index.frame_packets) > 0)
    if not index.damage or not rate or is_ordered or len(index) < 2:
        return 0
    times = index.presentation_times
    steps = round(int(times[-1] - times[0]) * index.time_base * Fraction(rate))
    return max(0, steps + 1 - len(index))


def _explains_times(rate: Fraction, index: PacketIndex, tolerance: float) -> bool:
    """Return True if a rate gives the times of all frames, with a tolerance in ticks."""
    expected = np.arange(len(index)) * float(1 / (rate * index.time_base))
    times = index.presentation_times - index.presentation_times[:1]
    return bool(np.all(np.abs(times - expected) <= tolerance + 1e-9 * expected))


def time_axis(index: PacketIndex, rate: Fraction | None) -> Axis:
    """Return the time axis of the frames, with the mean step if they are unevenly spaced."""
    times = index.presentation_times
    first = float(times[0] * index.time_base)
    span = float((times[-1] - times[0]) * index.time_base)
    step = float(1 / rate) if rate else span / max(1, len(index) - 1)
    return Axis("t", step, "second", first) if step > 0 else Axis("t")


def timestamps(index: PacketIndex, rate: Fraction | None) -> dict[str, Any]:
    """Return the metadata with the time of each frame in seconds, empty for even frames."""
    if rate is not None or len(index) <= 1:
        return {}
    tick = float(index.time_base)
    times = (round(time * tick, 9) for time in index.presentation_times.tolist())
    return {FRAME_TIMES: list_times(times, len(index))}
