"""Conversion of arrays, sequences of frames and other objects to images.

The axes of arrays without names are chosen here, and nowhere else.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.array_protocol import Closable, check_array, close
from napari_ferry.errors import InvalidImageError, warn
from napari_ferry.image.axes import COLOR_SAMPLES
from napari_ferry.image.image import Image

Saveable: TypeAlias = Any
"""An `Image`, a numpy, dask, zarr or xarray object, or a sequence of images or of frames."""

_LISTS = (list, tuple, deque)
"""Types of sequences with their items in memory."""

_PICTURE_SIDE = 30
"""Side in pixels, above which napari treats an array (y, x, 3 or 4) as one RGB image."""


def as_images(images: Saveable, *, is_movie: bool = False, holds_one: bool = False) -> list[Image]:
    """Return the images in an object, without reading pixels.

    A sequence of plain arrays of one type and one shape, (y, x) or (y, x, 3 or 4), is one image: a
    stack of these frames, in order. Any other sequence is several images.

    A plain array of integers of the shape (frames, y, x, 3 or 4), or of uint8 of the shape
    (y, x, 3 or 4), is in color. Other arrays have `default_axes`.

    An xarray Dataset, and a mapping of names to images or arrays, are several images with names.

    Parameters
    ----------
    images : Image, array, or sequence or mapping of them
        Object to be saved.
    is_movie : bool
        True for a movie: arrays (frames, y, x, 3 or 4) of any type are in color, and the first of
        three axes always counts frames.
    holds_one : bool
        True if only one image can be saved, so that different frames are refused.

    Raises
    ------
    InvalidImageError
        The object is not an image or a sequence of images, is empty, or has different frames.

    Warns
    -----
    FerryWarning
        An array that looks like one RGB image is treated as frames of a movie.
    """
    if hasattr(images, "data_vars"):
        variables = [images[name] for name in images.data_vars]
        shared = images.attrs
        return [Image.from_xarray(each.assign_attrs(shared | each.attrs)) for each in variables]
    if isinstance(images, Mapping) and images and all(isinstance(key, str) for key in images):
        return [_with_name(_as_image(images[name], is_movie), name) for name in images]
    if _is_single(images):
        return [_as_image(images, is_movie)]
    items = _items_of(images)
    if not isinstance(images, _LISTS) and _is_frame(items[0]):
        return [_as_stack(items)]  # a reader may create its frames on access
    if all(map(_is_frame, items)):
        difference = _difference(items)
        if difference is None:
            return [_as_stack(items)]
        if holds_one or is_movie:
            raise InvalidImageError(difference)
    return [_as_image(items[i], is_movie) for i in range(len(items))]


def _is_single(images: Saveable) -> bool:
    """Return True for a single image, or a string (refused later)."""
    return isinstance(images, Image | str | bytes | Array | memoryview) or _is_labeled(images)


def _is_labeled(item: Saveable) -> bool:
    """Return True for an xarray object."""
    return hasattr(item, "dims") and hasattr(item, "coords")


def _items_of(images: Saveable) -> Sequence[Saveable]:
    """Return a sequence of items; a list is copied, as it may change later.

    Raises
    ------
    InvalidImageError
        The object is empty or not a sequence.
    """
    kind = type(images).__name__
    if isinstance(images, Mapping | Set):
        example = "list(images.values())" if isinstance(images, Mapping) else "sorted(images)"
        raise InvalidImageError(
            f"A {kind} does not specify the order of its frames: give a list of them, such as "
            f"{example}."
        )

    has_items = hasattr(images, "__len__") and hasattr(images, "__getitem__")
    if not isinstance(images, Sequence) and not has_items:
        if isinstance(images, Iterable):
            is_once = not hasattr(images, "__len__")
            reason = "gives its frames only once" if is_once else "has no index"
            raise InvalidImageError(
                f"A {kind} {reason}, but a save may read its frames again: give list(frames), or a "
                "dask array if they do not fit into memory."
            )
        raise InvalidImageError(_not_an_image(images))

    if len(images) == 0:
        raise InvalidImageError("There is nothing to save or draw: give at least one image.")
    return tuple(images) if isinstance(images, _LISTS) else images


def _is_frame(item: Saveable) -> bool:
    """Return True for a plain array (y, x) or (y, x, 3 or 4)."""
    if isinstance(item, Image) or _is_labeled(item) or not isinstance(item, Array):
        return False
    return item.ndim == 2 or (item.ndim == 3 and item.shape[-1] in COLOR_SAMPLES)


def _difference(frames: Sequence[Array]) -> str | None:
    """Return a message about the first frame of another shape or type, or ``None``."""
    first = frames[0]
    for i, frame in enumerate(frames):
        check_array(frame)
        is_same_shape = tuple(frame.shape) == tuple(first.shape)
        if not is_same_shape or np.dtype(frame.dtype) != np.dtype(first.dtype):
            return _difference_message(i, frame, first)
    return None


def _difference_message(i: int, frame: Array, first: Array | _SequenceReader) -> str:
    """Return a message about frame `i`, of another shape or type than the first."""
    return (
        f"Frame {i} has the shape {tuple(frame.shape)} and the type {np.dtype(frame.dtype)}, but "
        f"frame 0 has {tuple(first.shape)} and {np.dtype(first.dtype)}: convert the frames to one "
        "shape and type, or save them as TIFF, which holds images of several shapes."
    )


def _as_stack(frames: Sequence[Array]) -> Image:
    """Return one image of frames of one shape and type, without copying them."""
    shape, dtype = (len(frames), *frames[0].shape), np.dtype(frames[0].dtype)
    axes = "tyx" if len(shape) == 3 else "tyxs"
    read = _SequenceReader(frames, shape[1:], dtype)
    return Image.from_array(Frames(read, shape, dtype, 1), axes)


@dataclass(frozen=True)
class _SequenceReader(Closable):
    """A reader of the frames in a sequence.

    Raises
    ------
    InvalidImageError
        A frame has another shape or type than the first one.
    """

    caches_frames: ClassVar[Literal[True]] = True

    frames: Sequence[Array]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __call__(self, i: int) -> NDArray[Any]:
        pixels = np.asarray(self.frames[i]).view()
        if (pixels.shape, pixels.dtype) != (self.shape, self.dtype):
            raise InvalidImageError(_difference_message(i, pixels, self))
        pixels.flags.writeable = False  # the array may belong to the caller
        return pixels

    def close(self) -> None:
        """Close each frame."""
        close(*self.frames)


def _as_image(item: Saveable, is_movie: bool) -> Image:
    if isinstance(item, Image):
        return item
    if _is_labeled(item):
        return Image.from_xarray(item)
    if isinstance(item, Array | memoryview):
        array = _to_numpy_types(item)
        return Image.from_array(array, _color_axes(array, is_movie))
    raise InvalidImageError(_not_an_image(item))


def _with_name(image: Image, name: str) -> Image:
    return replace(image, name=name)


def _to_numpy_types(array: Array | memoryview) -> Array:
    """Return an array whose type is one of numpy; a tensor on the CPU shares its memory.

    Raises
    ------
    InvalidImageError
        Its library refuses the conversion, and explains how to do it.
    """
    try:
        np.dtype(getattr(array, "dtype", None))
        if isinstance(array, Array):
            return array
    except TypeError:
        pass
    try:
        return np.asarray(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidImageError(
            f"The {type(array).__name__} cannot be converted to a numpy array ({error}): convert "
            "it first."
        ) from error


def _color_axes(array: Array, is_movie: bool) -> str | None:
    """Return the axes of an array in color, or ``None`` for other arrays."""
    if array.ndim not in (3, 4) or array.shape[-1] not in COLOR_SAMPLES:
        return None
    dtype = np.dtype(array.dtype)
    if array.ndim == 4:
        return "tyxs" if is_movie or dtype.kind in "iu" else None
    if is_movie and dtype == np.uint8 and min(array.shape[:2]) > _PICTURE_SIDE:
        _warn_of_frames(array.shape)
    return "yxs" if dtype == np.uint8 and not is_movie else None


def _warn_of_frames(shape: Sequence[int]) -> None:
    """Warn about an array treated as frames, but shaped like one RGB image."""
    frames, y, x = shape
    warn(
        f"An array of shape {(frames, y, x)} is treated as {frames} frames of {y} by {x} pixels: "
        "if it is one RGB image, give array[None]."
    )


def _not_an_image(item: object) -> str:
    """Return a message about an object other than an image."""
    if isinstance(item, list | tuple):
        return (
            f"A {type(item).__name__} in a sequence is not an image: give one list of frames, or "
            "make an array of the whole with numpy.asarray."
        )
    if isinstance(item, str | os.PathLike):
        return f"{os.fspath(item)} is a path, not an image: open it first, by imload."
    return (
        f"Not an image ({type(item).__name__}): give an Image, or a numpy, dask, zarr or xarray "
        "array."
    )
