"""The codec of a path, and `imload`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import napari_ferry.codecs as packages
from napari_ferry.arguments import find_url, reading, to_path
from napari_ferry.codec_protocol import Codec, Hooks
from napari_ferry.errors import UnsupportedFormatError, opening
from napari_ferry.image import Image
from napari_ferry.image.axes import parse_axes
from napari_ferry.image.axis_names import naming_axes
from napari_ferry.saving import naming_saves
from napari_ferry.saving.interruption import check_exists

if TYPE_CHECKING:
    from napari_ferry.saving.repair import RepairPlanner


@cache
def hooks_of(codec: Codec) -> Hooks:
    """Return the optional attributes of a codec."""
    declared = {field.name for field in fields(Hooks)}
    return Hooks(**{name: value for name, value in vars(codec).items() if name in declared})


@cache
def codecs() -> tuple[Codec, ...]:
    """Return every codec, in order of the names of their packages."""
    import pkgutil

    names = sorted(info.name for info in pkgutil.iter_modules(packages.__path__))
    modules = (importlib.import_module(f"{packages.__name__}.{name}.codec") for name in names)
    return tuple(cast("Codec", module) for module in modules)


def format_name(codec: Codec) -> str:
    """Return the name of a codec's package, such as ``tiff``."""
    return codec.__name__.split(".")[-2]


def suffixes(*, to_open: bool = False) -> tuple[str, ...]:
    """Return the suffixes of all formats, to save or to open."""
    return tuple(suffix for codec in codecs() for suffix in suffixes_of(codec, to_open=to_open))


def suffixes_of(codec: Codec, *, to_open: bool = False) -> tuple[str, ...]:
    """Return the suffixes of a codec, to save or to open."""
    return (*codec.SUFFIXES, *hooks_of(codec).ALSO_OPENS) if to_open else codec.SUFFIXES


@cache
def _codec_of_suffix(*, to_open: bool) -> dict[str, Codec]:
    """Return the codec of each suffix; of one in several codecs, the first."""
    return {name: each for each in codecs()[::-1] for name in suffixes_of(each, to_open=to_open)}


def find_codec(path: Path, *, to_open: bool = False) -> Codec:
    """Return the codec with the longest suffix of a name, ignoring case.

    Parameters
    ----------
    path : Path
        A file, which need not exist.
    to_open : bool
        True to open it, False to save it.

    Raises
    ------
    UnsupportedFormatError
        No codec has such a suffix.
    """
    parts = path.name.lower().split(".")[1:]
    endings = (f".{'.'.join(parts[k:])}" for k in range(len(parts)))  # the longest first
    codec = next(filter(None, map(_codec_of_suffix(to_open=to_open).get, endings)), None)
    if codec is None:
        action = "opened" if to_open else "saved"
        ending = f"ends in {path.suffix}" if path.suffix else "has no suffix"
        raise UnsupportedFormatError(
            f"{path.name} {ending} and cannot be {action}: use one of "
            f"{', '.join(suffixes(to_open=to_open))}."
        )
    return codec


def find_source_codec(path: Path) -> Codec:
    """Return the codec of an existing file or folder.

    A codec that claims the path comes first. Otherwise a suffix decides: that of a file, or in a
    folder those of its files. In a folder, a claim of a codec that opens folders of files counts as
    one of its files (see `Hooks.FOLDER_PRIORITY`).

    Raises
    ------
    UnsupportedFormatError
        No codec opens it.
    """
    ranked = sorted(codecs(), key=lambda codec: hooks_of(codec).FOLDER_PRIORITY)  # stores first
    claiming = next((codec for codec in ranked if hooks_of(codec).claims(path)), None)
    if path.is_dir() and (claiming is None or hooks_of(claiming).FOLDER_PRIORITY):
        return _find_folder_codec(path, claiming)
    return find_codec(path, to_open=True) if claiming is None else claiming


def find_repair(path: Path) -> RepairPlanner | None:
    """Return the `Hooks.repair` of the codec that a claim or a suffix identifies, if it has one."""
    for codec in codecs():
        hooks = hooks_of(codec)
        known = suffixes_of(codec, to_open=True)
        if hooks.repair and (path.name.lower().endswith(known) or hooks.claims(path)):
            return hooks.repair
    return None


def _find_folder_codec(folder: Path, claiming: Codec | None) -> Codec:
    """Return the codec with the highest priority, and of those the one with most files."""
    listed = os.listdir(folder)  # noqa: PTH208 - a tenth of the time, and folders may be large
    names = [name.lower() for name in listed if not name.startswith(".")]
    ranks = []
    for codec in codecs():
        if not (priority := hooks_of(codec).FOLDER_PRIORITY):
            continue
        count = sum(name.endswith(codec.SUFFIXES) for name in names) + int(codec is claiming)
        if count:
            ranks.append((priority, count, codec))
    if not ranks:
        raise UnsupportedFormatError(
            f"{folder.name} holds no files that can be opened: expected {', '.join(suffixes())}."
        )
    return max(ranks, key=lambda rank: rank[:2])[2]


def imload(path: str | Path, *, axes: str | Sequence[str] | None = None) -> list[Image]:
    """Open every image of a file or folder; no pixels are read.

    Parameters
    ----------
    path : str or Path
        A file, a folder of files, or the address (URL) of a Zarr store.
    axes : str or sequence of str, optional
        Names for the axes, in any case, that replace those of the file; such as ``"zyx"``.

    Returns
    -------
    list of Image
        Lazy; ``image.load()`` reads the pixels.

    Raises
    ------
    UnreadableFileError
        The file does not exist, may not be read, or is damaged.
    UnsupportedFormatError
        Its format is not known.
    MissingMetadataError
        It is a raw file without description.
    InvalidImageError
        The names do not match the axes of the image.

    Warns
    -----
    FerryWarning
        Something was left out, assumed or filled.
    """
    names = None if axes is None else parse_axes(axes)
    url = find_url(path) or ""
    open_url = _find_opener(url)
    with naming_axes(are_given=names is not None):
        images = open_url(url) if open_url else _open_path(to_path(path))
    return [image.replace(axes=names) for image in images] if names else images


def _open_path(path: Path) -> list[Image]:
    """Open every image of a file or folder."""
    with reading(path):
        path = path.absolute()  # later reads do not depend on the working folder of that time
        check_exists(path)
        with naming_saves(path), opening("" if path.is_dir() else path.name):
            return find_source_codec(path).open(path)


def _find_opener(url: str) -> Callable[[str], list[Image]] | None:
    """Return the function of a codec that opens an address, or ``None`` if no codec does."""
    names = url.partition("?")[0].lower().split("/")
    for codec in codecs():
        open_url, known = hooks_of(codec).open_url, suffixes_of(codec, to_open=True)
        if open_url is not None and any(name.endswith(known) for name in names):
            return open_url
    return None
