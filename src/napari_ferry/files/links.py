"""Files referred to by another file, through its content or its name.

A file from somebody else may come with links, and may name any path. Links are followed to any
place only if they are opened themselves, or are in a folder that is opened.
"""

from __future__ import annotations

import os
from pathlib import Path

from napari_ferry.errors import UnreadableFileError


def leads_outside(path: Path, opened: Path) -> bool:
    """Return True for a link out of the folders of an opened file.

    Parameters
    ----------
    path : Path
        A file in the folder of the other one.
    opened : Path
        The file that refers to it. Links may lead into its folder and, if it is a link itself, into
        the folder in which it is stored.
    """
    if not os.path.islink(path):  # noqa: PTH114 - `Path.is_symlink` raises on a long name
        return False
    # `Path.resolve` raises RuntimeError for a link to itself
    target = Path(os.path.realpath(path))
    real = Path(os.path.realpath(opened))
    folders = Path(os.path.realpath(opened.parent)), real.parent
    return not any(target.is_relative_to(folder) for folder in folders)


def refuse_outside(path: Path, opened: Path) -> None:
    """Refuse a link out of the folders of an opened file.

    Raises
    ------
    UnreadableFileError
        It is such a link.
    """
    if leads_outside(path, opened):
        raise UnreadableFileError(
            f"{path.name} is a link out of its folder, and {opened.name} must not refer to files "
            "elsewhere: put a copy of the file in its place."
        )


def base_name(name: str) -> str:
    r"""Return the last part of a path with the separators of any system.

    >>> base_name("scans\\\\a.raw"), base_name("../b.raw")
    ('a.raw', 'b.raw')
    """
    return name.replace("\\", "/").rpartition("/")[2]
