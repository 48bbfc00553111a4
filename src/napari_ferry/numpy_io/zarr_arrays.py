"""Zarr arrays to read and write in parts: new ones, new ones like others, and existing ones.

The arrays are those of zarr-python, an optional package. Existing data is replaced only with
``overwrite=True``, and only if it is a Zarr store and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from napari_ferry.arguments import reading, targeting, to_path
from napari_ferry.arrays import Array
from napari_ferry.codecs.zarr.codec import claims
from napari_ferry.codecs.zarr.node import Node, find_separator, read_node
from napari_ferry.codecs.zarr.saving.store_files import make_folder
from napari_ferry.codecs.zarr.saving.store_replacement import is_pure_store
from napari_ferry.codecs.zarr.store import FolderStore, Store
from napari_ferry.codecs.zarr.zip_store import ZipStore
from napari_ferry.errors import InvalidImageError, TargetError, UnreadableFileError
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.numpy_io.zarr_settings import (
    Compressor,
    check_lengths,
    chunks_of,
    import_zarr,
    make_compressor,
    name_axes,
    refusing_settings,
)
from napari_ferry.saving import Plan, PlannedFile, run
from napari_ferry.saving.partial.interruption import check_exists
from napari_ferry.saving.target import refuse_inside

if TYPE_CHECKING:
    import zarr


def new_zarr(
    path: str | Path | None,
    shape: Sequence[int],
    chunks: Sequence[int],
    dtype: DTypeLike,
    *,
    shards: Sequence[int] | None = None,
    fill_value: float = 0,
    compression: Compressor = "zstd",
    axes: Sequence[str] | None = None,
    zarr_format: Literal[2, 3] = 3,
    in_memory: bool = False,
    overwrite: bool = False,
) -> zarr.Array[Any]:
    """Create a Zarr array, to be filled part by part.

    Parameters
    ----------
    path : str or Path, optional
        Folder of the array, which is created with its parents; not used with `in_memory`.
    shape, chunks : sequence of int
        Length of the array, and of one chunk, along each axis.
    dtype : data type
        Type of the samples.
    shards : sequence of int, optional
        Length of one file along each axis, a multiple of `chunks`; one file for each chunk by
        default. Only for Zarr version 3.
    fill_value : float
        Value of samples that were never written.
    compression : {"zstd", "lz4", "none"}
        Compression by Blosc, after a shuffle of bits.
    axes : sequence of str, optional
        Names of the axes, such as ``"tzyx"``.
    zarr_format : {3, 2}
        Version of Zarr.
    in_memory : bool
        True for an array without files.
    overwrite : bool
        True to replace an existing store.

    Returns
    -------
    zarr.Array
        Open to read and write.

    Raises
    ------
    TargetExistsError
        The path exists, and `overwrite` is False or the folder contains other files, too.
    TargetError
        The path cannot be written to, or is inside another store.
    InvalidImageError
        A length or a setting is not valid, or zarr-python is not installed.

    Examples
    --------
    >>> array = new_zarr("cells.zarr", (100, 64, 64), (1, 64, 64), "uint16", axes="tyx")
    >>> array[0] = np.ones((64, 64))  # writes one chunk
    >>> int(array[0, 0, 0]), int(array[1, 0, 0])
    (1, 0)
    """
    zarr = import_zarr()
    settings: dict[str, Any] = {
        "shape": tuple(shape),
        "chunks": check_lengths(chunks, "chunks", len(shape)),
        "dtype": np.dtype(dtype),
        "shards": check_lengths(shards, "shards", len(shape)),
        "fill_value": fill_value,
        "compressors": make_compressor(compression, np.dtype(dtype), zarr_format),
        "zarr_format": zarr_format,
        **name_axes(axes, zarr_format),
    }
    create = partial(zarr.create_array, **settings)
    return _create(path, create, in_memory=in_memory, overwrite=overwrite)


def new_zarr_like(
    path: str | Path | None, array: Array, *, in_memory: bool = False, overwrite: bool = False
) -> zarr.Array[Any]:
    """Create a Zarr array with the settings of another array, but without its samples.

    Parameters
    ----------
    path : str or Path, optional
        As for `new_zarr`.
    array : array
        A Zarr array, whose shape, chunks, shards, type, fill value, compression, attributes and
        names of axes are repeated; of another array, shape and type, and its chunks if it has any.
    in_memory, overwrite : bool
        As for `new_zarr`.

    Returns
    -------
    zarr.Array
        Open to read and write.

    Raises
    ------
    TargetExistsError, TargetError, InvalidImageError
        As for `new_zarr`.

    Examples
    --------
    >>> source = np.zeros((10, 64, 64), np.uint16)
    >>> new_zarr_like("filtered.zarr", source).shape
    (10, 64, 64)
    """
    zarr = import_zarr()
    if isinstance(array, zarr.Array):
        create = partial(
            zarr.from_array,
            data=array,
            write_data=False,
            attributes=dict(array.attrs),
            fill_value=array.fill_value,
        )
    else:
        shape, dtype = tuple(array.shape), np.dtype(array.dtype)
        create = partial(zarr.create_array, shape=shape, dtype=dtype, chunks=chunks_of(array))

    return _create(path, create, in_memory=in_memory, overwrite=overwrite)


def open_zarr(path: str | Path, *, mode: Literal["r", "r+"] = "r") -> zarr.Array[Any]:
    """Open an existing Zarr array.

    Parameters
    ----------
    path : str or Path
        Folder of an array, also inside a store, or of an image of OME-Zarr, whose full resolution
        is opened; or a ZIP file of one.
    mode : {"r", "r+"}
        Open to read, or to read and write.

    Returns
    -------
    zarr.Array
        The array. Chunks in nested folders are found even if the metadata do not mention them, as
        in the stores of old versions of zarr-python.

    Raises
    ------
    UnreadableFileError
        The path does not exist, is not a Zarr array, or cannot be opened by zarr-python.
    InvalidImageError
        The mode is not known, or zarr-python is not installed.

    Examples
    --------
    >>> _ = new_zarr("opened.zarr", (10, 64, 64), (1, 64, 64), "uint16")
    >>> array = open_zarr("opened.zarr", mode="r+")
    >>> array[0] = 7
    >>> int(open_zarr("opened.zarr")[0, 0, 0])
    7
    """
    if mode not in ("r", "r+"):
        raise InvalidImageError(f"The mode is {mode!r}: give 'r' to read, or 'r+' to write, too.")
    path = to_path(path).absolute()
    with reading(path):
        check_exists(path)
        node = _find_array(path)
        if path.is_file() and mode != "r":
            raise InvalidImageError(f"{path.name} is a ZIP file, which can only be read: use 'r'.")
        return _open_node(path, node, mode)


def _find_array(path: Path) -> Node:
    """Return the array of a path, or the full resolution of an image of OME-Zarr.

    Raises
    ------
    UnreadableFileError
        The path is not an array.
    """
    store: Store = FolderStore(str(path)) if path.is_dir() else ZipStore(str(path))
    node = read_node(store, "")
    if node is None:
        raise UnreadableFileError(f"{path.name} is not a Zarr array: give the folder of one.")
    if node.array is not None:
        return node

    multiscales = node.ome.get("multiscales")
    first = multiscales[0] if isinstance(multiscales, list) and multiscales else {}
    datasets = first.get("datasets") if isinstance(first, Mapping) else None
    paths = [each.get("path") for each in datasets or () if isinstance(each, Mapping)]
    names = paths or natural_sorted(store.list_names(""))
    children = {str(name): read_node(store, str(name)) for name in names}
    arrays = {name: each for name, each in children.items() if each is not None and each.array}

    if not arrays or not paths:
        found = f"holds the arrays {', '.join(arrays)}" if arrays else "holds no array"
        raise UnreadableFileError(
            f"{path.name} is a group and {found}: give the path of an array in it."
        )
    return max(arrays.values(), key=lambda each: math.prod(each.open_array().shape))


def _open_node(path: Path, node: Node, mode: Literal["r", "r+"]) -> zarr.Array[Any]:
    """Open an array by zarr-python, with the separator in the names of its chunks."""
    zarr = import_zarr()
    from zarr import storage

    document, ndim = dict(node.array or {}), len((node.array or {}).get("shape", ()))
    try:
        if path.is_file():
            in_zip = storage.ZipStore(path, mode="r")
            return zarr.open_array(in_zip, path=node.key, mode="r")  # type: ignore[no-any-return]
        if node.version == 2 and "dimension_separator" not in document:
            separator = find_separator(node.store, node.key, ndim) or "."
            document |= {"dimension_separator": separator, "attributes": dict(node.attributes)}
            place = storage.StorePath(storage.LocalStore(path, read_only=mode == "r"), node.key)
            return zarr.Array.from_dict(place, document)  # type: ignore[no-any-return]
        return zarr.open_array(path / node.key, mode=mode)  # type: ignore[no-any-return]
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableFileError(
            f"{node.label} cannot be opened by zarr-python ({error}): check its metadata."
        ) from error


def _create(
    path: str | Path | None, create: partial[Any], *, in_memory: bool, overwrite: bool
) -> zarr.Array[Any]:
    """Create an array in memory or in a folder; the folder appears when it is complete."""
    if in_memory:
        from zarr.storage import MemoryStore

        with refusing_settings():
            return create(store=MemoryStore())  # type: ignore[no-any-return]
    if path is None:
        raise InvalidImageError("The path is missing: give one, or in_memory=True.")
    target = to_path(path, TargetError).absolute()
    with targeting(target):
        if target.name.lower().endswith((".ozx", ".zip")):
            raise TargetError(
                f"{target.name} would be a ZIP file, whose chunks cannot be replaced: choose a "
                "name that ends in .zarr."
            )
        refuse_inside(target, [claims])
        target.parent.mkdir(parents=True, exist_ok=True)
    folder = PlannedFile(
        path=target,
        nbytes=0,
        create=make_folder,
        finish=partial(_create_in, create=create),
        may_replace=is_pure_store,
        is_folder=True,
    )
    run(Plan(files=(folder,)), overwrite=overwrite)
    return open_zarr(target, mode="r+")


def _create_in(folder: Path, *, create: partial[Any]) -> None:
    """Create an array in the folder of an unfinished save."""
    with refusing_settings():
        create(store=folder)
