"""Size and samples of the frames of a video, and the files known to have colors."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.video.color import colors, gray_levels, is_opaque
from napari_ferry.errors import ReopenError, UnreadableFileError

if TYPE_CHECKING:
    import av


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
    is_mirrored : bool
        True if the rows of a decoded frame are reversed before these turns.
    crop : tuple of int
        Height and width of the returned part, from the upper left corner of the upright frame.
    has_alpha : bool
        True if pixels have a fourth sample that is transparency; it is returned with colors.
    """

    width: int
    height: int
    is_gray: bool
    bits: int
    quarter_turns: int = 0
    is_mirrored: bool = False
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
            The frame has colors or transparent pixels, but the frames checked when the file was
            opened were gray.
        """
        if (frame.width, frame.height) != (self.width, self.height):
            raise UnreadableFileError(
                f"Frame {i} of {path.name} has {frame.width} x {frame.height} pixels, but the "
                f"first frame has {self.width} x {self.height}: split the file where its size "
                "changes."
            )
        if self.is_gray:
            decoded = self._gray(frame, i, path)
        else:
            decoded = colors(frame, with_alpha=self.has_alpha)
        upright = np.rot90(decoded[::-1] if self.is_mirrored else decoded, self.quarter_turns)
        height, width = self.crop
        return np.ascontiguousarray(upright[:height, :width], self.dtype)

    def _gray(self, frame: av.VideoFrame, i: int, path: Path) -> NDArray[Any]:
        levels = gray_levels(frame)
        is_transparent = self.has_alpha and not is_opaque(frame)
        if levels is None or is_transparent:
            register_color(path)
            found = "transparent pixels" if is_transparent else "colors"
            raise ReopenError(
                f"Frame {i} of {path.name} has {found}, but the frames checked when it was opened "
                "are gray: open the file again to get all frames in color."
            )
        return levels


def choose_frame_format(frame: av.VideoFrame, *, is_gray: bool, has_alpha: bool) -> FrameFormat:
    """Choose the format of all frames from one decoded frame."""
    frame_format = FrameFormat(
        width=frame.width,
        height=frame.height,
        is_gray=is_gray,
        bits=max(component.bits for component in frame.format.components),
        quarter_turns=round(frame.rotation / 90) % 4,
        is_mirrored=_is_mirrored(frame),
        has_alpha=has_alpha,
    )
    return replace(frame_format, crop=frame_format.upright_size)


def _is_mirrored(frame: av.VideoFrame) -> bool:
    """Return True if the display matrix of a frame contains a reflection.

    Its rotation is then that of the frame with its rows reversed (ISO 14496-12, 6.2.2).
    """
    matrix: Any = None
    with suppress(ValueError):  # PyAV refuses all data beside a frame if it does not know one kind
        matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None or matrix.buffer_size != 36:
        return False
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    return bool(a * d < b * c)


_colored_files: dict[tuple[str, int, int], None] = {}
"""Files with colors that seemed gray when opened, to be reopened in color."""


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
