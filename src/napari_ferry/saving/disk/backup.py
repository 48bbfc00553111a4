"""Copies of files about to be replaced."""

from __future__ import annotations

from pathlib import Path

from napari_ferry.errors import TargetError
from napari_ferry.saving.disk.flush import sync_file


def back_up(path: Path) -> Path:
    """Copy a file next to itself, under a free name; return the copy.

    Raises
    ------
    TargetError
        It cannot be copied.
    """
    import shutil  # its import takes half as long as that of this package

    backup = free_backup_path(path)
    try:
        backup.open("xb").close()  # never an earlier copy, also if another program makes one now
        try:
            shutil.copy2(path, backup)
            sync_file(backup)
        except OSError:
            backup.unlink()
            raise
    except OSError as error:
        raise TargetError(
            f"{path.name} cannot be copied to {backup.name} ({error}), so it is not replaced: "
            "make its folder writable."
        ) from error
    return backup


def free_backup_path(path: Path) -> Path:
    """Return a free path for the copy of a file: ``.bak``, or ``.bak-2`` and so on.

    Parameters
    ----------
    path : Path
        The file to copy.
    """
    names = (f"{path.name}.bak{f'-{n}' if n > 1 else ''}" for n in range(1, 10**6))
    return next(free for name in names if not (free := path.with_name(name)).exists())
