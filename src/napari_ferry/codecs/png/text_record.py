"""Our own record in a text of a PNG file, and the mark of a frame of a sequence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from napari_ferry.arguments import is_count
from napari_ferry.codecs.png.png_table import PngTable
from napari_ferry.files.json_files import parse_json
from napari_ferry.image.record import KEY, Description, parse_own_record
from napari_ferry.movie.frame_rate import RATE_KEY, parse_rate

_SEQUENCE = "sequence"
"""Key of our record in a frame of a sequence: its `FrameMark`."""


@dataclass(frozen=True)
class FrameMark:
    """Place of a file in a sequence of numbered files.

    Parameters
    ----------
    of : str
        Random identifier of the save.
    index : int
        Index of the frame.
    count : int
        Number of frames.
    """

    of: str
    index: int
    count: int


class TextRecord(NamedTuple):
    """Our record in a file.

    Parameters
    ----------
    description : Description, optional
        The image; of a sequence, only the first file describes it.
    mark : FrameMark, optional
        Place of the file in a sequence.
    frame_rate : Fraction, optional
        Frame rate of the times of an animation.
    """

    description: Description | None = None
    mark: FrameMark | None = None
    frame_rate: Fraction | None = None


def record_data(
    record: Mapping[str, Any],
    *,
    mark: FrameMark | None = None,
    frame_rate: Fraction | None = None,
) -> bytes:
    """Return the data of a chunk ``tEXt`` with a record.

    Parameters
    ----------
    record : mapping
        The record of the image; empty for other frames of a sequence than the first.
    mark : FrameMark, optional
        Place of the file in a sequence.
    frame_rate : Fraction, optional
        Frame rate of the times of an animation.
    """
    content = dict(record)
    if mark is not None:
        content[_SEQUENCE] = asdict(mark)
    if frame_rate is not None:
        content[RATE_KEY] = str(frame_rate)
    return KEY.encode("ascii") + b"\0" + json.dumps(content).encode("ascii")


def find_record(table: PngTable) -> TextRecord:
    """Return our record in a file, with nothing in it if the file has none.

    Warns
    -----
    FerryWarning
        The record is damaged.
    """
    if KEY not in table.texts:
        return TextRecord()
    fields, mark, description = _read_fields(table), find_mark(table), None
    if KEY in fields or mark is None:
        description = parse_own_record(fields, f"the text of {table.path.name}")
    return TextRecord(description, mark, parse_rate(fields.get(RATE_KEY)))


def find_mark(table: PngTable) -> FrameMark | None:
    """Return the mark of a frame of a sequence, or ``None`` for any other file."""
    return _parse_mark(_read_fields(table).get(_SEQUENCE))


def _read_fields(table: PngTable) -> Mapping[str, Any]:
    """Return the fields of our record; none if it is missing or damaged."""
    try:
        content = parse_json(table.texts.get(KEY, "{}"))
    except ValueError:
        return {}
    return content if isinstance(content, Mapping) else {}


def _parse_mark(mark: object) -> FrameMark | None:
    """Return a mark, or ``None`` if it is not valid."""
    if not isinstance(mark, Mapping):
        return None
    of, index, count = mark.get("of"), mark.get("index"), mark.get("count")
    if isinstance(of, str) and is_count(index) and is_count(count) and index < count:
        return FrameMark(of, index, count)
    return None
