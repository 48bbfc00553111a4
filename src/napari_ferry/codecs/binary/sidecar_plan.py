"""Plan to write the sidecar of a raw file, with a backup of the old one."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from napari_ferry.codecs.binary.calibration import FIELDS, Calibration, Field
from napari_ferry.codecs.binary.described import find_foreign_header
from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.padding import Padding
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_merge import merge_sidecar
from napari_ferry.codecs.binary.sidecar_search import fit_layout, open_with_layout
from napari_ferry.errors import TargetError, UnreadableFileError
from napari_ferry.image.record import Description
from napari_ferry.saving import Plan, PlannedFile, interrupted_save, run
from napari_ferry.saving.disk.backup import back_up
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
    """Write the sidecar of a raw file.

    Parameters
    ----------
    data, layout, calibration, edited, whole_frames
        Parameters of `plan_sidecar`.
    overwrite : bool
        True to replace an existing sidecar.

    Returns
    -------
    sidecar : Path
        The sidecar.
    backup : Path or None
        The copy of the old sidecar.

    Raises
    ------
    InvalidImageError
        The layout does not fit the file.
    TargetExistsError
        A sidecar exists, and `overwrite` is False.
    TargetError
        The old sidecar cannot be copied, or a save of the raw file is not finished.
    """
    planned = plan_sidecar(data, layout, calibration, edited=edited, whole_frames=whole_frames)
    return run_sidecar(planned, overwrite=overwrite)


def run_sidecar(planned: Plan, *, overwrite: bool = False) -> tuple[Path, Path | None]:
    """Write a planned sidecar; return the paths of it and of its backup.

    Raises
    ------
    TargetExistsError
        A sidecar exists, and `overwrite` is False.
    TargetError
        The old sidecar cannot be copied.
    """
    (sidecar,) = planned.paths
    backup = back_up(sidecar) if overwrite and sidecar.is_file() else None
    run(planned, overwrite=overwrite)
    return sidecar, backup


def plan_sidecar(
    data: Path,
    layout: Layout,
    calibration: Calibration | None = None,
    *,
    edited: Collection[Field] = FIELDS,
    whole_frames: bool = False,
) -> Plan:
    """Plan the sidecar of a raw file, including valid values of the old one.

    Parameters
    ----------
    data : Path
        The raw file.
    layout : Layout
        Its layout.
    calibration : Calibration, optional
        Its calibration.
    edited : collection of {"frame_axis", "frame_step", "pixel_size"}
        Fields of `calibration` to replace in the old sidecar.
    whole_frames : bool
        True to describe only the whole frames of a file that the layout does not fit; its
        other bytes are described as padding.

    Returns
    -------
    Plan
        Its losses are the values of the old sidecar that do not apply.

    Raises
    ------
    InvalidImageError
        The layout does not fit the file.
    TargetError
        A save of the raw file and its sidecar is not finished.
    """
    unfinished = interrupted_save(data)
    if unfinished:
        raise TargetError(unfinished)
    layout = fit_layout(data, layout, whole_frames=whole_frames)
    image = open_with_layout(data, layout, calibration, whole_frames=True)
    rest = data.stat().st_size - layout.offset - layout.extent
    padding = Padding(layout.offset, layout.gap, rest)
    sidecar = sidecar_path(data)
    fields = edited if calibration else ()
    text, losses = merge_sidecar(sidecar, image, padding, fields, _foreign_description(data))
    file = PlannedFile(path=sidecar, nbytes=len(text), create=partial(write_text, text=text))
    return Plan(files=(file,), losses=losses, identity=text)


def _foreign_description(data: Path) -> Description | None:
    """Return the description in the header of another program, if it is valid."""
    try:
        header = find_foreign_header(data)
    except UnreadableFileError:
        return None
    return None if header is None else header.description
