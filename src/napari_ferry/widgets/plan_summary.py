"""Formats, plans and progress of an export, described for the user."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from napari_ferry.arrays.progress import size_text
from napari_ferry.errors import FerryError
from napari_ferry.files.short_texts import count_things
from napari_ferry.image import Image
from napari_ferry.io.protocol import Codec
from napari_ferry.io.search import codecs, find_codec
from napari_ferry.plugin.manifest import writers
from napari_ferry.rendering.save import plan
from napari_ferry.saving import Plan, Progress
from napari_ferry.saving.target import check_target, follow_link, free_space

_MAX_NAMES = 4
"""File names listed before the middle ones are left out."""

_MAX_LETTERS = 36
"""Letters of a name in a headline before its middle is left out."""

_MAX_SECONDS = 1e6
"""Estimates of the remaining time above this are not shown."""


class Format(NamedTuple):
    """A format for export, with its title in napari's Save dialog and its suffixes."""

    title: str
    suffixes: tuple[str, ...]

    @property
    def codec(self) -> Codec:
        """Codec of the format."""
        return find_codec(Path(f"name{self.suffixes[0]}"))


@cache
def formats() -> tuple[Format, ...]:
    """Return all formats with a writer in the manifest, and the formats of other codecs."""
    titles = {writer.suffixes: writer.title for writer in writers()}
    named = {suffix for suffixes in titles for suffix in suffixes}
    others = [tuple(s for s in codec.SUFFIXES if s not in named) for codec in codecs()]
    found = [*titles.items(), *((suffixes, suffixes[0]) for suffixes in others if suffixes)]
    return tuple(Format(title, suffixes) for suffixes, title in found)


@dataclass(frozen=True, kw_only=True)
class Request:
    """Images to export, with the target and the options.

    Parameters
    ----------
    images : tuple of Image
        One per layer, bottom layer first.
    path : Path
        File to save.
    options : mapping
        Options of the format, and for a movie the options of `render`.
    as_seen : bool, optional
        As for `napari_ferry.plan`.
    losses : tuple of str
        Losses besides the losses of the plan.
    """

    images: tuple[Image, ...]
    path: Path
    options: Mapping[str, Any]
    as_seen: bool | None = None
    losses: tuple[str, ...] = ()

    def plan(self) -> Plan:
        """Plan the export, and check its target.

        Raises
        ------
        UnsupportedFormatError, InvalidImageError, TargetError
            As `napari_ferry.plan` and `check_target`.
        """
        planned = plan(self.images, self.path, as_seen=self.as_seen, **self.options)
        first = planned.files[0]
        check_target(follow_link(first.path), is_folder=first.is_folder)
        return replace(planned, losses=(*planned.losses, *self.losses))


class Description(NamedTuple):
    """Texts about a planned save: one line, details, and losses."""

    headline: str
    details: tuple[str, ...]
    losses: tuple[str, ...]


def describe_plan(
    plan: Plan, estimate: int | None = None, *, is_pending: bool = False
) -> Description:
    """Describe the files of a save, their sizes, and the length of a movie.

    Parameters
    ----------
    plan : Plan
        The save.
    estimate : int, optional
        Estimated size in bytes of files whose size is not known in advance.
    is_pending : bool
        True if the size of such files is still to be estimated.
    """
    free = free_space(plan.files[0].path.parent)
    expected = plan.nbytes if estimate is None else estimate
    is_known = not (is_pending and plan.is_encoded)
    size = _size_text(plan, estimate) if is_known else "estimating the size..."
    headline = [_describe_names(plan), size]
    details = [
        *_file_lines(plan),
        *plan.details,
        f"In {plan.files[0].path.parent}, {size_text(free)} free.",
    ]

    if plan.frame_rate is not None:
        frames = count_things(plan.nframes, "frame")
        headline.append(f"{float(plan.nframes / plan.frame_rate):.4g} s")
        details.append(f"{frames} at {_rate_text(plan.frame_rate)} per second.")
    if is_known and expected > free:
        headline.append(f"but only {size_text(free)} are free on the disk")
    return Description(", ".join(headline), tuple(details), plan.losses)


def _describe_names(plan: Plan) -> str:
    """Return the name of the only file, or the number of files."""
    count = len(plan.files)
    return elide_name(plan.files[0].path.name) if count == 1 else count_things(count, "file")


def elide_name(name: str) -> str:
    """Return a file name, without its middle if it is long; the field *Save to* has all of it.

    >>> elide_name("cells.tif")
    'cells.tif'
    >>> elide_name("a recording of the left hemisphere on Monday.ome.tif")
    'a recording of t...n Monday.ome.tif'
    """
    if len(name) <= _MAX_LETTERS:
        return name
    half = (_MAX_LETTERS - 3) // 2
    return f"{name[:half].strip()}...{name[-half:].strip()}"


def _size_text(plan: Plan, estimate: int | None) -> str:
    """Return the size of a save, as exactly as it is known."""
    if estimate is not None:
        return f"about {size_text(estimate)}"
    return f"at most {size_text(plan.nbytes)}" if plan.is_encoded else size_text(plan.nbytes)


def _file_lines(plan: Plan) -> list[str]:
    """Return a line with the names of several files, of many only the first and last."""
    if len(plan.files) == 1:
        return []
    names = [f"{file.path.name} ({size_text(file.nbytes)})" for file in plan.files]
    if len(names) > _MAX_NAMES:
        names = [*names[: _MAX_NAMES - 1], "...", names[-1]]
    return [f"{', '.join(names)}."]


def _rate_text(rate: Fraction) -> str:
    """Return a frame rate rounded to four digits, and the exact value if different.

    >>> _rate_text(Fraction(25)), _rate_text(Fraction(30000, 1001))
    ('25', '29.97 (30000/1001)')
    """
    short = f"{float(rate):.4g}"
    return short if Fraction(short) == rate else f"{short} ({rate})"


def sentence(error: BaseException) -> str:
    """Return the message of an error, with an explanation if it is not one of ours.

    >>> sentence(FerryError("The image has no pixels."))
    'The image has no pixels.'
    >>> sentence(KeyError("x"))
    "The data of a layer cannot be read or drawn (KeyError: 'x')."
    """
    message = " ".join(str(error).split())
    if isinstance(error, FerryError):
        return message
    cause = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return f"The data of a layer cannot be read or drawn ({cause})."


def describe_progress(progress: Progress) -> str:
    """Return the progress of a save with its speed and the remaining time, or its last steps."""
    if progress.activity:
        return f"{progress.activity.capitalize()}..."
    share = 100 * progress.done / progress.total if progress.total else 100
    left = (
        f", {seconds_text(progress.seconds_left)} left"
        if progress.seconds_left < _MAX_SECONDS
        else ""
    )
    return f"{share:.0f} %, {size_text(progress.rate)}/s{left}"


def seconds_text(seconds: float) -> str:
    """Return a remaining time, rounded up.

    >>> seconds_text(4.2), seconds_text(150), seconds_text(8000)
    ('5 s', '3 min', '2 h 14 min')
    """
    whole = math.ceil(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = math.ceil(whole / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
