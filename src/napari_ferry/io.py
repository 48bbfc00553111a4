"""Which codec opens or saves a path; `imload`, `plan` and `imsave`, the doors to all of them.

A codec is a module of this package with ``SUFFIXES``, ``open(path)`` and
``plan(images, path, *, options)``; with ``ALSO_OPENS`` where it opens what it does not save, and
``HOLDS_ONE`` where a file holds one image alone.
"""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import napari_ferry.codecs as packages
from napari_ferry.arguments import reading, targeting, to_path
from napari_ferry.codecs.binary.sidecar import is_sidecar
from napari_ferry.errors import (
    InvalidImageError,
    TargetError,
    UnreadableFileError,
    UnsupportedFormatError,
)
from napari_ferry.image import Image, Saveable, as_images
from napari_ferry.image.axes import given_axes
from napari_ferry.saving import Plan, Progress, interrupted_save, run

_OF_OTHERS = (".czi", ".csv", ".h5", ".hdf5", ".lif", ".nd2", ".npy", ".npz", ".svg", ".zarr")
"""Suffixes of formats of images and tables that neither we nor Pillow know."""


@cache
def codecs() -> tuple[ModuleType, ...]:
    """Return every codec, in order of their names."""
    import pkgutil

    names = sorted(info.name for info in pkgutil.iter_modules(packages.__path__))
    return tuple(importlib.import_module(f"{packages.__name__}.{name}.codec") for name in names)


def suffixes(*, to_open: bool = False) -> tuple[str, ...]:
    """Return every suffix that can be saved, or all that can be opened."""
    return tuple(suffix for codec in codecs() for suffix in _suffixes_of(codec, to_open=to_open))


def _suffixes_of(codec: ModuleType, *, to_open: bool) -> tuple[str, ...]:
    also: tuple[str, ...] = getattr(codec, "ALSO_OPENS", ()) if to_open else ()
    return (*codec.SUFFIXES, *also)


def find_codec(path: Path, *, to_open: bool = False) -> ModuleType:
    """Return the codec of a name: the one with the longest suffix that fits, in any case.

    Parameters
    ----------
    path : Path
        A file, which need not be there.
    to_open : bool
        Whether it is to be opened, not saved.

    Raises
    ------
    UnsupportedFormatError
        None fits.
    """
    name = path.name.lower()
    fitting = [
        (len(suffix), codec)
        for codec in codecs()
        for suffix in _suffixes_of(codec, to_open=to_open)
        if name.endswith(suffix)
    ]
    if not fitting:
        what = "opened" if to_open else "saved"
        raise UnsupportedFormatError(
            f"{path.name} ends in {path.suffix or 'no suffix'}, which is not a format that can be "
            f"{what}: use one of {', '.join(suffixes(to_open=to_open))}."
        )
    return max(fitting, key=lambda pair: pair[0])[1]


def find_file_codec(path: Path) -> ModuleType:
    """Return the codec that opens a file; the sidecar of a raw file stands for it.

    Raises
    ------
    UnsupportedFormatError
        None does.
    """
    if path.suffix.lower() == ".json" and is_sidecar(path):
        return importlib.import_module(f"{packages.__name__}.binary.codec")
    return find_codec(path, to_open=True)


def with_suffix(path: Path, suffixes: Sequence[str]) -> Path:
    """Return the name with a suffix of the format: as typed, or the first where there is none.

    Raises
    ------
    UnsupportedFormatError
        The suffix is one of another format.
    """
    if path.name.lower().endswith(tuple(suffixes)):
        return path
    if _is_of_images(path.suffix.lower()):
        raise UnsupportedFormatError(
            f"{path.name} ends in {path.suffix}, but {suffixes[0]} was chosen: type a name that "
            f"ends in {' or '.join(suffixes)}, or choose the other format."
        )
    return path.with_name(path.name + suffixes[0])


def _is_of_images(suffix: str) -> bool:
    """Whether a suffix is that of a format, and no part of a name such as ``cells.v2``."""
    from PIL import Image as Pictures

    return suffix in {*suffixes(to_open=True), *Pictures.registered_extensions(), *_OF_OTHERS}


def find_folder_codec(folder: Path) -> ModuleType | None:
    """Return the codec that opens a folder, by the files in it; ``None`` for a foreign one."""
    listed = os.listdir(folder)  # noqa: PTH208 - a tenth of the time, and folders may be large
    names = [name.lower() for name in listed if not name.startswith(".")]
    for codec in reversed(codecs()):
        endings = tuple(codec.SUFFIXES)
        if getattr(codec, "OPENS_FOLDERS", False) and any(n.endswith(endings) for n in names):
            return codec
    legacy = (folder / "binary_video").is_file() and (folder / "video_meta.txt").is_file()
    return importlib.import_module(f"{packages.__name__}.binary.codec") if legacy else None


def imload(path: str | Path, *, axes: str | Sequence[str] | None = None) -> list[Image]:
    """Open every image of a file or folder; no pixels are read.

    Parameters
    ----------
    path : str or Path
        A file, or a folder of files.
    axes : str or sequence of str, optional
        Names for the axes, in any case, instead of what the file says; such as ``"zyx"``.

    Returns
    -------
    list of Image
        Lazy; ``image.load()`` reads the pixels.

    Raises
    ------
    UnreadableFileError
        There is no such file, it may not be read, or it is damaged.
    UnsupportedFormatError
        Its format is not known.
    MissingMetadataError
        A raw file without description.
    InvalidImageError
        Names that are not those of the image's axes.
    """
    path = to_path(path)
    names = None if axes is None else given_axes(axes)
    with reading(path):
        path = path.absolute()  # what is read later does not depend on the folder of that time
        if not path.exists():
            raise UnreadableFileError(
                interrupted_save(path) or f"{path} is not there: check its name."
            )
        images = _folder_images(path) if path.is_dir() else find_file_codec(path).open(path)
    return [_rename_axes(image, names) for image in images] if names else images


def _folder_images(folder: Path) -> list[Image]:
    codec = find_folder_codec(folder)
    if codec is None:
        raise UnsupportedFormatError(
            f"{folder} holds no files that can be opened: expected {', '.join(suffixes())}."
        )
    images: list[Image] = codec.open(folder)
    return images


def _rename_axes(image: Image, names: tuple[str, ...]) -> Image:
    if len(names) != image.ndim:
        raise InvalidImageError(
            f"The image has the shape {image.shape} and the axes {' '.join(names)} were given: "
            "name one axis for each dimension."
        )
    renamed = tuple(replace(axis, name=name) for axis, name in zip(image.axes, names, strict=True))
    channels = image.channels if "c" in (axis.name for axis in renamed) else ()
    return replace(image, axes=renamed, channels=channels)


def images_for(codec: ModuleType, images: Saveable) -> list[Image]:
    """Return images of whatever can be saved, as the format of a codec takes them.

    Raises
    ------
    InvalidImageError
        As `as_images`.
    """
    is_movie = bool(getattr(codec, "IS_MOVIE", False))
    return as_images(images, is_movie=is_movie, holds_one=getattr(codec, "HOLDS_ONE", False))


def plan(images: Saveable, path: str | Path, **options: Any) -> Plan:
    """Plan a save; no pixels are read.

    Parameters
    ----------
    images : Image, array, or sequence of them
        What to save. Arrays of one shape, (y, x) or (y, x, 3 or 4), in a sequence are the frames of
        one image. An array of integers (frames, y, x, 3 or 4) is in color, and in formats that
        hold samples one of uint8 (y, x, 3 or 4), too.
    path : str or Path
        Where to; its suffix chooses the format.
    **options
        Those of the format, such as ``size_cap`` of TIFF.

    Raises
    ------
    UnsupportedFormatError, InvalidImageError
        No such format, an image that it cannot hold, or an option that it does not have.
    TargetError
        A place that may not be looked at, or a name that no file can have.
    """
    path = to_path(path, TargetError)
    codec = find_codec(path)
    known = option_names(codec.plan)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InvalidImageError(
            f"{path.suffix} has no option {unknown[0]}: it has {', '.join(known) or 'none'}."
        )
    with targeting(path):
        planned: Plan = codec.plan(images_for(codec, images), path, **options)
    return planned


def option_names(planner: Callable[..., Any]) -> list[str]:
    """Return the names of the options of a codec's `plan`, or of another function."""
    parameters = inspect.signature(planner).parameters.values()
    return [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def imsave(
    images: Saveable,
    path: str | Path,
    *,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    **options: Any,
) -> list[Path]:
    """Save images; what stands there is replaced only when asked, and only by a whole file.

    Parameters
    ----------
    images, path, **options
        As for `plan`.
    overwrite, workers, progress, cancel
        As for `run`.

    Returns
    -------
    list of Path
        The files that were made.
    """
    planned = plan(images, path, **options)
    return run(planned, overwrite=overwrite, workers=workers, progress=progress, cancel=cancel)
