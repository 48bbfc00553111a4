"""JSON descriptions in tifffile's form, ``{"shape": [5, 512, 512]}``, compared with pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from napari_ferry.arrays.growth import warn_incomplete
from napari_ferry.codecs.tiff.names import short_name
from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_kind import PageKind
from napari_ferry.errors import warn
from napari_ferry.files.json_files import parse_json
from napari_ferry.files.short_texts import count_things
from napari_ferry.image.axes import complete_steps, default_axes
from napari_ferry.image.record import KEY

_MAX_AXES = 32
"""Maximum number of axes of an array in any version of numpy."""

_START = '{"shape"'


def parse_record(text: str) -> dict[str, Any] | None:
    """Parse a description in tifffile's form, or ``None`` for any other text."""
    try:
        record = parse_json(text)
    except ValueError:
        return None
    shape = record.get("shape") if isinstance(record, dict) else None
    is_valid = isinstance(shape, list) and 2 <= len(shape) <= _MAX_AXES
    is_valid = is_valid and all(type(n) is int and 0 < n < 2**48 for n in shape or ())
    return record if is_valid else None


def axis_letters(record: Mapping[str, Any]) -> str:
    """Return the axes in a description, one lower-case letter each; empty unless all are named.

    ``Q`` is tifffile's letter for an unknown axis.
    """
    letters = str(record.get("axes", "")).lower()
    is_valid = len(letters) == len(record["shape"]) == len(set(letters))
    return letters if is_valid and {"y", "x"} <= set(letters) and "q" not in letters else ""


def leading_names(n: int, tail: str) -> tuple[str, ...]:
    """Return names for `n` unnamed leading axes.

    >>> leading_names(2, "yxs"), leading_names(3, "cyx")
    (('t', 'z'), ('t', 'd1', 'z'))
    """
    names = default_axes(n + len(tail.strip("cs")))[:n]
    return tuple(f"d{i}" if name in tail else name for i, name in enumerate(names))


def shortened_record(record: Mapping[str, Any], kind: PageKind, count: int) -> dict[str, Any]:
    """Return a description with the complete steps among `count` pages."""
    shape = record["shape"]
    n = math.prod(shape) // math.prod(kind.shape)
    lead = next((k for k in range(len(shape) + 1) if math.prod(shape[:k]) == n), 0)
    lengths = complete_steps(shape[:lead], count)

    shortened = {**record, "shape": [*lengths, *shape[lead:]]}
    own = record.get(KEY)
    axes = own.get("axes") if isinstance(own, Mapping) else None
    if (
        isinstance(own, Mapping)
        and isinstance(axes, list)
        and all(isinstance(axis, dict) for axis in axes)
    ):
        sized = zip(axes, shortened["shape"], strict=False)
        shortened[KEY] = {**own, "axes": [{**axis, "size": size} for axis, size in sized]}
    return shortened


def warn_misfit(header: Header, page: int, shape: Sequence[int], count: int) -> None:
    """Warn of a page's description if it does not fit the `count` pages of the file."""
    size = short_name(" x ".join(map(str, shape)))
    left = count_things(count - page, "page")
    warn_incomplete(
        f"The description of page {page} of {header.path.name} does not fit the pages of the file: "
        f"it describes {size} pixels, but the file has {left} from there on; its complete steps "
        "are shown, so check the axes of the images.",
    )


def warn_unusable(header: Header) -> None:
    """Warn of an invalid description in tifffile's form."""
    if header.description.startswith(_START):
        warn(
            f"The description of {header.path.name} is not valid JSON with a shape, so it is "
            "ignored: check the axes of the images."
        )
