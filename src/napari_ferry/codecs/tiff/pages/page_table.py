"""Kinds of the pages of a TIFF file, and the tags with the locations of their pixels.

TIFF 6.0 (Adobe, 1992) and BigTIFF. All pages are processed together, as a file may have 100,000
and more, each with a different set of entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from napari_ferry.arrays.file_window import FileWindow
from napari_ferry.codecs.tiff.pages.damage import DamageError
from napari_ferry.codecs.tiff.pages.ifd_chain import IfdChain

TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
TYPE_SIZES |= {16: 8, 17: 8, 18: 8}
"""Bytes of one value, by the type of its entry."""

VALUE_TYPES = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
"""numpy types of whole numbers, by the type of their entry."""

_VALUE_SIZES = np.array([np.dtype(VALUE_TYPES.get(kind, "u4")).itemsize for kind in range(256)])
"""Bytes of one such value, by the type of its entry; 4 for other types."""

LAYOUT_TAGS = (254, 256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 322, 323, 338, 339, 32997)
"""Tags of the layout of the pixels of a page."""

_TABLE_TAGS = (320, 347)
"""Tags of tables used for decoding: the colors of a palette, and the tables of JPEG."""

SEGMENT_TAGS = ((273, 324), (279, 325))
"""Offsets, and byte counts, of strips or tiles."""

DESCRIPTION_TAG = 270

OFFSETS, COUNTS, DESCRIPTION = range(3)
"""Index of a tag in `PageTable.entries`: of `SEGMENT_TAGS`, then the description."""

MISSING = -1
"""Kind of a missing page."""

_MAX_TABLE_BYTES = 1 << 20
"""Size of the values of an entry above which only their number is compared."""

_BATCH_VALUES = 1 << 18
"""Number of values processed at once, to keep memory from growing with the file."""

_N_LAYOUT = len(LAYOUT_TAGS) + len(_TABLE_TAGS)
_N_ENTRIES = len(SEGMENT_TAGS) + 1
_COLUMNS = np.full(1 << 16, -1, np.int8)
_COLUMNS[[*LAYOUT_TAGS, *_TABLE_TAGS]] = np.arange(_N_LAYOUT)
for _k, _tags in enumerate((*SEGMENT_TAGS, (DESCRIPTION_TAG,))):
    _COLUMNS[list(_tags)] = _N_LAYOUT + _k

_MIXERS = np.random.default_rng(1).integers(1, 1 << 62, _N_LAYOUT + 1) | 1
"""Odd factors to hash a row to one number; rows with equal hashes are compared."""


@dataclass(frozen=True, kw_only=True)
class PageTable:
    """Directories and kinds of the pages of a file.

    Parameters
    ----------
    order : str
        Byte order, ``"<"`` or ``">"``.
    is_big : bool
        True for BigTIFF.
    ifds : array of int64, axis page
        Offset of the directory of each page, in bytes; 0 for a page that does not exist.
    kinds : array of int64, axis page
        Kind of each page, counted in order of appearance; `MISSING` for a page that does not exist.
    entries : array of int64, axes page, (offsets, counts, description), (type, count, value)
        Entries for the location of the pixels and of the text of each page; see `OFFSETS`.
    """

    order: str
    is_big: bool
    ifds: NDArray[np.int64]
    kinds: NDArray[np.int64]
    entries: NDArray[np.int64]


def index_pages(chain: IfdChain, data: FileWindow) -> PageTable:
    """Classify the pages of a file by kind, and collect the entries for their pixels.

    Parameters
    ----------
    chain : IfdChain
        The directories of the pages.
    data : FileWindow
        The file.
    """
    order, is_big = chain.order, chain.is_big
    ifds = np.array(chain.offsets, np.int64)
    existing = np.nonzero(ifds)[0]
    kinds = np.full(len(ifds), MISSING, np.int64)
    entries = np.zeros((len(ifds), _N_ENTRIES, 3), np.int64)
    known: dict[bytes, int] = {}

    # directories of one length have as many entries, and so form an array
    lengths = np.fromiter(map(len, chain.entries), np.int64, len(ifds))[existing]
    for length in np.unique(lengths):
        for pages in batches(existing[lengths == length], max(1, int(length) // 8)):
            raw = parse_entries([chain.entries[page] for page in pages.tolist()], order, is_big)
            rows, entries[pages] = _select_entries(raw, order, is_big, data)
            kinds[pages] = _number_rows(rows, known)

    kinds[existing] = _by_appearance(kinds[existing])
    return PageTable(order=order, is_big=is_big, ifds=ifds, kinds=kinds, entries=entries)


def contiguous_starts(
    data: FileWindow, table: PageTable, pages: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Return the offset of the pixels of each page, or None unless the strips are adjacent.

    Parameters
    ----------
    data : FileWindow
        The file.
    table : PageTable
        Its pages.
    pages : array of int64, axis page
        Numbers of pages of one kind.

    Raises
    ------
    ValueError
        A list of strips is beyond the end of the file.
    """
    starts = [np.empty(0, np.int64)]
    for batch in batches(pages, int(table.entries[pages[0], OFFSETS, 1])):
        offsets, counts = (values_of_pages(data, table, batch, tag) for tag in (OFFSETS, COUNTS))
        if offsets.shape != counts.shape:
            return None
        if (offsets[:, 1:] != offsets[:, :-1] + counts[:, :-1]).any():
            return None
        starts.append(offsets[:, 0])
    return np.concatenate(starts)


def batches(pages: NDArray[np.int64], n_values: int) -> Iterator[NDArray[np.int64]]:
    """Divide pages of `n_values` values each into batches of limited memory."""
    step = max(1, _BATCH_VALUES // max(1, n_values))
    for first in range(0, len(pages), step):
        yield pages[first : first + step]


def parse_entries(raw: Sequence[bytes], order: str, is_big: bool) -> NDArray[Any]:
    """Convert directories of one length to an array of entries, axes page, entry."""
    value = "u8" if is_big else "u4"
    kind = np.dtype([("tag", "u2"), ("type", "u2"), ("count", value), ("value", value)])
    kind = kind.newbyteorder(">" if order == ">" else "<")
    return np.frombuffer(b"".join(raw), kind).reshape(len(raw), -1)


def _select_entries(
    raw: NDArray[Any], order: str, is_big: bool, data: FileWindow
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Extract the layout and the location of the pixels from directories.

    Returns
    -------
    rows : array of int64, axes page, value
        Values of the layout tags, -1 for absent ones, and the number of strips or tiles. Pages of
        one kind have equal rows. A hash replaces values that are stored outside the entry.
    entries : array of int64, axes page, (offsets, counts, description), (type, count, value)
        See `PageTable`.
    """
    columns = _COLUMNS[raw["tag"]]
    rows = np.full((len(raw), _N_LAYOUT + 1), -1, np.int64)
    entries = np.zeros((len(raw), _N_ENTRIES, 3), np.int64)

    for page, k, column in _matching_entries(columns, columns < _N_LAYOUT):
        matches = raw[page, k]
        first, fits = first_values(matches, order, is_big)
        values = first if fits.all() else np.where(fits, first, _hash_values(matches, data))
        rows[page, column] = values

    for page, k, column in _matching_entries(columns, columns >= _N_LAYOUT):
        matches = raw[page, k]
        first, _ = first_values(matches, order, is_big)
        value = np.where(matches["count"] == 1, first, matches["value"].astype(np.int64))
        # numpy would stack the unsigned fields as floats, which round
        parts = [matches["type"].astype(np.int64), matches["count"].astype(np.int64), value]
        entries[page, column - _N_LAYOUT] = np.stack(parts, -1)

    rows[:, _N_LAYOUT] = entries[:, OFFSETS, 1]
    return rows, entries


def _hash_values(entries: NDArray[Any], data: FileWindow) -> NDArray[np.int64]:
    """Hash the values outside the entries."""
    known: dict[tuple[int, int, int], int] = {}
    hashes = np.empty(len(entries), np.int64)
    columns = (entries[name].tolist() for name in ("type", "count", "value"))
    for k, key in enumerate(zip(*columns, strict=True)):
        if key not in known:
            kind, count, offset = key
            nbytes = count * TYPE_SIZES.get(kind, 1)
            raw = data.read(offset, nbytes) if nbytes <= _MAX_TABLE_BYTES else b""
            known[key] = xxhash.xxh3_64_intdigest(raw, count) >> 1
        hashes[k] = known[key]
    return hashes


def _matching_entries(
    columns: NDArray[np.int8], requested: NDArray[np.bool_]
) -> Iterator[tuple[Any, Any, Any]]:
    """Yield page, entry and column of the wanted entries, ready for indexing.

    Where all pages have the same tags, each tag is yielded once, for all pages.
    """
    requested = requested & (columns >= 0)
    if (columns == columns[0]).all():
        yield from ((slice(None), k, columns[0, k]) for k in np.nonzero(requested[0])[0])
    else:
        page, k = np.nonzero(requested)
        yield page, k, columns[page, k]


def first_values(
    entries: NDArray[Any], order: str, is_big: bool
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the first value of each entry, and True if the entry contains all its values."""
    field = 8 if is_big else 4
    size = _VALUE_SIZES[np.minimum(entries["type"], 255)]

    # values start at the first byte of the field in both byte orders
    unused = (8 * np.maximum(field - size, 0)).astype(np.uint64)
    value = entries["value"].astype(np.uint64)
    if order == ">":
        first = value >> unused
    else:
        whole = np.uint64((1 << 8 * field) - 1)
        first = value & (whole >> unused)
    return first.astype(np.int64), entries["count"] <= field // size


def _number_rows(rows: NDArray[np.int64], known: dict[bytes, int]) -> NDArray[np.int64]:
    """Return a number for each row, the same for equal rows; new rows are added to `known`."""
    _, firsts, inverse = np.unique(rows @ _MIXERS, return_index=True, return_inverse=True)
    if (rows != rows[firsts][inverse]).any():
        _, firsts, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    numbers = [known.setdefault(row.tobytes(), len(known)) for row in rows[firsts]]
    return np.array(numbers, np.int64)[inverse.ravel()]


def _by_appearance(kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Renumber kinds in order of their first appearance."""
    _, first, inverse = np.unique(kinds, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()]


def values_of_pages(
    data: FileWindow, table: PageTable, pages: NDArray[np.int64], tag: int
) -> NDArray[np.int64]:
    """Read all values of a tag, axes page, value; empty unless all pages have as many values."""
    types, counts, fields = table.entries[pages, tag].T
    out = np.empty((len(pages), int(counts[0])), np.int64)
    if (counts != counts[0]).any():
        return out[:, :0]
    for number in np.unique(types):
        same = types == number
        dtype = np.dtype(table.order + VALUE_TYPES.get(int(number), "u4"))
        out[same] = _read_values(data, fields[same], dtype, out.shape[1], table)
    return out


def _read_values(
    data: FileWindow, fields: NDArray[np.int64], dtype: np.dtype[Any], count: int, table: PageTable
) -> NDArray[np.int64]:
    """Read `count` values of each entry, from its field or from the offset in its field.

    Returns
    -------
    array of int64, axes entry, value
    """
    room = 8 if table.is_big else 4
    width = count * dtype.itemsize
    if count == 1:
        return fields[:, None]
    if width <= room:
        raw = fields.astype(f"{table.order}u{room}")[:, None].view(np.uint8)
        return raw[:, :width].view(dtype).astype(np.int64)
    if fields.min() < 0 or fields.max() + width > data.size:
        raise DamageError(f"its strips are listed beyond its end, at byte {data.size}")
    return data.gather(fields, width).view(dtype).astype(np.int64)
