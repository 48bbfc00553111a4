"""Giving a raw file the sidecar that it lost."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

from napari_ferry.errors import FerryWarning, InvalidImageError, MissingMetadataError
from napari_ferry.image import Image, default_axes
from napari_ferry.mapped import Mapped
from napari_ferry.plan import Plan, run
from napari_ferry.raw_layout.find import find_common_layout, find_layouts
from napari_ferry.raw_layout.layout import ByteOrder, Known, Layout, parse_known
from napari_ferry.sidecar import RAW_SUFFIXES, sidecar_path, sidecar_text
from napari_ferry.writes import PlannedFile, write_text


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
        known = parse_known(
            dtype, byte_order, frames=frames, y=y, x=x, channels=channels, offset=offset
        )
        return _common(path, known, replaced=replaced)
    found = find_layouts(
        path, dtype=dtype, byte_order=byte_order, frames=frames, y=y, x=x, channels=channels,
        offset=offset,
    )  # fmt: skip
    if not found:
        raise MissingMetadataError(
            f"No layout of what is known fits the {path.stat().st_size} bytes of {path.name}: "
            "give less, or other numbers."
        )
    return found, {path: found[0]}


def _common(
    folder: Path, known: Known, *, replaced: bool
) -> tuple[list[Layout], dict[Path, Layout]]:
    """Return the one layout of the raw files of a folder, and that of each."""
    files = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in RAW_SUFFIXES
        and path.is_file()
        and (replaced or not sidecar_path(path).exists())
    ]
    common = find_common_layout(files, known=known) if files else None
    if common is None:
        raise MissingMetadataError(
            f"No one layout was found for the {len(files)} raw files without sidecar in {folder}: "
            "repair them one by one."
        )
    if common.left:
        names = ", ".join(path.name for path in common.left[:3])
        warnings.warn(
            f"{len(common.left)} files ({names}) hold no whole frames of {common.layout}: repair "
            "them one by one.",
            FerryWarning,
            stacklevel=2,
        )
    each = {path: replace(common.layout, frames=n) for path, n in common.frames.items()}
    return [common.layout], each


def image_of(data: Path, layout: Layout) -> Image:
    """Return a raw file as an image of a layout, memory-mapped.

    Raises
    ------
    InvalidImageError
        The layout does not fit the file.
    """
    _check_fit(data, layout)
    together = {"pixel": "tyxs", "plane": "tcyx"}.get(layout.interleaving)
    if layout.interleaving == "pixel" and layout.channels not in (3, 4):
        together = "tyxc"
    axes = together or default_axes(3)
    array = Mapped(data, layout.dtype, "r", layout.offset, layout.shape)
    return Image.from_array(array, axes, name=data.stem)


def write_sidecar(
    data: Path, layout: Layout, *, overwrite: bool = False
) -> tuple[Path, Path | None]:
    """Write the sidecar of a raw file; return where it is, and where the one before it is kept.

    Raises
    ------
    InvalidImageError
        The layout does not fit the file.
    TargetExistsError
        A sidecar is there, and overwriting was not agreed.
    """
    sidecar = sidecar_path(data)
    text = _text(data, layout)
    kept = _backup_of(sidecar) if overwrite and sidecar.is_file() else None
    if kept is not None:
        shutil.copy2(sidecar, kept)
    file = PlannedFile(sidecar, len(text), partial(write_text, text=text))
    run(Plan((file,), (), identity=text), overwrite=overwrite)
    return sidecar, kept


def _text(data: Path, layout: Layout) -> str:
    record = json.loads(sidecar_text(image_of(data, layout)))
    return json.dumps({**record, "offset": layout.offset} if layout.offset else record)


def _check_fit(data: Path, layout: Layout) -> None:
    size = data.stat().st_size
    rest = size - layout.offset - layout.nbytes
    if rest:
        what = f"{rest} bytes remain after it" if rest > 0 else f"it needs {-rest} bytes more"
        raise InvalidImageError(
            f"{data.name} holds {size} bytes, and {layout} does not fit: {what}; cut or complete "
            "the file, or give another layout."
        )


def _backup_of(sidecar: Path) -> Path:
    """Return a name that is free for the sidecar that was there."""
    names = (f"{sidecar.name}.bak{n or ''}" for n in range(10**6))
    return next(path for name in names if not (path := sidecar.with_name(name)).exists())
