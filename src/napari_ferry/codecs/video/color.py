"""Conversion of decoded frames to upright gray levels or colors of the same number of bits.

The gray levels of Y'CbCr are the luma plane itself; black and white of limited range (16 and 235
of 8 bits, ITU-T H.273, 8.3) become 0 and the largest value. swscale converts colors with the
matrix and range in the tags of the frame.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.errors import ReopenError, UnreadableFileError

if TYPE_CHECKING:
    import av

_NEUTRAL_CHROMA = 2
"""Largest chroma of a gray frame, in levels of 8 bits: encoders introduce such invisible colors."""

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


@dataclass(frozen=True, kw_only=True)
class FrameFormat:
    """Size and samples of the frames of a video, as decoded and as returned.

    Parameters
    ----------
    width, height : int
        Size of a decoded frame, in pixels.
    is_gray : bool
        True if frames have one channel.
    bits : int
        Bits of a sample.
    quarter_turns : int
        Counter-clockwise quarter turns that make a decoded frame upright.
    crop : tuple of int
        Height and width of the returned part, from the upper left corner of the upright frame.
    has_alpha : bool
        True if colors have a fourth sample.
    """

    width: int
    height: int
    is_gray: bool
    bits: int
    quarter_turns: int = 0
    crop: tuple[int, int] = (0, 0)
    has_alpha: bool = False

    @property
    def upright_size(self) -> tuple[int, int]:
        """Height and width of an upright frame, before it is cropped."""
        size = (self.height, self.width)
        return size[::-1] if self.quarter_turns % 2 else size

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a returned frame: y x, or y x s."""
        if self.is_gray:
            return self.crop
        return (*self.crop, 4 if self.has_alpha else 3)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples: colors of more than 8 bits use all 16."""
        return np.dtype(np.uint8 if self.bits <= 8 else np.uint16)

    def pixels(self, frame: av.VideoFrame, i: int, path: Path) -> NDArray[Any]:
        """Return the pixels of a decoded frame as an independent array; otherwise like `view`."""
        pixels = self.view(frame, i, path)
        samples = np.frombuffer(memoryview(frame.planes[0]), np.uint8)
        is_independent = pixels.flags.writeable and not np.may_share_memory(pixels, samples)
        return pixels if is_independent else pixels.copy()

    def view(self, frame: av.VideoFrame, i: int, path: Path) -> NDArray[Any]:
        """Return the pixels of a decoded frame, possibly a view of its memory.

        Parameters
        ----------
        frame : av.VideoFrame
            The frame as decoded.
        i : int
            Its number, for messages.
        path : Path
            The file, for messages.

        Returns
        -------
        numpy.ndarray
            Axes y x or y x s, uint8 or uint16.

        Raises
        ------
        UnreadableFileError
            The frame differs in size from the first frame.
        ReopenError
            The frame has colors, but the frames checked when the file was opened were gray.
        """
        if (frame.width, frame.height) != (self.width, self.height):
            raise UnreadableFileError(
                f"Frame {i} of {path} has {frame.width} x {frame.height} pixels, but the first "
                f"frame has {self.width} x {self.height}: split the file where its size changes."
            )
        decoded = self._gray(frame, i, path) if self.is_gray else colors(frame)
        upright = np.rot90(decoded, self.quarter_turns)
        height, width = self.crop
        return np.ascontiguousarray(upright[:height, :width], self.dtype)

    def _gray(self, frame: av.VideoFrame, i: int, path: Path) -> NDArray[Any]:
        levels = gray_levels(frame)
        if levels is None:
            register_color(path)
            raise ReopenError(
                f"Frame {i} of {path} has colors, but the frames checked when it was opened are "
                "gray: open the file again to get all frames in color."
            )
        return levels


def choose_frame_format(frame: av.VideoFrame, *, is_gray: bool) -> FrameFormat:
    """Choose the format of all frames from one decoded frame."""
    components = frame.format.components
    frame_format = FrameFormat(
        width=frame.width,
        height=frame.height,
        is_gray=is_gray,
        bits=max(component.bits for component in components),
        quarter_turns=round(frame.rotation / 90) % 4,
        has_alpha=not is_gray and any(component.is_alpha for component in components),
    )
    return replace(frame_format, crop=frame_format.upright_size)


def gray_levels(frame: av.VideoFrame) -> NDArray[Any] | None:
    """Return the gray levels of a frame, axes y x; ``None`` if it has colors."""
    name = frame.format.name
    if name in _PLANAR_FORMATS:
        frame = _convert(frame, _PLANAR_FORMATS[name])
    name = frame.format.name
    if name.startswith("gray"):
        return _plane(frame, 0)

    # RGB is gray if its channels are equal
    if not name.startswith("yuv"):
        pixels = colors(frame)
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


def colors(frame: av.VideoFrame) -> NDArray[Any]:
    """Return the colors of a frame: axes y x s, three or four samples, uint8 or uint16."""
    has_alpha = any(component.is_alpha for component in frame.format.components)
    is_deep = max(component.bits for component in frame.format.components) > 8
    name = ("rgba64le" if has_alpha else "rgb48le") if is_deep else "rgba" if has_alpha else "rgb24"
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
    """Convert a frame to another pixel format; each thread reuses its own costly converter."""
    from av.video.reformatter import VideoReformatter

    if not hasattr(_thread_state, "reformatter"):
        _thread_state.reformatter = VideoReformatter()
    converted: av.VideoFrame = _thread_state.reformatter.reformat(frame, format=name, **options)
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


_colored_files: dict[tuple[str, int, int], None] = {}
"""Files that seemed gray when they were opened, but have colors: they are reopened in color."""


def register_color(path: Path) -> None:
    """Register a file with colors."""
    _colored_files[_identity(path)] = None
    while len(_colored_files) > 1000:
        del _colored_files[next(iter(_colored_files))]


def is_known_colored(path: Path) -> bool:
    """Return True if a colored frame of this file was decoded earlier."""
    return _identity(path) in _colored_files


def _identity(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path.resolve()), status.st_size, status.st_mtime_ns
