"""Size and time of conversions, from a part of one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from napari_ferry.batch.inputs import Input
from napari_ferry.errors import FerryError
from napari_ferry.image import Image
from napari_ferry.saving import Plan
from napari_ferry.widgets.convert.conversion_request import ConversionRequest, opening_images
from napari_ferry.widgets.convert.row import Row
from napari_ferry.widgets.convert.totals import Rates
from napari_ferry.widgets.export.size_estimate import save_part, try_save
from napari_ferry.widgets.plan_summary import Request

_PARTS = ("start", "stop", "step", "crop", "axis", "position")
"""Options that choose a part of an image."""

_SMALL = np.zeros((2, 16, 16), np.uint8)
"""Pixels of a save that takes no time, axes t y x."""


def choose_sample(rows: Sequence[Row]) -> Input | None:
    """Return the data set in the middle of all pixels to convert; None before any is known.

    >>> choose_sample([])
    """
    inspected = [row for row in rows if row.is_pending and row.is_inspected]
    usable = [(row.facts.pixels, row.input) for row in inspected if row.facts and row.facts.pixels]
    half, done = sum(pixels for pixels, _ in usable) / 2, 0
    for pixels, source in sorted(usable, key=lambda pair: pair[0]):
        done += pixels
        if done >= half:
            return source
    return None


def find_rates(
    source: Input, request: ConversionRequest, cancel: Callable[[], bool]
) -> Rates | None:
    """Convert a part of a data set to a temporary folder; None if this is not possible.

    Parameters
    ----------
    source : Input
        The data set.
    request : ConversionRequest
        Its conversion.
    cancel : callable
        Returns True to give up.
    """
    # its own conversion reports the errors
    with suppress(FerryError, OSError), opening_images(source) as images:
        chosen = images[:1] if request.naming.has_images else images
        return _try(chosen, source, request, cancel)
    return None


def _try(
    images: Sequence[Image],
    source: Input,
    request: ConversionRequest,
    cancel: Callable[[], bool],
) -> Rates | None:
    (target, *_) = request.targets_of(source)
    planned = request.plan_images(images, target)
    wanted = Request(images=tuple(images), path=target, options=request.options)
    overhead = _measure_overhead(wanted, cancel)
    trial = try_save(wanted, planned, _positions(planned, request), cancel, overhead=overhead)
    if trial is None or not planned.source_bytes:
        return None
    return Rates(
        trial.nbytes / max(1, planned.nbytes) if planned.is_encoded else 1.0,
        trial.seconds / planned.source_bytes,
        overhead,
    )


def _measure_overhead(wanted: Request, cancel: Callable[[], bool]) -> float:
    """Return the seconds of a save of next to nothing; 0 if it is not possible."""
    options = {name: value for name, value in wanted.options.items() if name not in _PARTS}
    small = replace(wanted, images=(Image.from_array(_SMALL, "tyx"),), options=options)
    with suppress(FerryError):
        # the first one may import libraries
        return min(save_part(small, cancel).seconds for _ in range(2))
    return 0.0


def _positions(planned: Plan, request: ConversionRequest) -> range | None:
    """Return the positions on the frame axis of a movie; None for data."""
    if planned.frame_rate is None or "start" not in request.options:
        return None
    start, step = request.options["start"], request.options["step"]
    return range(start, start + planned.nframes * step, step)
