"""Probe of a few frames of a video, to find out if it is gray and if it is transparent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_ferry.codecs.video.color import (
    alpha_levels,
    gray_levels,
    has_alpha,
    is_opaque,
    lacks_palette,
)
from napari_ferry.codecs.video.decoder import Decoder
from napari_ferry.codecs.video.frame_format import (
    FrameFormat,
    choose_frame_format,
    is_known_colored,
)
from napari_ferry.codecs.video.packet_index import PacketIndex
from napari_ferry.errors import UnreadableFileError, warn

if TYPE_CHECKING:
    import av

_PROBED_FRAMES = 9
"""Frames checked at the beginning, and key frames checked in the whole video."""

_BEGINNING = 64
"""Frames of the beginning, where a title may fade in."""

_NO_COMPRESSION = "\0\0\0\0"
"""``BI_RGB`` in a BITMAPINFOHEADER: the fourth byte of a pixel is not used."""


class _Facts(NamedTuple):
    """Properties of one frame.

    Parameters
    ----------
    is_gray : bool
        True if it has no colors.
    alpha : tuple of int, optional
        Lowest and highest value of the fourth sample, ``None`` without one.
    is_opaque : bool
        True if no pixel is transparent.
    """

    is_gray: bool
    alpha: tuple[int, int] | None
    is_opaque: bool


def probe_format(decoder: Decoder, has_colors: bool | None) -> FrameFormat:
    """Choose the format of the frames from our record, or from frames of the whole video.

    Parameters
    ----------
    decoder : Decoder
        The video.
    has_colors : bool, optional
        True or False according to our record, ``None`` without one.

    Raises
    ------
    UnreadableFileError
        None of the probed frames can be decoded.

    Warns
    -----
    FerryWarning
        Samples are left out, or assumed without information in the file.
    """
    is_colored = True if is_known_colored(decoder.path) else has_colors
    frames = _decodable(decoder)
    first = next(frames)
    facts = list(_facts(chain([first], frames), is_known=is_colored is not None))

    if lacks_palette(first):
        _warn(decoder, "has no palette: its samples are taken as gray levels")
    with_alpha = facts[0].alpha is not None and not _is_padding(decoder, facts)
    if is_colored is None:
        is_transparent = with_alpha and not all(each.is_opaque for each in facts)
        is_colored = is_transparent or not all(each.is_gray for each in facts)

    frame_format = choose_frame_format(first, is_gray=not is_colored, has_alpha=with_alpha)
    return replace(frame_format, bits=decoder.file.gray_bits or frame_format.bits)


def _decodable(decoder: Decoder) -> Iterator[av.VideoFrame]:
    """Yield the decodable frames among the probed ones.

    Raises
    ------
    UnreadableFileError
        No frame can be decoded.
    """
    failure = None
    is_any = False
    for i in _probed_frames(decoder.index):
        try:
            frame = decoder.frame(i)
        except UnreadableFileError as error:
            failure = failure or error
            continue
        is_any = True
        yield frame
    if failure and not is_any:
        raise failure


def _probed_frames(index: PacketIndex) -> list[int]:
    """Return the numbers of the frames to probe.

    These are frames of the beginning, where a title may fade in, and key frames of the whole
    video, because a key frame costs only its own decoding.
    """
    beginning = np.linspace(0, min(len(index), _BEGINNING) - 1, _PROBED_FRAMES).astype(int)
    keys = index.key_packets[np.linspace(0, len(index.key_packets) - 1, _PROBED_FRAMES).astype(int)]
    frames = (*beginning.tolist(), *index.frame_numbers[keys].tolist())
    return sorted({i for i in frames if i >= 0})


def _facts(frames: Iterable[av.VideoFrame], *, is_known: bool) -> Iterator[_Facts]:
    """Yield the facts of frames until nothing is in doubt.

    Parameters
    ----------
    frames : iterable of av.VideoFrame
        Frames, each decoded only when it is needed.
    is_known : bool
        True if it is known whether they have colors.
    """
    for frame in frames:
        fact = _facts_of(frame)
        yield fact
        if fact.alpha is None and (is_known or not fact.is_gray):
            return


def _facts_of(frame: av.VideoFrame) -> _Facts:
    is_gray = gray_levels(frame) is not None
    if not has_alpha(frame):
        return _Facts(is_gray, None, is_opaque=True)
    levels = alpha_levels(frame)
    return _Facts(is_gray, (int(levels.min()), int(levels.max())), is_opaque(frame))


def _is_padding(decoder: Decoder, facts: Sequence[_Facts]) -> bool:
    """Return True if the fourth sample is not transparency: it fills the pixel to four bytes.

    This is so by definition in uncompressed AVI. Elsewhere, it is assumed if all probed frames
    would be invisible.
    """
    values = {value for each in facts for value in each.alpha or ()}
    codec = decoder.file.codec
    if codec.name == "rawvideo" and codec.codec_tag == _NO_COMPRESSION:
        if len(values) > 1:
            _warn(decoder, "has no transparency by definition: the fourth byte is left out")
        return True
    if values == {0}:
        _warn(decoder, "has a fourth sample that is 0: it is taken as padding, not transparency")
    return values == {0}


def _warn(decoder: Decoder, message: str) -> None:
    warn(f"{decoder.path.name} {message}.")
