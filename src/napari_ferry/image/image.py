"""The value that flows through napari-ferry: a lazy array and what its axes mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_ferry.arrays import Array
from napari_ferry.arrays.memmap import check_length
from napari_ferry.arrays.protocol import check_array
from napari_ferry.errors import InvalidImageError
from napari_ferry.image.axes import COLOR_SAMPLES, Axis, Channel, default_axes, given_axes
from napari_ferry.image.dask_array import to_dask
from napari_ferry.image.patch import read_patch
from napari_ferry.image.xarray_coords import from_coordinate, to_coordinates
from napari_ferry.units import SECONDS

if TYPE_CHECKING:
    import dask.array
    import xarray
    from numpy.typing import DTypeLike, NDArray

Kind = Literal["image", "labels"]


@dataclass(frozen=True, eq=False)
class Image:
    """A lazy array and what its axes mean.

    Parameters
    ----------
    levels : tuple of array
        Full resolution first; a plain image has one level, a pyramid more. Nothing is read
        before it is indexed.
    axes : tuple of Axis
        One for each dimension of a level. ``y`` and ``x`` are among them.
    channels : tuple of Channel
        One for each index of ``c``, or empty. What one channel says of an image without ``c``
        goes to `display`, where that does not say it, and its name to `name` or `metadata`.
    name : str
        What the image is called.
    kind : {"image", "labels"}
        Intensities, or the numbers of segmented objects.
    display : mapping
        How napari shows it (colormap, gamma, blending ...), plain JSON values.
    metadata : mapping
        Whatever else the file says, plain JSON values.

    Raises
    ------
    InvalidImageError
        The axes do not fit the array, or the array has masked pixels or a length that is not
        known.
    """

    levels: tuple[Array, ...]
    axes: tuple[Axis, ...]
    channels: tuple[Channel, ...] = ()
    name: str = ""
    kind: Kind = "image"
    display: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    _pixels: list[NDArray[Any]] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.levels:
            raise InvalidImageError("An image needs at least one array: pass levels=(array,).")
        for level in self.levels:
            check_array(level)
        names = self.axis_names
        if any(level.ndim != len(names) for level in self.levels):
            raise InvalidImageError(
                f"The array has {self.levels[0].ndim} dimensions and {len(names)} axes are named "
                f"({' '.join(names)}): name one axis for each dimension."
            )
        if len(set(names)) != len(names):
            raise InvalidImageError(
                f"The axes {' '.join(names)} repeat a name: give each axis a name of its own."
            )
        n_channels = self.size("c")
        if self.channels and len(self.channels) != n_channels:
            raise InvalidImageError(
                f"{len(self.channels)} channels are described and axis c has {n_channels}: "
                "describe each channel, or none."
            )
        if self.channels and "c" not in names:
            self._absorb_channel(self.channels[0])

    def _absorb_channel(self, channel: Channel) -> None:
        """Let an image without axis ``c`` say of itself what its one channel says."""
        object.__setattr__(self, "channels", ())
        object.__setattr__(self, "display", {**channel.to_display(), **self.display})
        if channel.name and not self.name:
            object.__setattr__(self, "name", channel.name)
        elif channel.name and channel.name != self.name:
            object.__setattr__(self, "metadata", {"channel": channel.name, **self.metadata})

    @classmethod
    def from_array(
        cls,
        array: Array,
        axes: str | Sequence[str] | None = None,
        *,
        name: str = "",
        kind: Kind = "image",
    ) -> Image:
        """Wrap an array whose axes are named by letters, such as ``"tzyx"``.

        Parameters
        ----------
        array : array
            Any lazy or numpy array of two or more dimensions.
        axes : str or sequence of str, optional
            One name for each dimension, in any case; `default_axes` when absent.
        name, kind
            As for `Image`.

        Raises
        ------
        InvalidImageError
            Fewer than two dimensions, or axes that do not fit the array.
        """
        if array.ndim < 2:
            raise InvalidImageError(
                f"An array of shape {tuple(array.shape)} is no image: at least two dimensions "
                "(y, x) are needed."
            )
        names = default_axes(array.ndim) if axes is None else given_axes(axes)
        return cls((array,), tuple(Axis(name) for name in names), name=name, kind=kind)

    @property
    def array(self) -> Array:
        """The full-resolution level, lazy."""
        return self.levels[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis at full resolution."""
        return tuple(int(n) for n in self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one sample."""
        return np.dtype(self.array.dtype)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    @property
    def nbytes(self) -> int:
        """Bytes of the full-resolution level when it is loaded."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def axis_names(self) -> tuple[str, ...]:
        """The names of the axes, in order."""
        return tuple(axis.name for axis in self.axes)

    @property
    def is_rgb(self) -> bool:
        """Whether the last axis holds the 3 or 4 samples of a color."""
        return self.axes[-1].name == "s" and self.shape[-1] in COLOR_SAMPLES

    @property
    def is_gray(self) -> bool:
        """True if no colormap adds colors: the samples are gray, or the colors themselves."""
        return self.is_rgb or self.display.get("colormap") in (None, "gray", "grey")

    @property
    def frame_ndim(self) -> int:
        """Number of axes of a frame: y and x, and the samples of a color."""
        return 3 if self.is_rgb else 2

    @property
    def frame_rate(self) -> float | None:
        """Frames per second, from the scale of ``t``; ``None`` when its unit is not a time."""
        axis = self.axis("t")
        seconds = SECONDS.get(axis.unit or "") if axis else None
        return 1.0 / (axis.scale * seconds) if axis and seconds and axis.scale > 0 else None

    @property
    def pixel_size(self) -> tuple[float, float] | None:
        """Scale of (y, x) in their units; ``None`` when they are not calibrated."""
        y, x = self.axis("y"), self.axis("x")
        return (y.scale, x.scale) if y and x and y.unit and x.unit else None

    @property
    def is_loaded(self) -> bool:
        """Whether `load` has read the pixels and they are still remembered."""
        return bool(self._pixels)

    def axis(self, name: str) -> Axis | None:
        """Return the axis of that name, or ``None``."""
        return next((axis for axis in self.axes if axis.name == name), None)

    def size(self, name: str) -> int:
        """Return the length of the axis of that name, 1 when there is none."""
        names = self.axis_names
        return self.shape[names.index(name)] if name in names else 1

    def load(self) -> NDArray[Any]:
        """Read all pixels of the full-resolution level into memory, once."""
        if not self._pixels:
            check_length(self.array)
            self._pixels.append(np.array(self.array))
        return self._pixels[0]

    def close(self) -> None:
        """Forget the pixels that `load` remembered."""
        self._pixels.clear()

    def extract_patch(
        self,
        sample_idx: int,
        channels: Sequence[int] | None,
        coords: Sequence[int],
        patch_size: Sequence[int],
        *,
        dtype: DTypeLike | None = np.float32,
    ) -> NDArray[Any]:
        """Read one patch, zero where it reaches out of the image.

        Parameters
        ----------
        sample_idx : int
            Index into all axes but ``c z y x``, flattened with ``t`` fastest.
        channels : sequence of int, optional
            Channels to read, in this order; all when absent.
        coords, patch_size : sequence of int
            Start and size of the patch along (z,) y, x, in pixels; may reach outside.
        dtype : data type, optional
            Type of the result; ``None`` keeps the image's own.

        Returns
        -------
        numpy.ndarray
            Axes c (z) y x.

        Raises
        ------
        InvalidImageError
            No such sample or channel, or coordinates of the wrong length.
        """
        source = self._pixels[0] if self._pixels else self.array
        patch = read_patch(source, self.axis_names, sample_idx, channels, coords, patch_size)
        return patch if dtype is None else patch.astype(dtype, copy=False)

    def to_dask(self) -> dask.array.Array:
        """Return the full-resolution level as a dask array, one frame or one tile a chunk."""
        return to_dask(self.array, self.axis_names)

    def to_xarray(self) -> xarray.DataArray:
        """Return the image as an xarray object: dims, coordinates in units, and metadata.

        Coordinates are ``translation + index * scale``; channels are named along ``c``.
        """
        import xarray

        coords = to_coordinates(self.axes, self.channels, self.shape)
        return xarray.DataArray(
            self.array, coords, self.axis_names, self.name or None, {"metadata": self.metadata}
        )

    @classmethod
    def from_xarray(cls, data: xarray.DataArray) -> Image:
        """Make an image of an xarray object; scale and translation come from its coordinates.

        Raises
        ------
        InvalidImageError
            Fewer than two dimensions, or coordinates that are not evenly spaced.
        """
        axes = tuple(from_coordinate(data, str(dim)) for dim in data.dims)
        names = data.coords["c"].values if "c" in data.coords and "c" in data.dims else ()
        metadata = data.attrs.get("metadata")
        return cls(
            (data.data,),
            axes,
            tuple(Channel(str(name)) for name in names),
            "" if data.name is None else str(data.name),
            metadata=metadata if isinstance(metadata, Mapping) else {},
        )
