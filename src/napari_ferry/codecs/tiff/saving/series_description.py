"""OME-XML of a series of files, each of which describes all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from napari_ferry.codecs.tiff.names import PartName, stem_of
from napari_ferry.codecs.tiff.saving.headers import create_ome, series_uuid
from napari_ferry.codecs.tiff.saving.layer import Layer
from napari_ferry.image import Image
from napari_ferry.ome_xml import TiffData, plane_position, write_ome_xml


class FrameRun(NamedTuple):
    """Consecutive frames of one image in one file of a series.

    Parameters
    ----------
    image : int
        Index of the image.
    first : int
        Index of the first frame.
    nframes : int
        Number of frames.
    """

    image: int
    first: int
    nframes: int


@dataclass(frozen=True)
class SeriesDescription:
    """Description of a series in OME-XML, which differs between the files only by their UUID.

    Parameters
    ----------
    images : tuple of Image
        The images.
    runs : sequence of FrameRun
        Frames in each file.
    path : Path
        Name of the series.
    nonce : str
        Random identifier of the save, from which the UUIDs are made.
    """

    images: Sequence[Image]
    runs: Sequence[FrameRun]
    path: Path
    nonce: str

    @cached_property
    def _first_text(self) -> str:
        """The description in the first file."""
        blocks = [self._planes_of(index) for index in range(len(self.images))]
        return write_ome_xml(self.images, blocks, uuid=series_uuid(self.nonce, 0))

    def text(self, index: int) -> str:
        """Return the description in one file; all have the same length."""
        uuid = series_uuid(self.nonce, index)
        # the root element comes before the list of all files
        return self._first_text.replace(series_uuid(self.nonce, 0), uuid, 1)

    def _planes_of(self, image: int) -> Iterator[TiffData]:
        """Yield the location of the planes of an image."""
        for i, run in enumerate(self.runs):
            if run.image == image:
                position = plane_position(self.images[image], run.first)
                name, uuid = part_path(self.path, i).name, series_uuid(self.nonce, i)
                yield TiffData(0, run.nframes, *position, name, uuid)


def create_part(
    path: Path, *, layer: Layer, series: SeriesDescription, index: int, bigtiff: bool
) -> None:
    """Create one file of a series, with space for its pixels."""
    create_ome(path, layers=(layer,), xml=series.text(index), bigtiff=bigtiff)


def part_path(path: Path, index: int) -> Path:
    """Return the path of one part, ``<stem>_00000.tif``."""
    stem = stem_of(path)
    return PartName(stem, 0, path.name[len(stem) :]).sibling(path, index)
