"""Frames in files of their own, read one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

from napari_ferry.arguments import reading
from napari_ferry.arrays import Frames
from napari_ferry.arrays.stamp import Stamp, open_unchanged
from napari_ferry.codecs.png.chunk_scan import scan_open
from napari_ferry.codecs.png.picture_decode import decode_picture
from napari_ferry.codecs.png.pixel_layout import PixelLayout, layout_of
from napari_ferry.codecs.png.png_table import PngTable, damaged
from napari_ferry.codecs.png.text_record import find_mark
from napari_ferry.errors import UnreadableFileError


@dataclass(frozen=True)
class FileFrames:
    """Reader of files with one picture each.

    Parameters
    ----------
    paths : tuple of Path
        The files.
    stamps : tuple of Stamp
        Their stamps when they were found.
    layout : PixelLayout
        Layout of the first file, which the others must match.
    series : str
        Identifier of the save that the files are from; empty if they may be from any.
    """

    is_stamped: ClassVar[Literal[True]] = True

    paths: tuple[Path, ...]
    stamps: tuple[Stamp, ...]
    layout: PixelLayout
    series: str = ""

    def __call__(self, i: int) -> NDArray[Any]:
        """Read frame i.

        Raises
        ------
        UnreadableFileError
            The file is damaged, changed, does not match the first one, or is from another save.
        """
        path = self.paths[i]
        with reading(path), open_unchanged(path, self.stamps[i], buffering=0) as file:
            table = scan_open(path, file)
            self._check(table)
            return decode_picture(file, table, table.pictures[0], self.layout)

    def _check(self, table: PngTable) -> None:
        """Refuse a file other than one of these frames."""
        if len(table.pictures) > 1:
            raise UnreadableFileError(
                f"{table.path.name} is an animation of {len(table.pictures)} frames, but "
                f"{self.paths[0].name} has one: open it by itself."
            )

        if table.damage:
            raise damaged(table.path, table.damage)
        layout = layout_of(table)
        if not self.layout.includes(layout):
            raise UnreadableFileError(
                f"{table.path.name} has {layout}, but {self.paths[0].name} has {self.layout}: the "
                "files of a stack must match; leave it out, or open it by itself."
            )

        mark = find_mark(table)
        if self.series and mark is not None and mark.of != self.series:
            raise UnreadableFileError(
                f"{table.path.name} is not from the same save as {self.paths[0].name}: it is "
                "outdated or was replaced; save the whole sequence again."
            )


def frames_in_files(
    paths: Sequence[Path], layout: PixelLayout, *, series: str = "", lead: int = 1
) -> Frames:
    """Return the frames of some files as one array; files are opened when they are read.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    layout : PixelLayout
        Layout of the first file.
    series : str
        Identifier of the save that they are from, if it is known.
    lead : int
        1 for a stack, 0 for the only picture of a single file.
    """
    stamps = tuple(map(Stamp.of, paths))
    reader = FileFrames(tuple(paths), stamps, layout, series)
    return Frames(reader, (*((len(paths),) * lead), *layout.shape), layout.dtype, lead)
