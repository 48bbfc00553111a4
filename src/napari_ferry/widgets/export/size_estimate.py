"""Estimated size of compressed files, from a trial save of a few frames."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.arrays.stack import take_steps
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image import Image
from napari_ferry.movie.frame_axis import leading_sizes
from napari_ferry.saving import Plan, run
from napari_ferry.widgets.summary import Request

_PART = 48
"""Frames of each of two parts that are saved on trial: a multiple of the distance of key frames, so
that a part has as large a share of them as the whole movie."""

_DATA_FRAMES, _DATA_CHANNELS = 8, 3
"""Frames and channels of one image to save on trial as data."""

_MOST_BYTES = 200_000_000
"""Maximum size of a trial save of data; the size of larger data is not estimated."""


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
    if positions is None or planned.frame_rate is None:
        return _estimate_data(request, cancel)
    return _estimate_movie(request, planned, positions, cancel)


def _estimate_movie(
    request: Request, planned: Plan, positions: range, cancel: Callable[[], bool]
) -> int:
    """Estimate the size of a movie from its beginning and its end."""
    assert planned.frame_rate is not None
    count = len(positions)

    def size(frames: range) -> int:
        """Save some frames on trial; return the size of their file in bytes."""
        span = {"start": frames[0], "stop": frames[-1] + 1, "step": frames.step}
        is_still = count == 1
        options = {**request.options, **({} if is_still else span)}
        options["frame_rate"] = float(planned.frame_rate or 1)
        return _try_save(replace(request, options=options), cancel)

    if count <= 2 * _PART:
        return size(positions)
    saved = size(positions[:_PART]) + size(positions[-_PART:])
    return round(saved * count / (2 * _PART))


def _estimate_data(request: Request, cancel: Callable[[], bool]) -> int | None:
    """Estimate the size of data from the compression of some frames of each image."""
    excerpts = [_excerpt(image) for image in request.images]
    if _nbytes(excerpts) > _MOST_BYTES:
        return None
    saved = _try_save(replace(request, images=tuple(excerpts)), cancel)
    return round(saved * _nbytes(request.images) / max(1, _nbytes(excerpts)))


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


def _try_save(request: Request, cancel: Callable[[], bool]) -> int:
    """Save in a temporary folder; return the size of the files in bytes."""
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        path = Path(folder, f"trial{request.path.suffix}")
        # a single thread leaves the others to the window and to exports
        paths = run(replace(request, path=path).plan(), workers=1, cancel=cancel)
        return stored_bytes(paths)
