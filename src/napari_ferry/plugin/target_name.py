"""The name of a target, as it was typed into a dialog or a form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_ferry.errors import UnsupportedFormatError
from napari_ferry.files.file_formats import is_image_suffix
from napari_ferry.io.search import suffixes as all_suffixes


def choose_target(path: Path, suffixes: Sequence[str]) -> Path:
    """Return the target for a typed name: its own suffix decides before the chosen format.

    Parameters
    ----------
    path : Path
        The name as it was typed.
    suffixes : sequence of str
        Suffixes of the chosen format, the preferred one first.

    Raises
    ------
    UnsupportedFormatError
        The suffix is one that cannot be saved.
    """
    return path if path.name.lower().endswith(all_suffixes()) else with_suffix(path, suffixes)


def with_suffix(path: Path, suffixes: Sequence[str]) -> Path:
    """Return the name with a suffix of the format: as typed, or with the first if it has none.

    Raises
    ------
    UnsupportedFormatError
        The suffix is one of another format.
    """
    if path.name.lower().endswith(tuple(suffixes)):
        return path
    if is_image_suffix(path.suffix.lower(), all_suffixes(to_open=True)):
        raise UnsupportedFormatError(
            f"{path.name} ends in {path.suffix}, but {suffixes[0]} was chosen: type a name that "
            f"ends in {' or '.join(suffixes)}, or choose the other format."
        )
    return path.with_name(path.name + suffixes[0])
