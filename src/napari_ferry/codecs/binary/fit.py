"""Whether a layout fits a file: what would remain, what fits, and what follows from what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from napari_ferry.codecs.binary.layout import Layout, count_frames, frame_bytes

_REACH = 10_000
"""How far from a size another one is looked for that fits."""


def remaining_bytes(nbytes: int, layout: Layout) -> int:
    """Return how many bytes a file of `nbytes` has after a layout; below 0, how many it lacks.

    The last frame may have its gap behind it, or not.
    """
    rest = nbytes - layout.offset - layout.extent
    return 0 if rest == layout.gap else rest


def fits(nbytes: int, layout: Layout) -> bool:
    """Whether a layout describes a file of `nbytes`, from its first byte to its last."""
    return remaining_bytes(nbytes, layout) == 0


def derive_free_size(nbytes: int, layout: Layout, fixed: Collection[str]) -> Layout:
    """Return a layout whose first size that is not fixed follows from the others.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    layout : Layout
        What is wished for.
    fixed : collection of str
        Its fields that are known: among ``frames``, ``y``, ``x``, ``offset`` and others.

    Returns
    -------
    Layout
        With as many whole frames, rows or columns as there is room for, or with the header that
        is left, in that order; unchanged where everything is fixed.
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
    """Return the value of a field that is nearest to its own and makes the layout fit.

    The number of frames follows, unless it is fixed.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    layout : Layout
        What does not fit it.
    name : {"frames", "y", "x", "offset"}
        Which field may change.
    fixed : collection of str
        Fields that are known.

    Returns
    -------
    int or None
        None where no value fits; of frames with gaps none is looked for.
    """
    if layout.gap:
        return None
    room = nbytes - layout.offset
    one = layout.nbytes if "frames" in fixed else frame_bytes(layout)
    if name == "offset":
        return _nearest_header(nbytes, layout.offset, one, is_one="frames" in fixed)
    if name == "frames" or "frames" in fixed:
        value, rest = divmod(room, layout.nbytes // getattr(layout, name))
        return value if value > 0 and not rest else None
    size = getattr(layout, name)
    line = one // size
    near = (v for d in range(_REACH) for v in (size - d, size + d))
    return next((v for v in near if v > 0 and room >= v * line and not room % (v * line)), None)


def mismatch_notes(
    nbytes: int, layout: Layout, edited: str, fixed: Collection[str]
) -> dict[str, tuple[str, int | None]]:
    """Return what is to be said of a layout that does not fit: words and a value that does.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    layout : Layout
        The layout.
    edited : str
        The field that was changed, where it is said.
    fixed : collection of str
        Fields that are known.

    Returns
    -------
    dict
        By field: what does not fit, and the nearest value that does, None where there is none.
    """
    if fits(nbytes, layout):
        return {}
    rest = remaining_bytes(nbytes, layout)
    said = f"{rest:,} bytes remain" if rest > 0 else f"{-rest:,} bytes are missing"
    place = edited if edited in ("frames", "y", "x", "offset") else "frames"
    notes = {place: (said, nearest_fit(nbytes, layout, place, set(fixed) - {place}))}
    header = nearest_fit(nbytes, layout, "offset", fixed)
    if place != "offset" and "offset" not in fixed and header is not None:
        notes["offset"] = ("or the header is another one", header)
    return notes


def _nearest_header(nbytes: int, offset: int, one: int, *, is_one: bool) -> int | None:
    """Return the header that leaves room for one piece of `one` bytes, or for any number of it."""
    if is_one:
        return nbytes - one if one <= nbytes else None
    longer = min(offset, nbytes)
    longer += (nbytes - longer) % one
    shorter = longer - one
    found = [at for at in (longer, shorter) if 0 <= at <= nbytes - one]
    return min(found, key=lambda at: abs(at - offset), default=None)
