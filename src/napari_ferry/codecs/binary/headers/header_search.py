"""Search for the header of a raw file, and the raw file of a header."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from napari_ferry.codecs.binary.headers import (
    envi,
    file_name,
    json_header,
    metaimage,
    nrrd,
    ripple,
    thorimage,
)
from napari_ferry.codecs.binary.headers.foreign_header import Header
from napari_ferry.files.links import leads_outside, refuse_outside

HEADER_SUFFIXES = (*metaimage.SUFFIXES, *nrrd.SUFFIXES, *envi.SUFFIXES, *ripple.SUFFIXES)
"""Suffixes of headers."""

OPENED_SUFFIXES = (
    *metaimage.SUFFIXES,
    *nrrd.SUFFIXES,
    *ripple.SUFFIXES,
    *file_name.SUFFIXES,
)
"""Suffixes of headers, and of raw files with names of a known program."""

_MAX_NAMED = 200
"""Number of headers with other names to be searched for the name of a file."""


class _Dialect(NamedTuple):
    suffixes: tuple[str, ...]
    read: Callable[[Path, Path | None], Header | None]
    names_data: bool


_DIALECTS = (
    _Dialect(metaimage.SUFFIXES, metaimage.read, names_data=True),
    _Dialect(nrrd.SUFFIXES, nrrd.read, names_data=True),
    _Dialect(envi.SUFFIXES, envi.read, names_data=False),
    _Dialect(ripple.SUFFIXES, ripple.read, names_data=False),
)


def is_header(path: Path) -> bool:
    """Return True for a name of a header; its content may be of another format."""
    return path.suffix.lower() in HEADER_SUFFIXES or path.name.lower() == thorimage.NAME


def is_named_by_other(path: Path) -> bool:
    """Return True for a header or its samples, known by their content or neighbors alone.

    These are ENVI's ``.hdr``, which other formats use, too, ENVI's samples, with any suffix or
    none, and ``Experiment.xml``.
    """
    if path.name.lower() == thorimage.NAME:
        return thorimage.is_experiment(path)
    if path.suffix.lower() in envi.SUFFIXES:
        return envi.is_header(path)
    if path.suffix.lower() not in envi.DATA_SUFFIXES or not path.is_file():
        return False
    beside = (path.with_suffix(".hdr"), path.with_name(f"{path.name}.hdr"))
    return any(map(envi.is_header, beside))


def read_header_file(path: Path) -> Header | None:
    """Read a file with the name of a header; ``None`` if it is of another format.

    Raises
    ------
    UnreadableFileError
        The header is damaged or not supported, or its raw file is missing, or a link out of the
        folder.
    """
    if path.name.lower() == thorimage.NAME:
        header = thorimage.read(path)
    else:
        suffix = path.suffix.lower()
        readers = (dialect.read for dialect in _DIALECTS if suffix in dialect.suffixes)
        found = (read(path, None) for read in readers)
        header = next((each for each in found if each is not None), None)
    if header is not None:
        refuse_outside(header.data, path)
    return header


def find_header(data: Path) -> Header | None:
    """Find the description of a raw file by a header beside it, or by its name.

    Headers of the same name come first, then those that name the file, `Experiment.xml`, JSON with
    a width and a height, and the name of the file.

    Raises
    ------
    UnreadableFileError
        A header of this file is damaged or not supported.
    """
    headers = (read(path, data) for path, read in _candidates(data))
    found = next((header for header in headers if header is not None), None)
    return file_name.read(data) if found is None else found


def _candidates(
    data: Path,
) -> Iterator[tuple[Path, Callable[[Path, Path | None], Header | None]]]:
    """Yield the possible headers of a raw file, each with its reader."""
    beside = {
        path.name.lower(): path
        for path in data.parent.iterdir()
        if _may_be_header(path) and not leads_outside(path, data)
    }
    stems = (data.stem.lower(), data.name.lower())
    tried = set()
    for dialect in _DIALECTS:
        for name in (stem + suffix for suffix in dialect.suffixes for stem in stems):
            if name in beside:
                tried.add(name)
                yield beside[name], dialect.read

    for dialect in _DIALECTS:
        if dialect.names_data:
            others = [
                name for name in beside if name.endswith(dialect.suffixes) and name not in tried
            ]
            for name in sorted(others)[:_MAX_NAMED]:
                yield beside[name], dialect.read

    if thorimage.NAME in beside:
        yield beside[thorimage.NAME], thorimage.read
    for stem in stems:
        for name in (f"{stem}.json", f"{stem}_metadata.json", f"{stem}_meta.json"):
            if name in beside:
                yield beside[name], json_header.read
    for name in ("metadata.json", "info.json"):
        if name in beside:
            yield beside[name], json_header.read


def _may_be_header(path: Path) -> bool:
    """Return True for a file with the suffix of a header or of JSON."""
    return (is_header(path) or path.suffix.lower() == ".json") and path.is_file()
