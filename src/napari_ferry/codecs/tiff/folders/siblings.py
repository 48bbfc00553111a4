"""Files of a recording split by size by another program, ``images_00000.tif``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_ferry.codecs.tiff.folders.file_sets import files_of
from napari_ferry.codecs.tiff.folders.own_series import is_own_part
from napari_ferry.codecs.tiff.names import PartName
from napari_ferry.errors import warn
from napari_ferry.image import Image


def warn_of_siblings(path: Path, images: Sequence[Image]) -> None:
    """Warn if a file seems to be one of several files of a recording.

    These have names with five digits, and several frames along time; the last one may have one.

    Parameters
    ----------
    path : Path
        The file.
    images : sequence of Image
        Its images.

    Warns
    -----
    FerryWarning
        The next or the previous file is in the same folder.
    """
    name = PartName.of(path)
    if name is None or len(images) != 1:
        return
    numbers = (name.number - 1, name.number + 1)
    siblings = [name.sibling(path, number) for number in numbers if number >= 0]
    sibling = next((each for each in siblings if each.is_file()), None)
    if sibling is None or (images[0].size("t") < 2 and not _is_longer(sibling, path)):
        return
    if is_own_part(path) or sibling.absolute() in files_of(images):
        return  # the image has the frames of all files
    warn(
        f"{path.name} is opened alone, but {sibling.name} seems to continue the recording: open "
        f"the folder {path.parent.name or path.parent} to open all its files as one stack."
    )


def _is_longer(sibling: Path, path: Path) -> bool:
    """Return True if another file has at least twice the size, and so several frames."""
    return sibling.stat().st_size >= 2 * path.stat().st_size
