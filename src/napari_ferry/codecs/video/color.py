"""Conversion of decoded frames to gray levels or colors of the same number of bits.

The gray levels of Y'CbCr are the luma plane itself; black and white of limited range (16 and 235
of 8 bits, ITU-T H.273, 8.3) become 0 and the largest value. swscale converts colors with the
matrix and range in the tags of the frame.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av

_NEUTRAL_CHROMA = 2
"""Maximum chroma of a gray frame, in levels of 8 bits: encoders add such invisible colors."""

_thread_state = threading.local()

_LIMITED, _FULL = 1, 2
"""``AVCOL_RANGE_MPEG`` and ``AVCOL_RANGE_JPEG``."""

_ITU709, _ITU601 = 1, 5
"""``SWS_CS_ITU709`` and ``SWS_CS_ITU601``."""

_PLANAR_FORMATS = {
    "yuyv422": "yuv422p",
    "uyvy422": "yuv422p",
    "yvyu422": "yuv422p",
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "p010le": "yuv420p10le",
    "p012le": "yuv420p12le",
    "p016le": "yuv420p16le",
    "ya8": "gray",
    "ya16le": "gray16le",
    "ya16be": "gray16be",
    "monow": "gray",
    "monob": "gray",
}
"""Pixel format with interleaved samples -> format with the same samples in planes."""


def gray_levels(frame: av.VideoFrame) -> NDArray[Any] | None:
    """Return the gray levels of a frame, axes y x; ``None`` if it has colors."""
    name = frame.format.name
    if lacks_palette(frame):
        arrays = frame.to_ndarray(format="pal8", threads=1)  # also of reversed rows
        indices: NDArray[Any] = arrays[0]
        return indices
    if name in _PLANAR_FORMATS:
        frame = _convert(frame, _PLANAR_FORMATS[name])
    name = frame.format.name
    if name.startswith("gray"):
        return _plane(frame, 0)

    # RGB is gray if its channels are equal
    if not name.startswith("yuv"):
        pixels = colors(frame, with_alpha=False)
        is_gray = np.array_equal(pixels[..., 0], pixels[..., 1])
        is_gray = is_gray and np.array_equal(pixels[..., 0], pixels[..., 2])
        return pixels[..., 0] if is_gray else None

    # Y'CbCr is gray if its chroma is neutral
    bits = frame.format.components[0].bits
    if not all(_is_neutral(_plane(frame, k), bits) for k in (1, 2)):
        return None
    luma = _plane(frame, 0)
    is_full = name.startswith("yuvj") or frame.color_range == _FULL
    return luma if is_full else _to_full_range(luma, bits)


def has_alpha(frame: av.VideoFrame) -> bool:
    """Return True if the pixels of a frame have a fourth sample."""
    return any(component.is_alpha for component in frame.format.components)


def alpha_levels(frame: av.VideoFrame) -> NDArray[Any]:
    """Return the fourth sample of each pixel: axes y x, uint8 or uint16."""
    return colors(frame, with_alpha=True)[..., 3]


def is_opaque(frame: av.VideoFrame) -> bool:
    """Return True if no pixel of a frame with a fourth sample is transparent."""
    alpha = alpha_levels(frame)
    return bool(alpha.min() == np.iinfo(alpha.dtype).max)


def lacks_palette(frame: av.VideoFrame) -> bool:
    """Return True for indices without a palette; FFmpeg fills it with a single color then."""
    if frame.format.name != "pal8":
        return False
    palette = np.frombuffer(memoryview(frame.planes[1]), np.uint32)
    return bool((palette == palette[0]).all())


def colors(frame: av.VideoFrame, *, with_alpha: bool) -> NDArray[Any]:
    """Return the colors of a frame: axes y x s, three or four samples, uint8 or uint16."""
    is_deep = max(component.bits for component in frame.format.components) > 8
    if is_deep:
        name = "rgba64le" if with_alpha else "rgb48le"
    else:
        name = "rgba" if with_alpha else "rgb24"
    converted = _convert(frame, name, **_color_options(frame))
    pixels: NDArray[Any] = converted.to_ndarray()
    return pixels


def _color_options(frame: av.VideoFrame) -> dict[str, int]:
    """Return the options to convert a frame to RGB by its color matrix and range.

    PyAV up to 16 applies them only if source and destination differ; it has no `color_trc`.
    """
    is_yuv = len(frame.format.components) > 2 and not frame.format.is_rgb
    if hasattr(frame, "color_trc") or not is_yuv:
        return {}
    is_full = frame.color_range == _FULL or frame.format.name.startswith("yuvj")
    span = _FULL if is_full else _LIMITED
    other = _ITU601 if frame.colorspace != _ITU601 else _ITU709
    return {
        **{"src_colorspace": frame.colorspace, "dst_colorspace": other},
        **{"src_color_range": span, "dst_color_range": _FULL},
    }


def _convert(frame: av.VideoFrame, name: str, **options: int) -> av.VideoFrame:
    """Convert a frame to another pixel format; each thread reuses its own costly converter.

    A converter with threads of its own would hang in a forked process, where these do not exist,
    and end that process when it is freed there.
    """
    from av.video.reformatter import VideoReformatter

    if not hasattr(_thread_state, "reformatter"):
        _thread_state.reformatter = VideoReformatter()
    reformat = _thread_state.reformatter.reformat
    converted: av.VideoFrame = reformat(frame, format=name, threads=1, **options)
    return converted


def _plane(frame: av.VideoFrame, k: int) -> NDArray[Any]:
    """Return a view of one plane: axes y x."""
    plane = frame.planes[k]
    order = ">" if frame.format.name.endswith("be") else "<"
    dtype = np.dtype("u1" if frame.format.components[k].bits <= 8 else f"{order}u2")
    if frame.format.name.startswith("grayf"):
        dtype = np.dtype(f"{order}f4")
    rows = np.frombuffer(memoryview(plane), np.uint8, plane.height * plane.line_size)
    rows = rows.reshape(plane.height, plane.line_size)
    samples: NDArray[Any] = rows[:, : plane.width * dtype.itemsize].view(dtype)
    return samples


def sample_bytes(frame: av.VideoFrame) -> Iterator[NDArray[np.uint8]]:
    """Yield a view of each plane without the padding of its rows: axes y, bytes."""
    bits = frame.format.components[0].bits
    is_packed = len(frame.planes) == 1
    nbytes = frame.format.padded_bits_per_pixel // 8 if is_packed else -(-bits // 8)
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8, plane.height * plane.line_size)
        yield rows.reshape(plane.height, -1)[:, : plane.width * nbytes]


def _is_neutral(chroma: NDArray[Any], bits: int) -> bool:
    middle, tolerance = 1 << (bits - 1), _NEUTRAL_CHROMA << (bits - 8)
    return bool(chroma.max() <= middle + tolerance and chroma.min() >= middle - tolerance)


def _to_full_range(luma: NDArray[Any], bits: int) -> NDArray[Any]:
    table = _full_range(bits)
    if bits > 8:
        deep: NDArray[Any] = table[luma]
        return deep
    # translating bytes takes a quarter of the time of indexing
    levels = np.frombuffer(luma.tobytes().translate(table.tobytes()), np.uint8)
    return levels.reshape(luma.shape)


@lru_cache(maxsize=4)
def _full_range(bits: int) -> NDArray[Any]:
    """Return the full-range level of each limited-range level (ITU-T H.273, equation 20)."""
    largest = (1 << bits) - 1
    luma = np.arange(1 << max(8, 8 * -(-bits // 8)), dtype=np.float64)
    full = (luma - (16 << (bits - 8))) * largest / (219 << (bits - 8))
    return np.rint(np.clip(full, 0, largest)).astype(np.uint8 if bits <= 8 else np.uint16)
