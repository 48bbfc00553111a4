"""Warnings of differences between an OME-XML and the pages of its file."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.errors import FerryWarning
from napari_ferry.ome_xml import PlaneFit


def warn_shortened(path: Path, fits: Sequence[PlaneFit]) -> None:
    """Warn of all images with fewer planes than described in one sentence."""
    if not fits:
        return

    described, existing, omitted, filled = (
        sum(getattr(fit, name) for fit in fits)
        for name in ("described", "existing", "omitted", "filled")
    )
    consequence = f"{existing - omitted} are shown"
    if omitted:
        consequence += f", and {omitted} of an incomplete last step left out"
    if filled:
        consequence += f", and zero in place of {filled} between them"

    warnings.warn(
        f"The OME-XML of {path.name} describes {described} planes, but {existing} of them exist: "
        f"{consequence}; if there should be more, get a complete copy of the file.",
        FerryWarning,
        stacklevel=3,
    )


def warn_different(path: Path, differences: Collection[str]) -> None:
    """Warn of all planes that differ from the pages in one sentence."""
    if differences:
        warnings.warn(
            f"The OME-XML of {path.name} describes {' and '.join(sorted(differences))}: the pages "
            "are shown as they are; check the axes and pixel sizes.",
            FerryWarning,
            stacklevel=3,
        )


def warn_surplus(path: Path, used: int, count: int) -> None:
    """Warn of pages that belong to no image.

    Parameters
    ----------
    path : Path
        The file that was opened.
    used, count : int
        Number of its pages that belong to images, and of all its pages.
    """
    if 0 < used < count:
        warnings.warn(
            f"The OME-XML of {path.name} describes {used} of its {count} pages: the other "
            f"{count - used} are left out; if they should be shown, remove the OME-XML or correct "
            "its sizes.",
            FerryWarning,
            stacklevel=3,
        )


def type_difference(described: str, stored: np.dtype[Any]) -> set[str]:
    """Return a clause if the described type of pixels is not the stored one; no clause if it is.

    Pixels of bool are stored as bits, or as 0 and 1 of uint8.
    """
    name = np.dtype(described).name
    if name == stored.name or (name == "bool" and stored.name == "uint8"):
        return set()
    return {f"pixels of {name}, but they are {stored.name}"}
