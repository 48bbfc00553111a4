"""CAREamics: every function and parameter on its page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tifffile

from migration.pages import Check, Names, Page, same


def cut(whole: Any, channels: Sequence[int], coords: Sequence[int], size: Sequence[int]) -> Any:
    """Return a patch of sample 1 of an array t c z y x, with zeros around it."""
    padded = np.pad(whole[1], [(0, 0), *[(20, 20)] * 3])
    window = tuple(slice(20 + first, 20 + first + n) for first, n in zip(coords, size, strict=True))
    return padded[(list(channels), *window)]


def is_stack(found: Any, names: Names) -> bool:
    whole = tifffile.imread("stack.tiff").reshape(3, 2, 4, 12, 14)
    patch = found.extract_patch(1, None, (0, 2, 3), (4, 5, 6), dtype=None)
    return (
        found.data_shape == (3, 2, 4, 12, 14)
        and found.original_axes == "TCZYX"
        and same(patch, cut(whole, (0, 1), (0, 2, 3), (4, 5, 6)))
    )


def is_lazy_array(found: Any, names: Names) -> bool:
    return isinstance(found.array, np.memmap) and found.data_shape == (1, 1, 4, 12, 14)


def equals(expected: object) -> Check:
    return lambda found, names: found == expected


PATCH = "image.extract_patch("

PAGE = Page(
    name="careamics",
    system="careamics",
    signatures={
        "FileImageStack": "source= axes= data_shape= data_dtype= read_func= read_kwargs= "
        "original_data_shape=",
        "from_tiff": "path= axes=",
        "load": "",
        "close": "",
        "is_loaded": "",
        "original_axes": "",
        "original_data_shape": "",
        "data_shape": "",
        "extract_patch": "sample_idx= channels= coords= patch_size=",
        "from_array": "data= axes=",
        "ZarrImageStack": "group data_path= axes=",
    },
    files={"stack.tiff": "img_TCZYX.tiff", "stack.zarr": "stack.zarr"},
    checks={
        'imload("stack.tiff", axes="TCZYX")[0]': is_stack,
        'Image.from_array(np.load("cells.npy", mmap_mode="r"), "ZYX")': is_lazy_array,
        "image.load()": lambda found, names: same(found, names["pixels"]),
        "image.close()": lambda found, names: not names["image"].is_loaded,
        "image.is_loaded": equals(False),
        "image.original_axes": equals("TCZYX"),
        "image.original_shape": equals((3, 2, 4, 12, 14)),
        "image.data_shape": equals((3, 2, 4, 12, 14)),
        "image.dtype": equals(np.dtype("uint16")),
        "image.axis_names": equals(("t", "c", "z", "y", "x")),
        f"{PATCH}sample_idx=1, channels=None, coords=(0, 2, 3), patch_size=(4, 5, 6))": (
            lambda found, names: same(
                found, cut(names["pixels"], (0, 1), (0, 2, 3), (4, 5, 6)).astype("float32")
            )
        ),
        f"{PATCH}1, channels=[1, 0], coords=(-2, 9, 10), patch_size=(4, 8, 8), dtype=None)": (
            lambda found, names: same(found, cut(names["pixels"], (1, 0), (-2, 9, 10), (4, 8, 8)))
        ),
        'Image.from_array(pixels, "TCZYX")': lambda found, names: same(found, names["pixels"]),
        'imload("stack.zarr", axes="SCYX")': lambda found, names: (
            len(found) == 1 and found[0].data_shape == (3, 2, 12, 14)
        ),
    },
)
