"""Carry image stacks into napari and out again: lazily, at disk speed, with nothing lost."""

from typing import TYPE_CHECKING, Any

from napari_ferry.codecs import imload, imsave, plan
from napari_ferry.errors import (
    FerryError,
    FerryWarning,
    InvalidImageError,
    MissingMetadataError,
    SaveCancelledError,
    SaveError,
    TargetError,
    TargetExistsError,
    UnreadableFileError,
    UnsupportedFormatError,
)
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.plan import Plan, run
from napari_ferry.progress import Progress

if TYPE_CHECKING:
    from napari_ferry.arrays import load_binary, load_images, save_binary, save_images
    from napari_ferry.movie_arrays import load_gif, load_video, save_gif, save_video

__all__ = [
    "Axis",
    "Channel",
    "FerryError",
    "FerryWarning",
    "Image",
    "InvalidImageError",
    "MissingMetadataError",
    "Plan",
    "Progress",
    "SaveCancelledError",
    "SaveError",
    "TargetError",
    "TargetExistsError",
    "UnreadableFileError",
    "UnsupportedFormatError",
    "imload",
    "imsave",
    "load_binary",
    "load_gif",
    "load_images",
    "load_video",
    "plan",
    "run",
    "save_binary",
    "save_gif",
    "save_images",
    "save_video",
]

__version__ = "0.1.0"


_OF_ARRAYS = {"load_binary", "load_images", "save_binary", "save_images"}
_OF_MOVIES = {"load_gif", "load_video", "save_gif", "save_video"}


def __getattr__(name: str) -> Any:
    """Import the functions of arrays when they are first asked for: they need many modules."""
    if name in _OF_ARRAYS:
        from napari_ferry import arrays

        return getattr(arrays, name)
    if name in _OF_MOVIES:
        from napari_ferry import movie_arrays

        return getattr(movie_arrays, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
