"""One TIFF file -> its images: ImageJ hyperstack, OME-TIFF, tifffile's JSON, or plain pages."""

from __future__ import annotations

import html
import json
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_ferry.description import KEY, Description, parse_description
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.frames import Frames
from napari_ferry.image import Array, Axis, Image, default_axes
from napari_ferry.imagej import has_sound_counts, parse_imagej
from napari_ferry.ome_xml import OmeImage, parse_ome_xml
from napari_ferry.tiff.pages import TiffPages
from napari_ferry.tiff.series import (
    AsBool,
    Header,
    map_frames,
    next_page,
    pages_array,
    read_header,
)

ASSUMED_TIME = "the first axis is taken for time: the file does not say what it is"
ASSUMED_AXES = "the axes are named by their order: the file does not say what they are"

_PART_UUID = re.compile(r'FileName="([^"]+)">(urn:uuid:[^<"]+)<')

_OUR_WRITERS = ("napari-ferry", "tifffile")
"""Software that lays the pixels of a stack down in one piece, in order."""


class _Page(Protocol):
    """What `Header` and `PageKind` both say of a page."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def axes(self) -> str: ...
    @property
    def is_colour(self) -> bool: ...


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
        _check_parts(header)
    images = _read_ome(header) if "<OME" in header.description[:4096] else []
    if not images and header.imagej is not None:
        images = [_read_imagej(header, header.imagej)]
    if not images and header.description.startswith('{"'):
        images = _read_json(header)
    images = images or _read_plain(header)
    stem = re.sub(r"_\d{5,}$", "", stem_of(path)) if is_part else stem_of(path)
    return [image if image.name else replace(image, name=stem) for image in images]


def ome_parts(header: Header) -> dict[str, str]:
    """Return the UUIDs of the files of a series that we wrote, by name; empty for other files."""
    text = header.description
    if KEY not in text or "<OME" not in text[:4096]:
        return {}
    return {html.unescape(name): uuid for name, uuid in _PART_UUID.findall(text)}


def _check_parts(header: Header) -> None:
    """Refuse a series of ours of which another file is missing or stale."""
    parts = ome_parts(header)
    for index, (name, uuid) in enumerate(parts.items()):
        if f'UUID="{uuid}"' in header.description[:4096] or Path(name).name != name:
            continue
        beside = header.path.with_name(name)
        if not beside.is_file():
            raise UnreadableFileError(
                f"{name} is missing: it is one of the {len(parts)} files of a series with "
                f"{header.path.name}; put it back beside the others."
            )
        if f'UUID="{uuid}"' not in read_header(beside).description[:4096]:
            raise UnreadableFileError(
                f"{name} is not part {index} of the same save as {header.path.name}: it is stale "
                "or was replaced; put the right file there, or save the whole again."
            )


def writer_of(path: Path) -> str:
    """Return the program that wrote a file, as far as the file says so; empty otherwise."""
    header = read_header(path)
    if KEY in header.description or KEY in str((header.imagej or {}).get("Info")):
        return KEY
    if header.imagej is not None and "ImageJ" in header.imagej:
        return header.software or f"ImageJ {header.imagej['ImageJ']}"
    creator = re.search(r'Creator="([^"]*)"', header.description[:4096])
    return creator[1] if creator else header.software


def stem_of(path: Path) -> str:
    """Return the name of a file without its suffix, ``.ome.tif`` taken as one.

    >>> stem_of(Path("a.b.ome.tiff"))
    'a.b'
    """
    return path.stem[:-4] if path.stem.lower().endswith(".ome") else path.stem


def _read_imagej(header: Header, metadata: Mapping[str, Any]) -> Image:
    """Open an ImageJ hyperstack, whose planes are stored in the order t z c."""
    axes, move = _frame_axes(header)
    y, x, *samples = _moved(header.shape, move)
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
    stored = [name for name in "tzc" if name in sizes]
    turn = [stored.index(name) for name in names]
    n, shape = math.prod(sizes.values()), [sizes[name] for name in stored]
    flat = None if move else _contiguous(header, n, is_imagej=True)
    if flat is not None:
        whole = flat.reshape(*shape, *flat.shape[1:])
        array: Array = whole.transpose(*turn, *range(lead, whole.ndim))
    else:
        pages = np.arange(n).reshape(shape).transpose(turn).ravel()
        array = _by_page(header, pages, description.shape, lead, move)
    return _with_pixels(description, array)


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


def _read_ome(header: Header) -> list[Image]:
    """Open the images that OME-XML describes; none where it does not fit the pages."""
    try:
        found = parse_ome_xml(header.description)
        return [_read_ome_image(header, image, len(found) == 1) for image in found]
    except UnreadableFileError as error:
        warnings.warn(
            f"The OME-XML of {header.path.name} is left aside, its pages are opened as they are: "
            f"{error}",
            FerryWarning,
            stacklevel=2,
        )
        return []


def _read_ome_image(header: Header, image: OmeImage, is_only: bool) -> Image:
    description, planes = image.description, image.planes()
    lead = len(description.shape) - (3 if image.samples > 1 else 2)
    in_order = (planes[:, 1] == np.arange(len(planes))).all() and image.files == (None,)
    flat = _contiguous(header, len(planes)) if is_only and in_order else None
    if flat is not None and flat[0].size == math.prod(description.shape[lead:]):
        return _with_pixels(description, flat.reshape(description.shape))
    files = [_ome_file(header.path, name) for name in image.files]
    source = next((file for file in files if file is not None), None)
    first = planes[planes[:, 1] >= 0]
    if source is None or not len(first):
        raise UnreadableFileError("none of the files that it names is there")
    page = int(first[0, 1]) if files[int(first[0, 0])] is source else 0
    if page >= len(source):
        raise UnreadableFileError(f"it names page {page} of {len(source)}")
    kind = source.kind(int(source.kinds[page]))
    _, move = _frame_axes(kind)
    if _moved(kind.shape, move) != description.shape[lead:]:
        raise UnreadableFileError(
            f"it says {description.shape[lead:]} where the pages are {kind.shape}"
        )
    array = pages_array(
        files,
        planes,
        description.shape[:lead],
        description.shape[lead:],
        kind.dtype,
        move=move,
    )
    return _with_pixels(description, array)


def _ome_file(path: Path, name: str | None) -> TiffPages | None:
    """Find a file of an OME set: beside the one that was opened, and nowhere else."""
    if name is None or name == path.name:
        return TiffPages(path)
    beside = path.with_name(Path(name.replace("\\", "/")).name)
    if beside.name == name and beside.is_file():
        return TiffPages(beside)
    warnings.warn(
        f"{path.name} is one of several files, of which {name} is not beside it: its frames are "
        "shown as zero; put it back and open again.",
        FerryWarning,
        stacklevel=2,
    )
    return None


def _read_json(header: Header) -> list[Image]:
    """Open the images of a file that tifffile described in JSON, one after the other."""
    images: list[Image] = []
    text, page = header.description, 0
    source = TiffPages(header.path)
    while True:
        record = _json_record(text)
        if record is None:
            return images
        shape = tuple(record["shape"])
        flat = _whole_file(header, shape) if not page else None
        if flat is not None:
            return [_with_pixels(_json_description(record, header.dtype), flat)]
        kind = source.kind(int(source.kinds[page]))
        n, rest = divmod(math.prod(shape), math.prod(kind.shape))
        lead = next((k for k in range(len(shape) + 1) if math.prod(shape[:k]) == n), None)
        if rest or lead is None or page + n > len(source):
            return images
        table = np.stack([np.zeros(n, np.int64), np.arange(page, page + n)], -1)
        array = pages_array([source], table, shape[:lead], shape[lead:], kind.dtype)
        images.append(_with_pixels(_json_description(record, kind.dtype), array))
        page += n
        if page == len(source):
            return images
        text = source.description(page)


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


def _json_description(record: Mapping[str, Any], dtype: np.dtype[Any]) -> Description:
    """Return what a JSON description means; our own record in it says the most."""
    shape = tuple(record["shape"])
    ours = parse_description(record.get(KEY))
    if ours is not None and ours.shape == shape:
        return ours
    letters = str(record.get("axes", "")).lower()
    known = len(letters) == len(shape) == len(set(letters)) and {"y", "x"} <= set(letters)
    names = tuple(letters) if known and "q" not in letters else default_axes(len(shape))
    metadata = {k: v for k, v in record.items() if k not in ("shape", "axes", KEY)}
    if names != tuple(letters):
        metadata["assumed"] = ASSUMED_TIME if len(shape) == 3 else ASSUMED_AXES
    return Description(shape, tuple(map(Axis, names)), dtype.name, metadata=metadata)


def _read_plain(header: Header) -> list[Image]:
    """Open pages that nothing describes: those of one kind are one image."""
    source = TiffPages(header.path)
    kinds = source.kinds
    images = []
    for number in range(int(kinds.max()) + 1):
        pages = np.nonzero(kinds == number)[0]
        kind = source.kind(number)
        axes, move = _frame_axes(kind)
        frame = _moved(kind.shape, move)
        lead = (len(pages),) if len(pages) > 1 else ()
        names = (*(("t",) if lead else ()), *axes)
        if lead and "t" in axes:
            raise UnreadableFileError(f"{header.path} has pages with axes {axes}: not known.")
        table = np.stack([np.zeros(len(pages), np.int64), pages], -1)
        metadata = {"assumed": ASSUMED_TIME} if lead else {}
        description = Description(
            (*lead, *frame), tuple(map(Axis, names)), kind.dtype.name, metadata=metadata
        )
        array = pages_array([source], table, lead, frame, kind.dtype, move=move)
        images.append(_with_pixels(description, array))
    return images


def _frame_axes(page: _Page) -> tuple[str, tuple[int, int] | None]:
    """Return the axes of a page as they are opened, and how its stored axes move for that.

    Samples of a colour come last, as ``s``; other samples are channels and come first.
    """
    first, last = page.axes.startswith("s"), page.axes.endswith("s")
    inner = page.axes.strip("s")
    if not first and not last:
        return inner, None
    if page.is_colour and page.shape[0 if first else -1] in (3, 4):
        return inner + "s", (0, -1) if first else None
    return "c" + inner, (-1, 0) if last else None


def _moved(shape: Sequence[int], move: tuple[int, int] | None) -> tuple[int, ...]:
    """Return the shape of a page after an axis moved."""
    return np.moveaxis(np.empty(shape, "V0"), *move).shape if move else tuple(shape)


def _contiguous(header: Header, n: int, *, is_imagej: bool = False) -> NDArray[Any] | None:
    """Map `n` frames that follow each other, without looking at their pages.

    That is safe where ImageJ or a writer that is known laid down a stack: all its pixels stand
    before the second directory.
    """
    end = header.start + n * header.nbytes
    known = is_imagej or header.software.startswith(_OUR_WRITERS)
    if header.raw_dtype is None or not known or end > header.stamp.nbytes:
        return None
    if n > 1 and (0 < header.next_page < end or (header.next_page == 0 and not is_imagej)):
        return None
    return map_frames(header.path, header.start, header.nbytes, n, header.shape, header.raw_dtype)


def _whole_file(header: Header, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Map the one array of a file that holds nothing else, without looking at all its pages.

    Directories of a stack are of one length and follow each other, so that the last one is found
    by counting; it must be the end of the chain.
    """
    n, rest = divmod(math.prod(shape), math.prod(header.shape))
    flat = _contiguous(header, n) if n and not rest else None
    if flat is None:
        return None
    last = header.next_page
    if n > 2:
        third = next_page(header.path, last)
        last += (third - last) * (n - 2)
    is_end = (last == 0) if n == 1 else last > 0 and next_page(header.path, last) == 0
    return flat.reshape(shape) if is_end else None


def _by_page(
    header: Header,
    pages: NDArray[np.int64],
    shape: Sequence[int],
    lead: int,
    move: tuple[int, int] | None,
) -> Array:
    """Return the array of a stack whose pages are looked up in the file."""
    source = TiffPages(header.path)
    if pages.max() >= len(source):
        raise UnreadableFileError(
            f"{header.path} is cut off: it has {len(source)} of {pages.max() + 1} pages; get a "
            "whole copy."
        )
    table = np.stack([np.zeros_like(pages), pages], -1)
    return pages_array([source], table, shape[:lead], shape[lead:], header.dtype, move=move)


def _with_pixels(description: Description, array: Array) -> Image:
    """Join a description with its pixels; truth values were stored as 0 and 1."""
    if description.dtype == "bool" and array.dtype == np.uint8:
        if isinstance(array, Frames):
            array = Frames(AsBool(array.read), array.shape, bool, array.lead)
        elif isinstance(array, np.ndarray):
            array = array.view(bool)
    return description.to_image(array)
