"""Raw binary: the samples of one array and nothing else, described by a JSON file beside them.

The sidecar of a plain (frames, y, x) array is ``{"frames": 100, "y": 512, "x": 512, "dtype":
"uint16"}``, as CalSciPy writes it. Where there is more to say it has more keys, see
`docs/formats.md`; programs that know only the four keys can still use them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_ferry.blocks import c_strides, whole
from napari_ferry.description import KEY, Description, describe, not_json, parse_description
from napari_ferry.errors import InvalidImageError, MissingMetadataError, UnreadableFileError
from napari_ferry.image import Array, Axis, Image, default_axes
from napari_ferry.partial import interrupted_save
from napari_ferry.pixels import pixel_writes
from napari_ferry.plan import Plan, PlannedFile

SUFFIXES = (".bin", ".raw", ".dat")
OPENS_FOLDERS = True

DEFAULT_NAME = "binary_video"
"""Name, without suffix, of the recording in a folder that says no other."""

Mode = Literal["r", "r+", "c"]

_DIMENSIONS = ("frames", "y", "x")
_LEGACY_SIDECAR = "video_meta.txt"
_SIDECAR_BYTES = 16 << 20


def open(path: Path) -> list[Image]:
    """Open a raw file through its sidecar, or every such file of a folder, memory-mapped.

    Parameters
    ----------
    path : Path
        The raw file, its sidecar, or a folder.

    Raises
    ------
    UnreadableFileError
        The sidecar is damaged or does not fit the file.
    MissingMetadataError
        There is no sidecar.
    """
    if path.is_dir():
        return [open_binary(found) for found in binary_files(path)]
    return [open_binary(path)]


def plan(images: Sequence[Image], path: Path) -> Plan:
    """Plan to save one image as raw binary with a sidecar; no pixels are read.

    Parameters
    ----------
    images : sequence of Image
        One image.
    path : Path
        The raw file; the sidecar has its name with ``.json``.

    Raises
    ------
    InvalidImageError
        More than one image, an empty one, or samples that are no numbers.
    """
    if len(images) != 1:
        raise InvalidImageError(
            f"A raw file holds one image and {len(images)} were given: save them one by one, or "
            "as TIFF."
        )
    (image,) = images
    if 0 in image.shape:
        raise InvalidImageError(
            f"The image has the shape {image.shape}, so there are no pixels to save: check what "
            "is selected."
        )
    if not _is_number(image.dtype):
        raise InvalidImageError(f"The samples are {image.dtype}; a raw file holds numbers.")
    text = sidecar_text(image)
    sidecar = sidecar_path(path)
    strides = c_strides(image.shape, image.dtype.itemsize)
    lead = max(0, image.ndim - (3 if image.is_rgb else 2))
    losses = [
        f"of the metadata, {key} cannot be kept: it is no plain text, number or list"
        for key in not_json(image.metadata)
    ]
    if len(image.levels) > 1:
        losses.append(
            "a pyramid is saved from its full resolution; the smaller levels are left out"
        )
    return Plan(
        (
            PlannedFile(path, image.nbytes, partial(_reserve, nbytes=image.nbytes)),
            PlannedFile(sidecar, len(text), partial(_write_text, text=text), is_sidecar),
        ),
        tuple(
            pixel_writes(
                path,
                image.array,
                whole(image.shape),
                lead=lead,
                strides=strides,
                dtype=image.dtype,
            )
        ),
        tuple(losses),
        math.prod(image.shape[:lead]),
        text,
    )


def open_binary(
    path: Path, *, mode: Mode = "r", missing_metadata: Mapping[str, Any] | None = None
) -> Image:
    """Open one raw file, memory-mapped.

    Parameters
    ----------
    path : Path
        The raw file or its sidecar.
    mode : {"r", "r+", "c"}
        Read only, read and write through to the file, or changes kept in memory.
    missing_metadata : mapping, optional
        Used instead of a sidecar: ``dtype``, and all of ``frames``, ``y``, ``x`` but one at most.

    Raises
    ------
    InvalidImageError
        Another mode.
    UnreadableFileError, MissingMetadataError
        As for `open`.
    """
    if mode not in ("r", "r+", "c"):
        raise InvalidImageError(
            f"Mode {mode!r} could destroy the file: use 'r' to read, 'r+' to change it, or 'c' to "
            "change a copy in memory."
        )
    data = data_file(path)
    nbytes = data.stat().st_size
    if missing_metadata is not None:
        described = _complete(dict(missing_metadata), nbytes, data, "the metadata given")
        offset = 0
    else:
        described, offset = _read_sidecar(data, nbytes)
    dtype = np.dtype(described.dtype)
    array: Array = (
        np.memmap(data, dtype, mode, offset, described.shape)
        if 0 not in described.shape
        else np.empty(described.shape, dtype)
    )
    image = described.to_image(array)
    return (
        image
        if image.name
        else Image(
            image.levels,
            image.axes,
            image.channels,
            data.stem,
            image.kind,
            image.display,
            image.metadata,
        )
    )


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of a raw file stands."""
    return path.with_suffix(".json")


def sidecar_text(image: Image) -> str:
    """Return the sidecar of an image: four keys where they say everything, else more."""
    frames, y, x = (
        (1, 1, *image.shape)[-3:]
        if image.ndim < 3
        else (math.prod(image.shape[:-2]), *image.shape[-2:])
    )
    plain = {"frames": frames, "y": y, "x": x, "dtype": str(image.dtype)}
    bare = Image.from_array(image.array)
    if image.ndim == 3 and describe(image) == describe(bare):
        return json.dumps(plain)
    return json.dumps({**plain, "offset": 0, **describe(image), "dtype": str(image.dtype)})


def is_sidecar(path: Path) -> bool:
    """Whether a file is the sidecar of a raw file: JSON with a type and dimensions."""
    try:
        record = _load_json(path)
    except UnreadableFileError:
        return False
    return isinstance(record.get("dtype"), str) and any(key in record for key in _DIMENSIONS)


def binary_files(folder: Path) -> list[Path]:
    """Return the raw files of a folder that have a description, in order of their names.

    Raises
    ------
    MissingMetadataError
        There is none.
    """
    legacy = folder / DEFAULT_NAME
    if legacy.is_file() and (folder / _LEGACY_SIDECAR).is_file():
        return [legacy]
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    described = [path for path in found if sidecar_path(path).is_file()]
    if not described:
        _refuse_undescribed(found[0] if found else folder / f"{DEFAULT_NAME}.bin")
    return described


def data_file(path: Path) -> Path:
    """Return the raw file that is meant: the path itself, or the one beside a sidecar."""
    if path.suffix.lower() == ".json":
        beside = [path.with_suffix(suffix) for suffix in SUFFIXES]
        found = next((data for data in beside if data.is_file()), None)
        if found is None:
            raise UnreadableFileError(
                f"{path.name} describes a raw file, and none of "
                f"{', '.join(data.name for data in beside)} is beside it: put it there."
            )
        return found
    if not path.is_file():
        raise UnreadableFileError(f"{path} is no file: check its name.")
    return path


def _read_sidecar(data: Path, nbytes: int) -> tuple[Description, int]:
    """Read what stands beside a raw file; return the description and the header's length."""
    legacy = data.with_name(_LEGACY_SIDECAR)
    sidecar = sidecar_path(data)
    if not sidecar.is_file():
        if data.name == DEFAULT_NAME and legacy.is_file():
            return _complete(_read_legacy(legacy), nbytes, data, legacy.name), 0
        _refuse_undescribed(data)
    record = _load_json(sidecar)
    offset = record.get("offset", 0)
    if not _is_count(offset) or offset > nbytes:
        raise UnreadableFileError(
            f"{sidecar} gives the offset {str(offset)[:40]} in {nbytes} bytes: correct it."
        )
    description = _described(record, sidecar) if KEY in record else None
    if description is None:
        return _complete(record, nbytes - offset, data, sidecar.name), offset
    expected = math.prod(description.shape) * np.dtype(description.dtype).itemsize
    _check_size(description.shape, description.dtype, expected, nbytes - offset, data, sidecar.name)
    return description, offset


def _described(record: Mapping[str, Any], sidecar: Path) -> Description | None:
    """Return what our own record says, if it is sound."""
    description = parse_description(record)
    if description is not None:
        _parse_dtype(description.dtype, sidecar.name)
    return description


def _complete(record: Mapping[str, Any], nbytes: int, data: Path, source: str) -> Description:
    """Fill in the one dimension that may be missing, and check that everything fits.

    Parameters
    ----------
    record : mapping
        ``dtype``, ``frames``, ``y``, ``x``; one dimension may be absent, 0 or -1.
    nbytes : int
        Bytes of samples in the file.
    data : Path
        The raw file, for messages.
    source : str
        What said so, for messages.
    """
    dtype = _parse_dtype(record.get("dtype"), source)
    sizes = [_parse_dimension(key, record.get(key), source) for key in _DIMENSIONS]
    if not nbytes and sizes[0] == 0 and all(sizes[1:]):
        shape = tuple(sizes)
    else:
        unknown = [key for key, size in zip(_DIMENSIONS, sizes, strict=True) if not size]
        if len(unknown) > 1:
            raise MissingMetadataError(
                f"{source} does not say {' and '.join(unknown)} of {data.name}: one of frames, y "
                "and x can be computed, the others must be given."
            )
        known = math.prod(size for size in sizes if size) * dtype.itemsize
        missing, rest = divmod(nbytes, known)
        if unknown and (rest or not missing):
            raise UnreadableFileError(
                f"{data.name} has {nbytes} bytes, which is {missing} times the {known} bytes that "
                f"{source} gives for one of {unknown[0]}, and {rest} bytes remain: check the type "
                "and the other dimensions."
            )
        shape = tuple(size or missing for size in sizes)
        expected = math.prod(shape) * dtype.itemsize
        _check_size(shape, str(dtype), expected, nbytes, data, source)
    return Description(shape, tuple(map(Axis, default_axes(3))), str(dtype))


def _check_size(
    shape: Sequence[int], dtype: str, expected: int, nbytes: int, data: Path, source: str
) -> None:
    if expected != nbytes:
        raise UnreadableFileError(
            f"{data.name} holds {nbytes} bytes, but {source} says {' x '.join(map(str, shape))} of "
            f"{dtype}, which is {expected}: one of the two is stale; correct the description, or "
            "put back the file that belongs to it."
        )


def _parse_dtype(value: object, source: str) -> np.dtype[Any]:
    """Return a type of numbers; nothing else is read from a file."""
    if value is None:
        raise MissingMetadataError(f"{source} does not say the dtype: give one, such as 'uint16'.")
    try:
        dtype: np.dtype[Any] = np.dtype(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, SyntaxError) as error:
        raise UnreadableFileError(
            f"{source} gives the dtype {str(value)[:40]!r}: expected a type of numbers, such as "
            "'uint16'."
        ) from error
    if not _is_number(dtype):
        raise UnreadableFileError(
            f"{source} gives the dtype {str(value)[:40]!r}: expected a type of numbers, such as "
            "'uint16'."
        )
    return dtype


def _is_number(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "biufc" and dtype.names is None and dtype.subdtype is None


def _parse_dimension(key: str, value: object, source: str) -> int:
    """Return a dimension; 0 where it is to be computed."""
    if value is None or (key == "frames" and value == -1 and not isinstance(value, bool)):
        return 0
    if not _is_count(value):
        raise UnreadableFileError(
            f"{source} gives {key} as {str(value)[:40]}: expected a whole number above 0."
        )
    return int(value)  # type: ignore[call-overload,no-any-return]


def _is_count(value: object) -> bool:
    is_int = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return is_int and 0 <= value < 2**48  # type: ignore[operator]


def _load_json(path: Path) -> dict[str, Any]:
    """Read a JSON object, strictly: no key twice, and not larger than a sidecar can be."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key stands in it twice")
        return dict(pairs)

    try:
        if path.stat().st_size > _SIDECAR_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes are too many")
        record = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=unique)
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableFileError(
            f"{path} is no sound sidecar ({str(error)[:80]}): expected JSON such as "
            '{"frames": 100, "y": 512, "x": 512, "dtype": "uint16"}.'
        ) from error
    if not isinstance(record, dict):
        raise UnreadableFileError(
            f"{path} is no sidecar (it holds a {type(record).__name__}): expected JSON such as "
            '{"frames": 100, "y": 512, "x": 512, "dtype": "uint16"}.'
        )
    return record


def _read_legacy(path: Path) -> dict[str, Any]:
    """Read ``frames,y,x,dtype``, the layout of 2022."""
    try:
        frames, y, x, dtype = path.read_text("utf-8").strip().split(",")
        return {"frames": int(frames), "y": int(y), "x": int(x), "dtype": dtype}
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{path} is not of the form frames,y,x,dtype ({str(error)[:80]}): correct it."
        ) from error


def _refuse_undescribed(data: Path) -> None:
    sidecar = sidecar_path(data)
    raise MissingMetadataError(
        interrupted_save(data)
        or f"{sidecar.name} is not beside {data.name}, so its layout is not known: put the sidecar "
        "there, or give missing_metadata={'dtype': ..., 'y': ..., 'x': ...}."
    )


def _reserve(path: Path, *, nbytes: int) -> None:
    """Make a file of a length, for its pixels to be laid in."""
    with path.open("wb") as file:
        file.truncate(nbytes)


def _write_text(path: Path, *, text: str) -> None:
    path.write_text(text, "utf-8")
