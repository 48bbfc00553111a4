"""Facts and pictures of data sets, for the rows of the list; for another thread."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.batch.batch_record import Record
from napari_ferry.batch.inputs import Input
from napari_ferry.batch.output_names import TargetNumbers
from napari_ferry.errors import FerryError
from napari_ferry.image import Image
from napari_ferry.image.summary import draw_thumbnail
from napari_ferry.movie.frame_axis import leading_sizes
from napari_ferry.saving import Plan
from napari_ferry.widgets.convert.conversion_request import ConversionRequest, opening_images
from napari_ferry.widgets.convert.convert_words import in_form_words
from napari_ferry.widgets.convert.row import Facts, State

SIDE = 36
"""Longest side of a picture in pixels."""


class Finding(NamedTuple):
    """Facts of a data set, and its picture if one was asked for."""

    facts: Facts
    thumbnail: NDArray[np.uint8] | None = None


def inspect(
    source: Input,
    request: ConversionRequest,
    record: Record,
    *,
    numbers: TargetNumbers | None = None,
    is_visible: bool,
) -> Finding:
    """Open a data set, and plan its conversion.

    Parameters
    ----------
    source : Input
        The data set.
    request : ConversionRequest
        Its conversion.
    record : Record
        The record in the folder of the targets.
    numbers : TargetNumbers, optional
        Numbers of its targets in the batch, if they are known.
    is_visible : bool
        Whether to draw a picture of it.
    """
    stored = source.read_size()
    try:
        with opening_images(source) as images:
            thumbnail = draw_thumbnail(images[0], SIDE) if is_visible else None
            facts = _describe(source, images, request, record, numbers)
    except FerryError as error:
        facts, thumbnail = Facts(state="failed", error=in_form_words(str(error))), None
    return Finding(replace(facts, stored=stored), thumbnail)


def _describe(
    source: Input,
    images: Sequence[Image],
    request: ConversionRequest,
    record: Record,
    numbers: TargetNumbers | None,
) -> Facts:
    """Return the facts of a data set that can be opened."""
    known = Facts(shape=_shape_text(images), axes=_movie_axes(images), n_images=len(images))
    try:
        targets = request.targets_of(source, known.n_images, numbers)
        plans = _plan_all(images, targets, request)
        pairs = ((target, each.existing) for target, each in zip(targets, plans, strict=True))
        state = _find_state(source, pairs, request, record, numbers)
    except FerryError as error:
        return replace(known, state="failed", error=in_form_words(str(error)))
    return replace(
        known,
        pixels=sum(each.source_bytes for each in plans),
        target_bytes=sum(each.nbytes for each in plans),
        is_encoded=plans[0].is_encoded,
        losses=tuple(dict.fromkeys(text for each in plans for text in each.losses)),
        state=state,
    )


def restate(
    facts: Facts,
    source: Input,
    request: ConversionRequest,
    record: Record,
    numbers: TargetNumbers | None,
) -> Facts:
    """Return the facts of a data set whose targets have other numbers; it is not opened again.

    Parameters
    ----------
    facts : Facts
        What was found with the former numbers.
    source, request, record, numbers
        As for `inspect`.
    """
    if facts.state == "failed":
        return facts
    try:
        targets = request.targets_of(source, facts.n_images, numbers)
        pairs = ((each, [each] if os.path.lexists(each) else []) for each in targets)
        state = _find_state(source, pairs, request, record, numbers)
    except FerryError as error:
        return replace(facts, state="failed", error=in_form_words(str(error)))
    return replace(facts, state=state)


def _find_state(
    source: Input,
    targets: Iterable[tuple[Path, Sequence[Path]]],
    request: ConversionRequest,
    record: Record,
    numbers: TargetNumbers | None,
) -> State:
    """Return the state of targets, each with its existing files; "new" without known numbers."""
    if numbers is None and request.naming.has_index:
        return "new"
    states = (_state_of(source, *each, request, record) for each in targets)
    return _common_state([*states])


def _movie_axes(images: Sequence[Image]) -> tuple[str, ...]:
    """Return the axes that may be the frame axis of a movie; channels are drawn together.

    >>> from napari_ferry import Image
    >>> _movie_axes([Image.from_array(np.zeros((5, 2, 4, 1, 3, 3), np.uint8), "tczpyx")])
    ('t', 'z')
    """
    sizes = (pair for image in images for pair in leading_sizes(image).items())
    return tuple(dict.fromkeys(name for name, size in sizes if size > 1 and name != "c"))


def _plan_all(
    images: Sequence[Image], targets: Sequence[Path], request: ConversionRequest
) -> list[Plan]:
    """Return the plan of each target."""
    if not request.naming.has_images:
        return [request.plan_images(images, targets[0])]
    return [
        request.plan_images([image], target) for image, target in zip(images, targets, strict=True)
    ]


def _state_of(
    source: Input,
    target: Path,
    existing: Sequence[Path],
    request: ConversionRequest,
    record: Record,
) -> State:
    """Return whether a target is up to date, or another file of its name exists."""
    entry = record.entry(target, source.source, source.files, request.digest)
    if record.is_current(entry):
        return "current"
    return "exists" if existing and not record.may_replace(entry, existing) else "new"


def _common_state(states: Sequence[State]) -> State:
    """Return the state of several targets, which are up to date only together.

    >>> _common_state(["current", "new"])
    'new'
    """
    if "exists" in states:
        return "exists"
    return "current" if {*states} == {"current"} else "new"


def _shape_text(images: Sequence[Image]) -> str:
    """Return the axes, sizes and type of a data set.

    >>> from napari_ferry import Image
    >>> _shape_text([Image.from_array(np.zeros((5, 4, 3), np.uint8), "tyx")])
    't 5, y 4, x 3, uint8'
    """
    first = images[0]
    sizes = [f"{name} {n}" for name, n in zip(first.axis_names, first.shape, strict=True)]
    count = [f"{len(images)} images of"] if len(images) > 1 else []
    return " ".join([*count, ", ".join([*sizes, str(first.dtype)])])
