"""Carry image stacks into napari and out again: lazily, at disk speed, with nothing lost."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_ferry.arrays import load_binary, load_images, save_binary, save_images
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
    "load_images",
    "plan",
    "run",
    "save_binary",
    "save_images",
]

__version__ = "0.1.0"

_ROOMS = {
    "image": ("Axis", "Channel", "Image"),
    "plan": ("Plan", "run"),
    "progress": ("Progress",),
    "codecs": ("imload", "imsave", "plan"),
    "arrays": ("load_binary", "load_images", "save_binary", "save_images"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package costs little."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = next((room for room, names in _ROOMS.items() if name in names), "errors")
    return getattr(importlib.import_module(f"{__name__}.{room}"), name)
