"""Options that change the result of a conversion, recorded to find targets up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_ferry.io.protocol import Codec
from napari_ferry.rendering.save import option_sources
from napari_ferry.signatures import options_of

IMAGE_OPTIONS: Mapping[str, Any] = {
    "axes": None,
    "image": None,
    "crop": [],
    "channel": [],
    "scale": [],
    "unit": [],
    "frame_rate": None,
    "as_seen": None,
}
"""Options of every conversion, and their defaults; those of the formats follow."""

_TEXTS = ("crop", "scale")
"""Options of a drawing whose texts are lists on the command line."""


def complete_options(codec: Codec, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a conversion, in the form of the command line.

    Parameters
    ----------
    codec : Codec
        The format of the targets.
    chosen : mapping
        Options for `napari_ferry.plan`; others have their defaults.

    Examples
    --------
    >>> from napari_ferry.io.search import find_codec
    >>> from pathlib import Path
    >>> options = complete_options(find_codec(Path("cells.mp4")), {"scale": 2.0, "crop": None})
    >>> options["scale"], options["crop"], options["quality"]
    (['2'], [], 'high')
    """
    known = {option.name: option.default for option in options_of(option_sources(codec))}
    texts = {
        name: [f"{chosen[name]:g}" if name == "scale" else chosen[name]]
        for name in _TEXTS
        if name in chosen and chosen[name] != known.get(name)
    }
    return {**known, **IMAGE_OPTIONS, **_without(chosen, _TEXTS), **texts}


def _without(options: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}
