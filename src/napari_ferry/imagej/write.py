"""Describe an image to tifffile for writing an ImageJ hyperstack."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_ferry.image import Channel, describe
from napari_ferry.image.checks import has_frames
from napari_ferry.image.plane_entries import PLANE_LABELS, order_planes
from napari_ferry.image.record import KEY
from napari_ferry.imagej.axis_steps import write_calibration
from napari_ferry.imagej.colors import to_channels, write_colors
from napari_ferry.imagej.private import encodable, write_private

if TYPE_CHECKING:
    from napari_ferry.image import Image

_DTYPES = ("uint8", "uint16", "float32")
_MAX_LABELS = 10_000
_LABEL_LENGTH = 40
"""Maximum number of characters in the label of a plane."""


@dataclass(frozen=True, kw_only=True)
class ImageJTags:
    """Description of an image for ``tifffile.imwrite(..., imagej=True)``.

    Parameters
    ----------
    resolution : tuple of float, optional
        Pixels per unit along (x, y); None if uncalibrated.
    metadata : dict
        Parameter `metadata` of ``tifffile.imwrite``.
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
    """Return the reason why ImageJ hyperstacks cannot hold an image, or None."""
    names = image.axis_names
    if image.dtype.name not in _DTYPES:
        return f"an ImageJ hyperstack holds {', '.join(_DTYPES)}, not {image.dtype.name}"
    if not set(names) <= set("tzcyxs"):
        unknown = ", ".join(name for name in names if name not in "tzcyxs")
        return f"an ImageJ hyperstack has the axes t z c y x s, not {unknown}"
    if not has_frames(image) or "s" in names[:-1]:
        return f"an ImageJ hyperstack has y and x (and s) last, not {' '.join(names)}"

    # ImageJ's RGB images have a type of their own, without channels
    if "s" in names and (image.dtype.name != "uint8" or image.size("s") != 3):
        return (
            f"an ImageJ hyperstack holds colors with 3 samples of uint8, not "
            f"{image.size('s')} of {image.dtype.name}"
        )
    if "s" in names and image.size("c") > 1:
        return "an ImageJ hyperstack of RGB colors has no channels"
    return "an ImageJ hyperstack cannot be empty" if 0 in image.shape else None


def to_imagej(image: Image) -> ImageJTags:
    """Describe an image for tifffile; `unsupported_reason` must be None."""
    lead = [name for name in image.axis_names if name in ("t", "z", "c")]
    resolution, calibration = write_calibration(image.axes)
    colors = {} if image.is_rgb else write_colors(*to_channels(image), image.dtype.name)
    single_mode = "color" if image.is_rgb or "LUTs" in colors else "grayscale"
    metadata = {
        "axes": "TZCYXS",
        "mode": "composite" if image.size("c") > 1 else single_mode,
        **calibration,
        **colors,
        **write_private(image.metadata),
        **_write_labels(image),
    }

    # ImageJ keeps this text, so that our record survives its saves
    info = metadata.get("Info", "")
    line = f"{KEY}: {json.dumps(describe(image))}\n"
    metadata["Info"] = f"{info}\n{line}" if info else line
    return ImageJTags(
        resolution=resolution,
        metadata=metadata,
        shape6=tuple(map(image.size, "tzcyxs")),
        order=tuple(lead.index(name) for name in "tzc" if name in lead),
    )


def _write_labels(image: Image) -> dict[str, list[str]]:
    """Return a label for each stored plane: its own label, or the name of its channel."""
    labels = order_planes(image, "tzc").get(PLANE_LABELS)
    if labels is None:
        t, z, c = map(image.size, "tzc")
        channels = image.channels or (Channel(image.metadata.get(Channel.NAME_KEY)),) * c
        labels = [channel.name or "" for channel in channels] * (t * z)
    short = [encodable(str(label))[:_LABEL_LENGTH] for label in labels[: _MAX_LABELS + 1]]
    return {PLANE_LABELS: short} if any(short) and len(short) <= _MAX_LABELS else {}
