"""``napari-ferry info``: describe the images in a file or folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_ferry.arguments import find_url, to_path
from napari_ferry.cli.terminal import show
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image import Image
from napari_ferry.image.record import ASSUMED
from napari_ferry.io import find_source_codec, hooks_of, imload
from napari_ferry.movie.frame_rate import choose_rate
from napari_ferry.saving.progress import size_text


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("path", type=Path, help="a file or folder")
    parser.set_defaults(run=_info)


def _info(options: argparse.Namespace) -> int:
    """Print a description of each image."""
    images = imload(options.path)
    url = find_url(options.path)
    show(url or _describe_files(to_path(options.path)))

    for i, image in enumerate(images):
        show(f"image {i}: {image.name or 'no name'}")
        for key, value in _describe(image):
            show(f"    {key + ':':<14}{value}")
    return 0


def _describe_files(path: Path) -> str:
    """Return the size of a file or of all files in a folder, and the program that wrote a file."""
    text = f"{path}: {size_text(stored_bytes([path]))}"
    writer = hooks_of(find_source_codec(path)).written_by if path.is_file() else None
    return text if writer is None else f"{text}\nwritten by: {writer(path) or 'unknown'}"


def _describe(image: Image) -> list[tuple[str, str]]:
    lines = [
        ("kind", image.kind),
        ("shape", " x ".join(map(str, image.shape))),
        ("axes", " ".join(image.axis_names)),
        ("dtype", str(image.dtype)),
        ("pixels", size_text(image.nbytes)),
        ("scale", ", ".join(f"{a.name} {a.scale:g} {a.unit or 'pixel'}" for a in image.axes)),
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


def _rate_note(image: Image) -> str:
    """Describe the frame rate of a movie of an image; empty for real time."""
    return choose_rate(None, image.axis("t")).note if image.size("t") > 1 else ""
