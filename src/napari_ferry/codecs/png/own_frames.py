"""Files of earlier sequences by napari-ferry."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from napari_ferry.codecs.png.chunk_scan import scan
from napari_ferry.codecs.png.frame_names import FrameName, all_png_files
from napari_ferry.codecs.png.text_record import find_mark
from napari_ferry.errors import UnreadableFileError
from napari_ferry.saving.partial.interruption import interrupted_files


def is_own_frame(path: Path) -> bool:
    """Return True if a file can be read, and is a frame of a sequence written by napari-ferry."""
    with suppress(OSError):
        return may_replace(path)
    return False


def may_replace(path: Path) -> bool:
    """Return True if an existing file is a frame of a sequence; a save may replace it.

    Raises
    ------
    OSError
        The system cannot read the file.
    """
    try:
        return find_mark(scan(path)) is not None
    except UnreadableFileError:
        return False


def stale_files(path: Path, paths: Collection[Path]) -> tuple[Path, ...]:
    """Return the frames of an earlier sequence of the same name not replaced by the new one.

    Parameters
    ----------
    path : Path
        Name of the new sequence, without numbers.
    paths : collection of Path
        Its files.
    """
    existing = all_png_files(path.parent) if path.parent.is_dir() else []
    # the files that an interrupted save will restore become obsolete, too
    left = {
        path.with_name(name): file for name, file in interrupted_files(next(iter(paths))).items()
    }
    files = left | {file: file for file in existing}
    kept, series = set(paths), (path.stem, path.suffix.lower())
    named = ((file, FrameName.of(file)) for file in files if file not in kept)
    return tuple(
        file
        for file, name in named
        if name and (name.stem, name.suffix.lower()) == series and is_own_frame(files[file])
    )
