"""Movie of an image: frame axis, position on the other axes, frame rate and intensities.

Frames have 8 bits, or 16 in some formats. `choose_movie` reads no pixels: `Movie.tasks` do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Region
from napari_ferry.arrays.array_layout import ArrayLayout
from napari_ferry.arrays.region_grid import RegionGrid
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Channel, Image, check_pixels, common_losses, describe
from napari_ferry.image.checks import check_frame_axes, check_not_complex
from napari_ferry.image.record import SPEED
from napari_ferry.movie.contrast_limits import saved_display
from napari_ferry.movie.frame_axis import choose_frame_axis, leading_sizes
from napari_ferry.movie.frame_preparation import FramePreparation, split_frames
from napari_ferry.movie.frame_rate import choose_rate
from napari_ferry.movie.intensity import IntensityMapping, choose_intensity, sampled_indices
from napari_ferry.saving.encode_tasks import EncodeTasks, group_regions

MAPPED = "mapped from"
"""Key of `Image.metadata`: original dtype, and the values that were mapped to 0 and 255."""

POSITION = "position"
"""Key of `Image.metadata`: position on the axes that the movie does not have."""


@dataclass(frozen=True, kw_only=True)
class Movie:
    """One image as a sequence of frames.

    Parameters
    ----------
    image : Image
        The image.
    frame_axis : int, optional
        Number of the frame axis; ``None`` for a single frame.
    position : tuple of int
        Index on each leading axis; that on the frame axis has no meaning.
    frame_rate : Fraction
        Frames per second.
    intensity : IntensityMapping
        Mapping of the samples.
    losses : tuple of str
        A sentence for each thing that the frames cannot hold, and for a frame rate that was
        assumed or is not real time.
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
        """True if frames have the axes y, x, s."""
        return self.image.is_rgb

    @property
    def samples(self) -> int:
        """Samples of a pixel: 1 for gray, 3 for colors, 4 for colors with alpha."""
        colors = self.image.size("s") if self.intensity.keeps_alpha else 3
        return colors if self.is_rgb else 1

    def without_pixels(self) -> Movie:
        """Return the same movie without its pixels, to be sent with each frame."""
        layout = ArrayLayout(self.image.array)
        return replace(self, image=replace(self.image, levels=(layout,)))

    def region(self, first: int, stop: int) -> Region:
        """Return the region of the image in frames `first` to `stop`, exclusive."""
        lead = [
            slice(first, stop) if axis == self.frame_axis else slice(index, index + 1)
            for axis, index in enumerate(self.position)
        ]
        return (*lead, *(slice(0, n) for n in self.image.shape[len(lead) :]))

    def tasks(self, encode: Callable[[NDArray[Any]], Any] | None = None) -> EncodeTasks:
        """Return the tasks of a `Stream`, in order: a few frames each, prepared in its threads.

        Parameters
        ----------
        encode : callable, optional
            Converts prepared frames, axes (frames, y, x) or (frames, y, x, s), to the input of
            `Stream.assemble`; without it, that input is the frames themselves.
        """
        prepare = self.preparation(encode)
        return EncodeTasks((group_regions(self.image.array, self.segments(), prepare),))

    def segments(self, least: int = 1) -> RegionGrid:
        """Return the regions of segments of at least a few frames, along the source's chunks.

        Parameters
        ----------
        least : int
            Number of frames of a segment, unless a chunk has more or the frames are small.
        """
        whole = self.region(0, self.nframes)
        return split_frames(self.image.array, whole, len(self.position), least)

    def preparation(self, encode: Callable[[NDArray[Any]], Any] | None) -> FramePreparation:
        """Return the function to read, map and encode the frames of a region.

        Parameters
        ----------
        encode : callable, optional
            Converts prepared frames, axes (frames, y, x) or (frames, y, x, s).
        """
        return FramePreparation(
            intensity=self.intensity,
            lead=len(self.position),
            is_rgb=self.is_rgb,
            encode=encode,
        )

    def saved_image(self) -> Image:
        """Return an image with the shape, axes and metadata of the file, for its record.

        Samples may be read to find the limits of the intensity mapping.
        """
        limits = self.intensity.limits.find() if self.intensity.limits else None
        count = [] if self.frame_axis is None else [self.nframes]
        shape = (*count, *self.size, *([self.samples] if self.is_rgb else []))
        frames = np.broadcast_to(np.zeros((), self.intensity.out_dtype), shape)

        lead = len(self.position)
        first = [] if self.frame_axis is None else [self.image.axes[self.frame_axis]]
        others = [*self.image.axes[lead : lead + 2], *([Axis("s")] if self.is_rgb else [])]

        metadata = dict(self.image.metadata)
        names = self.image.axis_names
        position = {names[k]: i for k, i in enumerate(self.position) if k != self.frame_axis}
        if any(self.image.size(name) > 1 for name in position):
            metadata[POSITION] = position
        if limits:
            metadata[MAPPED] = {"dtype": self.image.dtype.name, "low": limits[0], "high": limits[1]}

        display = saved_display(self.image, self.channel_index, is_mapped=limits is not None)
        return replace(
            self.image,
            levels=(frames,),
            axes=(*first, *others),
            channels=self._saved_channels(),
            display=display,
            metadata=metadata,
        )

    def record(self, *, is_timed: bool, is_exact: bool = True) -> dict[str, Any]:
        """Return the JSON record of the file.

        Parameters
        ----------
        is_timed : bool
            True if the frame rate was given; it then calibrates a time axis without a unit.
        is_exact : bool
            True if the format stores samples unchanged. Otherwise labels become a plain image,
            as changed numbers no longer identify objects.
        """
        record = describe(self.saved_image())
        first = record["axes"][0]
        is_uncalibrated_time = first["name"] == "t" and not first["unit"]
        if is_timed and self.frame_axis is not None and is_uncalibrated_time:
            first |= {"scale": float(1 / self.frame_rate), "unit": "second"}
        if not is_exact or self.intensity.limits:
            record["kind"] = "image"
        return record

    def identity(self) -> dict[str, Any]:
        """Return values to distinguish this movie from others; no pixels are read."""
        limits = self.intensity.limits and self.intensity.limits.known
        return {
            **describe(self.image),
            "axis": self.frame_axis,
            "place": self.position,
            "limits": limits,
        }

    @property
    def channel_index(self) -> int | None:
        """Index of the saved channel; ``None`` for all of them, or without an axis ``c``."""
        names = self.image.axis_names
        at = names.index("c") if "c" in names else None
        return None if at is None or at == self.frame_axis else self.position[at]

    def _saved_channels(self) -> tuple[Channel, ...]:
        if self.frame_axis is None or self.image.axis_names[self.frame_axis] != "c":
            return ()
        return tuple(replace(channel, contrast_limits=None) for channel in self.image.channels)


def choose_movie(
    images: Sequence[Image],
    *,
    axis: str | None = None,
    position: str | None = None,
    frame_rate: float | None = None,
    exact_dtypes: Sequence[str] = ("uint8",),
    keeps_alpha: bool = False,
    has_times: bool = True,
) -> Movie:
    """Choose the frames, frame rate and intensities of a movie; no pixels are read.

    Parameters
    ----------
    images : sequence of Image
        One image.
    axis : str, optional
        Name of the frame axis; by default the only one longer than 1, or ``t``.
    position : str, optional
        Position on the other axes, such as ``"z=3 c=0"``; not needed for axes of length 1.
    frame_rate : float, optional
        Frames per second; NTSC rates such as 29.97 are read as exactly 30000/1001. By default real
        time if that is 5 to 60 per second, otherwise 10.
    exact_dtypes : sequence of str
        Data types that the format stores unchanged.
    keeps_alpha : bool
        True for a format that can store transparent pixels.
    has_times : bool
        True for a format that plays at the frame rate.

    Raises
    ------
    InvalidImageError
        Several images, an image without pixels or whose last axes are not y and x, complex
        samples, a frame rate out of range, or a position that is missing or does not exist.
    """
    if len(images) != 1:
        raise InvalidImageError(
            f"A movie shows one image, but {len(images)} were given: combine them with "
            "napari_ferry.render, or save them one by one."
        )
    (image,) = images
    check_pixels(image)
    check_frame_axes(image, "in a movie")
    check_not_complex(image.dtype, image.name, "in a movie")

    number, indices = choose_frame_axis(leading_sizes(image), axis, position)
    rate_axis = None if number is None else image.axes[number]
    rate = choose_rate(frame_rate, rate_axis, is_at_speed=SPEED in image.metadata)
    movie = Movie(
        image=image,
        frame_axis=number,
        position=indices,
        frame_rate=rate.rate,
        intensity=IntensityMapping(image.dtype),
        losses=(),
    )

    # these depend on the frames, which the movie above already describes
    regions = [movie.region(i, i + 1) for i in sampled_indices(movie.nframes)]
    intensity = choose_intensity(image, movie.channel_index, regions, exact_dtypes)
    movie = replace(movie, intensity=replace(intensity, keeps_alpha=keeps_alpha))
    is_noted = has_times and rate.note and movie.nframes > 1
    notes = [f"the movie plays at {rate.note}"] if is_noted else []
    return replace(movie, losses=tuple(dict.fromkeys((*_losses(movie), *notes))))


def _losses(movie: Movie) -> Iterator[str]:
    image = movie.image
    for k, (name, index) in enumerate(zip(image.axis_names, movie.position, strict=False)):
        if k != movie.frame_axis and image.shape[k] > 1:
            yield f"only index {index} of {image.shape[k]} on the axis {name} is saved"
    if image.is_rgb and image.shape[-1] > movie.samples:
        yield "transparency is not stored: colors are blended over black"
    if image.kind == "labels":
        yield "labels become gray values"
    yield from movie.intensity.losses()
    if isinstance(image.display.get("colormap"), str | Mapping) and not image.is_gray:
        yield "only napari-ferry reads the colormap: other programs show gray"
    yield from common_losses([image])
