"""Estimated size and time of saves, from a trial save of a few frames."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from napari_ferry.arrays.stack import take_steps
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image import Image
from napari_ferry.movie.frame_axis import leading_sizes
from napari_ferry.saving import Plan, run
from napari_ferry.widgets.plan_summary import Request

_PART = 48
"""Frames of each of two parts that are saved on trial: a multiple of the distance of key frames, so
that a part has as large a share of them as the whole movie."""

_DATA_FRAMES, _DATA_CHANNELS = 8, 3
"""Frames and channels of one image to save on trial as data."""

_MOST_BYTES = 200_000_000
"""Maximum size of a trial save of data; the size of larger data is not estimated."""


class Trial(NamedTuple):
    """Size in bytes and time in seconds of a save, estimated from a part of it."""

    nbytes: int
    seconds: float

    def scaled(self, factor: float) -> Trial:
        """Return the size and time of a larger save."""
        return Trial(round(factor * self.nbytes), factor * self.seconds)

    def without(self, overhead: float) -> Trial:
        """Return the same without some seconds."""
        return self._replace(seconds=max(0.0, self.seconds - overhead))


def estimate_size(
    request: Request, planned: Plan, positions: range | None, cancel: Callable[[], bool]
) -> int | None:
    """Estimate the size of an export in bytes; None if its plan knows it, or trials are too large.

    Parameters
    ----------
    request : Request
        The export.
    planned : Plan
        Its plan.
    positions : range, optional
        Positions on the frame axis of a movie; None for data.
    cancel : callable
        Returns True to give up.

    Raises
    ------
    SaveCancelledError
        `cancel` returned True.
    FerryError
        The export would fail in the same way.
    """
    if not planned.is_encoded:
        return None
    trial = try_save(request, planned, positions, cancel)
    return None if trial is None else trial.nbytes


def try_save(
    request: Request,
    planned: Plan,
    positions: range | None,
    cancel: Callable[[], bool],
    *,
    overhead: float = 0.0,
) -> Trial | None:
    """Estimate the size and the time of a save from a part of it; None if that is too large.

    Parameters
    ----------
    request, planned, positions, cancel
        As for `estimate_size`; the plan may have a known size.
    overhead : float
        Seconds of every save, however small it is; they are left out of the result.

    Raises
    ------
    SaveCancelledError
        `cancel` returned True.
    FerryError
        The save would fail in the same way.
    """
    if positions is None or planned.frame_rate is None:
        return _try_data(request, cancel, overhead)
    return _try_movie(request, planned, positions, cancel, overhead)


def _try_movie(
    request: Request,
    planned: Plan,
    positions: range,
    cancel: Callable[[], bool],
    overhead: float,
) -> Trial:
    """Save the beginning and the end of a movie."""
    assert planned.frame_rate is not None
    count = len(positions)

    def save(frames: range) -> Trial:
        """Save some frames on trial."""
        span = {"start": frames[0], "stop": frames[-1] + 1, "step": frames.step}
        is_still = count == 1
        options = {**request.options, **({} if is_still else span)}
        options["frame_rate"] = float(planned.frame_rate or 1)
        return save_part(replace(request, options=options), cancel).without(overhead)

    if count <= 2 * _PART:
        return save(positions)
    begin, end = save(positions[:_PART]), save(positions[-_PART:])
    part = Trial(begin.nbytes + end.nbytes, begin.seconds + end.seconds)
    return part.scaled(count / (2 * _PART))


def _try_data(request: Request, cancel: Callable[[], bool], overhead: float) -> Trial | None:
    """Save some frames of each image."""
    excerpts = [_excerpt(image) for image in request.images]
    if _nbytes(excerpts) > _MOST_BYTES:
        return None
    part = save_part(replace(request, images=tuple(excerpts)), cancel).without(overhead)
    return part.scaled(_nbytes(request.images) / max(1, _nbytes(excerpts)))


def _excerpt(image: Image) -> Image:
    """Return some frames of an image, from the middle of each of its leading axes."""
    sizes = list(leading_sizes(image).values())
    longest = sizes.index(max(sizes)) if sizes else None
    array, channels = image.array, image.channels
    for number, size in enumerate(sizes):
        is_channel = image.axes[number].name == "c"
        count = _DATA_CHANNELS if is_channel else _DATA_FRAMES if number == longest else 1
        if size > count:
            first = (size - count) // 2
            array = take_steps(array, number, range(first, first + count), len(sizes))
            channels = channels[first : first + count] if is_channel else channels
    return replace(image, levels=(array,), channels=channels)


def _nbytes(images: Sequence[Image]) -> int:
    return sum(image.nbytes for image in images)


def save_part(request: Request, cancel: Callable[[], bool]) -> Trial:
    """Save in a temporary folder, and measure the size and the time."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        path = Path(folder, f"trial{request.path.suffix}")
        # a single thread leaves the others to the window and to exports
        paths = run(replace(request, path=path).plan(), workers=1, cancel=cancel)
        return Trial(stored_bytes(paths), time.perf_counter() - started)
