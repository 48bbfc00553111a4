"""Images of whatever people save: arrays, sequences of frames, or images that say what they are.

This is the one place that decides what the axes of an array without names are.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.protocol import check_array
from napari_ferry.errors import FerryWarning, InvalidImageError
from napari_ferry.image.axes import COLOR_SAMPLES
from napari_ferry.image.image import Image

Saveable: TypeAlias = Any
"""An `Image`, a numpy, dask, zarr or xarray object, or a sequence of images or of frames."""

_LISTS = (list, tuple, deque)
"""Sequences that have their items in memory."""

_PICTURE_SIDE = 30
"""Pixels a side, above which napari, too, takes an array (y, x, 3 or 4) for a picture in color."""


def as_images(images: Saveable, *, is_movie: bool = False, holds_one: bool = False) -> list[Image]:
    """Return images of whatever can be saved; no pixels are read.

    A sequence of plain arrays of one type and one shape, (y, x) or (y, x, 3 or 4), is one image: a
    stack of these frames, in order. Any other sequence is several images.

    A plain array of integers is in color where its shape is (frames, y, x, 3 or 4), and so is one
    of uint8 whose shape is (y, x, 3 or 4). Other arrays have `default_axes`.

    Parameters
    ----------
    images : Image, array, or sequence of them
        What is to be saved.
    is_movie : bool
        Whether frames are to be shown: arrays (frames, y, x, 3 or 4) of any type are in color then,
        and the first of three axes counts frames in every case.
    holds_one : bool
        Whether one image alone is wanted, so that frames that differ are refused.

    Raises
    ------
    InvalidImageError
        Something that is not an image or a sequence of images, nothing at all, or frames that
        differ.

    Warns
    -----
    FerryWarning
        What is to be shown looks like one picture in color, and is taken for frames.
    """
    if _is_one(images):
        return [_as_image(images, is_movie)]
    items = _items_of(images)
    if not isinstance(images, _LISTS) and _is_frame(items[0]):
        return [_as_stack(items)]  # a reader may make its frames when they are asked for
    if all(map(_is_frame, items)):
        difference = _difference(items)
        if difference is None:
            return [_as_stack(items)]
        if holds_one or is_movie:
            raise InvalidImageError(difference)
    return [_as_image(items[i], is_movie) for i in range(len(items))]


def _is_one(images: Saveable) -> bool:
    """Whether this is one image, or a text, which is none but is a sequence."""
    return isinstance(images, Image | str | bytes | Array) or _is_labeled(images)


def _is_labeled(item: Saveable) -> bool:
    """Whether this is an xarray object."""
    return hasattr(item, "dims") and hasattr(item, "coords")


def _items_of(images: Saveable) -> Sequence[Saveable]:
    """Return a sequence of items; of a list, which may change later, a copy.

    Raises
    ------
    InvalidImageError
        Nothing, or something that is not a sequence.
    """
    kind = type(images).__name__
    if isinstance(images, Mapping | Set):
        how = "list(images.values())" if isinstance(images, Mapping) else "sorted(images)"
        raise InvalidImageError(
            f"A {kind} does not say the order of its frames: give a list of them, such as {how}."
        )
    has_items = hasattr(images, "__len__") and hasattr(images, "__getitem__")
    if not isinstance(images, Sequence) and not has_items:
        if isinstance(images, Iterable):
            is_once = not hasattr(images, "__len__")
            why = "gives its frames only once" if is_once else "has no index"
            raise InvalidImageError(
                f"A {kind} {why}, and a save may read its frames again: give list(frames), or a "
                "dask array of them where they do not fit into memory."
            )
        raise InvalidImageError(_not_an_image(images))
    if len(images) == 0:
        raise InvalidImageError("There is nothing to save or draw: give at least one image.")
    return tuple(images) if isinstance(images, _LISTS) else images


def _is_frame(item: Saveable) -> bool:
    """Whether an item of a sequence is a plain array (y, x) or (y, x, 3 or 4)."""
    if isinstance(item, Image) or _is_labeled(item) or not isinstance(item, Array):
        return False
    return item.ndim == 2 or (item.ndim == 3 and item.shape[-1] in COLOR_SAMPLES)


def _difference(frames: Sequence[Array]) -> str | None:
    """Say which frame is not like the first one; ``None`` where all are alike."""
    first = frames[0]
    for i, frame in enumerate(frames):
        check_array(frame)
        is_same_shape = tuple(frame.shape) == tuple(first.shape)
        if not is_same_shape or np.dtype(frame.dtype) != np.dtype(first.dtype):
            return _differs(i, frame, first)
    return None


def _differs(i: int, frame: Array, first: Array | _FrameOf) -> str:
    """Say that frame `i` is not like the first one."""
    return (
        f"Frame {i} has the shape {tuple(frame.shape)} and the type {np.dtype(frame.dtype)}, and "
        f"frame 0 has {tuple(first.shape)} and {np.dtype(first.dtype)}: make all frames alike, or "
        "save them as TIFF, which holds images of several shapes."
    )


def _as_stack(frames: Sequence[Array]) -> Image:
    """Return one image of frames that are alike, none of which is copied."""
    shape, dtype = (len(frames), *frames[0].shape), np.dtype(frames[0].dtype)
    axes = "tyx" if len(shape) == 3 else "tyxs"
    read = _FrameOf(frames, shape[1:], dtype)
    return Image.from_array(Frames(read, shape, dtype, 1), axes)


@dataclass(frozen=True)
class _FrameOf:
    """Reads frames of a sequence.

    Raises
    ------
    InvalidImageError
        A frame is not like the first one.
    """

    keeps_frames: ClassVar[Literal[True]] = True

    frames: Sequence[Array]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __call__(self, i: int) -> NDArray[Any]:
        pixels = np.asarray(self.frames[i]).view()
        if (pixels.shape, pixels.dtype) != (self.shape, self.dtype):
            raise InvalidImageError(_differs(i, pixels, self))
        pixels.flags.writeable = False  # it may be an array of somebody else's
        return pixels


def _as_image(item: Saveable, is_movie: bool) -> Image:
    if isinstance(item, Image):
        return item
    if _is_labeled(item):
        return Image.from_xarray(item)
    if isinstance(item, Array):
        return Image.from_array(item, _color_axes(item, is_movie))
    raise InvalidImageError(_not_an_image(item))


def _color_axes(array: Array, is_movie: bool) -> str | None:
    """Return the axes of an array in color; ``None`` for any other."""
    if array.ndim not in (3, 4) or array.shape[-1] not in COLOR_SAMPLES:
        return None
    dtype = np.dtype(array.dtype)
    if array.ndim == 4:
        return "tyxs" if is_movie or dtype.kind in "iu" else None
    if is_movie and dtype == np.uint8 and min(array.shape[:2]) > _PICTURE_SIDE:
        _warn_of_frames(array.shape)
    return "yxs" if dtype == np.uint8 and not is_movie else None


def _warn_of_frames(shape: Sequence[int]) -> None:
    """Warn that what looks like one picture in color is shown as frames."""
    frames, y, x = shape
    warnings.warn(
        f"An array of shape {(frames, y, x)} is shown as {frames} frames of {y} by {x} pixels: if "
        "it is one picture in color, give array[None].",
        FerryWarning,
        stacklevel=5,
    )


def _not_an_image(item: object) -> str:
    """Say that something is not an image, and what would be."""
    if isinstance(item, list | tuple):
        return (
            f"A {type(item).__name__} in a sequence is not an image: give one list of frames, or "
            "make an array of the whole with numpy.asarray."
        )
    return (
        f"Not an image ({type(item).__name__}): give an Image, or a numpy, dask, zarr or xarray "
        "array."
    )
