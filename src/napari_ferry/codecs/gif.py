"""GIF: animations of up to 256 colours a frame, which every browser and slide shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_ferry.gif.read import read_image
from napari_ferry.image import Image


SUFFIXES = (".gif",)
OPENS_FOLDERS = True


def open(path: Path) -> list[Image]:
    """Open a GIF file, or every one of a folder; each frame comes as a browser shows it.

    Parameters
    ----------
    path : Path
        A file or a folder.

    Returns
    -------
    list of Image
        Lazy, uint8: gray where all colours of the file are, otherwise r g b, or r g b a where
        something shows through.

    Raises
    ------
    UnreadableFileError
        No GIF, or one that is damaged from its beginning.
    """
    if path.is_dir():
        return [read_image(found) for found in gif_files(path)]
    return [read_image(path)]


def gif_files(folder: Path) -> list[Path]:
    """Return the GIF files of a folder, in order of their names."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
