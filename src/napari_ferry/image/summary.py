"""Short descriptions of an image: one line, or a table with a small picture for notebooks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.errors import FerryError

if TYPE_CHECKING:
    from napari_ferry.image.image import Image

_SIDE = 160
"""Longest side of the picture, in pixels."""

_MAX_BYTES = 64 << 20
"""Size of the largest frame that is read for a picture, in bytes."""

_PERCENTILES = (0.5, 99.5)
"""Percentiles of a frame that become black and white, if the image has no contrast limits."""


def describe_line(image: Image) -> str:
    """Return the facts of an image on one line; nothing is read.

    >>> from napari_ferry import Image
    >>> describe_line(Image.from_array(np.zeros((5, 4, 3), np.uint8), "tyx", name="cells"))
    "Image('cells', t 5, y 4, x 3, uint8)"
    """
    return f"Image({', '.join(list_facts(image))})"


def list_facts(image: Image) -> list[str]:
    """Return the name, sizes, type and calibration of an image, without reading it."""
    sizes = [f"{name} {n}" for name, n in zip(image.axis_names, image.shape, strict=True)]
    parts = [repr(image.name)] if image.name else []
    parts += [*sizes, str(image.dtype)]
    parts += [f"{axis.name} step {axis.scale:g} {axis.unit}" for axis in image.axes if axis.unit]
    parts += ["labels"] if image.kind == "labels" else []
    return [*parts, f"{len(image.levels)} levels"] if len(image.levels) > 1 else parts


def to_html(image: Image) -> str:
    """Return a table of the facts of an image, with a small picture of its middle frame."""
    import html  # only notebooks need it

    rows = [
        ("name", image.name or "no name"),
        ("axes", ", ".join(f"{n} {k}" for n, k in zip(image.axis_names, image.shape, strict=True))),
        ("type", f"{image.dtype}, {image.kind}"),
        ("steps", ", ".join(f"{a.name} {a.scale:g} {a.unit}" for a in image.axes if a.unit)),
        ("channels", ", ".join(c.name or f"channel {i}" for i, c in enumerate(image.channels))),
        ("levels", ", ".join(str(tuple(level.shape)) for level in image.levels[1:])),
    ]
    cells = "".join(
        f"<tr><th>{name}</th><td>{html.escape(text)}</td></tr>" for name, text in rows if text
    )
    return f"<div>{_picture(image)}<table>{cells}</table></div>"


def _picture(image: Image) -> str:
    """Return the middle frame as an element of HTML; empty if it is too large or unreadable."""
    import base64

    from PIL import Image as Pictures

    pixels = draw_thumbnail(image, _SIDE)
    if pixels is None:
        return ""
    file = io.BytesIO()
    Pictures.fromarray(pixels).save(file, "PNG")
    text = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img alt="middle frame" src="data:image/png;base64,{text}">'


def draw_thumbnail(image: Image, side: int) -> NDArray[np.uint8] | None:
    """Return the middle frame at a reduced size; None if it is too large or unreadable.

    Parameters
    ----------
    image : Image
        The image.
    side : int
        Longest side in pixels; rows and columns in between are left out.

    Returns
    -------
    numpy.ndarray or None
        Gray levels, axes (y, x), or colors, axes (y, x, sample), uint8.
    """
    try:
        frame = _middle_frame(image, side)
    except (FerryError, OSError):
        return None
    return None if frame is None else _to_8_bits(frame)


def _middle_frame(image: Image, side: int) -> NDArray[Any] | None:
    """Return some rows and columns of the middle frame, axes (y, x) or (y, x, sample)."""
    if image.axis_names[-image.frame_ndim :][:2] != ("y", "x") or 0 in image.shape:
        return None
    level = image.levels[-1]
    y, x = level.shape[level.ndim - image.frame_ndim :][:2]
    samples = level.shape[-1] if image.is_rgb else 1
    if y * x * samples * image.dtype.itemsize > _MAX_BYTES:
        return None
    step = max(1, -(-max(y, x) // side))
    lead = tuple(n // 2 for n in level.shape[: level.ndim - image.frame_ndim])
    return np.asarray(level[(*lead, slice(None, None, step), slice(None, None, step))])


def _to_8_bits(frame: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a frame as gray levels or colors of 8 bits."""
    if frame.dtype == np.uint8 and frame.ndim == 3:
        return frame
    values = np.abs(frame).astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, _PERCENTILES) if finite.size else (0.0, 1.0)
    levels = np.nan_to_num((values - low) / ((high - low) or 1.0), posinf=1.0, neginf=0.0)
    scaled: NDArray[np.uint8] = (255 * np.clip(levels, 0, 1)).astype(np.uint8)
    return scaled
