"""Folders made for a save, and removed again if they remain empty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_ferry.arguments import targeting
from napari_ferry.errors import TargetError


@contextmanager
def new_folders(folder: Path) -> Iterator[None]:
    """Return a context for a save into a folder; a missing one is made.

    Raises
    ------
    TargetError
        A parent is a file, or the folder cannot be made.
    """
    with targeting(folder):
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        _make(folder)
        yield
    finally:
        for each in missing:
            # one with files cannot be removed, and another save may have removed it
            with suppress(OSError):
                each.rmdir()


def _make(folder: Path) -> None:
    """Make a folder and its parents."""
    with targeting(folder):
        refuse_file_as_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)


def refuse_file_as_folder(folder: Path) -> None:
    """Refuse a folder that is a file, or is in a file.

    Raises
    ------
    TargetError
        It, or a parent, is a file.
    """
    obstacle = next((each for each in (folder, *folder.parents) if each.is_file()), None)
    if obstacle is not None:
        raise TargetError(
            f"{obstacle} is a file, not a folder: give a folder, or a name with a suffix of "
            "the format."
        )
