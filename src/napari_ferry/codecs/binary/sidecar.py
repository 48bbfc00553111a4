"""The JSON file beside a raw file, which says what its bytes are.

Of a plain (frames, y, x) array it is ``{"frames": 100, "y": 512, "x": 512, "dtype": "uint16"}``, as
CalSciPy writes it. Where there is more to say it has more keys, see `docs/formats.md`; programs
that know only the four keys can still use them. Reading is strict about what does not fit, and
lenient about what is not known.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from napari_ferry.arguments import is_count, reading
from napari_ferry.codecs.binary.padding import Padding, read_padding
from napari_ferry.errors import MissingMetadataError, UnreadableFileError
from napari_ferry.image import Axis, Image, describe
from napari_ferry.image.axes import default_axes
from napari_ferry.image.checks import is_number
from napari_ferry.image.json_values import load_json
from napari_ferry.image.record import KEY, Description, parse_description
from napari_ferry.saving import interrupted_save

DEFAULT_NAME = "binary_video"
"""Name, without suffix, of the recording in a folder that says no other."""

LEGACY_SIDECAR = "video_meta.txt"
"""Sidecar of a recording that has the default name and no suffix, as written in 2022."""

RAW_SUFFIXES = (".bin", ".raw", ".dat")
"""Suffixes of raw files."""

_DIMENSIONS = ("frames", "y", "x")
_SIDECAR_BYTES = 16 << 20
_ALL = Padding()


def raw_files(folder: Path) -> list[Path]:
    """Return the files of a folder that are raw by their suffix, in order of their names."""
    with reading(folder):
        return [
            path
            for path in sorted(folder.iterdir())
            if path.suffix.lower() in RAW_SUFFIXES
            and not path.name.startswith(".")
            and path.is_file()
        ]


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
    record = {**plain, "offset": 0, **describe(image), "dtype": str(image.dtype)}
    return json.dumps(record, allow_nan=False)


def is_sidecar(path: Path) -> bool:
    """Whether a file is the sidecar of a raw file: JSON with a type and dimensions."""
    try:
        record = load_sidecar(path)
    except UnreadableFileError:
        return False
    return isinstance(record.get("dtype"), str) and any(key in record for key in _DIMENSIONS)


def has_record(path: Path) -> bool:
    """Whether a sidecar has more to say than CalSciPy's four keys."""
    return path.is_file() and KEY in load_sidecar(path)


def read_sidecar(data: Path, nbytes: int) -> tuple[Description, Padding]:
    """Read what stands beside a raw file; return the description and where the samples lie."""
    legacy = data.with_name(LEGACY_SIDECAR)
    sidecar = sidecar_path(data)
    if not sidecar.is_file():
        if data.name == DEFAULT_NAME and legacy.is_file():
            return complete(_read_legacy(legacy), nbytes, data, legacy.name), Padding()
        refuse_undescribed(data)
    record = load_sidecar(sidecar)
    place = read_padding(record, sidecar, nbytes)
    description = _described(record, sidecar) if KEY in record else None
    if description is None:
        return complete(record, nbytes, data, sidecar.name, place), place
    expected = math.prod(description.shape) * np.dtype(description.dtype).itemsize
    room = place.room(nbytes, (*description.shape, 1)[0])
    _check_size(description.shape, description.dtype, expected, room, data, sidecar.name)
    return description, place


def complete(
    record: Mapping[str, Any], nbytes: int, data: Path, source: str, place: Padding = _ALL
) -> Description:
    """Fill in the one dimension that may be missing, and check that everything fits.

    Parameters
    ----------
    record : mapping
        ``dtype``, ``frames``, ``y``, ``x``; one dimension may be absent, 0 or -1.
    nbytes : int
        Size of the file.
    data : Path
        The raw file, for messages.
    source : str
        What said so, for messages.
    place : Padding
        Where the samples lie in the file.
    """
    dtype = _parse_dtype(record.get("dtype"), source)
    sizes = [_parse_dimension(key, record.get(key), source) for key in _DIMENSIONS]
    count = sizes[0] or 1
    if not sizes[0] and all(sizes[1:]):
        count = place.frames_in(nbytes, math.prod(sizes[1:]) * dtype.itemsize)
    nbytes = place.room(nbytes, count)
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
        if unknown and (rest or missing < 1):
            raise UnreadableFileError(
                f"{data.name} has {nbytes} bytes, which is {missing} times the {known} bytes that "
                f"{source} gives for one of {unknown[0]}, and {rest} bytes remain: check the type "
                "and the other dimensions."
            )
        shape = tuple(size or missing for size in sizes)
        expected = math.prod(shape) * dtype.itemsize
        _check_size(shape, str(dtype), expected, nbytes, data, source)
    return Description(shape=shape, axes=tuple(map(Axis, default_axes(3))), dtype=str(dtype))


def refuse_undescribed(data: Path) -> NoReturn:
    """Say that nothing describes a raw file.

    Raises
    ------
    MissingMetadataError
        Always.
    """
    sidecar = sidecar_path(data)
    raise MissingMetadataError(
        interrupted_save(data)
        or f"{sidecar.name} is not beside {data.name}, so its layout is not known: put the sidecar "
        f"there, or {_likely_layouts(data)}."
    )


def _likely_layouts(data: Path) -> str:
    """Return what the file's bytes look like, and how to say so."""
    from napari_ferry.codecs.binary.layout.find import find_layouts

    try:
        found = [layout for layout in find_layouts(data, limit=3) if layout.confidence >= 0.05]
    except UnreadableFileError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return f"see what it is: {str(error).rstrip('.')}"
    how = "give missing_metadata={'dtype': ..., 'y': ..., 'x': ...}"
    if not found:
        return how
    said = "; ".join(f"{layout} ({layout.confidence:.0%})" for layout in found)
    best = found[0]
    if best.channels == 1 and not best.offset:
        name = best.dtype.str if best.byte_order == "big" else best.dtype.name
        how = f"give missing_metadata={{'dtype': {name!r}, 'y': {best.y}, 'x': {best.x}}}"
    return f"{how}, or run `napari-ferry repair {data.name} --write`: it looks like {said}"


def _described(record: Mapping[str, Any], sidecar: Path) -> Description | None:
    """Return what our own record says, if it is sound."""
    description = parse_description(record)
    if description is not None:
        _parse_dtype(description.dtype, sidecar.name)
    return description


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
    if not is_number(dtype):
        raise UnreadableFileError(
            f"{source} gives the dtype {str(value)[:40]!r}: expected a type of numbers, such as "
            "'uint16'."
        )
    return dtype


def _parse_dimension(key: str, value: object, source: str) -> int:
    """Return a dimension; 0 where it is to be computed."""
    if value is None or (key == "frames" and value == -1 and not isinstance(value, bool)):
        return 0
    if not is_count(value):
        raise UnreadableFileError(
            f"{source} gives {key} as {str(value)[:40]}: expected a whole number above 0."
        )
    return int(value)


def load_sidecar(path: Path) -> dict[str, Any]:
    """Read a JSON object, strictly: no key twice, and not larger than a sidecar can be."""
    try:
        record = load_json(path, max_bytes=_SIDECAR_BYTES, allow_duplicates=False)
    except (OSError, ValueError) as error:
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
