"""A decoded frame -> gray levels or colors, upright, as many bits as it has.

Of Y'CbCr, gray is the luma plane itself; black and white of limited range (16 to 235 of 8 bit,
ITU-T H.273, 8.3) become 0 and the most. Colors are converted by swscale with the matrix and the
range that the frame is tagged with.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.errors import HiddenColorError, UnreadableFileError

if TYPE_CHECKING:
    import av

_NEUTRAL = 2
"""Levels of 8 bit by which encoders let the chroma of gray stray: colors nobody sees."""

_own = threading.local()

_LIMITED, _FULL = 1, 2
"""``AVCOL_RANGE_MPEG`` and ``AVCOL_RANGE_JPEG``."""

_ITU709, _ITU601 = 1, 5
"""``SWS_CS_ITU709`` and ``SWS_CS_ITU601``."""

_SAME_PLANES = {
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
"""Formats whose samples lie interleaved -> those that hold the same ones in planes."""


@dataclass(frozen=True)
class Look:
    """What every frame of a video becomes.

    Parameters
    ----------
    width, height : int
        Size of a decoded frame, in pixels.
    is_gray : bool
        Whether frames have one channel.
    bits : int
        Bits of a sample.
    turns : int
        Quarter turns, counter-clockwise, that make it upright.
    crop : tuple of int
        Height and width of what is kept, from the upper left corner of the upright frame.
    has_alpha : bool
        Whether colors have a fourth sample.
    """

    width: int
    height: int
    is_gray: bool
    bits: int
    turns: int = 0
    crop: tuple[int, int] = (0, 0)
    has_alpha: bool = False

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width of an upright frame, before it is cropped."""
        return (self.width, self.height) if self.turns % 2 else (self.height, self.width)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a frame: y x, or y x s."""
        return (*self.crop, *(() if self.is_gray else (4 if self.has_alpha else 3,)))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples: colors of more than 8 bits fill all 16."""
        return np.dtype(np.uint8 if self.bits <= 8 else np.uint16)

    def pixels(self, frame: av.VideoFrame, i: int, path: Path) -> NDArray[Any]:
        """Return the pixels of a decoded frame as an array of their own; else like `view`."""
        shown = self.view(frame, i, path)
        samples = np.frombuffer(memoryview(frame.planes[0]), np.uint8)
        is_own = shown.flags.writeable and not np.may_share_memory(shown, samples)
        return shown if is_own else shown.copy()

    def view(self, frame: av.VideoFrame, i: int, path: Path) -> NDArray[Any]:
        """Return the pixels of a decoded frame, which may lie in the frame itself.

        Parameters
        ----------
        frame : av.VideoFrame
            As it was decoded.
        i, path : int, Path
            Its place among the frames shown, and the file, for messages.

        Raises
        ------
        UnreadableFileError
            It has another size than the others.
        HiddenColorError
            It is colored, and those looked at were gray.
        """
        if (frame.width, frame.height) != (self.width, self.height):
            raise UnreadableFileError(
                f"Frame {i} of {path} has {frame.width} x {frame.height} pixels, and the first "
                f"one {self.width} x {self.height}: cut the file where its size changes."
            )
        found = self._gray(frame, i, path) if self.is_gray else colors(frame)
        upright = np.rot90(found, self.turns)
        height, width = self.crop
        return np.ascontiguousarray(upright[:height, :width], self.dtype)

    def _gray(self, frame: av.VideoFrame, i: int, path: Path) -> NDArray[Any]:
        found = gray_levels(frame)
        if found is None:
            note_color(path)
            raise HiddenColorError(
                f"Frame {i} of {path} has colors, and those looked at when it was opened have "
                "none: open the file again, which will give all of it in color."
            )
        return found


def choose_look(frame: av.VideoFrame, *, is_gray: bool) -> Look:
    """Return what all frames become, by one of them."""
    turns = round(frame.rotation / 90) % 4
    bits = max(component.bits for component in frame.format.components)
    has_alpha = not is_gray and any(c.is_alpha for c in frame.format.components)
    look = Look(frame.width, frame.height, is_gray, bits, turns, has_alpha=has_alpha)
    return Look(
        look.width, look.height, is_gray, bits, turns, crop=look.upright, has_alpha=has_alpha
    )


def gray_levels(frame: av.VideoFrame) -> NDArray[Any] | None:
    """Return the gray levels of a frame, axes y x; ``None`` where it has colors."""
    name = frame.format.name
    if name in _SAME_PLANES:
        frame = _converted(frame, _SAME_PLANES[name])
    name = frame.format.name
    if name.startswith("gray"):
        return _plane(frame, 0)
    if not name.startswith("yuv"):
        found = colors(frame)
        is_gray = np.array_equal(found[..., 0], found[..., 1])
        is_gray = is_gray and np.array_equal(found[..., 0], found[..., 2])
        return found[..., 0] if is_gray else None
    bits = frame.format.components[0].bits
    if not all(_is_neutral(_plane(frame, k), bits) for k in (1, 2)):
        return None
    luma = _plane(frame, 0)
    is_full = name.startswith("yuvj") or frame.color_range == _FULL
    return luma if is_full else _to_full_range(luma, bits)


def colors(frame: av.VideoFrame) -> NDArray[Any]:
    """Return the colors of a frame: axes y x s, 8 or 16 bits, three samples or four."""
    has_alpha = any(component.is_alpha for component in frame.format.components)
    is_deep = max(component.bits for component in frame.format.components) > 8
    name = ("rgba64le" if has_alpha else "rgb48le") if is_deep else "rgba" if has_alpha else "rgb24"
    found: NDArray[Any] = _converted(frame, name, **_matrix(frame)).to_ndarray()
    return found


def _matrix(frame: av.VideoFrame) -> dict[str, int]:
    """Return what makes the conversion to RGB follow the color matrix and range of a frame.

    PyAV up to 16 looks at them only where source and destination differ; it has no `color_trc`.
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


def _converted(frame: av.VideoFrame, name: str, **matrix: int) -> av.VideoFrame:
    """Return a frame in another pixel format; each thread keeps what converts, as it is costly."""
    from av.video.reformatter import VideoReformatter

    if not hasattr(_own, "reformatter"):
        _own.reformatter = VideoReformatter()
    converted: av.VideoFrame = _own.reformatter.reformat(frame, format=name, **matrix)
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
    middle, most = 1 << (bits - 1), _NEUTRAL << (bits - 8)
    return bool(chroma.max() <= middle + most and chroma.min() >= middle - most)


def _to_full_range(luma: NDArray[Any], bits: int) -> NDArray[Any]:
    table = _full_range(bits)
    if bits > 8:
        deep: NDArray[Any] = table[luma]
        return deep
    # a quarter of the time of indexing
    levels = np.frombuffer(luma.tobytes().translate(table.tobytes()), np.uint8)
    return levels.reshape(luma.shape)


@lru_cache(maxsize=4)
def _full_range(bits: int) -> NDArray[Any]:
    """Return the full-range level of each limited one (ITU-T H.273, equation 20)."""
    most = (1 << bits) - 1
    luma = np.arange(1 << max(8, 8 * -(-bits // 8)), dtype=np.float64)
    full = (luma - (16 << (bits - 8))) * most / (219 << (bits - 8))
    return np.rint(np.clip(full, 0, most)).astype(np.uint8 if bits <= 8 else np.uint16)


_colored: dict[tuple[str, int, int], None] = {}
"""Files that looked gray when they were opened and were not: they are opened in color."""


def note_color(path: Path) -> None:
    """Remember that a file has color."""
    _colored[_identity(path)] = None
    while len(_colored) > 1000:
        del _colored[next(iter(_colored))]


def is_known_colored(path: Path) -> bool:
    """Whether a frame with color was met in this file."""
    return _identity(path) in _colored


def _identity(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return str(path.resolve()), found.st_size, found.st_mtime_ns
