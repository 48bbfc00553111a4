"""An image -> what tifffile needs to write it as an ImageJ hyperstack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_ferry.image import describe
from napari_ferry.image.checks import has_frames
from napari_ferry.image.record import KEY
from napari_ferry.imagej.axis_steps import write_calibration
from napari_ferry.imagej.colors import as_channels, write_look
from napari_ferry.imagej.private import encodable, write_private

if TYPE_CHECKING:
    from napari_ferry.image import Image

_DTYPES = ("uint8", "uint16", "float32")
_MAX_LABELS = 10_000
_LABEL_LENGTH = 40


class ImageJTags(NamedTuple):
    """What ``tifffile.imwrite(..., imagej=True)`` needs to describe an image.

    Parameters
    ----------
    resolution : tuple of float, optional
        Pixels per unit along (x, y); ``None`` when uncalibrated.
    metadata : dict
        Its parameter of that name.
    shape6 : tuple of int
        Lengths of the axes t z c y x s.
    order : tuple of int
        Permutation of the image's leading axes into the order t z c.
    """

    resolution: tuple[float, float] | None
    metadata: dict[str, Any]
    shape6: tuple[int, ...]
    order: tuple[int, ...]


def unsupported_reason(image: Image) -> str | None:
    """Return why an ImageJ hyperstack cannot hold this image, in words; ``None`` when it can."""
    names = image.axis_names
    if image.dtype.name not in _DTYPES:
        return f"an ImageJ hyperstack holds {', '.join(_DTYPES)}, not {image.dtype.name}"
    if not set(names) <= set("tzcyxs"):
        strange = ", ".join(name for name in names if name not in "tzcyxs")
        return f"an ImageJ hyperstack has the axes t z c y x s, not {strange}"
    if not has_frames(image) or "s" in names[:-1]:
        return f"an ImageJ hyperstack has y and x (and s) last, not {' '.join(names)}"
    if "s" in names and (image.dtype.name != "uint8" or image.size("s") != 3):
        return (
            f"an ImageJ hyperstack holds colors of 3 samples of uint8, not "
            f"{image.size('s')} of {image.dtype.name}"
        )
    if "s" in names and image.size("c") > 1:
        return "an ImageJ hyperstack of colors has no channels besides"
    return "an ImageJ hyperstack cannot be empty" if 0 in image.shape else None


def to_imagej(image: Image) -> ImageJTags:
    """Describe an image that `unsupported_reason` has nothing against, for tifffile."""
    lead = [name for name in image.axis_names if name in ("t", "z", "c")]
    resolution, calibration = write_calibration(image.axes)
    look = {} if image.is_rgb else write_look(*as_channels(image), image.dtype.name)
    colored = "color" if image.is_rgb or "LUTs" in look else "grayscale"
    metadata = {
        "axes": "TZCYXS",
        "mode": "composite" if image.size("c") > 1 else colored,
        **calibration,
        **look,
        **write_private(image.metadata),
        **_write_labels(image, is_stored_order=lead == sorted(lead, key="tzc".index)),
    }
    info = metadata.get("Info", "")
    line = f"{KEY}: {json.dumps(describe(image))}\n"
    metadata["Info"] = f"{info}\n{line}" if info else line
    order = tuple(lead.index(name) for name in "tzc" if name in lead)
    return ImageJTags(resolution, metadata, tuple(map(image.size, "tzcyxs")), order)


def _write_labels(image: Image, *, is_stored_order: bool) -> dict[str, list[str]]:
    """Return a label for each stored plane: its own, or the name of its channel."""
    t, z, c = map(image.size, "tzc")
    labels = image.metadata.get("Labels")
    if not isinstance(labels, list) or len(labels) != t * z * c or not is_stored_order:
        labels = [channel.name or "" for channel in image.channels] * (t * z)
    short = [encodable(str(label))[:_LABEL_LENGTH] for label in labels[: _MAX_LABELS + 1]]
    return {"Labels": short} if any(short) and len(short) <= _MAX_LABELS else {}
