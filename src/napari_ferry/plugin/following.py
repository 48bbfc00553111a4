"""Growth of files still being written, and the layers of their complete part."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from napari_ferry.arrays import Frames
from napari_ferry.arrays.frames import IndexedFrames
from napari_ferry.arrays.growth import growing_files
from napari_ferry.errors import FerryError
from napari_ferry.files.short_texts import count_things
from napari_ferry.layers.blank_frames import BlankingArray, with_blanks
from napari_ferry.layers.layer_data import LayerData
from napari_ferry.plugin.origins import Source
from napari_ferry.plugin.reload import open_source

Stamps: TypeAlias = dict[str, tuple[int, ...]]
"""Path of a file -> its size in bytes, the time of its last change, and its number on the disk."""

_MOST_PARTIAL = 4
"""Maximum number of steps at the end that may be half-written; more of them are damage."""

_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Result of one check of the files of a source.

    Parameters
    ----------
    stamps : dict
        Stamps of the files that the layers were opened from.
    layers : list of (data, meta, type), optional
        All layers of the files; ``None`` if nothing has changed, or nothing could be opened.
    problem : str
        Sentence about an error; empty without one.
    """

    stamps: Stamps
    layers: list[LayerData] | None = None
    problem: str = ""


def check_growth(source: Source, known: Stamps, position: Sequence[int]) -> Growth:
    """Open files anew if they have changed; for a thread.

    After an error, the stamps remain the known ones, so that the next check tries again.

    Parameters
    ----------
    source : Source
        The files.
    known : dict
        Stamps of the last check that opened them; empty before the first one.
    position : sequence of int
        Position on each axis of the viewer, y and x included.
    """
    stamps = read_stamps(source.paths)
    if stamps == known and known:
        return Growth(stamps=known)
    try:
        with growing_files():
            layers = [whole_steps(layer) for layer in open_source(source, position)]
    except FerryError as error:
        return Growth(stamps=known, problem=str(error))
    return Growth(stamps=stamps, layers=layers)


def finish_growth(source: Source, position: Sequence[int]) -> Growth:
    """Open files once they are complete, with the warnings of any other file; for a thread.

    Their arrays refuse a file that changes later. Parameters are those of `check_growth`.
    """
    try:
        return Growth(stamps={}, layers=open_source(source, position))
    except FerryError as error:
        return Growth(stamps={}, problem=str(error))


def read_stamps(paths: Sequence[Path]) -> Stamps:
    """Read the stamps of files, of all files in folders, and of further files of a data set.

    Further files are those in the same folder whose names begin with that of the file without its
    number, as an acquisition that is split by size has them.
    """
    return {entry.path: stamp for path in paths for entry, stamp in _stamped(path)}


def _stamped(path: Path) -> Iterator[tuple[os.DirEntry[str], tuple[int, ...]]]:
    """Yield the files of a data set with their stamps, leaving out unreadable files."""
    prefix = "" if path.is_dir() else path.name.partition(".")[0].rstrip("0123456789")
    folders = [str(path if path.is_dir() else path.parent)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if not entry.name.startswith(prefix or entry.name):
                        continue
                    if entry.is_file():
                        status = entry.stat()
                        yield entry, (status.st_size, status.st_mtime_ns, status.st_ino)
                    elif not prefix and path.is_dir():
                        folders.append(entry.path)
        except OSError:  # removed or renamed meanwhile
            continue


def whole_steps(layer: LayerData) -> LayerData:
    """Return a layer without the last, incomplete steps of its first axis.

    The last frame of the rest was read, so that the window need not wait for it.

    Raises
    ------
    UnreadableFileError
        No step is whole yet.
    """
    data, meta, kind = layer
    is_rgb = bool(meta.get("rgb"))
    if not isinstance(data, BlankingArray):
        return layer
    array, lead = data.array, data.lead
    if not math.prod(array.shape[:lead]):
        return layer

    count = _count_whole(data)
    if not lead or count == array.shape[0]:
        return layer
    shape = (count, *array.shape[1:])
    whole = Frames(IndexedFrames(array, lead), shape, array.dtype, lead)
    return with_blanks(whole, is_rgb=is_rgb), meta, kind


def _count_whole(data: BlankingArray) -> int:
    """Return the number of steps up to the last one whose last frame can be read.

    Raises
    ------
    UnreadableFileError
        The only steps, or the only frame, are not whole.
    """
    others = (-1,) * (data.lead - 1)
    count = data.shape[0] if data.lead else 1
    for whole in range(count, max(count - _MOST_PARTIAL, 0), -1):
        try:
            np.asarray(data.array[(whole - 1, *others) if data.lead else ()])
        except FerryError:
            if whole == 1:
                raise
        else:
            return whole
    return count


def find_growing_axis(before: Sequence[int], now: Sequence[int]) -> int | None:
    """Return the first longer or new axis; ``None`` if there is none.

    Axes correspond from the last one on, as the number of axes may differ.

    >>> find_growing_axis((3, 512, 512), (4, 512, 512))
    0
    >>> find_growing_axis((512, 512), (2, 512, 512))
    0
    """
    padded = (*(0,) * (len(now) - len(before)), *before)[-len(now) :]
    return next(
        (k for k, (old, new) in enumerate(zip(padded, now, strict=True)) if new > old), None
    )


def status_line(name: str, count: int, seconds: float, problem: str = "") -> str:
    """Return a sentence about a followed file.

    Parameters
    ----------
    name : str
        Name of the file or folder.
    count : int
        Number of steps along the growing axis.
    seconds : float
        Time since the last step came.
    problem : str
        Sentence about an error of the last check; empty without one.

    >>> status_line("a.tif", 152, 3.4)
    'Following a.tif: 152 frames, 3 s ago'
    """
    text = f"Following {name}: {count_things(count, 'frame')}, {_age(seconds)} ago"
    return f"{text}. Waiting: {problem}" if problem else text


def _age(seconds: float) -> str:
    """Return a time in the largest suitable unit."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h"
