"""Writing the sidecar of a raw file, and keeping the one that it replaces."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from functools import partial
from pathlib import Path

from napari_ferry.codecs.binary.calibration import FIELDS, Calibration, Field
from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.padding import Padding
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_merge import merge_sidecar
from napari_ferry.codecs.binary.sidecar_search import fit_layout, open_with_layout
from napari_ferry.errors import TargetError
from napari_ferry.saving import Plan, PlannedFile, run
from napari_ferry.saving.write import write_text


def write_sidecar(
    data: Path,
    layout: Layout,
    calibration: Calibration | None = None,
    *,
    edited: Collection[Field] = FIELDS,
    overwrite: bool = False,
    whole_frames: bool = False,
) -> tuple[Path, Path | None]:
    """Write the sidecar of a raw file; return where it is, and where the one before it is kept.

    Parameters
    ----------
    data, layout, calibration, edited, whole_frames
        As for `plan_sidecar`, which tells what the one before says and the new one will not.
    overwrite : bool
        Whether a sidecar that is there may be replaced.

    Raises
    ------
    InvalidImageError
        The layout does not fit the file.
    TargetExistsError
        A sidecar is there, and overwriting was not agreed.
    TargetError
        The sidecar that is there cannot be kept under another name.
    """
    planned = plan_sidecar(data, layout, calibration, edited=edited, whole_frames=whole_frames)
    return run_sidecar(planned, overwrite=overwrite)


def run_sidecar(planned: Plan, *, overwrite: bool = False) -> tuple[Path, Path | None]:
    """Write a sidecar that was planned; return where it is, and where the one before it is kept.

    Raises
    ------
    TargetExistsError
        A sidecar is there, and overwriting was not agreed.
    TargetError
        The sidecar that is there cannot be kept under another name.
    """
    (sidecar,) = planned.paths
    kept = _backup_of(sidecar) if overwrite and sidecar.is_file() else None
    if kept is not None:
        _keep(sidecar, kept)
    run(planned, overwrite=overwrite)
    return sidecar, kept


def plan_sidecar(
    data: Path,
    layout: Layout,
    calibration: Calibration | None = None,
    *,
    edited: Collection[Field] = FIELDS,
    whole_frames: bool = False,
) -> Plan:
    """Plan the sidecar of a raw file, with all that one which is there says and that stays true.

    Parameters
    ----------
    data : Path
        The raw file.
    layout : Layout
        How its samples lie.
    calibration : Calibration, optional
        What the axes mean.
    edited : collection of {"frame_axis", "frame_step", "pixel_size"}
        What of `calibration` counts even where the sidecar that is there says something else.
    whole_frames : bool
        Whether the frames that are whole will do, where the layout does not fit; what is left of
        the file is then said to be no samples.

    Returns
    -------
    Plan
        Its losses are what the sidecar that is there says, and the new one will not.

    Raises
    ------
    InvalidImageError
        The layout does not fit the file.
    """
    layout = fit_layout(data, layout, whole_frames=whole_frames)
    image = open_with_layout(data, layout, calibration, whole_frames=True)
    rest = data.stat().st_size - layout.offset - layout.extent
    place = Padding(layout.offset, layout.gap, rest)
    sidecar = sidecar_path(data)
    text, losses = merge_sidecar(sidecar, image, place, edited if calibration else ())
    file = PlannedFile(sidecar, len(text), partial(write_text, text=text))
    return Plan(files=(file,), losses=losses, identity=text)


def _keep(sidecar: Path, kept: Path) -> None:
    try:
        shutil.copy2(sidecar, kept)
    except OSError as error:
        raise TargetError(
            f"{sidecar} cannot be kept as {kept.name} ({error}), so it is not replaced: see that "
            "its folder can be written."
        ) from error


def _backup_of(sidecar: Path) -> Path:
    """Return a name that is free for the sidecar that was there."""
    names = (f"{sidecar.name}.bak{n or ''}" for n in range(10**6))
    return next(path for name in names if not (path := sidecar.with_name(name)).exists())
