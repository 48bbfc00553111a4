"""Our record in a comment of a GIF, and the frame rate that its delays came from."""

from __future__ import annotations

import json
from fractions import Fraction

from napari_ferry.image.json_values import parse_json
from napari_ferry.movie.movie import Movie

_RATE = "frame rate"


def record_text(movie: Movie, *, is_timed: bool) -> bytes:
    """Return the record of a movie, for a comment extension (GIF89a, section 24).

    Samples may be read, for the values between which they are mapped.

    Parameters
    ----------
    is_timed : bool
        Whether the frame rate was asked for, so that it calibrates a time that has no unit.
    """
    record = movie.record(is_timed=is_timed)
    record[_RATE] = str(movie.frame_rate)
    return json.dumps(record).encode("ascii")


def split_record(comment: bytes) -> tuple[str, Fraction | None]:
    """Return a comment as text, and the frame rate in it if it is a record of ours."""
    text = comment.decode("utf-8", "replace")
    try:
        rate = parse_json(text)[_RATE]
        return text, Fraction(rate) if isinstance(rate, str) else None
    except (ValueError, TypeError, KeyError, ZeroDivisionError):
        return text, None
