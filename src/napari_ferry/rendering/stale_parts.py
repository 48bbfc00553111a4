"""Files of an earlier save that would open as parts of a new one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from napari_ferry.errors import FerryError, collecting_warnings
from napari_ferry.image.split_axes import NUMBERED, Labels, SplitRecord
from napari_ferry.io.protocol import hooks_of
from napari_ferry.io.search import find_codec
from napari_ferry.saving import Plan

_FIELD = re.compile(r"\.([A-Za-z]+)_([^.]+)")


def find_stale_parts(
    planned: Plan, stem: str, suffix: str, saved: Mapping[str, Labels]
) -> list[Path]:
    """Return the existing files of the data set replaced by a save, other than its targets.

    Parts with other labels remain if none of them could be replaced, so that a data set can be
    saved in several steps.

    Parameters
    ----------
    planned : Plan
        The new save.
    stem, suffix : str
        The name of the data set, and its suffix.
    saved : mapping of str to Labels
        Labels along the split axes of each image, by its name in those of files, which is empty for
        a single image.
    """
    folder = planned.paths[0].parent
    if not folder.is_dir():
        return []

    wanted = re.compile(
        rf"{re.escape(stem)}(?:\.var_(?P<image>[^.]+))?(?P<fields>(?:{_FIELD.pattern})+)"
        rf"{re.escape(suffix)}"
    )

    found: list[Path] = []
    new = {*planned.paths}
    for path in sorted({*folder.iterdir()} - new):
        match = wanted.fullmatch(path.name)
        if match is None or not _is_replaceable(path, planned):
            continue
        image = match["image"] or ""
        own = {axis: (label,) for axis, label in _FIELD.findall(match["fields"])}
        is_stale = any(
            _overlaps(record.labels, saved[image]) if image in saved else bool(planned.existing)
            for record in _records(path)
            if record.describes(own)
        )
        if is_stale:
            found += [each for each in hooks_of(find_codec(path)).members(path) if each not in new]
    return list(dict.fromkeys(found))


def _is_replaceable(path: Path, planned: Plan) -> bool:
    """Return True for a file, and for a folder with nothing but data of the format."""
    may_replace = planned.files[0].may_replace
    return path.is_file() or (may_replace is not None and may_replace(path))


def _records(path: Path) -> list[SplitRecord]:
    """Return the records of the images in a file; none if it cannot be opened."""
    found = []
    # warnings would be about pixels that nobody asked for
    with collecting_warnings([]), suppress(FerryError, OSError):
        for image in find_codec(path).open(path.absolute()):
            found.append(SplitRecord.of(image))
            image.close()
    return [record for record in found if record is not None]


def _overlaps(old: Labels, new: Labels) -> bool:
    """Return True if two data sets have an index in common along each axis split by both.

    Numbers instead of names count the indices of the whole axis, so that they overlap with names.
    """
    return all(
        {*map(_comparable, own)} & {*map(_comparable, new[axis])}
        or (axis in NUMBERED and (own[0].isdecimal() != new[axis][0].isdecimal()))
        for axis, own in old.items()
        if axis in new
    )


def _comparable(label: str) -> str | int:
    """Return a label as file systems and readers compare it, a number without leading zeros."""
    return int(label) if label.isdecimal() else label.casefold()
