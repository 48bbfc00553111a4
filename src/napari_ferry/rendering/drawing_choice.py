"""Choice between saving images as displayed by napari and as samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_ferry.image import Image
from napari_ferry.io.protocol import hooks_of
from napari_ferry.io.search import find_codec
from napari_ferry.layers.channels import is_one_layer, split_all
from napari_ferry.rendering.projection import ALL
from napari_ferry.rendering.render import render
from napari_ferry.rendering.style import transforms_of
from napari_ferry.rendering.whole_axes import expand_thickness
from napari_ferry.rendering.world import make_world
from napari_ferry.units import METERS

DEFAULTS: dict[str, Any] = dict(render.__kwdefaults__ or {})
"""The options of `render` and their defaults."""

_SHARED = ("axis", "position")
"""Options that `render` and movie formats have in common."""

SPAN = ("start", "stop", "step", "speed")
"""Options of `render` that also apply to samples."""

_QUIET = (*_SHARED, *SPAN, "background")
"""Options of `render` that are not a reason to draw."""


def is_drawn(images: Sequence[Image], path: Path, options: Mapping[str, Any]) -> bool:
    """Return True if images are drawn by default, as napari displays them.

    Parameters
    ----------
    images : sequence of Image
        Images to save.
    path : Path
        Target; its suffix selects the format.
    options : mapping
        Options of `plan`.

    Raises
    ------
    UnsupportedFormatError
        The format is unknown.
    """
    hooks = hooks_of(find_codec(path))
    if drawing_options(options):
        return True
    if not hooks.IS_MOVIE:
        return False
    if len(images) > 1:
        return True

    (image,) = images
    if image.size("c") > 1 and not _selects_channel(options) and not is_one_layer(image):
        return True
    if path.suffix.lower() in hooks.KEEPS_SAMPLES:
        return False

    display = image.display
    is_plain = display.get("gamma", 1) == 1 and display.get("opacity", 1) == 1
    return image.kind == "labels" or not image.is_gray or not is_plain or _is_warped(image)


def name_whole_axes(images: Sequence[Image], options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return options of `plan` in which a thickness names its axes; see `expand_thickness`.

    Images without such axes need not be drawn, and keep their samples.
    """
    if options.get("thickness") != ALL:
        return options
    names = ("plane", "axis", "position", "thickness", "projection")
    chosen = {name: options.get(name, DEFAULTS[name]) for name in names}
    return {**options, **expand_thickness(make_world(split_all(images)), **chosen)}


def keeps_samples(images: Sequence[Image], path: Path, options: Mapping[str, Any]) -> bool:
    """Return True if a movie format stores these images as exact samples; see `is_drawn`."""
    is_kept = path.suffix.lower() in hooks_of(find_codec(path)).KEEPS_SAMPLES
    return is_kept and not is_drawn(images, path, options)


def _is_warped(image: Image) -> bool:
    """Return True if pixels are not square, or axes are mirrored, exchanged or rotated.

    Pixels count as square unless drawing them adds at least half a pixel to the picture.
    """
    if transforms_of(image):
        return True
    y, x = image.axis("y"), image.axis("x")
    if y is None or x is None:
        return False
    if y.scale < 0 or x.scale < 0 or image.axis_names.index("y") > image.axis_names.index("x"):
        return True

    sizes = {axis.name: axis.scale * METERS.get(axis.unit or "", 1.0) for axis in (y, x)}
    finest = min(sizes.values())
    return any(image.size(name) * (size / finest - 1) >= 0.5 for name, size in sizes.items())


def _selects_channel(options: Mapping[str, Any]) -> bool:
    """Return True if channels are the frame axis or the position selects one of them."""
    return options.get("axis") == "c" or "c=" in str(options.get("position")).replace(" ", "")


def drawing_options(options: Mapping[str, Any]) -> list[str]:
    """Return the names of options of drawings only, with other values than the default."""
    known = [name for name in options if name in DEFAULTS and name not in _QUIET]
    return [name for name in known if options[name] != DEFAULTS[name]]
