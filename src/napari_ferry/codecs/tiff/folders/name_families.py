"""Families of files in one folder, such as images and their masks."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from pathlib import Path

from napari_ferry.codecs.tiff.names import stem_of
from napari_ferry.files.file_list import names_of

_MARK = re.compile(
    r"(?i:(?<![a-z])(?:cp_?)?(?:man_?)?"
    r"(?:masks?|seg|segs|segmented|segmentations?|labels?|label_?maps?|labell?ed|annotations?|track"
    r"|outlines?|flows|gt|ground_?truth|predictions?|probabilit(?:y|ies))(?![a-z]))"
    r"|(?<=[a-z])(?:Masks?|Seg|Segmentations?|Labels?|Outlines?)(?![a-z])"
)
"""Words in the names of segmentations: Cellpose, ilastik, StarDist, Cell Tracking Challenge."""

_MARK_PARTS = (
    *("mask", "seg", "label", "annot", "outline", "flow", "gt", "truth", "predict", "probab"),
    "track",
)
"""Parts of these words, at least one of which is in each; they are found much faster."""

_THUMBNAIL = re.compile(r"_thumb(?![a-z])", re.IGNORECASE)

_WORD = re.compile(r"[a-z]{2,}")
_DIGITS = re.compile(r"\d+")

_MAX_KINDS = 8
"""Number of words above which names with equal numbers are not families."""


def split_marked(paths: Sequence[Path]) -> list[Sequence[Path]]:
    """Split files into images and their segmentations, by words such as ``mask``.

    Parameters
    ----------
    paths : sequence of Path
        The files.

    Returns
    -------
    list of sequence of Path
        Each family in the order of the files, images first.
    """
    text = _all_names(paths).lower()
    if not any(part in text for part in _MARK_PARTS):
        return [paths]
    families: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        marks = (match[0].lower() for match in _MARK.finditer(stem_of(path)))
        families.setdefault(tuple(marks), []).append(path)
    return [families[marks] for marks in sorted(families, key=len)]


def split_thumbnails(paths: Sequence[Path]) -> tuple[Sequence[Path], list[Path]]:
    """Split files into images and thumbnails, by names such as ``plate_A01_s1_w1_thumb.tif``."""
    if not _THUMBNAIL.search(_all_names(paths)):
        return paths, []
    thumbnails = [path for path in paths if _THUMBNAIL.search(path.name)]
    others = [path for path in paths if not _THUMBNAIL.search(path.name)]
    return others, thumbnails


def split_paired(paths: Sequence[Path]) -> list[Sequence[Path]]:
    """Split files whose names differ in a word, if each word has the same numbers.

    Such as ``GFP_1.tif``, ``GFP_2.tif``, ``RFP_1.tif`` and ``RFP_2.tif``. Returns the families in
    the order of the files, or a single one.
    """
    probes = {_shape(paths[k]) for k in (0, len(paths) // 2, len(paths) - 1)}
    if len(probes) == 1:  # in natural order, the first and the last file differ
        return [paths]
    families: dict[str, list[Path]] = {}
    for path in paths:
        families.setdefault(_shape(path), []).append(path)

    words = {frozenset(_WORD.findall(shape)) for shape in families}
    numbers = {_numbers(family) for family in families.values()}
    is_paired = len(families) <= min(_MAX_KINDS, len(words)) and len(numbers) == 1
    is_long = len(paths) >= 2 * len(families)
    return [*families.values()] if is_paired and is_long else [paths]


def _shape(path: Path) -> str:
    """Return a name with its numbers replaced."""
    return _DIGITS.sub("#", stem_of(path).lower())


def _numbers(paths: Sequence[Path]) -> Hashable:
    """Return the numbers in some names."""
    return tuple(sorted(tuple(map(int, _DIGITS.findall(stem_of(path)))) for path in paths))


def _all_names(paths: Sequence[Path]) -> str:
    """Return the names of files as one text, faster to search than each name."""
    return "\n".join(names_of(paths))
