"""Search for the layout of raw files without a sidecar, and images with a given layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_ferry.arguments import reading
from napari_ferry.codecs.binary.calibration import Calibration
from napari_ferry.codecs.binary.described import find_described_layout
from napari_ferry.codecs.binary.fit import remaining_bytes
from napari_ferry.codecs.binary.layout import (
    ByteOrder,
    KnownFields,
    Layout,
    count_frames,
    parse_known_fields,
    strip_evidence,
)
from napari_ferry.codecs.binary.layout.find import (
    FoundLayouts,
    find_common_layout,
    find_layouts,
    search_layouts,
)
from napari_ferry.codecs.binary.padding import Padding, open_samples
from napari_ferry.codecs.binary.sidecar import raw_files, sidecar_path
from napari_ferry.errors import (
    FerryError,
    InvalidImageError,
    MissingMetadataError,
    warn,
)
from napari_ferry.files.short_texts import list_few
from napari_ferry.image import Image
from napari_ferry.image.axes import default_axes

_MAX_LAYOUTS = 10
"""Number of layouts of a file worth showing."""


def find_sidecars(
    path: Path,
    *,
    dtype: str | None = None,
    byte_order: ByteOrder | None = None,
    frames: int | None = None,
    y: int | None = None,
    x: int | None = None,
    channels: int | None = None,
    offset: int | None = None,
    replaced: bool = False,
) -> tuple[list[Layout], dict[Path, Layout]]:
    """Find the layouts of a raw file, or the common layout of the raw files in a folder.

    Parameters
    ----------
    path : Path
        A raw file, or a folder of raw files from one camera.
    dtype, byte_order, frames, y, x, channels, offset
        Known values, as in `find_layouts`.
    replaced : bool
        True to include files of a folder that have a sidecar.

    Returns
    -------
    layouts : list of Layout
        The layouts, most likely first.
    per_file : dict
        The most likely layout of each file.

    Raises
    ------
    MissingMetadataError
        No layout fits.
    """
    known = parse_known_fields(
        dtype, byte_order, frames=frames, y=y, x=x, channels=channels, offset=offset
    )
    if path.is_dir():
        return _common(path, known, replaced=replaced)

    found = find_layouts(
        path, dtype=dtype, byte_order=byte_order, frames=frames, y=y, x=x, channels=channels,
        offset=offset,
    )  # fmt: skip
    layouts = _described_first(path, found, known)
    if not path.stat().st_size:
        raise MissingMetadataError(f"{path.name} is empty: there is nothing to repair.")
    if not layouts:
        raise MissingMetadataError(
            f"No layout with the given values fits the {path.stat().st_size} bytes of {path.name}: "
            "give fewer or different values."
        )
    return layouts, {path: layouts[0]}


def _described_first(data: Path, layouts: list[Layout], known: KnownFields) -> list[Layout]:
    """Return the layouts, beginning with the layout in the header of another program."""
    described = find_described_layout(data)
    if described is None or not known.allows(described):
        return layouts
    form = strip_evidence(described)
    return [described, *(layout for layout in layouts if strip_evidence(layout) != form)]


def _common(
    folder: Path, known: KnownFields, *, replaced: bool
) -> tuple[list[Layout], dict[Path, Layout]]:
    """Return the common layout of the raw files in a folder, and the layout of each."""
    files = [path for path in raw_files(folder) if replaced or not sidecar_path(path).exists()]
    common = find_common_layout(files, known=known) if files else None
    if common is None:
        raise MissingMetadataError(
            f"No common layout was found for the {len(files)} raw files without a sidecar in "
            f"{folder}: repair them one by one."
        )

    if common.unmatched:
        names = list_few([path.name for path in common.unmatched])
        warn(
            f"{len(common.unmatched)} files ({names}) do not hold whole frames of "
            f"{common.layout}: repair them one by one."
        )
    each = {path: replace(common.layout, frames=n) for path, n in common.frame_counts.items()}
    return [common.layout], each


def one_per_sidecar(layouts: Mapping[Path, Layout]) -> dict[Path, Layout]:
    """Return one file per sidecar, as files of the same stem share theirs.

    Raises
    ------
    InvalidImageError
        Files share a sidecar, but their layouts differ.
    """
    chosen: dict[Path, tuple[Path, Layout]] = {}
    for data, layout in layouts.items():
        other, same = chosen.setdefault(sidecar_path(data), (data, layout))
        if same != layout or other.stat().st_size != data.stat().st_size:
            raise InvalidImageError(
                f"{other.name} and {data.name} share the sidecar {sidecar_path(data).name}, but "
                "have different layouts: rename one of them."
            )
    return dict(chosen.values())


def find_file_layouts(data: Path, files: Sequence[Path], known: Mapping[str, Any]) -> FoundLayouts:
    """Find the layouts of a raw file, first the common one of all files from its camera.

    Parameters
    ----------
    data : Path
        The raw file.
    files : sequence of Path
        Raw files from the same camera, including `data`.
    known : mapping
        Known values, as in `find_layouts`.

    Raises
    ------
    UnreadableFileError
        The file is not raw: it begins like TIFF or another format.
    """
    fields = parse_known_fields(**known)
    found = search_layouts(data, fields)
    layouts = _described_first(data, found.layouts[:_MAX_LAYOUTS], fields)
    is_described = bool(layouts) and layouts[0].confidence == 1
    found = FoundLayouts(layouts=layouts, rival=None if is_described else found.rival)
    if len(files) < 2 or is_described or found.rival:
        return found
    try:
        common = find_common_layout(files, known=fields)
    except FerryError:  # another file is not raw; the form reports this with that file
        return found
    if common is None or data not in common.frame_counts:
        return found

    # the common layout also takes the reasons found in this file
    first = replace(common.layout, frames=common.frame_counts[data])
    form = strip_evidence(first)
    rest = [layout for layout in layouts if strip_evidence(layout) != form]
    for layout in layouts:
        if layout not in rest:
            reasons = (*first.reasons, *layout.reasons)
            first = replace(first, reasons=reasons, details=layout.details)
    return replace(found, layouts=[first, *rest])


def open_with_layout(
    data: Path,
    layout: Layout,
    calibration: Calibration | None = None,
    *,
    whole_frames: bool = False,
) -> Image:
    """Open a raw file with a layout, lazily.

    Parameters
    ----------
    data : Path
        The raw file.
    layout : Layout
        Its layout.
    calibration : Calibration, optional
        Its calibration.
    whole_frames : bool
        True to open only the whole frames of a file that the layout does not fit.

    Raises
    ------
    InvalidImageError
        The layout does not fit the file.
    """
    layout = fit_layout(data, layout, whole_frames=whole_frames)
    axes = {"pixel": "tyxs", "plane": "tcyx"}.get(layout.interleaving)
    if layout.interleaving == "pixel" and layout.channels not in (3, 4):
        axes = "tyxc"

    calibration = calibration or Calibration()
    names = (calibration.frame_axis, *(axes or default_axes(3))[1:])
    padding = Padding(layout.offset, layout.gap)
    array = open_samples(data, layout.dtype, layout.shape, padding)
    return Image((array,), tuple(map(calibration.axis, names)), name=data.stem)


def fit_layout(data: Path, layout: Layout, *, whole_frames: bool) -> Layout:
    """Fit a layout to a file, with fewer frames if `whole_frames` allows this.

    Raises
    ------
    InvalidImageError
        The layout does not fit, or the file does not hold a whole frame.
    """
    with reading(data):
        nbytes = data.stat().st_size
    if not whole_frames:
        _check_fit(data.name, nbytes, layout)
        return layout
    count, _ = count_frames(nbytes, layout)
    if not count:
        raise InvalidImageError(
            f"{data.name} holds {nbytes} bytes, less than one frame of {layout}: give fewer rows "
            "or columns."
        )
    return replace(layout, frames=min(count, layout.frames))


def _check_fit(name: str, nbytes: int, layout: Layout) -> None:
    rest = remaining_bytes(nbytes, layout)
    if rest:
        mismatch = f"{rest} bytes remain" if rest > 0 else f"{-rest} bytes are missing"
        raise InvalidImageError(
            f"{layout} does not fit {name} of {nbytes} bytes, as {mismatch}: describe only the "
            "whole frames with --whole-frames, or give another layout."
        )
