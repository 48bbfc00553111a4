"""Formats, plans and progress of an export, described for the user."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
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

_MAX_NAMES = 4
"""File names listed before the middle ones are left out."""

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
    """Return all formats with a writer in the manifest, and those of other codecs."""
    titles = {writer.suffixes: writer.title for writer in writers()}
    named = {suffix for suffixes in titles for suffix in suffixes}
    others = [tuple(s for s in codec.SUFFIXES if s not in named) for codec in codecs()]
    found = [*titles.items(), *((suffixes, suffixes[0]) for suffixes in others if suffixes)]
    return tuple(Format(title, suffixes) for suffixes, title in found)


@dataclass(frozen=True)
class Request:
    """Images to export, with the target and the options.

    Parameters
    ----------
    images : tuple of Image
        One per layer, bottom layer first.
    path : Path
        File to save.
    options : mapping
        Options of the format, and for a movie those of `render`.
    losses : tuple of str
        Losses besides those of the plan.
    """

    images: tuple[Image, ...]
    path: Path
    options: Mapping[str, Any]
    losses: tuple[str, ...] = ()

    def plan(self) -> Plan:
        """Plan the export, and check its target.

        Raises
        ------
        UnsupportedFormatError, InvalidImageError, TargetError
            As `napari_ferry.plan` and `check_target`.
        """
        planned = plan(self.images, self.path, **self.options)
        for path in planned.paths[:1]:
            check_target(follow_link(path))
        return replace(planned, losses=(*planned.losses, *self.losses))


def preview(request: Request, frame: int) -> NDArray[np.uint8]:
    """Return one frame of a movie as its file will show it.

    A movie with only that frame is saved in a temporary folder and opened again, so that the frame
    shows the effects of compression or of a palette.

    Parameters
    ----------
    request : Request
        Export of a movie.
    frame : int
        Number of the frame.

    Returns
    -------
    numpy.ndarray
        Axes y x, or y x s with three colors; uint8.

    Raises
    ------
    FerryError
        The export would fail in the same way.
    """
    options = request.options
    drawing = {key: options[key] for key in option_names(render) if key in options}
    codec_names = option_names(find_codec(request.path).plan)
    saving = {key: options[key] for key in codec_names if key in options and key not in drawing}

    drawn = render(request.images, **drawing)
    picture = np.asarray(drawn.array[frame] if drawn.ndim > 3 else drawn.array)

    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        path = Path(folder, f"frame{request.path.suffix}")
        imsave(Image.from_array(picture[None], "tyxs"), path, **saving)
        (opened,) = imload(path)
        pixels = np.array(opened.array[0])
        opened.close()
    return pixels


def describe_plan(plan: Plan) -> list[str]:
    """Return lines with the files of a save, their sizes, and the length of a movie."""
    free = _free_space(plan)
    only = "only " if plan.nbytes > free else ""
    lines = [f"{_describe_files(plan)}; {only}{size_text(free)} free on the disk."]
    if plan.frame_rate is not None:
        rate, seconds = plan.frame_rate, plan.nframes / plan.frame_rate
        frames = "1 frame" if plan.nframes == 1 else f"{plan.nframes} frames"
        lines.append(f"{frames} at {_rate_text(rate)} per second: {float(seconds):.6g} s.")
    return lines


def _describe_files(plan: Plan) -> str:
    """Return the names and sizes of files, of many files only the first and last."""
    names = [f"{file.path.name} ({size_text(file.nbytes)})" for file in plan.files]
    if len(names) > _MAX_NAMES:
        names = [*names[: _MAX_NAMES - 1], "...", names[-1]]
    most = "at most " if plan.stream else ""
    if len(plan.files) == 1:
        return f"{plan.files[0].path.name}, {most}{size_text(plan.nbytes)}"
    return f"{len(plan.files)} files, {most}{size_text(plan.nbytes)}: {', '.join(names)}"


def _rate_text(rate: Fraction) -> str:
    """Return a frame rate rounded to four digits, and the exact value if different.

    >>> _rate_text(Fraction(25)), _rate_text(Fraction(30000, 1001))
    ('25', '29.97 (30000/1001)')
    """
    short = f"{float(rate):.4g}"
    return short if Fraction(short) == rate else f"{short} ({rate})"


def _free_space(plan: Plan) -> int:
    """Return the free space in the folder of the files, in bytes."""
    folder = plan.files[0].path.parent
    return shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.is_dir())).free


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
    """Return the progress of a save with its speed and the remaining time."""
    share = 100 * progress.done / progress.total if progress.total else 100
    left = (
        f", {_seconds_text(progress.seconds_left)} left"
        if progress.seconds_left < _MAX_SECONDS
        else ""
    )
    return f"{share:.0f} %, {size_text(progress.rate)}/s{left}"


def _seconds_text(seconds: float) -> str:
    """Return a remaining time, rounded up.

    >>> _seconds_text(4.2), _seconds_text(150), _seconds_text(8000)
    ('5 s', '3 min', '2 h 14 min')
    """
    whole = math.ceil(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = math.ceil(whole / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
