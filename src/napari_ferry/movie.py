"""What of an image becomes a movie: which axis runs, where the others stand, how fast it plays.

A movie is made of frames of 8 bits (or of 16, in formats that keep them). `choose_movie` decides
all of it without reading a pixel; `Movie.pieces` are what a `Stream` reads and prepares.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import is_real, is_text
from napari_ferry.blocks import Box, Pixels, chunk_edges, split_box
from napari_ferry.checks import check_pixels, common_losses
from napari_ferry.description import describe
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.streams import Piece
from napari_ferry.tones import Limits, Tones, sampled_places
from napari_ferry.units import SECONDS

DEFAULT_RATE = 10
"""Frames per second of a movie whose image does not know its own."""

MAPPED = "mapped from"
"""Key of `Image.metadata`: the values that black and white stood for before they were mapped."""

POSITION = "position"
"""Key of `Image.metadata`: where the axes stood that the movie does not have."""

_RATES = (Fraction(1, 10**6), Fraction(10**6))
"""Least and most frames per second: what the time scales of all containers can say."""

_LARGEST_TERM = 10**6

_NTSC = {
    Fraction(text): Fraction(n * 1000, 1001)
    for text, n in (("23.976", 24), ("23.98", 24), ("29.97", 30), ("59.94", 60), ("119.88", 120))
}

_PIECE_BYTES = 4 << 20
_CHUNK_BYTES = 256 << 20
_PLACE = re.compile(r"([^\s=,]+)\s*=\s*([+-]?\d+)")


@dataclass(frozen=True)
class Movie:
    """One image, as frames that follow each other.

    Parameters
    ----------
    image : Image
        Where they come from.
    axis : int, optional
        Number of the axis that runs; ``None`` for a single frame.
    place : tuple of int
        Index on each leading axis; that of the axis that runs says nothing.
    frame_rate : Fraction
        Frames per second.
    tones : Tones
        What becomes of the samples.
    losses : tuple of str
        A sentence for each thing that the frames do not hold.
    """

    image: Image
    axis: int | None
    place: tuple[int, ...]
    frame_rate: Fraction
    tones: Tones
    losses: tuple[str, ...]

    @property
    def nframes(self) -> int:
        """Number of frames."""
        return 1 if self.axis is None else self.image.shape[self.axis]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a frame."""
        y = len(self.place)
        return self.image.shape[y], self.image.shape[y + 1]

    @property
    def is_rgb(self) -> bool:
        """Whether frames have the axes y x s, with three samples."""
        return self.image.is_rgb

    def box(self, first: int, stop: int) -> Box:
        """Return the region of the image that some frames are."""
        lead = [
            slice(first, stop) if axis == self.axis else slice(index, index + 1)
            for axis, index in enumerate(self.place)
        ]
        return (*lead, *(slice(0, n) for n in self.image.shape[len(lead) :]))

    def pieces(self, encode: Callable[[NDArray[Any]], Any] | None = None) -> Iterator[Piece]:
        """Yield the pieces of a `Stream`, in order: a few frames each, prepared by its threads.

        Parameters
        ----------
        encode : callable, optional
            Given prepared frames, axes (frames, y, x) or (frames, y, x, 3), makes what
            `Stream.assemble` takes; these frames themselves when absent.
        """
        lead = len(self.place)
        edges = chunk_edges(self.image.array)
        frame = math.prod(self.image.shape[lead:]) * self.image.dtype.itemsize
        chunk = 1 if self.axis is None else int(np.diff(edges[self.axis]).max())
        most = max(_PIECE_BYTES, min(chunk * frame, _CHUNK_BYTES)) // frame
        for box in split_box(self.box(0, self.nframes), lead, max(1, most), edges[:lead]):
            yield Piece(self.image.array, box, _Prepare(self.tones, lead, self.is_rgb, encode))

    def saved_image(self) -> Image:
        """Return what the file will hold, for its record: axes, names, and how it was mapped.

        Its samples may be read to find the values between which they are mapped.
        """
        lead = len(self.place)
        names = self.image.axis_names
        limits = self.tones.limits.find() if self.tones.limits else None
        count = [] if self.axis is None else [self.nframes]
        shape = (*count, *self.size, *([3] if self.is_rgb else []))
        frames = np.broadcast_to(np.zeros((), self.tones.out), shape)
        running = [] if self.axis is None else [self.image.axes[self.axis]]
        kept = [*self.image.axes[lead : lead + 2], *([Axis("s")] if self.is_rgb else [])]
        metadata = dict(self.image.metadata)
        place = {names[k]: i for k, i in enumerate(self.place) if k != self.axis}
        metadata |= {POSITION: place} if any(self.image.size(name) > 1 for name in place) else {}
        if limits:
            metadata[MAPPED] = {"dtype": self.image.dtype.name, "low": limits[0], "high": limits[1]}
        return replace(
            self.image,
            levels=(frames,),
            axes=(*running, *kept),
            channels=self._saved_channels(),
            display=_without_limits(self.image.display, self._channel_index(), bool(limits)),
            metadata=metadata,
        )

    def record(self) -> dict[str, Any]:
        """Return the JSON record of what the file will hold."""
        return describe(self.saved_image())

    def _channel_index(self) -> int | None:
        """Return which channel is saved; ``None`` where they run, or there are none."""
        names = self.image.axis_names
        at = names.index("c") if "c" in names else None
        return None if at is None or at == self.axis else self.place[at]

    def _saved_channels(self) -> tuple[Channel, ...]:
        if self.axis is None or self.image.axis_names[self.axis] != "c":
            return ()
        return tuple(replace(channel, contrast_limits=None) for channel in self.image.channels)


@dataclass(frozen=True)
class _Prepare:
    """Reads the frames of a piece and makes of them what a movie holds."""

    tones: Tones
    lead: int
    is_rgb: bool
    encode: Callable[[NDArray[Any]], Any] | None

    def __call__(self, pixels: Pixels) -> Any:
        prepared = pixels.together(self._prepare)
        return self.encode(prepared) if self.encode else prepared

    def _prepare(self, pixels: NDArray[Any]) -> NDArray[Any]:
        frames = pixels.reshape(-1, *pixels.shape[self.lead :])
        return self.tones(frames, is_rgb=self.is_rgb)


def choose_movie(
    images: Sequence[Image],
    *,
    axis: str | None = None,
    position: str | None = None,
    frame_rate: float | None = None,
    keep: Sequence[str] = ("uint8",),
) -> Movie:
    """Decide what of some images becomes a movie; no pixels are read.

    Parameters
    ----------
    images : sequence of Image
        One image.
    axis : str, optional
        Name of the axis that runs; the only long one, or ``t``, when absent.
    position : str, optional
        Where the other axes stand, such as ``"z=3 c=0"``; axes of length 1 need none.
    frame_rate : float, optional
        Frames per second; 29.97 and its like are taken for the exact 30000/1001. When absent that
        of the image, or 10 where it has none.
    keep : sequence of str
        Types whose samples the format holds as they are.

    Raises
    ------
    InvalidImageError
        Several images, one without pixels or whose axes do not end in y x, samples that are
        complex, a rate that is none, or a position that is missing or does not exist.
    """
    if len(images) != 1:
        raise InvalidImageError(
            f"A movie shows one image and {len(images)} were given: save them one by one."
        )
    (image,) = images
    check_pixels(image)
    _check_axes(image)
    lead = image.ndim - (3 if image.is_rgb else 2)
    given = _parse_position(position, image, lead)
    running = _running_axis(image, lead, axis, given)
    place = _places(image, lead, running, given)
    movie = Movie(image, running, place, Fraction(DEFAULT_RATE), Tones(image.dtype), ())
    rate = _frame_rate(frame_rate, None if running is None else image.axes[running])
    movie = replace(movie, frame_rate=rate, tones=_choose_tones(movie, keep))
    return replace(movie, losses=tuple(dict.fromkeys(_losses(movie))))


def _check_axes(image: Image) -> None:
    """Refuse an order of axes that frames do not have."""
    names = image.axis_names
    if names[-2:] != ("y", "x") and (names[-3:] != ("y", "x", "s") or not image.is_rgb):
        raise InvalidImageError(
            f"The axes are {' '.join(names)}; in a movie y and x come last, or y, x and the 3 or "
            "4 samples s of a colour: transpose the array first."
        )
    if image.dtype.kind == "c":
        raise InvalidImageError(
            f"The samples are {image.dtype}, and a movie shows no complex numbers: save their "
            "magnitude, or their phase."
        )


def _parse_position(position: str | None, image: Image, lead: int) -> dict[str, int]:
    """Read ``"z=3 c=0"``."""
    text = position or ""
    if not is_text(text) or _PLACE.sub("", text).strip(" ,"):
        raise InvalidImageError(
            f"The position is {position!r}: name axes and indices, such as 'z=3 c=0'."
        )
    found = _PLACE.findall(text)
    sizes = dict(zip(image.axis_names[:lead], image.shape, strict=False))
    for name, index in found:
        if name not in sizes:
            raise InvalidImageError(
                f"The position names the axis {name}, and the image has "
                f"{' '.join(sizes) or 'no axis besides y and x'}: leave it out."
            )
        if not 0 <= int(index) < sizes[name]:
            raise InvalidImageError(
                f"The position is {name}={index}, and {name} has {sizes[name]} indices: give one "
                f"from 0 to {sizes[name] - 1}."
            )
    if len(dict(found)) < len(found):
        raise InvalidImageError(f"The position {position!r} names an axis twice: name it once.")
    return {name: int(index) for name, index in found}


def _running_axis(
    image: Image, lead: int, axis: str | None, given: Mapping[str, int]
) -> int | None:
    """Return the number of the axis that runs; ``None`` where there is nothing but one frame."""
    names = image.axis_names[:lead]
    if axis is not None and axis in names:
        if axis in given:
            raise InvalidImageError(
                f"The axis {axis} runs and has a position, too: leave out one of them."
            )
        return names.index(axis)
    if axis is not None:
        raise InvalidImageError(
            f"The axis {axis!r} is to run, and the image has "
            f"{' '.join(names) or 'none besides y and x'}: choose one of them."
        )
    free = [k for k, name in enumerate(names) if name not in given]
    long = [k for k in free if image.shape[k] > 1] or free
    times = [k for k in long if names[k] == "t"]
    if len(long) > 1 and not times and image.shape[long[0]] > 1:
        each = ", ".join(f"{names[k]} ({image.shape[k]})" for k in long)
        raise InvalidImageError(
            f"Any of the axes {each} could run: choose it with axis={names[long[0]]!r}, and where "
            f"the others stand with position={_example(names, long[1:])!r}."
        )
    return next(iter((*times, *long)), None)


def _places(
    image: Image, lead: int, running: int | None, given: Mapping[str, int]
) -> tuple[int, ...]:
    """Return an index on each leading axis, refusing to choose one where there are several."""
    names = image.axis_names[:lead]
    missing = [
        k for k in range(lead) if k != running and image.shape[k] > 1 and names[k] not in given
    ]
    if missing and running is not None:
        each = ", ".join(f"{names[k]} ({image.shape[k]})" for k in missing)
        raise InvalidImageError(
            f"The movie runs along {names[running]}, and it is not said where the axes {each} "
            f"stand: give position={_example(names, missing)!r}, or any other index."
        )
    return tuple(given.get(name, 0) for name in names)


def _example(names: Sequence[str], axes: Sequence[int]) -> str:
    return " ".join(f"{names[k]}=0" for k in axes)


def _frame_rate(asked: float | None, axis: Axis | None) -> Fraction:
    """Return the frames per second as an exact number."""
    if asked is not None:
        return to_rate(asked)
    seconds = SECONDS.get(axis.unit or "") if axis else None
    step = axis.scale * seconds if axis and seconds else 0.0
    is_rate = math.isfinite(step) and step > 0 and _RATES[0] <= 1 / step <= _RATES[1]
    return _simplest(1 / Fraction(step)) if is_rate else Fraction(DEFAULT_RATE)


def to_rate(frame_rate: float) -> Fraction:
    """Return a number of frames per second, as it was typed, as an exact fraction.

    >>> to_rate(29.97), to_rate(0.5), to_rate(12.5), to_rate(1 / 3)
    (Fraction(30000, 1001), Fraction(1, 2), Fraction(25, 2), Fraction(1, 3))

    Raises
    ------
    InvalidImageError
        No number, or one that is not between 0.000001 and 1000000.
    """
    if not is_real(frame_rate) or not _RATES[0] <= frame_rate <= _RATES[1]:
        raise InvalidImageError(
            f"The frame rate is {frame_rate!r}: give frames per second, a number between 0.000001 "
            "and 1000000."
        )
    exact = Fraction(str(float(frame_rate)))
    return _NTSC.get(exact) or _simplest(exact)


def _simplest(rate: Fraction) -> Fraction:
    """Return a fraction of small terms that is a rate but for the rounding of floats."""
    for most in (1001, _LARGEST_TERM):
        near = rate.limit_denominator(most) if rate >= 1 else 1 / (1 / rate).limit_denominator(most)
        if abs(near - rate) <= rate / 10**12:
            break
    return near


def _choose_tones(movie: Movie, keep: Sequence[str]) -> Tones:
    """Decide what becomes of the samples, of which none are read."""
    image, dtype = movie.image, movie.image.dtype
    native = dtype.newbyteorder("=")
    limits = _known_limits(movie)
    if native.name in keep and (len(keep) > 1 or image.is_rgb or not _is_narrower(limits, native)):
        return Tones(dtype)
    if limits is None and dtype.kind == "b":
        limits = (0.0, 1.0)
    if limits is None and image.is_rgb:  # what napari takes for black and white of a colour
        limits = (0.0, float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0)
    if limits is not None:
        return Tones(dtype, Limits(limits))
    boxes = tuple(movie.box(i, i + 1) for i in sampled_places(movie.nframes))
    return Tones(dtype, Limits(None, image.array, boxes, from_zero=image.kind == "labels"))


def _known_limits(movie: Movie) -> tuple[float, float] | None:
    """Return the values that are shown black and white, where the image says so."""
    image, index = movie.image, movie._channel_index()
    if image.is_rgb:
        return None
    own = image.display.get("channels")
    shown = own if isinstance(own, Sequence) and not isinstance(own, str) else ()
    which = range(image.size("c")) if index is None else (index,)
    found = [
        limits
        for k in which
        for limits in (
            image.channels[k].contrast_limits if image.channels else None,
            _limits_of(shown[k]) if k < len(shown) else None,
        )
        if limits is not None
    ]
    display = _limits_of(image.display)
    found = found or ([display] if display else [])
    sound = [(low, high) for low, high in found if math.isfinite(high - low) and low < high]
    if not sound:
        return None
    return min(low for low, _ in sound), max(high for _, high in sound)


def _limits_of(display: object) -> tuple[float, float] | None:
    limits = display.get("contrast_limits") if isinstance(display, Mapping) else None
    if not isinstance(limits, Sequence) or len(limits) != 2 or not all(map(is_real, limits)):
        return None
    return float(limits[0]), float(limits[1])


def _is_narrower(limits: tuple[float, float] | None, dtype: np.dtype[Any]) -> bool:
    """Whether limits cut something off an integer type."""
    return limits is not None and (limits[0] > 0 or limits[1] < np.iinfo(dtype).max)


def _without_limits(
    display: Mapping[str, Any], channel: int | None, is_mapped: bool
) -> dict[str, Any]:
    """Return a display of what is saved: that of its channel, without limits that were used up."""
    own = display.get("channels")
    shared = {key: value for key, value in display.items() if key != "channels"}
    if channel is not None and isinstance(own, Sequence) and channel < len(own):
        shown = own[channel] if isinstance(own[channel], Mapping) else {}
        shared |= {key: value for key, value in shown.items() if key != "metadata"}
    if is_mapped:
        shared.pop("contrast_limits", None)
    return shared


def _losses(movie: Movie) -> Iterator[str]:
    image = movie.image
    for k, (name, index) in enumerate(zip(image.axis_names, movie.place, strict=False)):
        if k != movie.axis and image.shape[k] > 1:
            yield f"of the axis {name}, only index {index} of {image.shape[k]} is saved"
    if image.is_rgb and image.shape[-1] == 4:
        yield "transparency is not stored: colours are laid over black"
    if image.kind == "labels":
        yield "labels become gray values"
    yield from movie.tones.losses()
    if isinstance(image.display.get("colormap"), str | Mapping) and not _is_gray(image):
        yield "the colormap is kept for napari-ferry alone: other programs show gray"
    yield from common_losses([image])


def _is_gray(image: Image) -> bool:
    return image.is_rgb or image.display["colormap"] in ("gray", "grey")
