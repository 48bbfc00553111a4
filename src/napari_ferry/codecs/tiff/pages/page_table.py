"""The pages of a TIFF file: which are alike, and where each says that its pixels lie.

TIFF 6.0 (Adobe, 1992) and BigTIFF. All pages are looked at together, as there may be 100,000 and
more, with other entries on each.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
TYPE_SIZES |= {16: 8, 17: 8, 18: 8}
"""Bytes of one value of each type of entry."""

VALUE_TYPES = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
"""The types of whole numbers, by their number in an entry."""

LAYOUT_TAGS = (254, 256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 322, 323, 338, 339, 32997)
"""Tags that say what the pixels of a page are like."""

_TABLE_TAGS = (320, 347)
"""Tags of tables that pixels are decoded with: the colors of a palette, and those of JPEG."""

SEGMENT_TAGS = ((273, 324), (279, 325))
"""Offsets, and byte counts, of strips or tiles."""

DESCRIPTION_TAG = 270

_MOST_TABLE = 1 << 20
"""Bytes of the values of an entry above which only their number is compared."""

_SOME = 1 << 18
"""Numbers that are worked on at once, so that memory does not grow with the file."""

_N_LAYOUT = len(LAYOUT_TAGS) + len(_TABLE_TAGS)
_N_PLACES = len(SEGMENT_TAGS) + 1
_COLUMNS = np.full(1 << 16, -1, np.int8)
_COLUMNS[[*LAYOUT_TAGS, *_TABLE_TAGS]] = np.arange(_N_LAYOUT)
for _k, _tags in enumerate((*SEGMENT_TAGS, (DESCRIPTION_TAG,))):
    _COLUMNS[list(_tags)] = _N_LAYOUT + _k

_MIXERS = np.random.default_rng(1).integers(1, 1 << 62, _N_LAYOUT + 1) | 1
"""Odd numbers that make one number of a row; rows are compared wherever those are the same."""


class PageTable(NamedTuple):
    """Where the pages of a file are.

    Parameters
    ----------
    order : str
        Byte order, ``"<"`` or ``">"``.
    is_big : bool
        Whether this is BigTIFF.
    ifds, kinds : array of int64, axis page
        Where each directory begins, and which kind of page it describes.
    where : array of int64, axes page, (offsets, counts, description), (type, count, value)
        The tags that say where the pixels and the text of a page are, as its directory has them.
    """

    order: str
    is_big: bool
    ifds: NDArray[np.int64]
    kinds: NDArray[np.int64]
    where: NDArray[np.int64]


def index_pages(
    walked: Sequence[tuple[int, bytes]], order: str, is_big: bool, data: mmap.mmap
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell kinds of pages apart, and find where each says its pixels lie.

    Parameters
    ----------
    walked, order, is_big
        As `walk` finds them.
    data : mmap
        The file.

    Returns
    -------
    kinds : array of int64, axis page
        Pages of one kind have the same number; counted in order of appearance.
    where : array of int64, axes page, (offsets, counts, description), (type, count, value)
        The three tags as the directory has them.
    """
    kinds = np.empty(len(walked), np.int64)
    where = np.zeros((len(walked), _N_PLACES, 3), np.int64)
    known: dict[bytes, int] = {}
    lengths = np.array([len(raw) for _, raw in walked], np.int64)
    for length in np.unique(lengths):
        for pages in _some(np.nonzero(lengths == length)[0], max(1, int(length) // 8)):
            entries = _entries([walked[page][1] for page in pages.tolist()], order, is_big)
            rows, where[pages] = _look_at(entries, order, is_big, data)
            kinds[pages] = _number(rows, known)
    return _by_appearance(kinds), where


def one_piece_starts(
    data: mmap.mmap, table: PageTable, pages: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Return where the pixels of pages of one kind begin, if the strips of each are in a row.

    Raises
    ------
    ValueError
        Strips are said to be listed where the file has ended.
    """
    starts = [np.empty(0, np.int64)]
    for some in _some(pages, int(table.where[pages[0], 0, 1])):
        offsets, counts = (_values_of_pages(data, table, some, k) for k in (0, 1))
        if offsets.shape != counts.shape:
            return None
        if (offsets[:, 1:] != offsets[:, :-1] + counts[:, :-1]).any():
            return None
        starts.append(offsets[:, 0])
    return np.concatenate(starts)


def _some(pages: NDArray[np.int64], numbers: int) -> Iterator[NDArray[np.int64]]:
    """Cut pages into runs that have so many numbers each that memory stays small."""
    step = max(1, _SOME // max(1, numbers))
    for first in range(0, len(pages), step):
        yield pages[first : first + step]


def _entries(raw: Sequence[bytes], order: str, is_big: bool) -> NDArray[Any]:
    """Return directories of one length as entries, axes page, entry."""
    value = "u8" if is_big else "u4"
    kind = np.dtype([("tag", "u2"), ("type", "u2"), ("count", value), ("value", value)])
    kind = kind.newbyteorder(">" if order == ">" else "<")
    return np.frombuffer(b"".join(raw), kind).reshape(len(raw), -1)


def _look_at(
    entries: NDArray[Any], order: str, is_big: bool, data: mmap.mmap
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what tells kinds apart, one row a page, and where pixels lie; see `index_pages`.

    A row holds the values of the layout tags, -1 for those that are absent, and the number of
    strips or tiles. Of values that lie elsewhere it is a hash.
    """
    columns = _COLUMNS[entries["tag"]]
    rows = np.full((len(entries), _N_LAYOUT + 1), -1, np.int64)
    where = np.zeros((len(entries), _N_PLACES, 3), np.int64)
    for page, k, column in _places(columns, columns < _N_LAYOUT):
        found = entries[page, k]
        first, fits = _first_values(found, order, is_big)
        rows[page, column] = first if fits.all() else np.where(fits, first, _hashes(found, data))
    for page, k, column in _places(columns, columns >= _N_LAYOUT):
        found = entries[page, k]
        first, _ = _first_values(found, order, is_big)
        value = np.where(found["count"] == 1, first, found["value"].astype(np.int64))
        # not stacked as they are: numpy would make floats of them, which round
        said = [found["type"].astype(np.int64), found["count"].astype(np.int64), value]
        where[page, column - _N_LAYOUT] = np.stack(said, -1)
    rows[:, _N_LAYOUT] = where[:, 0, 1]
    return rows, where


def _hashes(entries: NDArray[Any], data: mmap.mmap) -> NDArray[np.int64]:
    """Return a hash of the values that each entry points to."""
    known: dict[tuple[int, int, int], int] = {}
    found = np.empty(len(entries), np.int64)
    columns = (entries[name].tolist() for name in ("type", "count", "value"))
    for k, key in enumerate(zip(*columns, strict=True)):
        if key not in known:
            kind, count, place = key
            nbytes = count * TYPE_SIZES.get(kind, 1)
            raw = data[place : place + nbytes] if nbytes <= _MOST_TABLE else b""
            known[key] = xxhash.xxh3_64_intdigest(raw, count) >> 1
        found[k] = known[key]
    return found


def _places(columns: NDArray[np.int8], wanted: NDArray[np.bool_]) -> Iterator[tuple[Any, Any, Any]]:
    """Find the wanted entries: all pages' at once, one by one where all pages have the same."""
    wanted = wanted & (columns >= 0)
    if (columns == columns[0]).all():
        yield from ((slice(None), k, columns[0, k]) for k in np.nonzero(wanted[0])[0])
    else:
        page, k = np.nonzero(wanted)
        yield page, k, columns[page, k]


def _first_values(
    entries: NDArray[Any], order: str, is_big: bool
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the first value of each entry, and whether the entry has room for all of them."""
    field = 8 if is_big else 4
    sizes = np.full(256, 4, np.int64)
    for number, kind in VALUE_TYPES.items():
        sizes[number] = np.dtype(kind).itemsize
    size = sizes[np.minimum(entries["type"], 255)]
    unused = (8 * np.maximum(field - size, 0)).astype(np.uint64)
    value = entries["value"].astype(np.uint64)
    if order == ">":
        first = value >> unused
    else:
        whole = np.uint64((1 << 8 * field) - 1)
        first = value & (whole >> unused)
    return first.astype(np.int64), entries["count"] <= field // size


def _number(rows: NDArray[np.int64], known: dict[bytes, int]) -> NDArray[np.int64]:
    """Return the number of each row; equal rows have the same, new ones are added to `known`."""
    _, firsts, inverse = np.unique(rows @ _MIXERS, return_index=True, return_inverse=True)
    if (rows != rows[firsts][inverse]).any():
        _, firsts, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    numbers = [known.setdefault(row.tobytes(), len(known)) for row in rows[firsts]]
    return np.array(numbers, np.int64)[inverse.ravel()]


def _by_appearance(kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return kinds numbered in the order in which they first appear."""
    _, first, inverse = np.unique(kinds, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()]


def _values_of_pages(
    data: mmap.mmap, table: PageTable, pages: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    """Return all values of one of the two tags of pages that have as many: axes page, value."""
    kinds, counts, fields = table.where[pages, k].T
    out = np.empty((len(pages), int(counts[0])), np.int64)
    if (counts != counts[0]).any():
        return out[:, :0]
    for kind in np.unique(kinds):
        same = kinds == kind
        dtype = np.dtype(table.order + VALUE_TYPES.get(int(kind), "u4"))
        out[same] = _listed(data, fields[same], dtype, out.shape[1], table)
    return out


def _listed(
    data: mmap.mmap, fields: NDArray[np.int64], dtype: np.dtype[Any], count: int, table: PageTable
) -> NDArray[np.int64]:
    """Return the values that entries hold, or point to: axes entry, value."""
    room = 8 if table.is_big else 4
    width = count * dtype.itemsize
    if count == 1:
        return fields[:, None]
    if width <= room:
        raw = fields.astype(f"{table.order}u{room}")[:, None].view(np.uint8)
        return raw[:, :width].view(dtype).astype(np.int64)
    if fields.min() < 0 or fields.max() + width > len(data):
        raise ValueError(f"strips are listed behind byte {len(data)}, where the file has ended")
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), width)
    return np.ascontiguousarray(windows[fields]).view(dtype).astype(np.int64)
