"""What an export will make, in words, before it is made: formats, sizes, times."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.errors import FerryError
from napari_ferry.image import Image
from napari_ferry.io import Codec, codecs, find_codec, imload, option_names
from napari_ferry.plugin.manifest import writers
from napari_ferry.rendering.render import render
from napari_ferry.rendering.save import imsave, plan
from napari_ferry.saving import Plan, Progress
from napari_ferry.saving.progress import size_text
from napari_ferry.saving.target import check_target, follow_link

_MOST_NAMES = 4
_NEVER = 1e6
"""Seconds that are no estimate any more."""


class Format(NamedTuple):
    """A format that can be saved: its name in napari's Save dialog, and its suffixes."""

    title: str
    suffixes: tuple[str, ...]

    @property
    def codec(self) -> Codec:
        """What saves it."""
        return find_codec(Path(f"name{self.suffixes[0]}"))


@cache
def formats() -> tuple[Format, ...]:
    """Return every format that the manifest has a writer for, and those of further codecs."""
    titles = {writer.suffixes: writer.title for writer in writers()}
    named = {suffix for suffixes in titles for suffix in suffixes}
    others = [tuple(s for s in codec.SUFFIXES if s not in named) for codec in codecs()]
    found = [*titles.items(), *((suffixes, suffixes[0]) for suffixes in others if suffixes)]
    return tuple(Format(title, suffixes) for suffixes, title in found)


@dataclass(frozen=True)
class Request:
    """What is to be exported, and how.

    Parameters
    ----------
    images : tuple of Image
        One for each layer, from the bottom to the top.
    path : Path
        Where to.
    options : mapping
        Those of the format, and of `render` for a movie.
    """

    images: tuple[Image, ...]
    path: Path
    options: Mapping[str, Any]

    def plan(self) -> Plan:
        """Plan the export, at a place that can be written to.

        Raises
        ------
        UnsupportedFormatError, InvalidImageError, TargetError
            As `napari_ferry.plan` and `check_target`.
        """
        planned = plan(self.images, self.path, **self.options)
        for path in planned.paths[:1]:
            check_target(follow_link(path))
        return planned


def preview(request: Request, frame: int) -> NDArray[np.uint8]:
    """Return one picture of an export as its file will show it.

    A movie of that frame alone is written into a temporary folder, and opened again.

    Parameters
    ----------
    request : Request
        The export of a movie.
    frame : int
        Which of its pictures.

    Returns
    -------
    numpy.ndarray
        Axes y x, or y x s with three colors; uint8.

    Raises
    ------
    FerryError
        What the export itself would raise.
    """
    codec = find_codec(request.path)
    drawing = {key: request.options[key] for key in option_names(render) if key in request.options}
    drawn = render(request.images, **drawing)
    picture = np.asarray(drawn.array[frame] if drawn.ndim > 3 else drawn.array)
    kept = [
        key for key in option_names(codec.plan) if key in request.options.keys() - drawing.keys()
    ]
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        path = Path(folder, f"frame{request.path.suffix}")
        one = Image.from_array(picture[None], "tyxs")
        imsave(one, path, **{key: request.options[key] for key in kept})
        (found,) = imload(path)
        shown = np.array(found.array[0])
        found.close()
    return shown


def describe_plan(plan: Plan) -> list[str]:
    """Say in sentences what a save will make: its files, their sizes, and how long a movie is."""
    free = _free(plan)
    only = "only " if plan.nbytes > free else ""
    lines = [f"{_files(plan)}; {only}{size_text(free)} are free there."]
    if plan.frame_rate is not None:
        rate, seconds = plan.frame_rate, plan.nframes / plan.frame_rate
        pictures = f"{plan.nframes} frame{'s' * (plan.nframes != 1)}"
        lines.append(f"{pictures} at {_rate(rate)} per second: {float(seconds):.6g} s.")
    return lines


def _files(plan: Plan) -> str:
    """Name the files, of many the first and the last, and say how large they are."""
    names = [f"{file.path.name} ({size_text(file.nbytes)})" for file in plan.files]
    if len(names) > _MOST_NAMES:
        names = [*names[: _MOST_NAMES - 1], "…", names[-1]]
    most = "at most " if plan.stream else ""
    if len(plan.files) == 1:
        return f"{plan.files[0].path.name}, {most}{size_text(plan.nbytes)}"
    return f"{len(plan.files)} files, {most}{size_text(plan.nbytes)}: {', '.join(names)}"


def _rate(rate: Fraction) -> str:
    """Return a rate as people write it, and exactly where that is not the same.

    >>> _rate(Fraction(25)), _rate(Fraction(30000, 1001))
    ('25', '29.97 (30000/1001)')
    """
    short = f"{float(rate):.4g}"
    return short if Fraction(short) == rate else f"{short} ({rate})"


def _free(plan: Plan) -> int:
    """Return the bytes that are free where the files will stand."""
    folder = plan.files[0].path.parent
    return shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.is_dir())).free


def sentence(error: BaseException) -> str:
    """Say what went wrong; of errors that are not our own, what a library said of them.

    >>> sentence(FerryError("There are no pixels."))
    'There are no pixels.'
    >>> sentence(KeyError("x"))
    "The data of a layer cannot be read or drawn (KeyError: 'x')."
    """
    said = " ".join(str(error).split())
    if isinstance(error, FerryError):
        return said
    why = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"The data of a layer cannot be read or drawn ({why})."


def describe_progress(progress: Progress) -> str:
    """Say how far a save is, how fast it goes, and how long it will take."""
    share = 100 * progress.done / progress.total if progress.total else 100
    left = f", {_seconds(progress.seconds_left)} left" if progress.seconds_left < _NEVER else ""
    return f"{share:.0f} %, {size_text(progress.rate)}/s{left}"


def _seconds(seconds: float) -> str:
    """Return a time that is left.

    >>> _seconds(4.2), _seconds(150), _seconds(8000)
    ('5 s', '3 min', '2 h 14 min')
    """
    whole = math.ceil(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = math.ceil(whole / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
