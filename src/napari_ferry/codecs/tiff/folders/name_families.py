"""Families of files in one folder, such as images and their masks."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Sequence
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

_NUMBER = re.compile(r"(?<!#)[+-]?#(?:[.,]#)*(?:e[+-]?#)?")
"""Part of a shape that may be one number: with a sign, a fraction or an exponent."""

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

    Such as ``GFP_1.tif``, ``GFP_2.tif``, ``RFP_1.tif`` and ``RFP_2.tif``; or in a further number
    that does not change, as in copies such as ``1_1.tif`` and ``2_1.tif``. Returns the families in
    the order of the files, or a single one.
    """
    probes = {_shape(paths[k]) for k in (0, len(paths) // 2, len(paths) - 1)}
    if len(probes) == 1:  # in natural order, the first and the last file differ
        return [paths]
    families: dict[str, list[Path]] = {}
    for path in paths:
        families.setdefault(_shape(path), []).append(path)

    is_few = len(families) <= min(_MAX_KINDS, len(paths) // 2)
    is_distinct = _have_distinct_words(families) or _have_further_numbers(families)
    numbers = {_numbers(family) for family in families.values()}
    return [*families.values()] if is_few and is_distinct and len(numbers) == 1 else [paths]


def _have_distinct_words(shapes: Collection[str]) -> bool:
    """Return True if the words of names distinguish their shapes."""
    return len({frozenset(_WORD.findall(shape)) for shape in shapes}) == len(shapes)


def _have_further_numbers(shapes: Collection[str]) -> bool:
    """Return True if names differ in the count of numbers only, not in signs or fractions."""
    letters = {"".join(re.findall("[a-z]", shape)) for shape in shapes}
    counted = {_NUMBER.sub("#", shape) for shape in shapes}
    return len(letters) == 1 and len(counted) == len(shapes)


def _shape(path: Path) -> str:
    """Return a name with its numbers replaced."""
    return _DIGITS.sub("#", path.stem.lower())


def _numbers(paths: Sequence[Path]) -> Hashable:
    """Return the numbers in some names of one shape, without those equal in all."""
    numbers = [_DIGITS.findall(path.stem) for path in paths]
    varying = [column for column in zip(*numbers, strict=True) if len(set(column)) > 1]
    return tuple(sorted(tuple(map(int, each)) for each in zip(*varying, strict=True)))


def _all_names(paths: Sequence[Path]) -> str:
    """Return the names of files as one text, faster to search than each name."""
    return "\n".join(names_of(paths))
