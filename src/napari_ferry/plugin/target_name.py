"""The name of a target, as it was typed into a dialog or a form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_ferry.errors import UnsupportedFormatError
from napari_ferry.io import suffixes as all_suffixes

_FOREIGN = (".czi", ".csv", ".h5", ".hdf5", ".lif", ".nd2", ".npy", ".npz", ".svg")
"""Suffixes of image and table formats that neither napari-ferry nor Pillow knows."""


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
    if _is_image_suffix(path.suffix.lower()):
        raise UnsupportedFormatError(
            f"{path.name} ends in {path.suffix}, but {suffixes[0]} was chosen: type a name that "
            f"ends in {' or '.join(suffixes)}, or choose the other format."
        )
    return path.with_name(path.name + suffixes[0])


def _is_image_suffix(suffix: str) -> bool:
    """Return True for the suffix of a format, False for a part of a name like ``cells.v2``."""
    from PIL import Image as Pictures

    return suffix in {*all_suffixes(to_open=True), *Pictures.registered_extensions(), *_FOREIGN}
