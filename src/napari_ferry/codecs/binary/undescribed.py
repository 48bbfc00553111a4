"""Refusal of raw files without a description."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from napari_ferry.codecs.binary.layout import POSSIBLE
from napari_ferry.codecs.binary.layout.plain_text import text_problem
from napari_ferry.codecs.binary.layout.source import open_source
from napari_ferry.errors import MissingMetadataError, UnreadableFileError
from napari_ferry.saving import interrupted_save


def refuse_undescribed(data: Path, sidecar: Path) -> NoReturn:
    """Raise an error for a raw file without a sidecar or a header of another program.

    Raises
    ------
    UnreadableFileError
        The file is empty, or is text.
    MissingMetadataError
        Its layout is unknown.
    """
    interrupted = interrupted_save(data)
    problem = "" if interrupted else _unlike_raw(data)
    if problem:
        raise UnreadableFileError(problem)
    raise MissingMetadataError(
        interrupted
        or f"{data.name} has no sidecar {sidecar.name}, so its layout is unknown: put the sidecar "
        f"into the same folder, or {_likely_layouts(data)}."
    )


def _unlike_raw(data: Path) -> str:
    """Return a sentence about a file without samples; empty for others."""
    if not data.stat().st_size:
        return f"{data.name} is empty (0 bytes): copy or record it again."
    with open_source(data) as source:
        return text_problem(data.name, source)


def _likely_layouts(data: Path) -> str:
    """Return instructions to describe a raw file, with its likely layouts."""
    from napari_ferry.codecs.binary.layout.find import find_layouts

    try:
        found = [layout for layout in find_layouts(data, limit=3) if layout.confidence >= 0.05]
    except UnreadableFileError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return f"check its format: {str(error).rstrip('.')}"

    cure = "give missing_metadata={'dtype': ..., 'y': ..., 'x': ...}"
    if not found:
        return cure
    layouts = "; ".join(f"{layout} ({layout.confidence:.0%})" for layout in found)
    best = found[0]
    if best.confidence < POSSIBLE:
        return f"{cure}; guesses are {layouts}"

    if best.channels == 1 and not best.offset:
        name = best.dtype.str if best.byte_order == "big" else best.dtype.name
        cure = f"give missing_metadata={{'dtype': {name!r}, 'y': {best.y}, 'x': {best.x}}}"

    return (
        f"{cure}, or run `napari-ferry repair {data.name} --write`; the likely layouts are "
        f"{layouts}"
    )
