"""The layouts that a raw file which lost its sidecar may have, and the image of one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_ferry.arguments import reading
from napari_ferry.codecs.binary.calibration import Calibration
from napari_ferry.codecs.binary.fit import remaining_bytes
from napari_ferry.codecs.binary.layout import (
    ByteOrder,
    KnownFields,
    Layout,
    count_frames,
    parse_known_fields,
    strip_evidence,
)
from napari_ferry.codecs.binary.layout.find import find_common_layout, find_layouts
from napari_ferry.codecs.binary.padding import Padding, map_samples
from napari_ferry.codecs.binary.sidecar import raw_files, sidecar_path
from napari_ferry.errors import (
    FerryError,
    FerryWarning,
    InvalidImageError,
    MissingMetadataError,
)
from napari_ferry.image import Image
from napari_ferry.image.axes import default_axes


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
    """Find the layouts of a raw file, or the one of all raw files of a folder.

    Parameters
    ----------
    path : Path
        A raw file; or a folder of those of one camera.
    dtype, byte_order, frames, y, x, channels, offset
        What is known, as for `find_layouts`.
    replaced : bool
        Whether files of a folder count that have a sidecar.

    Returns
    -------
    list of Layout
        The likeliest first.
    dict
        The layout of each file.

    Raises
    ------
    MissingMetadataError
        Nothing fits.
    """
    if path.is_dir():
        known = parse_known_fields(
            dtype, byte_order, frames=frames, y=y, x=x, channels=channels, offset=offset
        )
        return _common(path, known, replaced=replaced)
    found = find_layouts(
        path, dtype=dtype, byte_order=byte_order, frames=frames, y=y, x=x, channels=channels,
        offset=offset,
    )  # fmt: skip
    if not path.stat().st_size:
        raise MissingMetadataError(f"{path.name} is empty: there is nothing to repair.")
    if not found:
        raise MissingMetadataError(
            f"No layout of what is known fits the {path.stat().st_size} bytes of {path.name}: "
            "give less, or other numbers."
        )
    return found, {path: found[0]}


def _common(
    folder: Path, known: KnownFields, *, replaced: bool
) -> tuple[list[Layout], dict[Path, Layout]]:
    """Return the one layout of the raw files of a folder, and that of each."""
    files = [path for path in raw_files(folder) if replaced or not sidecar_path(path).exists()]
    common = find_common_layout(files, known=known) if files else None
    if common is None:
        raise MissingMetadataError(
            f"No one layout was found for the {len(files)} raw files without sidecar in {folder}: "
            "repair them one by one."
        )
    if common.unmatched:
        names = ", ".join(path.name for path in common.unmatched[:3])
        warnings.warn(
            f"{len(common.unmatched)} files ({names}) hold no whole frames of {common.layout}: "
            "repair them one by one.",
            FerryWarning,
            stacklevel=2,
        )
    each = {path: replace(common.layout, frames=n) for path, n in common.frame_counts.items()}
    return [common.layout], each


def one_per_sidecar(layouts: Mapping[Path, Layout]) -> dict[Path, Layout]:
    """Return one file for each sidecar, which files of the same stem share.

    Raises
    ------
    InvalidImageError
        Files share one, and their layouts differ.
    """
    chosen: dict[Path, tuple[Path, Layout]] = {}
    for data, layout in layouts.items():
        other, same = chosen.setdefault(sidecar_path(data), (data, layout))
        if same != layout or other.stat().st_size != data.stat().st_size:
            raise InvalidImageError(
                f"{other.name} and {data.name} share the sidecar {sidecar_path(data).name}, and "
                "have different layouts: give one of them another name."
            )
    return dict(chosen.values())


def find_file_layouts(data: Path, files: Sequence[Path], known: Mapping[str, Any]) -> list[Layout]:
    """Find the layouts of a raw file: first the one of all files of its camera, then its own.

    Parameters
    ----------
    data : Path
        The raw file.
    files : sequence of Path
        Those of the same camera, `data` among them.
    known : mapping
        What is known, as for `find_layouts`.

    Raises
    ------
    UnreadableFileError
        It is no raw file: it begins as a TIFF or another format.
    """
    found = find_layouts(data, **known)
    if len(files) < 2:
        return found
    try:
        common = find_common_layout(files, known=parse_known_fields(**known))
    except FerryError:  # one of the others is something else, which its own line says
        return found
    if common is None or data not in common.frame_counts:
        return found
    first = replace(common.layout, frames=common.frame_counts[data])
    form = strip_evidence(first)
    rest = [one for one in found if strip_evidence(one) != form]
    same = [reason for one in found if one not in rest for reason in one.reasons]
    return [replace(first, reasons=(*first.reasons, *same)), *rest]


def open_with_layout(
    data: Path,
    layout: Layout,
    calibration: Calibration | None = None,
    *,
    whole_frames: bool = False,
) -> Image:
    """Return a raw file as an image of a layout, memory-mapped.

    Parameters
    ----------
    data : Path
        The raw file.
    layout : Layout
        How its samples lie.
    calibration : Calibration, optional
        What the axes mean.
    whole_frames : bool
        Whether the frames that are whole will do, where the layout does not fit.

    Raises
    ------
    InvalidImageError
        The layout does not fit the file.
    """
    layout = fit_layout(data, layout, whole_frames=whole_frames)
    together = {"pixel": "tyxs", "plane": "tcyx"}.get(layout.interleaving)
    if layout.interleaving == "pixel" and layout.channels not in (3, 4):
        together = "tyxc"
    calibration = calibration or Calibration()
    names = (calibration.frame_axis, *(together or default_axes(3))[1:])
    place = Padding(layout.offset, layout.gap)
    array = map_samples(data, layout.dtype, layout.shape, place)
    return Image((array,), tuple(map(calibration.axis, names)), name=data.stem)


def fit_layout(data: Path, layout: Layout, *, whole_frames: bool) -> Layout:
    """Return a layout that fits: itself, or with as many whole frames as there are in a file.

    Raises
    ------
    InvalidImageError
        It does not fit, or, if the frames that are whole will do, there is none.
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
        what = f"{rest} bytes remain after it" if rest > 0 else f"it needs {-rest} bytes more"
        raise InvalidImageError(
            f"{name} holds {nbytes} bytes, and {layout} does not fit: {what}; say that the whole "
            "frames will do, or give another layout."
        )
