"""Sidecar of a raw file: a JSON file of the same name with a description of its bytes.

A plain (frames, y, x) array has ``{"frames": 100, "y": 512, "x": 512, "dtype": "uint16"}``, as
CalSciPy writes it. Other images add keys, see `docs/formats/raw.md`; programs that know only the
four keys can still read the file. Values that do not fit the file are errors, unknown keys are
ignored.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_ferry.arguments import is_count, reading
from napari_ferry.codecs.binary.padding import Padding, read_padding
from napari_ferry.codecs.binary.undescribed import refuse_undescribed
from napari_ferry.errors import MissingMetadataError, UnreadableFileError
from napari_ferry.files.json_files import load_json
from napari_ferry.files.links import refuse_outside
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.image import Axis, Image, describe
from napari_ferry.image.axes import default_axes
from napari_ferry.image.checks import is_number
from napari_ferry.image.record import KEY, Description, parse_own_record

DEFAULT_NAME = "binary_video"
"""Default name of a recording in a folder, without suffix."""

LEGACY_SIDECAR = "video_meta.txt"
"""Sidecar of a recording with the default name and no suffix, as written in 2022."""

RAW_SUFFIXES = (".bin", ".raw", ".dat")
"""Suffixes of raw files."""

_EXAMPLE = '{"frames": 100, "y": 512, "x": 512, "dtype": "uint16"}'
_DIMENSIONS = ("frames", "y", "x")
_ELEMENTS = {"frames": "frame", "y": "row", "x": "column"}
_OLD_TEXT = re.compile("(?<![A-Za-z])a(?![A-Za-z])")
_SIDECAR_BYTES = 16 << 20
_NO_PADDING = Padding()


def raw_files(folder: Path) -> list[Path]:
    """Return the files of a folder with the suffix of a raw file, in natural order."""
    with reading(folder):
        return [
            path
            for path in natural_sorted(folder.iterdir())
            if path.suffix.lower() in RAW_SUFFIXES and path.name[0] != "." and path.is_file()
        ]


def sidecar_path(path: Path) -> Path:
    """Return the path of the sidecar of a raw file."""
    return path.with_suffix(".json")


def sidecar_text(image: Image) -> str:
    """Return the sidecar of an image as JSON: four keys if they describe it, otherwise more."""
    frames, y, x = (
        (1, 1, *image.shape)[-3:]
        if image.ndim < 3
        else (math.prod(image.shape[:-2]), *image.shape[-2:])
    )
    plain = {"frames": frames, "y": y, "x": x, "dtype": str(image.dtype)}
    bare = Image.from_array(image.array)
    if image.ndim == 3 and describe(image) == describe(bare):
        return json.dumps(plain)

    record = {**plain, "offset": 0, **describe(image), "dtype": str(image.dtype)}
    return json.dumps(record, allow_nan=False)


def is_sidecar(path: Path) -> bool:
    """Return True if a file is a sidecar: JSON with a dtype and dimensions.

    Raises
    ------
    UnreadableFileError
        The system cannot read the file.
    """
    try:
        record = load_sidecar(path)
    except UnreadableFileError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return False
    return isinstance(record.get("dtype"), str) and any(key in record for key in _DIMENSIONS)


def is_complete(record: Mapping[str, Any]) -> bool:
    """Return True for the record of a sidecar, complete but for one dimension or damaged values."""
    known = sum(record.get(key) is not None for key in _DIMENSIONS)
    return KEY in record or ("dtype" in record and known > 1)


def has_record(path: Path) -> bool:
    """Return True if a sidecar has keys beyond the four of CalSciPy."""
    return path.is_file() and KEY in load_sidecar(path)


class Sidecar(NamedTuple):
    """Content of a sidecar.

    Parameters
    ----------
    description : Description
        The image described in it.
    padding : Padding
        Bytes around its samples.
    computed : str
        Dimension that was computed from the size of the file; empty if all are given.
    """

    description: Description
    padding: Padding
    computed: str = ""


def read_sidecar(data: Path, nbytes: int) -> Sidecar:
    """Read the sidecar of a raw file of `nbytes`."""
    sidecar, legacy = sidecar_path(data), data.with_name(LEGACY_SIDECAR)
    if not sidecar.is_file() and data.name == DEFAULT_NAME and legacy.is_file():
        refuse_outside(legacy, data)
        return _plain_sidecar(_read_legacy(legacy), nbytes, data, legacy.name, Padding())
    if not sidecar.is_file():
        refuse_undescribed(data, sidecar)
    refuse_outside(sidecar, data)

    record = load_sidecar(sidecar)
    padding = read_padding(record, sidecar, nbytes)
    description = parse_own_record(record, sidecar.name) if KEY in record else None
    if description is None:
        return _plain_sidecar(record, nbytes, data, sidecar.name, padding)

    parse_dtype(description.dtype, sidecar.name)
    room = padding.room(nbytes, (*description.shape, 1)[0])
    _check_size(description.shape, description.dtype, room, data, sidecar.name)
    return Sidecar(description, padding)


def _plain_sidecar(
    record: Mapping[str, Any], nbytes: int, data: Path, source: str, padding: Padding
) -> Sidecar:
    """Return the content of a sidecar without our own record."""
    description = complete_description(record, nbytes, data, source, padding)
    sizes = ((key, _parse_dimension(key, record.get(key), source)) for key in _DIMENSIONS)
    missing = next((key for key, size in sizes if not size), "")
    return Sidecar(description, padding, missing)


def complete_description(
    record: Mapping[str, Any], nbytes: int, data: Path, source: str, padding: Padding = _NO_PADDING
) -> Description:
    """Compute a missing dimension, and check the size of the file.

    Parameters
    ----------
    record : mapping
        ``dtype``, ``frames``, ``y``, ``x``; one dimension may be absent, 0 or -1.
    nbytes : int
        Size of the file.
    data : Path
        The raw file, for messages.
    source : str
        Name of the record, for messages.
    padding : Padding
        Bytes around the samples.

    Raises
    ------
    MissingMetadataError
        The dtype or two dimensions are missing.
    UnreadableFileError
        A value is impossible, or the size of the file does not fit.
    """
    dtype = parse_dtype(record.get("dtype"), source)
    sizes = [_parse_dimension(key, record.get(key), source) for key in _DIMENSIONS]

    # the gaps depend on the number of frames, so this is computed first
    count = sizes[0] or 1
    if not sizes[0] and all(sizes[1:]):
        count = padding.frames_in(nbytes, math.prod(sizes[1:]) * dtype.itemsize)
    nbytes = padding.room(nbytes, count)

    # a file without samples has 0 frames
    is_empty = not nbytes and sizes[0] == 0 and all(sizes[1:])
    if not is_empty:
        sizes = _complete_sizes(sizes, nbytes, dtype, data, source)
        _check_size(sizes, str(dtype), nbytes, data, source)
    axes = tuple(map(Axis, default_axes(3)))
    return Description(shape=tuple(sizes), axes=axes, dtype=str(dtype))


def _complete_sizes(
    sizes: Sequence[int], nbytes: int, dtype: np.dtype[Any], data: Path, source: str
) -> list[int]:
    """Return the sizes; one of 0 is computed from `nbytes` of samples."""
    unknown = [key for key, size in zip(_DIMENSIONS, sizes, strict=True) if not size]
    if len(unknown) > 1:
        raise MissingMetadataError(
            f"{source} does not contain {' and '.join(unknown)} of {data.name}: give at least two "
            "of frames, y and x; the third is computed."
        )

    known = math.prod(size for size in sizes if size) * dtype.itemsize
    missing, rest = divmod(nbytes, known)
    if unknown and (rest or missing < 1):
        raise UnreadableFileError(
            f"{data.name} has {nbytes} bytes, which is {missing} times the {known} bytes that "
            f"{source} gives for one {_ELEMENTS[unknown[0]]}, and {rest} bytes remain: check the "
            "dtype and the other dimensions."
        )
    return [size or missing for size in sizes]


def _check_size(shape: Sequence[int], dtype: str, nbytes: int, data: Path, source: str) -> None:
    expected = math.prod(shape) * np.dtype(dtype).itemsize
    if expected != nbytes:
        raise UnreadableFileError(
            f"{data.name} holds {nbytes} bytes, but {source} describes "
            f"{' x '.join(map(str, shape))} of {dtype}, which is {expected} bytes: correct the "
            "description, or restore the file that belongs to it."
        )


def parse_dtype(value: object, source: str) -> np.dtype[Any]:
    """Return a numeric dtype; others are not read from a file."""
    if value is None:
        raise MissingMetadataError(
            f"{source} does not contain the dtype: give one, such as uint16."
        )

    message = (
        f"{source} gives the dtype {str(value)[:40]!r}: expected a numeric dtype, such as 'uint16'."
    )
    # numpy warns of its old code of text, which is never that of a number
    known = "S" if _OLD_TEXT.search(str(value)) else value
    try:
        dtype: np.dtype[Any] = np.dtype(known)  # type: ignore[call-overload]
    except (TypeError, ValueError, SyntaxError) as error:
        raise UnreadableFileError(message) from error
    if not is_number(dtype):
        raise UnreadableFileError(message)
    return dtype


def _parse_dimension(key: str, value: object, source: str) -> int:
    """Return a dimension, or 0 for one to compute."""
    if value is None or (key == "frames" and value == -1 and not isinstance(value, bool)):
        return 0
    if not is_count(value):
        raise UnreadableFileError(
            f"{source} gives {key} as {repr(value)[:40]}: expected a whole number above 0 "
            "that the size of the file allows."
        )
    return int(value)


def load_sidecar(path: Path) -> dict[str, Any]:
    """Read a JSON object; duplicate keys and files of more than 16 MiB are errors.

    Raises
    ------
    UnreadableFileError
        The file cannot be read, or is not such an object.
    """
    try:
        with reading(path):
            record = load_json(path, max_bytes=_SIDECAR_BYTES, allow_duplicates=False)
    except ValueError as error:
        raise UnreadableFileError(
            f"{path.name} is not a valid sidecar ({str(error)[:80]}): expected JSON such as "
            f"{_EXAMPLE}."
        ) from error
    if not isinstance(record, dict):
        raise UnreadableFileError(
            f"{path.name} is not a sidecar (it holds a {type(record).__name__}): expected JSON "
            f"such as {_EXAMPLE}."
        )
    return record


def _read_legacy(path: Path) -> dict[str, Any]:
    """Read ``frames,y,x,dtype``, the format of 2022."""
    try:
        frames, y, x, dtype = path.read_text("utf-8").strip().split(",")
        return {"frames": int(frames), "y": int(y), "x": int(x), "dtype": dtype}
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{path.name} does not have the form frames,y,x,dtype ({str(error)[:80]}): correct it."
        ) from error
