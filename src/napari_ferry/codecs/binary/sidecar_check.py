"""Status of a sidecar: its layout and calibration, even if they do not fit the raw file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arguments import is_count
from napari_ferry.codecs.binary.calibration import Calibration
from napari_ferry.codecs.binary.described import (
    described_calibration,
    described_layout,
    find_foreign_header,
    header_layout,
)
from napari_ferry.codecs.binary.headers.foreign_header import Header
from napari_ferry.codecs.binary.layout import Layout, count_frames
from napari_ferry.codecs.binary.layout.plain_text import is_text
from napari_ferry.codecs.binary.layout.source import open_source
from napari_ferry.codecs.binary.sidecar import (
    DEFAULT_NAME,
    load_sidecar,
    raw_files,
    read_sidecar,
    sidecar_path,
)
from napari_ferry.errors import MissingMetadataError, UnreadableFileError
from napari_ferry.files.links import refuse_outside
from napari_ferry.image.checks import is_number
from napari_ferry.image.record import Description, parse_description
from napari_ferry.saving import interrupted_save


@dataclass(frozen=True, kw_only=True)
class SidecarStatus:
    """Status of a sidecar.

    Parameters
    ----------
    path : Path
        The sidecar.
    layout : Layout, optional
        The layout in the sidecar, if complete.
    calibration : Calibration
        The calibration in the sidecar.
    error : str
        Message of the error on opening the raw file with it; empty if it opens.
    """

    path: Path
    layout: Layout | None
    calibration: Calibration
    error: str


def read_sidecar_status(data: Path) -> SidecarStatus | None:
    """Read the status of the sidecar of a raw file, or of the header of another program.

    ``None`` if the file has neither.
    """
    path = sidecar_path(data)
    try:
        header = find_foreign_header(data)
        if header is not None:
            return _header_status(header)
    except UnreadableFileError as problem:
        return SidecarStatus(path=data, layout=None, calibration=Calibration(), error=str(problem))
    if not path.is_file():
        return None

    nbytes = data.stat().st_size
    try:
        error = ""
        read_sidecar(data, nbytes)
    except (UnreadableFileError, MissingMetadataError) as problem:
        error = str(problem)

    try:
        refuse_outside(path, data)
        record = load_sidecar(path)
    except UnreadableFileError:
        return SidecarStatus(path=path, layout=None, calibration=Calibration(), error=error)
    description = parse_description(record)
    calibration = Calibration() if description is None else described_calibration(description)
    layout = _layout(record, description, nbytes)
    return SidecarStatus(path=path, layout=layout, calibration=calibration, error=error)


def _header_status(header: Header) -> SidecarStatus:
    """Return the status of the header of another program."""
    error = ""
    try:
        header.check_size()
    except UnreadableFileError as problem:
        error = str(problem)
    calibration = described_calibration(header.description)
    return SidecarStatus(
        path=header.path, layout=header_layout(header), calibration=calibration, error=error
    )


def lacks_layout(path: Path) -> bool:
    """Return True if a raw file, or each one in a folder, needs a layout to be opened.

    No pixels are read. An empty file, text, the remainder of an interrupted save and a folder
    without raw files have other problems: the result is False.
    """
    files = raw_files(path) if path.is_dir() else [path]
    return bool(files) and all(map(_lacks_layout, files))


def _lacks_layout(data: Path) -> bool:
    if data.name == DEFAULT_NAME or not data.stat().st_size or interrupted_save(data):
        return False
    status = read_sidecar_status(data)
    if status is not None:
        return bool(status.error)
    with open_source(data) as source:
        return not is_text(source)


def _layout(
    record: Mapping[str, Any], description: Description | None, nbytes: int
) -> Layout | None:
    """Return the layout in a sidecar, or ``None`` if it is not complete."""
    dtype = _dtype(record.get("dtype"))
    offset, gap = (_count(record.get(key, 0), least=0) for key in ("offset", "gap"))
    if dtype is None or offset is None or gap is None:
        return None

    if description is not None:
        return described_layout(dtype, offset, gap, description)
    frames, y, x = (_count(record.get(key)) for key in ("frames", "y", "x"))
    if y is None or x is None:
        return None
    frame = Layout(dtype=dtype, offset=offset, frames=1, y=y, x=x, gap=gap)
    return replace(frame, frames=frames or max(1, count_frames(nbytes, frame)[0]))


def _dtype(value: object) -> np.dtype[Any] | None:
    try:
        dtype: np.dtype[Any] = np.dtype(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, SyntaxError):
        return None
    return dtype if isinstance(value, str) and is_number(dtype) and dtype.kind in "uif" else None


def _count(value: object, least: int = 1) -> int | None:
    return value if is_count(value, least) else None
