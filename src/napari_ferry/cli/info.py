"""``napari-ferry info``: describe the images in files or folders."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_ferry.arguments import find_url, to_path
from napari_ferry.cli.formats import to_command_line
from napari_ferry.cli.terminal import collecting_warnings, report, show
from napari_ferry.codec_protocol import format_name, hooks_of
from napari_ferry.codec_search import find_source_codec
from napari_ferry.errors import FerryError
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image import Image, describe
from napari_ferry.image.record import ASSUMED
from napari_ferry.io import imload
from napari_ferry.movie.frame_rate import choose_rate
from napari_ferry.saving.progress import size_text


@dataclass(kw_only=True)
class _Info:
    """What is known about one path or address; the size and the format are those of a path."""

    path: Path
    url: str | None = None
    nbytes: int = 0
    format: str = ""
    written_by: str | None = None
    images: list[Image] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: FerryError | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="a file or folder")
    parser.add_argument("--json", action="store_true", help="print JSON, one list for all paths")
    parser.set_defaults(run=_info)


def _info(options: argparse.Namespace) -> int:
    """Print a description of each image; return 1 if a path cannot be opened."""
    infos = [info for path in options.paths for info in _read(path)]
    if options.json:
        show(json.dumps([_to_json(info) for info in infos], indent=1, allow_nan=False))
    for info in infos:
        if not options.json:
            _show(info)
        if info.error is not None:
            report(to_command_line(info.error))
    return int(any(info.error is not None for info in infos))


def _read(path: Path) -> list[_Info]:
    """Open a path; of a folder that cannot be opened as a whole, also each of its files."""
    info = _open(path)
    if info.error is None or not info.path.is_dir():
        return [info]
    files = sorted(each for each in info.path.iterdir() if each.is_file())
    opened = [each for each in map(_open, files) if each.error is None]
    return [info, *opened]


def _open(path: Path) -> _Info:
    """Open a file or folder, and collect its errors and warnings."""
    info = _Info(path=path, url=find_url(path))
    try:
        with collecting_warnings(info.warnings):
            info.images = imload(path)
        if info.url:
            return info
        info.path = to_path(path)
        codec = find_source_codec(info.path)
        info.format = format_name(codec)
        info.nbytes = stored_bytes([info.path])
        writer = hooks_of(codec).written_by if info.path.is_file() else None
        info.written_by = None if writer is None else writer(info.path)
    except FerryError as error:
        info.error = error
    return info


def _show(info: _Info) -> None:
    """Print a description of one path."""
    if info.error is not None:
        return
    show(info.url or f"{info.path}: {size_text(info.nbytes)}")
    if info.written_by is not None:
        show(f"written by: {info.written_by or 'unknown'}")
    for i, image in enumerate(info.images):
        show(f"image {i}: {image.name or 'no name'}")
        for key, value in _describe(image):
            show(f"    {key + ':':<14}{value}")
    for message in info.warnings:
        report(f"warning: {to_command_line(message)}")


def _to_json(info: _Info) -> Mapping[str, Any]:
    """Return everything about one path as plain JSON; images as in their records."""
    return {
        "path": info.url or str(info.path),
        "format": info.format,
        "bytes": info.nbytes,
        "written_by": info.written_by,
        "images": [
            {**describe(image), "levels": [list(map(int, level.shape)) for level in image.levels]}
            for image in info.images
        ],
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


def scale_text(image: Image) -> str:
    """Return the scale and the unit of each axis."""
    return ", ".join(f"{axis.name} {axis.scale:g} {axis.unit or 'pixel'}" for axis in image.axes)


def _rate_note(image: Image) -> str:
    """Describe the frame rate of a movie of an image; empty for real time."""
    return choose_rate(None, image.axis("t")).note if image.size("t") > 1 else ""
