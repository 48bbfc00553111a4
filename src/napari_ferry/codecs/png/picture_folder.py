"""Images of several PNG files: our sequences, and stacks of numbered files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.codecs.png.chunk_scan import scan
from napari_ferry.codecs.png.file_frames import frames_in_files
from napari_ferry.codecs.png.frame_names import (
    FrameName,
    all_png_files,
    frames_of,
    png_files,
    split_families,
)
from napari_ferry.codecs.png.own_frames import is_own_frame
from napari_ferry.codecs.png.pixel_layout import layout_of
from napari_ferry.codecs.png.png_table import PngTable
from napari_ferry.codecs.png.read import image_of, matching, read_png, record_image, scan_file
from napari_ferry.codecs.png.text_record import FrameMark, TextRecord, find_record
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.files.links import leads_outside
from napari_ferry.files.number_gaps import find_gap
from napari_ferry.files.number_grid import find_grid
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import ASSUMED, ASSUMED_TIME, Description
from napari_ferry.movie.sequence import open_joined
from napari_ferry.saving import interrupted_save


def read_file(path: Path) -> list[Image]:
    """Open a file, or the whole sequence of a frame.

    Raises
    ------
    UnreadableFileError
        The file is damaged or is not a PNG file, or its save was interrupted.

    Warns
    -----
    FerryWarning
        Frames of the sequence are missing, or the file is a renamed frame.
    """
    name = FrameName.of(path)
    message = name and interrupted_save(path)
    if message:
        raise UnreadableFileError(message)

    table = scan_file(path)
    found = find_record(table)
    if found.mark is None or found.mark.count == 1:
        return [image_of(table, found)]
    if name is None:
        warn(
            f"{path.name} is frame {found.mark.index + 1} of {found.mark.count} of a sequence, but "
            "was renamed: it is opened by itself."
        )
        return [image_of(table, found)]
    return [_read_sequence(_siblings(path, name), found.mark)]


def sequence_files(path: Path) -> list[Path]:
    """Return all files of a sequence by napari-ferry, given one; any other file alone."""
    name = FrameName.of(path)
    if name is None or not is_own_frame(path):
        return [path]
    return [*_siblings(path, name).values()]


def _siblings(path: Path, name: FrameName) -> dict[int, Path]:
    """Return the frames of the same sequence as a file, by their numbers."""
    frames = frames_of(name, all_png_files(path.parent))
    return {k: other for k, other in frames.items() if not leads_outside(other, path)}


def read_folder(folder: Path) -> list[Image]:
    """Open the PNG files of a folder: each family of numbered files as one stack.

    Hidden files are left out.

    Raises
    ------
    UnreadableFileError
        The folder has no PNG files, or the first one of a family is damaged.

    Warns
    -----
    FerryWarning
        Numbers are missing, or names count with several numbers.
    """
    paths = png_files(folder)
    if not paths:
        raise UnreadableFileError(f"{folder.name} holds no .png files: choose another folder.")
    families = split_families(paths)
    name = folder.name if len(families) == 1 else ""
    return [image for family in families for image in _read_family(family, name)]


def read_stack(paths: Sequence[Path]) -> list[Image]:
    """Open PNG files as one stack, in the given order; animations one after the other.

    Raises
    ------
    UnreadableFileError
        The first file is damaged.
    """
    table = scan_file(paths[0])
    if table.loop is not None:
        return open_joined(paths, read_png)
    found, name = find_record(table), FrameName.of(paths[0])
    if found.mark is not None and name is not None:
        frames = frames_of(name, paths)
        if len(frames) == len(paths) == found.mark.count:
            return [_read_sequence(frames, found.mark)]
    return [_join_files(paths, table, found, "")]


def _read_family(paths: Sequence[Path], stack: str) -> list[Image]:
    """Open files whose names differ only in their numbers.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    stack : str
        Name of a stack; empty for the name of its files without their number.
    """
    table = scan_file(paths[0])
    found, name = find_record(table), FrameName.of(paths[0])
    if found.mark is not None and found.mark.count > 1 and name is not None:
        frames = frames_of(name, paths)
        own = set(frames.values())
        rest = [path for path in paths if path not in own]
        return [_read_sequence(frames, found.mark), *(_read_family(rest, "") if rest else [])]
    if table.loop is not None:
        return [read_png(path) for path in paths]
    if len(paths) == 1:
        return [image_of(table, found)]
    last = layout_of(scan(paths[-1]))
    if not layout_of(table).includes(last):
        warn(
            f"{paths[-1].name} has {last}, but {paths[0].name} has {layout_of(table)}: such files "
            "are not a stack, and are opened as separate images."
        )
        return [read_png(path) for path in paths]

    gap = find_gap([path.name for path in paths])
    if gap:
        warn(
            f"The numbers of the files in {paths[0].parent.name} are not consecutive between "
            f"{gap.before} and {gap.after}: the {len(paths)} existing files are opened as a stack."
        )
    if grid := find_grid([path.name for path in paths]):
        warn(f"{grid.joined_as_one(paths[0].name)}; open them in parts if this is wrong.")
    return [_join_files(paths, table, found, stack)]


def _read_sequence(frames: Mapping[int, Path], mark: FrameMark) -> Image:
    """Open a sequence saved by napari-ferry, even if files are missing.

    Parameters
    ----------
    frames : mapping of int to Path
        Number -> file, in increasing order; numbers beyond the sequence are left out.
    mark : FrameMark
        Mark of one of its files.
    """
    found = {number: path for number, path in frames.items() if 1 <= number <= mark.count}
    numbers, paths = [*found], [*found.values()]
    name = FrameName.of(paths[0])
    stem = name.stem if name else paths[0].stem
    missing = [k for k in range(1, mark.count + 1) if k not in found]
    if missing:
        warn(
            f"{len(missing)} of the {mark.count} frames of {stem} are missing, the first with the "
            f"number {missing[0]}: the others are opened as a stack."
        )

    table = scan_file(paths[0])
    array = frames_in_files(paths, layout_of(table), series=mark.of)
    record = find_record(table).description
    if record is not None and missing:
        record = _select_frames(record, numbers, mark.count)
    record = matching(record, array)
    if record is not None:
        return record_image(replace(record, name=record.name or stem), array, table)
    if 1 not in found:
        warn(
            f"The description of {stem} was in its first frame, which is missing: names and "
            "display settings are lost."
        )
    return _join_files(paths, table, TextRecord(), stem)


def _select_frames(record: Description, numbers: Sequence[int], count: int) -> Description:
    """Return the record of some frames of a sequence."""
    if record.shape[0] != count:
        return record
    channels = record.channels
    if channels and record.axes[0].name == "c":
        channels = tuple(channels[number - 1] for number in numbers)
    return replace(record, shape=(len(numbers), *record.shape[1:]), channels=channels)


def _join_files(paths: Sequence[Path], table: PngTable, found: TextRecord, name: str) -> Image:
    """Join files with one picture each along time, in order.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    table : PngTable
        Content of the first one.
    found : TextRecord
        Our record in it.
    name : str
        Name of the stack; empty for the name of its files without their number.
    """
    layout = layout_of(table)
    single = image_of(table, found)
    if single.shape != layout.shape:
        single = image_of(table, TextRecord())
    return replace(
        single,
        levels=(frames_in_files(paths, layout),),
        axes=(Axis("t"), *single.axes),
        name=name or _stem(paths[0]),
        metadata={**single.metadata, ASSUMED: ASSUMED_TIME},
    )


def _stem(path: Path) -> str:
    """Return the name of the sequence of a file: without suffix and number."""
    return path.stem.rstrip("0123456789").rstrip("_- .(") or path.stem
