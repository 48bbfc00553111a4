"""Settings of movies for common purposes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from napari_ferry.io.protocol import hooks_of
from napari_ferry.io.search import find_codec


class Purpose(NamedTuple):
    """Settings for one purpose.

    Parameters
    ----------
    suffix : str
        Suffix of the format.
    format_texts, drawing_texts : mapping
        Options of the format and of `render` -> content of their fields.
    """

    suffix: str
    format_texts: Mapping[str, Any]
    drawing_texts: Mapping[str, Any]

    def is_applied(self, suffixes: Collection[str], texts: Mapping[str, Any]) -> bool:
        """Return True if suffixes and contents of fields match this purpose."""
        wanted = {**self.format_texts, **self.drawing_texts}
        return self.suffix in suffixes and all(texts.get(name) == wanted[name] for name in wanted)


PURPOSES = {
    # projectors show 1080p, and presentation programs play H.264
    "talk": Purpose(".mp4", {"quality": "high"}, {"fit": "1080p", "scale": 1.0}),
    "web": Purpose(".mp4", {"quality": "small"}, {"fit": None, "scale": 1.0}),
    # journals ask for few visible artifacts at the size of the data
    "paper": Purpose(".mp4", {"quality": "best"}, {"fit": None, "scale": 1.0}),
    "analysis": Purpose(".mkv", {"codec": "auto"}, {"fit": None, "scale": 1.0}),
}
"""Value of the field *For* -> its settings."""


def draws_pictures(path: Path) -> bool | None:
    """Return True for a format able to store samples, if a movie in it is drawn.

    Only movies for analysis store samples; ``None`` for these, and for formats that cannot.
    """
    suffix = path.suffix.lower()
    keeps = suffix in hooks_of(find_codec(path)).KEEPS_SAMPLES
    return True if keeps and suffix != PURPOSES["analysis"].suffix else None
