"""Zarr versions 2 and 3, and OME-Zarr (OME-NGFF 0.1 to 0.5): folders and ZIP files."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from pathlib import Path

from napari_ferry.arguments import is_count, refuse_address
from napari_ferry.codecs.zarr.store import METADATA_FILES, ZIP_SUFFIX, FolderStore, Store
from napari_ferry.codecs.zarr.zarr_options import (
    ChunkKind,
    Compression,
    Method,
    StoreOptions,
    Version,
)
from napari_ferry.errors import InvalidImageError, UnreadableFileError, UnsupportedFormatError
from napari_ferry.image import Image, check_pixels
from napari_ferry.saving import Plan
from napari_ferry.saving.document_repair import Repair

# opening any file imports this module, so that functions import what only they need

SUFFIXES = (".ome.zarr", ".zarr", ZIP_SUFFIX)
SUMMARY = "all samples and metadata, in chunks"
ALSO_OPENS = (".zarr.zip",)
IS_DEFAULT = True

_ENDINGS = (".ome.zarr.zip", ".zarr.zip", ".ome.zarr", ".zarr", ".ozx")


def open(path: Path) -> list[Image]:
    """Open the images of a store, or of an array or group in it, lazily.

    Parameters
    ----------
    path : Path
        Folder of the store, of an array or of a group; a metadata file in it; or a ZIP file.

    Raises
    ------
    UnreadableFileError
        The store contains no image, or its metadata are damaged or require unsupported features.

    Warns
    -----
    FerryWarning
        Something is left out or assumed.
    """
    folder = path.parent if path.name in METADATA_FILES else path
    return _open_store(_store_at(path), _name_of(folder.name))


def open_url(url: str) -> list[Image]:
    """Open the images of a store on a server, or of an array or group in it, lazily.

    Parameters
    ----------
    url : str
        Address, in which a folder ends in ``.zarr``.

    Raises
    ------
    UnsupportedFormatError
        The address is of another kind of file, or a package is missing.
    UnreadableFileError
        As `open`, or the server does not give the files.

    Warns
    -----
    FerryWarning
        Something is left out or assumed.
    """
    from napari_ferry.codecs.zarr.remote_store import SCHEMES, RemoteStore

    folders = url.partition("?")[0].lower().split("/")
    if url.partition(":")[0] not in SCHEMES or not any(each.endswith(".zarr") for each in folders):
        raise UnsupportedFormatError(refuse_address(url))
    store = RemoteStore(url)
    return _open_store(store, _name_of(store.name))


def _open_store(store: Store, name: str) -> list[Image]:
    """Open the images of a store."""
    from napari_ferry.codecs.zarr.node import read_node
    from napari_ferry.codecs.zarr.store_images import open_node

    node = read_node(store, "")
    if node is None:
        raise UnreadableFileError(
            f"{store.name} is not a Zarr store: expected {', '.join(METADATA_FILES)} in it; "
            f"{'check the address' if store.is_remote else 'get a complete copy'}."
        )
    return open_node(node, name)


def storage(path: Path, image: Image) -> dict[str, str]:
    """Return the storage of an image's full resolution: compression, chunks and shards."""
    from napari_ferry.codecs.zarr.array import ZarrArray
    from napari_ferry.codecs.zarr.zarr_storage import storage_of

    return storage_of(image.array) if isinstance(image.array, ZarrArray) else {}


def plan(
    images: Sequence[Image],
    path: Path,
    *,
    version: Version = "0.5",
    chunks: ChunkKind | None = None,
    shards: bool | None = None,
    levels: int | None = None,
    downsample: Method | None = None,
    compression: Compression | None = None,
) -> Plan:
    """Plan to save images as OME-Zarr; no pixels are read.

    An image with labels of the same size becomes one image of OME-Zarr; any other images become a
    series. Our own record keeps everything else about the images. Chunks of an opened store are
    copied without decoding, unless an option that is given requires others.

    Parameters
    ----------
    images : sequence of Image
        Images of the store.
    path : Path
        Name of the store, with suffix.
    version : {"0.5", "0.4"}
        Version of OME-Zarr. Older programs read 0.4 only, which has no checksums and no shards.
    chunks : {"2D", "3D"}, optional
        Shape of the parts that are read at once. "2D" is for planes, "3D" for volumes that are
        sliced in every direction. By default as in an opened store, or else "2D".
    shards : bool, optional
        Store many chunks in one file, in version 0.5. By default, stores of more than 2000 files
        do so, and an opened store remains as it is.
    levels : int, optional
        Number of resolutions, the full one included. By default, planes of more than 1024 pixels
        get smaller copies, down to 512 pixels, and an opened store keeps its own.
    downsample : {"mean", "nearest", "mode"}, optional
        Value of the pixels of smaller copies. By default the rounded mean for images, and one of
        the original pixels for labels, which are never averaged.
    compression : {"zstd", "lz4", "best", "none"}, optional
        Lossless compression by Blosc. lz4 is the fastest, best the smallest. By default as in
        an opened store, or else zstd.

    Raises
    ------
    InvalidImageError
        An image is empty or has no y and x, or an option is invalid.
    TargetError
        The target is inside another store.
    """
    from napari_ferry.codecs.zarr.saving.store_plan import plan_store

    for image in images:
        check_pixels(image)
        _check_plane(image)
    options = StoreOptions(
        version=version,
        chunks=chunks,
        shards=shards,
        levels=levels,
        downsample=downsample,
        compression=compression,
    )
    _check_options(options)
    if options.version == "0.4" and path.name.lower().endswith(ZIP_SUFFIX):
        raise InvalidImageError(
            f"{path.name} would be OME-Zarr {version}, but ZIP files begin with 0.5: choose "
            "version 0.5, or save as .ome.zarr."
        )
    return plan_store(images, path, options)


def _check_plane(image: Image) -> None:
    if not {"y", "x"} <= set(image.axis_names):
        raise InvalidImageError(
            f"{image.name or 'The image'} has the axes {' '.join(image.axis_names)}; in OME-Zarr, "
            "y and x must be among them: name the axes of the plane y and x."
        )


def _check_options(options: StoreOptions) -> None:
    words = {
        "version": (options.version, Version),
        "chunks": (options.chunks, ChunkKind),
        "downsample": (options.downsample, Method),
        "compression": (options.compression, Compression),
    }
    for name, (value, kind) in words.items():
        known = typing.get_args(kind)
        if value not in known and (value is not None or name == "version"):
            raise InvalidImageError(f"The {name} is {value!r}: choose one of {', '.join(known)}.")

    if not (options.shards is None or isinstance(options.shards, bool)):
        raise InvalidImageError(f"shards is {options.shards!r}: give True, False or None.")
    if options.shards and options.version == "0.4":
        raise InvalidImageError(
            "OME-Zarr 0.4 has no shards: choose version 0.5, or leave the shards out."
        )

    if not (options.levels is None or is_count(options.levels, 1)):
        raise InvalidImageError(
            f"levels is {options.levels!r}: give a whole number of at least 1, or None."
        )


def claims(path: Path) -> bool:
    """Return True for the folder of a store, an array or a group, and a metadata file in it."""
    if path.name in METADATA_FILES:
        return path.is_file()
    return path.is_dir() and any((path / name).is_file() for name in METADATA_FILES)


def check(path: Path) -> list[str]:
    """Return messages about metadata changed since the store was saved."""
    from napari_ferry.codecs.zarr.document_digests import find_changes

    return list(find_changes(_store_at(path)))


def _store_at(path: Path) -> Store:
    """Return the store of a folder, of a metadata file in it, or of a ZIP file."""
    folder = path.parent if path.name in METADATA_FILES else path
    if folder.is_dir():
        return FolderStore(str(folder))
    from napari_ferry.codecs.zarr.zip_store import ZipStore

    return ZipStore(str(path))


def repair(
    path: Path,
    *,
    axes: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    name: str | None = None,
    averaged: bool = False,
    ome: bool = False,
) -> Repair:
    """Return the changes to make the metadata of a store valid; nothing is written.

    Parameters
    ----------
    path : Path
        Folder of the store, of an array or of a group; or a metadata file in it.
    axes : str, optional
        Names of the axes, such as tzyx.
    scale : str, optional
        Scale of each axis, such as 2,0.5,0.5 or z=2,y=0.5,x=0.5.
    unit : str, optional
        Unit of z, y and x, such as um; or units by axis, such as t=second,y=um,x=um.
    name : str, optional
        Name of the image.
    averaged : bool
        The smaller resolutions are averages of pixels, so that their positions differ.
    ome : bool
        Make plain arrays an image of OME-Zarr.

    Raises
    ------
    UnsupportedFormatError
        The store is a ZIP file.
    UnreadableFileError
        It is not a store, or damaged beyond repair.
    InvalidImageError
        The values do not fit it.
    """
    folder = path.parent if path.name in METADATA_FILES else path
    if folder.is_file():
        raise UnsupportedFormatError(
            f"{path.name} is a ZIP file, in which nothing can be replaced: unpack it, repair its "
            "folder, and pack that without compression."
        )
    from napari_ferry.codecs.zarr.repair.request import Request
    from napari_ferry.codecs.zarr.repair.store_repair import plan_repair

    request = Request(axes=axes, scale=scale, unit=unit, name=name, averaged=averaged, ome=ome)
    return plan_repair(folder.absolute(), request)


def _name_of(name: str) -> str:
    """Return the name of a store without its suffix."""
    ending = next((each for each in _ENDINGS if name.lower().endswith(each)), "")
    return name[: len(name) - len(ending)] or name
