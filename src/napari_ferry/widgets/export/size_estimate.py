"""Estimated size of compressed files, from a few frames that are saved on trial."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.arrays.stack import take_steps
from napari_ferry.image import Image
from napari_ferry.movie.frame_axis import leading_sizes
from napari_ferry.saving import Plan, run
from napari_ferry.widgets.summary import Request

_PART = 48
"""Frames of each of two parts that are saved on trial: a multiple of the distance of key frames, so
that a part has as large a share of them as the whole movie."""

_DATA_FRAMES = 8
"""Frames of one image that are saved on trial as data."""


def estimate_size(
    request: Request, planned: Plan, positions: range, cancel: Callable[[], bool]
) -> int | None:
    """Estimate the size of an export in bytes; None if its plan already knows it.

    Parameters
    ----------
    request : Request
        The export.
    planned : Plan
        Its plan.
    positions : range
        Positions on the frame axis of a movie; ignored for data.
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
    if planned.frame_rate is None:
        return _estimate_data(request, planned, cancel)
    return _estimate_movie(request, planned, positions, cancel)


def _estimate_movie(
    request: Request, planned: Plan, positions: range, cancel: Callable[[], bool]
) -> int:
    """Estimate the size of a movie from its beginning and its end."""
    assert planned.frame_rate is not None
    count = len(positions)

    def size(frames: range) -> int:
        span = {"start": frames[0], "stop": frames[-1] + 1, "step": frames.step}
        is_still = count == 1
        options = {**request.options, **({} if is_still else span)}
        options["frame_rate"] = float(planned.frame_rate or 1)
        return _try_save(replace(request, options=options), cancel)

    if count <= 2 * _PART:
        return size(positions)
    saved = size(positions[:_PART]) + size(positions[-_PART:])
    return round(saved * count / (2 * _PART))


def _estimate_data(request: Request, planned: Plan, cancel: Callable[[], bool]) -> int:
    """Estimate the size of data from the compression of some frames of each image."""
    excerpts = [_excerpt(image) for image in request.images]
    saved = _try_save(replace(request, images=tuple(excerpts)), cancel)
    return round(saved * _nbytes(request.images) / max(1, _nbytes(excerpts)))


def _excerpt(image: Image) -> Image:
    """Return some frames of an image, from the middle of its longest leading axis."""
    sizes = list(leading_sizes(image).values())
    if not sizes or max(sizes) <= _DATA_FRAMES:
        return image
    number = sizes.index(max(sizes))
    first = (sizes[number] - _DATA_FRAMES) // 2
    steps = range(first, first + _DATA_FRAMES)
    channels = image.channels
    if image.axes[number].name == "c":
        channels = channels[first : first + _DATA_FRAMES]
    array = take_steps(image.array, number, steps, len(sizes))
    return replace(image, levels=(array,), channels=channels)


def _nbytes(images: Sequence[Image]) -> int:
    return sum(image.nbytes for image in images)


def _try_save(request: Request, cancel: Callable[[], bool]) -> int:
    """Save in a temporary folder; return the size of the files in bytes."""
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        path = Path(folder, f"trial{request.path.suffix}")
        paths = run(replace(request, path=path).plan(), cancel=cancel)
        return sum(written.stat().st_size for written in paths)
