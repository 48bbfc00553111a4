"""Carry image stacks into napari and out again: lazily, at disk speed, with nothing lost."""

import importlib
from typing import TYPE_CHECKING, Any

from napari_ferry.errors import (
    ClusterError,
    FerryError,
    FerryWarning,
    InvalidImageError,
    LoadCancelledError,
    MissingFileError,
    MissingMetadataError,
    SaveCancelledError,
    SaveError,
    TargetError,
    TargetExistsError,
    UnreadableFileError,
    UnsupportedFormatError,
)
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.io import imload
from napari_ferry.saving import Plan, Progress, run

if TYPE_CHECKING:
    from napari_ferry.codecs.binary.layout import Layout
    from napari_ferry.codecs.binary.layout.find import find_layouts
    from napari_ferry.numpy_io.movies import load_gif, load_video, save_gif, save_video
    from napari_ferry.numpy_io.stacks import load_binary, load_images, save_binary, save_images
    from napari_ferry.numpy_io.zarr_arrays import new_zarr, new_zarr_like, open_zarr
    from napari_ferry.rendering.render import render
    from napari_ferry.rendering.save import imsave, plan

__all__ = [
    "Axis",
    "Channel",
    "ClusterError",
    "FerryError",
    "FerryWarning",
    "Image",
    "InvalidImageError",
    "Layout",
    "LoadCancelledError",
    "MissingFileError",
    "MissingMetadataError",
    "Plan",
    "Progress",
    "SaveCancelledError",
    "SaveError",
    "TargetError",
    "TargetExistsError",
    "UnreadableFileError",
    "UnsupportedFormatError",
    "find_layouts",
    "imload",
    "imsave",
    "load_binary",
    "load_gif",
    "load_images",
    "load_video",
    "new_zarr",
    "new_zarr_like",
    "open_zarr",
    "plan",
    "render",
    "run",
    "save_binary",
    "save_gif",
    "save_images",
    "save_video",
]

__version__ = "0.1.0"


_LAZY = {
    "numpy_io.stacks": {"load_binary", "load_images", "save_binary", "save_images"},
    "numpy_io.movies": {"load_gif", "load_video", "save_gif", "save_video"},
    "numpy_io.zarr_arrays": {"new_zarr", "new_zarr_like", "open_zarr"},
    "codecs.binary.layout.find": {"find_layouts"},
    "codecs.binary.layout": {"Layout"},
    "rendering.render": {"render"},
    "rendering.save": {"imsave", "plan"},
}


def __getattr__(name: str) -> Any:
    """Import expensive names at their first use."""
    for module, names in _LAZY.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
