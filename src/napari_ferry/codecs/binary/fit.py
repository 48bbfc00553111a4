"""Fit of a layout to the size of a file: remaining bytes, and the nearest fitting sizes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from napari_ferry.codecs.binary.layout import Layout, count_frames, frame_bytes

_REACH = 10_000
"""Maximum change of a size in the search for a fitting one."""


def remaining_bytes(nbytes: int, layout: Layout) -> int:
    """Return the number of bytes after the last frame; negative if bytes are missing.

    The last frame may be followed by its gap or not: both leave 0 bytes.
    """
    rest = nbytes - layout.offset - layout.extent
    return 0 if rest == layout.gap else rest


def fits(nbytes: int, layout: Layout) -> bool:
    """Return True if a layout describes a file of `nbytes` to its last byte."""
    return remaining_bytes(nbytes, layout) == 0


def derive_free_size(nbytes: int, layout: Layout, fixed: Collection[str]) -> Layout:
    """Derive the first free size from the others.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    layout : Layout
        The requested layout.
    fixed : collection of str
        Its known fields, such as ``frames``, ``y``, ``x`` and ``offset``.

    Returns
    -------
    Layout
        As many whole frames, rows or columns as the file has room for, or a header of the
        remaining bytes, in this order; unchanged if all fields are fixed.
    """
    if "frames" not in fixed:
        return replace(layout, frames=max(1, count_frames(nbytes, layout)[0]))

    room = nbytes - layout.offset - layout.extent + layout.nbytes
    for name in ("y", "x"):
        if name not in fixed:
            found: Any = max(1, room // (layout.nbytes // getattr(layout, name)))
            return replace(layout, **{name: found})

    if "offset" in fixed or layout.extent > nbytes:
        return layout
    return replace(layout, offset=nbytes - layout.extent)


def nearest_fit(nbytes: int, layout: Layout, name: str, fixed: Collection[str]) -> int | None:
    """Return the nearest value of a field for a layout to fit, or ``None`` if there is none.

    The number of frames changes along with it, unless it is fixed. Layouts with gaps between
    frames are not searched.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    layout : Layout
        A layout that does not fit.
    name : {"frames", "y", "x", "offset"}
        The field to change.
    fixed : collection of str
        Known fields.
    """
    if layout.gap:
        return None

    room = nbytes - layout.offset
    unit = layout.nbytes if "frames" in fixed else frame_bytes(layout)
    if name == "offset":
        return _nearest_header(nbytes, layout.offset, unit, is_single="frames" in fixed)
    if name == "frames" or "frames" in fixed:
        value, rest = divmod(room, layout.nbytes // getattr(layout, name))
        return value if value > 0 and not rest else None

    # the number of frames is free: try sizes at growing distance from the current one
    size = getattr(layout, name)
    line = unit // size
    near = (v for d in range(_REACH) for v in (size - d, size + d))
    return next((v for v in near if v > 0 and room >= v * line and not room % (v * line)), None)


def fitting_values(
    nbytes: int, layout: Layout, edited: str, fixed: Collection[str]
) -> dict[str, int | None]:
    """Return values of fields to make a layout fit.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    layout : Layout
        The layout.
    edited : str
        The field that was changed last.
    fixed : collection of str
        Known fields.

    Returns
    -------
    dict
        The nearest value of the edited field, ``None`` without one, or of the number of frames if
        that field is not a size; and of the header, if it is not known. Empty for a layout that
        fits.
    """
    if fits(nbytes, layout):
        return {}

    field = edited if edited in ("frames", "y", "x", "offset") else "frames"
    values = {field: nearest_fit(nbytes, layout, field, set(fixed) - {field})}
    header = nearest_fit(nbytes, layout, "offset", fixed)
    if field != "offset" and "offset" not in fixed and header is not None:
        values["offset"] = header
    return values


def _nearest_header(nbytes: int, offset: int, unit: int, *, is_single: bool) -> int | None:
    """Return the nearest header before one unit of `unit` bytes, or before any number of them."""
    if is_single:
        return nbytes - unit if unit <= nbytes else None

    longer = min(offset, nbytes)
    longer += (nbytes - longer) % unit
    shorter = longer - unit
    headers = [header for header in (longer, shorter) if 0 <= header <= nbytes - unit]
    return min(headers, key=lambda header: abs(header - offset), default=None)
