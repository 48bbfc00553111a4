"""What of an image becomes a movie: which axis runs, where the others stand, how fast it plays.

A movie is made of frames of 8 bits (or of 16, in formats that keep them). `choose_movie` decides
all of it without reading a pixel; `Movie.tasks` are what a `Stream` reads and prepares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import BlockReader, Region, split_by_frames
from napari_ferry.arrays.regions import chunk_edges
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Channel, Image, check_pixels, common_losses, describe
from napari_ferry.image.checks import check_frame_axes, check_not_complex
from napari_ferry.image.record import SPEED
from napari_ferry.movie.contrast_limits import contrast_limits_of, is_narrower
from napari_ferry.movie.frame_axis import choose_frame_axis, leading_sizes
from napari_ferry.movie.frame_rate import choose_rate
from napari_ferry.movie.intensity import IntensityMapping, LazyContrastLimits, sampled_indices
from napari_ferry.saving.stream import EncodeTask, frames_together

MAPPED = "mapped from"
"""Key of `Image.metadata`: the values that black and white stood for before they were mapped."""

POSITION = "position"
"""Key of `Image.metadata`: where the axes stood that the movie does not have."""


@dataclass(frozen=True, kw_only=True)
class Movie:
    """One image, as frames that follow each other.

    Parameters
    ----------
    image : Image
        Where they come from.
    frame_axis : int, optional
        Number of the axis that runs; ``None`` for a single frame.
    position : tuple of int
        Index on each leading axis; that of the axis that runs says nothing.
    frame_rate : Fraction
        Frames per second.
    intensity : IntensityMapping
        What becomes of the samples.
    losses : tuple of str
        A sentence for each thing that the frames do not hold, and for a pace that nobody asked for.
    """

    image: Image
    frame_axis: int | None
    position: tuple[int, ...]
    frame_rate: Fraction
    intensity: IntensityMapping
    losses: tuple[str, ...]

    @property
    def nframes(self) -> int:
        """Number of frames."""
        return 1 if self.frame_axis is None else self.image.shape[self.frame_axis]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a frame."""
        y = len(self.position)
        return self.image.shape[y], self.image.shape[y + 1]

    @property
    def is_rgb(self) -> bool:
        """Whether frames have the axes y x s, with three samples."""
        return self.image.is_rgb

    def region(self, first: int, stop: int) -> Region:
        """Return the region of the image that some frames are."""
        lead = [
            slice(first, stop) if axis == self.frame_axis else slice(index, index + 1)
            for axis, index in enumerate(self.position)
        ]
        return (*lead, *(slice(0, n) for n in self.image.shape[len(lead) :]))

    def tasks(self, encode: Callable[[NDArray[Any]], Any] | None = None) -> Iterator[EncodeTask]:
        """Yield the tasks of a `Stream`, in order: a few frames each, prepared by its threads.

        Parameters
        ----------
        encode : callable, optional
            Given prepared frames, axes (frames, y, x) or (frames, y, x, 3), makes what
            `Stream.assemble` takes; these frames themselves when absent.
        """
        lead = len(self.position)
        edges = chunk_edges(self.image.array)
        frame = math.prod(self.image.shape[lead:]) * self.image.dtype.itemsize
        chunk = 1 if self.frame_axis is None else int(np.diff(edges[self.frame_axis]).max())
        most = frames_together(frame, chunk)

        prepare = _Prepare(intensity=self.intensity, lead=lead, is_rgb=self.is_rgb, encode=encode)
        for region in split_by_frames(self.region(0, self.nframes), lead, most, edges[:lead]):
            yield EncodeTask(self.image.array, region, prepare)

    def saved_image(self) -> Image:
        """Return what the file will hold, for its record: axes, names, and how it was mapped.

        Its samples may be read to find the values between which they are mapped.
        """
        lead = len(self.position)
        names = self.image.axis_names
        limits = self.intensity.limits.find() if self.intensity.limits else None
        count = [] if self.frame_axis is None else [self.nframes]
        shape = (*count, *self.size, *([3] if self.is_rgb else []))
        frames = np.broadcast_to(np.zeros((), self.intensity.out_dtype), shape)
        running = [] if self.frame_axis is None else [self.image.axes[self.frame_axis]]
        kept = [*self.image.axes[lead : lead + 2], *([Axis("s")] if self.is_rgb else [])]
        metadata = dict(self.image.metadata)
        place = {names[k]: i for k, i in enumerate(self.position) if k != self.frame_axis}
        metadata |= {POSITION: place} if any(self.image.size(name) > 1 for name in place) else {}
        if limits:
            metadata[MAPPED] = {"dtype": self.image.dtype.name, "low": limits[0], "high": limits[1]}
        return replace(
            self.image,
            levels=(frames,),
            axes=(*running, *kept),
            channels=self._saved_channels(),
            display=_without_limits(self.image.display, self.channel_index, bool(limits)),
            metadata=metadata,
        )

    def record(self, *, is_timed: bool, is_exact: bool = True) -> dict[str, Any]:
        """Return the JSON record of what the file will hold.

        Parameters
        ----------
        is_timed : bool
            Whether the frame rate was asked for, so that it calibrates a time that has no unit.
        is_exact : bool
            Whether samples come back as they are. Numbers of objects that do not are none.
        """
        record = describe(self.saved_image())
        running = record["axes"][0]
        if (
            is_timed
            and self.frame_axis is not None
            and running["name"] == "t"
            and not running["unit"]
        ):
            running |= {"scale": float(1 / self.frame_rate), "unit": "second"}
        if not is_exact or self.intensity.limits:
            record["kind"] = "image"
        return record

    def identity(self) -> dict[str, Any]:
        """Return what tells this movie from others of the same size; no pixels are read."""
        limits = self.intensity.limits and self.intensity.limits.known
        return {
            **describe(self.image),
            "axis": self.frame_axis,
            "place": self.position,
            "limits": limits,
        }

    @property
    def channel_index(self) -> int | None:
        """Return which channel is saved; ``None`` where they run, or there are none."""
        names = self.image.axis_names
        at = names.index("c") if "c" in names else None
        return None if at is None or at == self.frame_axis else self.position[at]

    def _saved_channels(self) -> tuple[Channel, ...]:
        if self.frame_axis is None or self.image.axis_names[self.frame_axis] != "c":
            return ()
        return tuple(replace(channel, contrast_limits=None) for channel in self.image.channels)


@dataclass(frozen=True, kw_only=True)
class _Prepare:
    """Reads the frames of a task and makes of them what a movie holds."""

    intensity: IntensityMapping
    lead: int
    is_rgb: bool
    encode: Callable[[NDArray[Any]], Any] | None

    def __call__(self, pixels: BlockReader) -> Any:
        prepared = pixels.read_whole(self._prepare)
        return self.encode(prepared) if self.encode else prepared

    def _prepare(self, pixels: NDArray[Any]) -> NDArray[Any]:
        frames = pixels.reshape(-1, *pixels.shape[self.lead :])
        return self.intensity(frames, is_rgb=self.is_rgb)


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
        Frames per second; 29.97 and its like are taken for the exact 30000/1001. When absent, real
        time where that is 5 to 60 per second, otherwise 10.
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
            f"A movie shows one image and {len(images)} were given: draw them into one with "
            "napari_ferry.render, or save them one by one."
        )
    (image,) = images
    check_pixels(image)
    check_frame_axes(image, "in a movie")
    check_not_complex(image.dtype, image.name, "in a movie")
    running, place = choose_frame_axis(leading_sizes(image), axis, position)
    axis_of_frames = None if running is None else image.axes[running]
    pace = choose_rate(frame_rate, axis_of_frames, is_at_speed=SPEED in image.metadata)
    movie = Movie(
        image=image,
        frame_axis=running,
        position=place,
        frame_rate=pace.rate,
        intensity=IntensityMapping(image.dtype),
        losses=(),
    )
    movie = replace(movie, intensity=_choose_intensity(movie, keep))
    paces = [f"the movie plays at {pace.note}"] if pace.note and movie.nframes > 1 else []
    return replace(movie, losses=tuple(dict.fromkeys((*_losses(movie), *paces))))


def _choose_intensity(movie: Movie, keep: Sequence[str]) -> IntensityMapping:
    """Decide what becomes of the samples, of which none are read."""
    image, dtype = movie.image, movie.image.dtype
    native = dtype.newbyteorder("=")
    limits = contrast_limits_of(image, movie.channel_index)
    if native.name in keep and (len(keep) > 1 or image.is_rgb or not is_narrower(limits, native)):
        return IntensityMapping(dtype)
    if limits is None and dtype.kind == "b":
        limits = (0.0, 1.0)
    if limits is None and image.is_rgb:  # what napari takes for black and white of a color
        limits = (0.0, float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0)
    if limits is not None:
        return IntensityMapping(dtype, LazyContrastLimits(limits))
    regions = tuple(movie.region(i, i + 1) for i in sampled_indices(movie.nframes))
    return IntensityMapping(
        dtype, LazyContrastLimits(None, image.array, regions, from_zero=image.kind == "labels")
    )


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
    for k, (name, index) in enumerate(zip(image.axis_names, movie.position, strict=False)):
        if k != movie.frame_axis and image.shape[k] > 1:
            yield f"of the axis {name}, only index {index} of {image.shape[k]} is saved"
    if image.is_rgb and image.shape[-1] == 4:
        yield "transparency is not stored: colors are laid over black"
    if image.kind == "labels":
        yield "labels become gray values"
    yield from movie.intensity.losses()
    if isinstance(image.display.get("colormap"), str | Mapping) and not image.is_gray:
        yield "the colormap is kept for napari-ferry alone: other programs show gray"
    yield from common_losses([image])
