"""Giving a raw file the sidecar that it lost."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image, default_axes
from napari_ferry.mapped import Mapped
from napari_ferry.plan import Plan, run
from napari_ferry.raw_layout.layout import Layout
from napari_ferry.sidecar import sidecar_path, sidecar_text
from napari_ferry.writes import PlannedFile, write_text


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


def write_sidecar(data: Path, layout: Layout, *, overwrite: bool = False) -> tuple[Path, Path | None]:
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
