"""Settings of a new Zarr array, as zarr-python takes them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Literal

import numpy as np

from napari_ferry.arguments import is_count
from napari_ferry.arrays import Array
from napari_ferry.codecs.zarr.plain import DIMENSIONS
from napari_ferry.errors import InvalidImageError

Compressor = Literal["zstd", "lz4", "none"]

_LEVELS = {"zstd": 1, "lz4": 5}
"""Level of each compressor: higher ones take longer and save little after a shuffle of bits."""


@contextmanager
def refusing_settings() -> Iterator[None]:
    """Return a context for creating an array; settings refused by zarr-python are errors.

    Raises
    ------
    InvalidImageError
        A length, a type or a setting is not valid.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        raise InvalidImageError(f"A Zarr array cannot have these settings: {error}") from error


def check_lengths(lengths: Sequence[int] | None, what: str, ndim: int) -> tuple[int, ...] | None:
    """Return lengths as a tuple, and refuse any that is not a whole number of at least 1."""
    if lengths is None:
        return None
    if len(lengths) != ndim or not all(is_count(n, 1) for n in lengths):
        raise InvalidImageError(
            f"The {what} are {tuple(lengths)}: give {ndim} whole numbers of at least 1, as many as "
            "the shape has."
        )
    return tuple(map(int, lengths))


def make_compressor(compression: Compressor, dtype: np.dtype[Any], zarr_format: int) -> Any:
    """Return the compressor as an object of zarr-python or numcodecs, or ``None``."""
    if compression == "none":
        return None
    if compression not in _LEVELS:
        raise InvalidImageError(
            f"The compression is {compression!r}: give {', '.join(map(repr, _LEVELS))} or 'none'."
        )
    level = _LEVELS[compression]
    if zarr_format == 2:
        from numcodecs import Blosc

        return Blosc(cname=compression, clevel=level, shuffle=Blosc.BITSHUFFLE)
    from zarr.codecs import BloscCodec

    return BloscCodec(
        cname=compression, clevel=level, shuffle="bitshuffle", typesize=dtype.itemsize
    )


def name_axes(axes: Sequence[str] | None, zarr_format: int) -> dict[str, Any]:
    """Return the settings for the names of axes; in version 2, also for nested chunk folders."""
    if zarr_format == 3:
        return {"dimension_names": None if axes is None else list(axes)}
    named = {} if axes is None else {"attributes": {DIMENSIONS: list(axes)}}
    return {"chunk_key_encoding": {"name": "v2", "separator": "/"}, **named}


def chunks_of(array: Array) -> Any:
    """Return the chunks of an array; of uneven ones along an axis, the first."""
    chunks = getattr(array, "chunks", None)
    if chunks is None:
        return "auto"
    return tuple(n[0] if isinstance(n, tuple) else int(n) for n in chunks)


def import_zarr() -> ModuleType:
    """Import zarr-python.

    Raises
    ------
    InvalidImageError
        It is not installed.
    """
    try:
        return importlib.import_module("zarr")
    except ModuleNotFoundError as error:
        raise InvalidImageError(
            "Zarr arrays to write to need zarr-python, which is not installed: install it by "
            "pip install 'napari-ferry[zarr]'."
        ) from error
