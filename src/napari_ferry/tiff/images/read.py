"""One TIFF file -> its images: ImageJ hyperstack, OME-TIFF, tifffile's JSON, or plain pages."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.array import Array
from napari_ferry.axes import Axis, default_axes
from napari_ferry.description import KEY, Description, parse_description
from napari_ferry.image import Image
from napari_ferry.imagej import has_sound_counts, parse_imagej
from napari_ferry.tiff.images.levels import Stack, page_table, with_levels_below
from napari_ferry.tiff.images.micromanager import read_micromanager
from napari_ferry.tiff.images.read_ome import check_parts, ome_parts, read_ome
from napari_ferry.tiff.images.read_plain import read_below, read_plain
from napari_ferry.tiff.images.scanimage import read_scanimage
from napari_ferry.tiff.images.vendor import read_vendor
from napari_ferry.tiff.names import stem_of
from napari_ferry.tiff.pages.arrays import pages_array
from napari_ferry.tiff.pages.frames import (
    ASSUMED_TIME,
    Page,
    array_by_page,
    frame_axes,
    map_stack,
    map_whole_file,
    moved,
    with_pixels,
)
from napari_ferry.tiff.pages.header import Header, read_header
from napari_ferry.tiff.pages.kinds import PageKind
from napari_ferry.tiff.pages.pages import TiffPages

ASSUMED_AXES = "the axes are named by their order: the file does not say what they are"


def read_images(path: Path) -> list[Image]:
    """Open every image of one file; no pixels are read.

    Raises
    ------
    UnreadableFileError
        The file is no sound TIFF file.
    """
    header = read_header(path)
    is_part = bool(ome_parts(header))
    if is_part:
        check_parts(header)
    source = TiffPages(path)
    images = _read_described(header, source)
    if not images and header.flavour:
        images = read_vendor(header)
    images = images or read_plain(source)
    stem = re.sub(r"_\d{5,}$", "", stem_of(path)) if is_part else stem_of(path)
    return [image if image.name else replace(image, name=stem) for image in images]


def _read_described(header: Header, source: TiffPages) -> list[Image]:
    """Open the images of a file that describes itself; none where it does not."""
    if header.description.startswith('{"'):
        return _read_json(header, source)
    images: list[Image] = []
    if header.flavour == "lsm":
        images = read_vendor(header)
    if header.flavour == "micromanager":
        images = read_micromanager(header)
    if header.flavour == "scanimage":
        images = read_scanimage(header)
    if not images and "<OME" in header.description[:4096]:
        images = read_ome(header)
    if not images and header.imagej is not None:
        images = [_read_imagej(header, header.imagej)]
    return images


def writer_of(path: Path) -> str:
    """Return the program that wrote a file, as far as the file says so; empty otherwise."""
    header = read_header(path)
    if KEY in header.description or KEY in str((header.imagej or {}).get("Info")):
        return KEY
    if header.imagej is not None and "ImageJ" in header.imagej:
        return header.software or f"ImageJ {header.imagej['ImageJ']}"
    creator = re.search(r'Creator="([^"]*)"', header.description[:4096])
    return creator[1] if creator else header.software


def _read_imagej(header: Header, metadata: Mapping[str, Any]) -> Image:
    """Open an ImageJ hyperstack, whose planes are stored in the order t z c unless it says else."""
    axes, move = frame_axes(header)
    y, x, *samples = moved(header.shape, move)
    is_counted = header.next_page == 0 or has_sound_counts(metadata)
    description = parse_imagej(
        metadata,
        header.resolution,
        (y, x),
        header.dtype.name,
        samples[0] if samples else 1,
        None if is_counted else len(TiffPages(header.path)),
    )
    lead = len(description.shape) - len(axes)
    if f"{KEY}:" not in str(metadata.get("Info")):
        description = _in_usual_order(description, lead)
    names = [axis.name for axis in description.axes[:lead]]
    sizes = dict(zip(names, description.shape, strict=False))
    stored = [name for name in _stored_order(metadata) if name in sizes]
    turn = [stored.index(name) for name in names]
    n, shape = math.prod(sizes.values()), [sizes[name] for name in stored]
    flat = None if move else map_stack(header, n, is_imagej=True)
    if flat is not None:
        whole = flat.reshape(*shape, *flat.shape[1:])
        array: Array = whole.transpose(*turn, *range(lead, whole.ndim))
    else:
        pages = np.arange(n).reshape(shape).transpose(turn).ravel()
        array = array_by_page(header, pages, description.shape, lead, move)
    return with_pixels(description, array)


def _stored_order(metadata: Mapping[str, Any]) -> str:
    """Return the axes of planes as they are stored, slowest first; early files name an order."""
    order = str(metadata.get("order", "")).lower().partition("(")[0][-3:]
    return order[::-1] if sorted(order) == sorted("tzc") else "tzc"


def _in_usual_order(description: Description, lead: int) -> Description:
    """Turn the leading axes of an image whose file only says how it is stored into t c z."""
    names = [axis.name for axis in description.axes[:lead]]
    turn = [*sorted(range(lead), key=lambda k: "tcz".index(names[k]))]
    turn += range(lead, len(description.shape))
    return replace(
        description,
        shape=tuple(description.shape[k] for k in turn),
        axes=tuple(description.axes[k] for k in turn),
    )


def _read_json(header: Header, source: TiffPages) -> list[Image]:
    """Open the images of a file that tifffile described in JSON, one after the other."""
    images: list[Image] = []
    kinds: list[PageKind] = []
    text, page = header.description, 0
    while True:
        record = _json_record(text)
        if record is None:
            break
        shape = tuple(record["shape"])
        flat = _one_piece(header, shape, source) if not page else None
        if flat is not None:
            description, move = _json_description(record, header)
            if move:
                n = flat.ndim - len(header.shape)
                flat = np.moveaxis(flat, *(k if k < 0 else k + n for k in move))
            return [with_pixels(description, flat)]
        kind = source.kind_of(page)
        n, rest = divmod(math.prod(shape), math.prod(kind.shape))
        lead = next((k for k in range(len(shape) + 1) if math.prod(shape[:k]) == n), None)
        if rest or lead is None or page + n > len(source):
            break
        description, move = _json_description(record, kind)
        stack = Stack((source,), page_table(np.arange(page, page + n)), shape[:lead], move)
        frame = description.shape[lead:]
        array = pages_array(*stack[:3], frame, kind.dtype, move=move)
        images.append(with_levels_below(with_pixels(description, array), stack, kind))
        kinds.append(kind)
        page += n
        if page == len(source):
            break
        text = source.description(page)
    return [*images, *read_below(header.path, kinds)]


def _one_piece(header: Header, shape: tuple[int, ...], source: TiffPages) -> NDArray[Any] | None:
    """Map the pixels of the only image of a file; also where directories behind it were cut off."""
    if header.subifds:
        return None
    flat = map_whole_file(header, shape)
    n, rest = divmod(math.prod(shape), math.prod(header.shape))
    if flat is not None or rest or n <= len(source):
        return flat
    flat = map_stack(header, n)
    return None if flat is None else flat.reshape(shape)


def _json_record(text: str) -> dict[str, Any] | None:
    """Read a description in tifffile's form, ``None`` where it is none."""
    try:
        record = json.loads(text)
    except ValueError:
        return None
    shape = record.get("shape") if isinstance(record, dict) else None
    sound = isinstance(shape, list) and len(shape) >= 2
    sound = sound and all(isinstance(n, int) and 0 < n < 2**48 for n in shape or ())
    return record if sound else None


def _json_description(
    record: Mapping[str, Any], page: Page
) -> tuple[Description, tuple[int, int] | None]:
    """Return what a JSON description means; our own record in it says the most.

    Where it does not name the axes, the page says which are those of a frame.

    Returns
    -------
    description : Description
        Of the image, as it is opened.
    move : (int, int), optional
        How the stored axes of a page move for that.
    """
    shape, dtype = tuple(record["shape"]), page.dtype.name
    ours = parse_description(record.get(KEY))
    if ours is not None and ours.shape == shape:
        return ours, None
    metadata = {k: v for k, v in record.items() if k not in ("shape", "axes", KEY)}
    letters = str(record.get("axes", "")).lower()
    known = len(letters) == len(shape) == len(set(letters)) and {"y", "x"} <= set(letters)
    if known and "q" not in letters:
        return Description(shape, tuple(map(Axis, letters)), dtype, metadata=metadata), None
    n = len(shape) - len(page.shape)
    tail, move = frame_axes(page)
    # A stack of three or four planes that was written without a word on colour is stored by
    # tifffile as one page of separate samples; so those are frames, unless somebody says more.
    is_planar = page.axes.startswith("s")
    if n < 0 or shape[n:] != page.shape or is_planar:
        n, tail, move = len(shape) - 2, "yx", None
    if n:
        metadata["assumed"] = ASSUMED_TIME if n == 1 else ASSUMED_AXES
    axes = tuple(map(Axis, (*_leading_names(n, tail), *tail)))
    return Description((*shape[:n], *moved(shape[n:], move)), axes, dtype, metadata=metadata), move


def _leading_names(n: int, tail: str) -> tuple[str, ...]:
    """Return names for `n` axes that nobody named, before those of a frame.

    >>> _leading_names(2, "yxs"), _leading_names(3, "cyx")
    (('t', 'z'), ('t', 'd1', 'z'))
    """
    names = default_axes(n + len(tail.strip("cs")))[:n]
    return tuple(f"d{i}" if name in tail else name for i, name in enumerate(names))
