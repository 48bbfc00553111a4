"""SCOUT: every function and parameter on its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr

from migration.pages import Check, Names, Page, of_tifffile, paths_of, same


def saved(compression: str) -> Check:
    """Return a check of the pixels and the compression of a saved file."""

    def check(found: Any, names: Names) -> bool:
        with tifffile.TiffFile("new.tif") as tif:
            method = tif.pages[0].compression.name
            return (
                paths_of(found) == ["new.tif"]
                and same(tif.asarray(), names["data"])
                and (method == compression)
            )

    return check


def made(path: str | None, **settings: Any) -> Check:
    """Return a check of an array that was made, empty and writeable, with some of its settings."""

    def check(found: Any, names: Names) -> bool:
        found[:1] = 9
        again = found if path is None else zarr.open_array(path, mode="r")
        expected = {"shape": (6, 20, 30), "chunks": (2, 10, 15), "fill_value": 0, "dtype": "uint16"}
        return (
            all(getattr(again, key) == value for key, value in (expected | settings).items())
            and (again[0] == 9).all()
            and (again[1] == again.fill_value).all()
        )

    return check


def opened(path: str, *, is_writeable: bool) -> Check:
    """Return a check of an array with values, which zarr-python reads if told where chunks are."""

    def check(found: Any, names: Names) -> bool:
        read = np.asarray(found[:])
        return read.max() > 0 and same(read, chunks_of(path)) and found.read_only != is_writeable

    return check


def chunks_of(path: str) -> Any:
    """Return the array of a store, with chunks in nested folders if it is of version 2."""
    document = Path(path, ".zarray")
    if document.is_file():
        content = json.loads(document.read_text()) | {"dimension_separator": "/"}
        document.write_text(json.dumps(content))
    return zarr.open_array(path, mode="r")[:]


PAGE = Page(
    name="scout",
    system="scout",
    signatures={
        "imread": "(path)",
        "imread_folder": "(path) nb_workers=",
        "imread_parallel": "paths= nb_workers=",
        "imsave": "(path) data compress=",
        "new_zarr": "(path) shape= chunks= dtype= in_memory= **kwargs",
        "new_zarr_like": "(path) arr **kwargs",
        "open": "(path) nested= mode=",
    },
    files={
        "stack.tif": "stack.tif",
        "slices": "slices",
        "a.tif": "slices/Z0000.tif",
        "b.tif": "slices/Z0001.tif",
        "nested.zarr": "nested_u16.zarr",
    },
    checks={
        'load_images("stack.tif")': of_tifffile("stack.tif"),
        'load_images("slices", workers=2)': of_tifffile("slices/*.tif"),
        'load_images(["b.tif", "a.tif"], workers=2)': of_tifffile("b.tif", "a.tif"),
        'imsave(data, "new.tif", compression=True)': saved("ADOBE_DEFLATE"),
        'imsave(data, "new.tif", compression=False)': saved("NONE"),
        'imsave(data, "new.tif", compression="zstd")': saved("ZSTD"),
        'new_zarr("new.zarr", shape=(6, 20, 30), chunks=(2, 10, 15), dtype="uint16", '
        "zarr_format=2)": made("new.zarr"),
        'new_zarr(None, (6, 20, 30), (2, 10, 15), "uint16", in_memory=True)': made(None),
        'new_zarr("new.zarr", (6, 20, 30), (2, 10, 15), "uint16", fill_value=7, '
        'compression="lz4", shards=(6, 20, 30), axes="zyx")': made(
            "new.zarr", fill_value=7, shards=(6, 20, 30)
        ),
        'new_zarr_like("new.zarr", array)': made("new.zarr"),
        'new_zarr_like("new.zarr", array, overwrite=True)': made("new.zarr"),
        'open_zarr("nested.zarr", mode="r+")': opened("nested.zarr", is_writeable=True),
        'open_zarr("nested.zarr")': opened("nested.zarr", is_writeable=False),
        'open_zarr("flat.zarr")': opened("flat.zarr", is_writeable=False),
    },
)
