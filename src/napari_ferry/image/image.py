"""Images: lazy arrays with named, calibrated axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from napari_ferry.arrays import Array, read_array
from napari_ferry.arrays.array_protocol import close
from napari_ferry.arrays.progress import Report
from napari_ferry.errors import InvalidImageError
from napari_ferry.image.axes import (
    Axis,
    Channel,
    check_parts,
    counts_samples,
    default_axes,
    parse_axes,
)
from napari_ferry.image.geometry import Geometry
from napari_ferry.image.overrides import OneOrEach, override
from napari_ferry.image.patch import read_patch
from napari_ferry.image.summary import describe_line, to_html
from napari_ferry.image.xarray_coords import from_data_array, to_data_array, to_dataset

if TYPE_CHECKING:
    import dask.array
    import xarray
    from numpy.typing import DTypeLike, NDArray

Kind = Literal["image", "labels"]


@dataclass(frozen=True, eq=False)
class Image(Geometry):
    """A lazy array with named, calibrated axes.

    Parameters
    ----------
    levels : tuple of array
        Full resolution first; a pyramid has several levels, other images one. Pixels are read
        when an array is indexed.
    axes : tuple of Axis
        One for each dimension of a level. ``y`` and ``x`` are among them.
    channels : tuple of Channel
        One for each index of ``c``, or empty. The channel of an image without ``c`` is merged into
        `display`, which takes precedence, and its name becomes `name` or part of `metadata`.
    name : str
        Name of the image.
    kind : {"image", "labels"}
        Intensities, or the numbers of segmented objects.
    display : mapping
        Display settings of napari (colormap, gamma, blending ...), plain JSON values.
    metadata : mapping
        Other metadata of the file, plain JSON values.

    Raises
    ------
    InvalidImageError
        The axes do not match the array, or the array has masked pixels or an unknown length.

    Examples
    --------
    >>> cells = Image.from_array(np.zeros((10, 64, 64), np.uint16), "tyx", name="cells")
    >>> cells.replace(scale={"t": 20}, unit={"t": "ms"}).frame_rate
    50.0
    """

    levels: tuple[Array, ...]
    axes: tuple[Axis, ...] = ()
    channels: tuple[Channel, ...] = ()
    name: str = ""
    kind: Kind = "image"
    display: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    _pixels: list[NDArray[Any]] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        check_parts(self.levels, self.axes, self.channels)
        if self.channels and "c" not in self.axis_names:
            self._absorb_channel(self.channels[0])

    def _absorb_channel(self, channel: Channel) -> None:
        """Merge the channel of an image without axis ``c`` into its display and name."""
        object.__setattr__(self, "channels", ())
        object.__setattr__(self, "display", {**channel.to_display(), **self.display})
        if channel.name and not self.name:
            object.__setattr__(self, "name", channel.name)
        elif channel.name and channel.name != self.name:
            object.__setattr__(self, "metadata", {Channel.NAME_KEY: channel.name, **self.metadata})

    @classmethod
    def from_array(
        cls,
        array: Array,
        axes: str | Sequence[str] | None = None,
        *,
        name: str = "",
        kind: Kind = "image",
    ) -> Image:
        """Return an image of an array, with axes named by letters such as ``"tzyx"``.

        Parameters
        ----------
        array : array
            Any lazy or numpy array of two or more dimensions.
        axes : str or sequence of str, optional
            One name for each dimension, in any case; `default_axes` by default.
            `extract_patch` takes a capital ``S`` for the samples of CAREamics.
        name, kind
            As for `Image`.

        Raises
        ------
        InvalidImageError
            The array has fewer than two dimensions, or the axes do not match it.
        """
        if array.ndim < 2:
            raise InvalidImageError(
                f"An array of shape {tuple(array.shape)} is not an image: at least two dimensions "
                "(y, x) are needed."
            )
        names = default_axes(array.ndim) if axes is None else parse_axes(axes)
        metadata = {cls.ORIGINAL_AXES: axes} if counts_samples(axes, array.shape) else {}
        return cls((array,), tuple(map(Axis, names)), name=name, kind=kind, metadata=metadata)

    def __repr__(self) -> str:
        return describe_line(self)

    def _repr_html_(self) -> str:
        return to_html(self)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self._source, dtype, copy=copy)

    def __getitem__(self, key: Any) -> Any:
        return self._source[key]

    def __len__(self) -> int:
        return self.shape[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def _source(self) -> Any:
        """Pixels in memory after `load`, the lazy array before."""
        return self._pixels[0] if self._pixels else self.array

    @property
    def is_loaded(self) -> bool:
        """True if pixels are in memory, after `load` and before `close`."""
        return bool(self._pixels)

    def load(
        self,
        *,
        workers: int | None = None,
        progress: Report | bool | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> NDArray[Any]:
        """Read all pixels of the full resolution into memory, once; options as of `load_images`.

        Raises
        ------
        LoadCancelledError
            `cancel` returned True; no pixels are kept.
        """
        if not self._pixels:
            pixels = read_array(
                self.array, workers=workers, progress=progress, cancel=cancel, name=self.name
            )
            self._pixels.append(pixels)
        return self._pixels[0]

    def close(self) -> None:
        """Release the pixels read by `load`, cached frames, and the file.

        The next use of the image opens the file again by its path, and refuses it if it changed
        meanwhile or does not exist. Arrays that were read before remain valid. Arrays of other
        packages, such as zarr and dask, remain as they are.
        """
        self._pixels.clear()
        close(*self.levels)

    def extract_patch(
        self,
        sample_idx: int,
        channels: Sequence[int] | None,
        coords: Sequence[int],
        patch_size: Sequence[int],
        *,
        dtype: DTypeLike | None = np.float32,
    ) -> NDArray[Any]:
        """Read one patch, padded with zeros outside of the image.

        Parameters
        ----------
        sample_idx : int
            Index into all axes but ``c z y x``, flattened with ``t`` fastest. The samples of a
            color are channels, unless axes were named in capital letters, such as ``"YXS"``.
        channels : sequence of int, optional
            Channels to read, in this order; all by default.
        coords, patch_size : sequence of int
            Start and size of the patch along (z,) y, x, in pixels; may exceed the image.
        dtype : data type, optional
            Type of the result; ``None`` for the dtype of the image.

        Returns
        -------
        numpy.ndarray
            Axes c (z) y x.

        Raises
        ------
        InvalidImageError
            A sample or channel does not exist, or coordinates have the wrong length.
        """
        place = (sample_idx, channels, coords, patch_size)
        patch = read_patch(self._source, self.axis_names, self._channel_axis, *place)
        return patch if dtype is None else patch.astype(dtype, copy=False)

    def replace(
        self,
        *,
        axes: str | Sequence[str] | None = None,
        scale: OneOrEach[float] | None = None,
        unit: OneOrEach[str | None] | str | None = None,
        translation: OneOrEach[float] | None = None,
        channels: Sequence[str | Channel | None] | None = None,
        name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return the image with other metadata; the pixels remain the same, and are not read.

        Parameters
        ----------
        axes : str or sequence of str, optional
            New names, one for each axis, in any case.
        scale, translation : mapping or sequence of float, optional
            For the axes that a mapping names, or one for each axis, in their units.
        unit : str, or mapping or sequence of str, optional
            As `scale`; a single length is the unit of z, y and x, a single time that of t.
        channels : sequence of str or Channel, optional
            Names, which leave the colors and contrast limits unchanged, or whole channels.
        name : str, optional
            New name.
        metadata : mapping, optional
            Entries to add to `metadata` or to replace there, plain JSON values.

        Raises
        ------
        InvalidImageError
            A number of values is wrong, or an axis or a unit is unknown.
        """
        return override(
            self,
            axes=axes,
            scale=scale,
            unit=unit,
            translation=translation,
            channels=channels,
            name=name,
            metadata=metadata,
        )

    def to_dask(self) -> dask.array.Array:
        """Return the full-resolution level as a dask array, with one frame or tile per chunk."""
        from napari_ferry.image.dask_array import to_dask  # most images never need it

        return to_dask(self.array, self.axis_names)

    def to_xarray(self) -> xarray.DataArray:
        """Return the image as an xarray object with dims, coordinates in units, and metadata.

        Coordinates are ``translation + index * scale``; channels are named along ``c``. Pixels in a
        file are a dask array, and are read when they are used.
        """
        return to_data_array(self)

    def to_dataset(self) -> xarray.Dataset:
        """Return an xarray Dataset of the image alone; its variable has the name of the image."""
        return to_dataset(self)

    @classmethod
    def from_xarray(cls, data: xarray.DataArray) -> Image:
        """Return an image of an xarray object, with scale and translation of its coordinates.

        Raises
        ------
        InvalidImageError
            The array has fewer than two dimensions, or coordinates are not evenly spaced.
        """
        return cls(**from_data_array(data))
