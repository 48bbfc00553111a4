"""Warnings of differences between an OME-XML and the pages of its file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_ferry.errors import warn
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

    warn(
        f"The OME-XML of {path.name} describes {described} planes, but {existing} of them exist: "
        f"{consequence}; if there should be more, get a complete copy of the file."
    )


def warn_different(path: Path, differences: Collection[str]) -> None:
    """Warn in one sentence of all differences between the described planes and the pages."""
    if differences:
        warn(
            f"The OME-XML of {path.name} describes {' and '.join(sorted(differences))}: the pages "
            "are shown as they are; check the axes and pixel sizes."
        )


class PageCount(NamedTuple):
    """Pages of the files of an OME-XML.

    Parameters
    ----------
    used, existing : int
        Number of pages that belong to images, and of all pages.
    files, uncounted : int
        Number of files with these pages, and number of files with only their used pages counted.
    """

    used: int
    existing: int
    files: int = 1
    uncounted: int = 0


def warn_surplus(path: Path, count: PageCount) -> None:
    """Warn of pages without an image, in the opened file or its set."""
    used, existing = count.used, count.existing
    if not 0 < used < existing:
        return
    whole = f"its {existing} pages"
    if count.files > 1:
        whole = f"the {existing} pages of its {count.files} files"
    uncounted = f" ({count.uncounted} large files were not counted)" if count.uncounted else ""
    warn(
        f"The OME-XML of {path.name} describes {used} of {whole}{uncounted}: the other "
        f"{existing - used} are left out; if they should be shown, remove the OME-XML or correct "
        "its sizes."
    )


def type_difference(described: str, stored: np.dtype[Any]) -> set[str]:
    """Return a clause if the described type of pixels is not the stored one; no clause if it is.

    Pixels of bool are stored as bits, or as 0 and 1 of uint8.
    """
    name = np.dtype(described).name
    if name == stored.name or (name == "bool" and stored.name == "uint8"):
        return set()
    return {f"pixels of {name}, but they are {stored.name}"}
