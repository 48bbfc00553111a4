"""``napari-ferry info``: describe the images in files or folders."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_ferry.arguments import find_url, reading, to_path
from napari_ferry.arrays.progress import size_text
from napari_ferry.batch.data_sets import list_data_sets
from napari_ferry.cli.formats import to_command_line
from napari_ferry.cli.terminal import report, show
from napari_ferry.errors import FerryError, UnsupportedFormatError, collecting_warnings
from napari_ferry.files.patterns import find_matches, is_pattern
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image import Image, describe
from napari_ferry.image.json_values import to_json
from napari_ferry.image.record import ASSUMED
from napari_ferry.io import imload
from napari_ferry.io.protocol import format_name, hooks_of
from napari_ferry.io.search import find_source_codec
from napari_ferry.movie.frame_rate import choose_rate

_MOST_KEYS = 8
"""Entries of metadata that are printed without ``--json``."""

_MOST_TEXT = 80
"""Characters of an entry of metadata that are printed without ``--json``."""


@dataclass(kw_only=True)
class _Info:
    """Facts of one path or address; the size and the format are those of a path."""

    path: Path
    url: str | None = None
    nbytes: int = 0
    format: str = ""
    files: list[Path] = field(default_factory=list)
    written_by: str | None = None
    images: list[Image] = field(default_factory=list)
    storage: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: FerryError | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="a file, folder, pattern or address of a Zarr store",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one list for all paths")
    parser.set_defaults(run=_info)


def _info(options: argparse.Namespace) -> int:
    """Print a description of each image; return 1 if a path cannot be opened."""
    infos = [info for path in options.paths for info in _read(path)]
    if options.json:
        show(json.dumps([_to_json(info) for info in infos], indent=1, allow_nan=False))
    for number, info in enumerate(infos):
        if not options.json:
            if number:
                show("")
            _show(info)
        if info.error is not None:
            report(to_command_line(info.error))
    return int(any(info.error is not None for info in infos))


def _read(path: Path) -> list[_Info]:
    """Open a path, and the entries of a folder if it cannot be opened as a whole."""
    info = _open(path)
    if info.error is None or not info.path.is_dir():
        return [info]
    entries = [entry for entry in map(_open, _entries(info)) if not _repeats(entry, info)]
    is_plain_folder = isinstance(info.error, UnsupportedFormatError)
    return entries if is_plain_folder and entries else [info, *entries]


def _entries(info: _Info) -> list[Path]:
    """Return each data set with a known suffix in a folder, in natural order."""
    try:
        return list_data_sets(info.path)
    except FerryError as error:
        info.error = error
        return []


def _repeats(entry: _Info, folder: _Info) -> bool:
    """Return True for an entry with the same error as its folder."""
    return entry.error is not None and str(entry.error) == str(folder.error)


def _open(path: Path) -> _Info:
    """Open a file or folder, and collect its errors and warnings."""
    info = _Info(path=path, url=find_url(path))
    try:
        with collecting_warnings(info.warnings):
            info.images = imload(path)
        if not info.url:
            info.path = to_path(path)
            with collecting_warnings([]), reading(info.path):  # the same ones again
                _read_facts(info)
    except FerryError as error:
        info.error = error
    return info


def _read_facts(info: _Info) -> None:
    """Add the files of a path, their size, format and writer, and the storage of their pixels."""
    info.files = _files_of(info.path)
    first = info.files[0]
    codec = find_source_codec(first)
    hooks = hooks_of(codec)
    info.format = format_name(codec)
    info.nbytes = stored_bytes(info.files)
    if first.is_file() and hooks.written_by is not None:
        info.written_by = hooks.written_by(first)
    if first.is_file() or not hooks.FOLDER_PRIORITY:  # files in a folder may differ
        info.storage = [hooks.storage(first, image) for image in info.images]


def _files_of(path: Path) -> list[Path]:
    """Return the files of a pattern, the files of a file's data set, or a folder."""
    if is_pattern(path):
        return [match.path for match in find_matches(path.absolute())]
    return hooks_of(find_source_codec(path)).members(path) if path.is_file() else [path]


def _show(info: _Info) -> None:
    """Print a description of one path."""
    if info.error is not None:
        return
    count = f" in {len(info.files)} files" if len(info.files) > 1 else ""
    show(info.url or f"{info.path}: {size_text(info.nbytes)}{count}")
    if info.written_by is not None:
        show(f"written by: {info.written_by or 'unknown'}")
    for i, image in enumerate(info.images):
        show(f"image {i}: {image.name or 'no name'}")
        stored = info.storage[i] if info.storage else {}
        for key, value in [*_describe(image), *_describe_others(image, stored)]:
            show(f"    {key + ':' if key else '':<14}{value}")
    for message in info.warnings:
        report(f"warning: {to_command_line(message)}")


def _to_json(info: _Info) -> Mapping[str, Any]:
    """Return all facts of one path as plain JSON; images as in their records."""
    images = [
        {
            **describe(image),
            "levels": [list(map(int, level.shape)) for level in image.levels],
            "storage": info.storage[i] if info.storage else {},
        }
        for i, image in enumerate(info.images)
    ]

    return {
        "path": info.url or str(info.path),
        "format": info.format,
        "bytes": info.nbytes,
        "files": list(map(str, info.files)),
        "written_by": info.written_by,
        "images": images,
        "warnings": info.warnings,
        "error": None if info.error is None else str(info.error),
    }


def _describe(image: Image) -> list[tuple[str, str]]:
    lines = [
        ("kind", image.kind),
        ("shape", " x ".join(map(str, image.shape))),
        ("axes", " ".join(image.axis_names)),
        ("dtype", str(image.dtype)),
        ("pixels", size_text(image.nbytes)),
        ("scale", scale_text(image)),
    ]

    # other values are printed only if an image has them
    if image.frame_rate is not None:
        lines.append(("frame rate", f"{image.frame_rate:g} per second"))
    if note := _rate_note(image):
        lines.append(("as a movie", f"plays at {note}"))
    if image.channels:
        names = ", ".join(c.name or f"channel {i}" for i, c in enumerate(image.channels))
        lines.append(("channels", names))
    if len(image.levels) > 1:
        lines.append(("levels", ", ".join(str(level.shape) for level in image.levels)))
    if ASSUMED in image.metadata:
        lines.append(("assumed", str(image.metadata[ASSUMED])))
    return lines


def _describe_others(image: Image, stored: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return lines about the storage of an image, and about its other metadata."""
    lines = [("stored as", ", ".join(f"{key} {value}" for key, value in stored.items()))]
    others = {key: value for key, value in image.metadata.items() if key != ASSUMED}
    texts = [
        f"{key}: {json.dumps(to_json(value), ensure_ascii=False)}" for key, value in others.items()
    ]
    short = [text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]} ..." for text in texts]
    more = [f"{len(short) - _MOST_KEYS} more with --json"] if len(short) > _MOST_KEYS else []
    lines += [
        ("metadata" if k == 0 else "", text) for k, text in enumerate(short[:_MOST_KEYS] + more)
    ]
    return [(key, text) for key, text in lines if text]


def scale_text(image: Image) -> str:
    """Return the scale and the unit of each axis."""
    return ", ".join(f"{axis.name} {axis.scale:g} {axis.unit or 'pixel'}" for axis in image.axes)


def _rate_note(image: Image) -> str:
    """Describe the frame rate of a movie of an image; empty for real time."""
    return choose_rate(None, image.axis("t")).note if image.size("t") > 1 else ""
