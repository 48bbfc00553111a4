"""Our own record in a comment of a GIF, with the frame rate of its delays."""

from __future__ import annotations

import json
from fractions import Fraction

from napari_ferry.files.json_files import parse_json
from napari_ferry.movie.frame_rate import RATE_KEY, parse_rate
from napari_ferry.movie.movie import Movie


def record_text(movie: Movie, *, is_timed: bool) -> bytes:
    """Return the record of a movie for a comment extension (GIF89a, section 24).

    Samples may be read to find the contrast limits.

    Parameters
    ----------
    movie : Movie
        The movie.
    is_timed : bool
        True if the user gave the frame rate. It then calibrates a time axis without a unit.
    """
    record = movie.record(is_timed=is_timed)
    record[RATE_KEY] = str(movie.frame_rate)
    return json.dumps(record).encode("ascii")


def split_record(comment: bytes) -> tuple[str, Fraction | None]:
    """Return a comment as text, and the frame rate in it if it is our record."""
    text = comment.decode("utf-8", "replace")
    try:
        return text, parse_rate(parse_json(text)[RATE_KEY])
    except (ValueError, TypeError, LookupError):
        return text, None
