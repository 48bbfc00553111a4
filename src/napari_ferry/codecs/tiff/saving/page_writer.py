"""Encoded pages -> TIFF files: one, or parts that stay below a cap, each described as a whole.

Pages are written by tifffile, with halved copies as SubIFDs (TIFF Technical Note 1), the way
OME-TIFF keeps pyramids (https://ome-model.readthedocs.io/en/stable/ome-tiff/specification.html).
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from napari_ferry.arrays.blocks import as_bytes
from napari_ferry.codecs.tiff.saving.headers import DIRECTORY_BYTES, Layer
from napari_ferry.codecs.tiff.saving.page_encoder import Band, PageFormat, encode_band
from napari_ferry.codecs.tiff.saving.parts import Run, describe_parts
from napari_ferry.errors import SaveError
from napari_ferry.saving.stream import Results

if TYPE_CHECKING:
    import tifffile

_SEGMENT_BYTES = 16
"""Offset and length of one strip or tile in its directory."""


@dataclass(frozen=True)
class Job:
    """What encoded pages become.

    Parameters
    ----------
    layers : tuple of Layer
        The images, in order.
    pages : tuple of PageFormat
        How the pages of each are encoded.
    options : tuple of dict
        What tifffile is told of every page of each image.
    first : tuple of dict
        What it is told of the first page of each image besides, such as its description.
    bigtiff : bool
        Whether offsets have 64 bits.
    series : tuple of Path
        Final names of the parts of a series, as many as there can be; empty for one file.
    nonce : str
        What the UUIDs of the parts are made of.
    cap : float
        Bytes that no part exceeds.
    reserve : int
        Bytes of each part that its description may need.
    """

    layers: tuple[Layer, ...]
    pages: tuple[PageFormat, ...]
    options: tuple[Mapping[str, Any], ...]
    first: tuple[Mapping[str, Any], ...]
    bigtiff: bool
    series: tuple[Path, ...] = ()
    nonce: str = ""
    cap: float = float("inf")
    reserve: int = 0


class Level(NamedTuple):
    """The encoded strips or tiles of a page, or of one of its halved copies, and their sizes."""

    segments: Iterable[bytes]
    sizes: Sequence[int]

    @property
    def nbytes(self) -> int:
        """Bytes in the file, with the directory."""
        return sum(self.sizes) + len(self.sizes) * _SEGMENT_BYTES + DIRECTORY_BYTES


Page = Sequence[Level]
"""A page and its halved copies, the largest first."""


def assemble(partials: Sequence[Path], results: Results, *, job: Job) -> int:
    """Write encoded pieces into TIFF files, in order.

    Returns
    -------
    int
        How many files.

    Raises
    ------
    SaveError
        One page alone is larger than the cap.
    """
    with closing(_Files(partials, job)) as files:
        for index, (layer, page) in enumerate(zip(job.layers, job.pages, strict=True)):
            for pages in _pages(results, layer.nframes, page, partials[0]):
                files.add(index, pages)
    if not job.series:
        return 1
    describe_parts(partials, files.runs, job.layers, job.series, job.nonce)
    return len(files.runs)


@dataclass
class _Files:
    """The file being written; of a series, the next one is begun before a page does not fit."""

    partials: Sequence[Path]
    job: Job
    runs: list[Run] = field(default_factory=list)
    writer: tifffile.TiffWriter | None = None

    def add(self, index: int, pages: Sequence[Page]) -> None:
        """Write pages of one image, after those that were written before."""
        while pages:
            if not self.runs or index != self.runs[-1].image:
                self._begin(index)
            count = self._fitting(pages)
            if count:
                self._write(index, pages[:count])
                pages = pages[count:]
            elif self.runs[-1].count:
                self._begin(index)
            else:
                nbytes = sum(level.nbytes for level in pages[0])
                raise SaveError(
                    f"Frame {self.runs[-1].first} needs {nbytes / 1e9:.6g} GB encoded, and up to "
                    f"{self.job.reserve / 1e9:.6g} GB describe the series, more than the size cap "
                    f"of {self.job.cap / 1e9:.6g} GB: raise the cap."
                )

    def close(self) -> None:
        """Finish the file that is being written."""
        if self.writer is not None:
            self.writer.close()

    def _begin(self, index: int) -> None:
        """Begin a run of frames of one image; each of a series has a file of its own."""
        import tifffile

        if self.job.series or self.writer is None:
            self.close()
            place, big = self.partials[len(self.runs)], self.job.bigtiff
            self.writer = tifffile.TiffWriter(place, bigtiff=big, byteorder="<", ome=False)
        done = sum(run.count for run in self.runs if run.image == index)
        self.runs.append(Run(index, done, 0))

    def _fitting(self, pages: Sequence[Page]) -> int:
        """Return how many pages the file being written has room for."""
        assert self.writer is not None
        ends = itertools.accumulate(sum(level.nbytes for level in page) for page in pages)
        room = self.job.cap - self.job.reserve - self.writer.filehandle.tell()
        return sum(end <= room for end in ends)

    def _write(self, index: int, pages: Sequence[Page]) -> None:
        """Append pages of one image; its first one in this file carries the description."""
        assert self.writer is not None
        page, run = self.job.pages[index], self.runs[-1]
        options = {**self.job.options[index], **({} if run.count else self.job.first[index])}
        if page.levels:
            for each in pages:
                self._write_pyramid(each, page, options)
                options = dict(self.job.options[index])
        else:
            segments = itertools.chain.from_iterable(each[0].segments for each in pages)
            lead = (len(pages),) if len(pages) > 1 else ()
            _write(self.writer, segments, lead, page, options)
        self.runs[-1] = run._replace(count=run.count + len(pages))

    def _write_pyramid(self, levels: Page, page: PageFormat, options: dict[str, Any]) -> None:
        assert self.writer is not None
        full, *halved = levels
        _write(self.writer, full.segments, (), page, {**options, "subifds": len(halved)})
        for level in halved:
            page = page.halved()
            plain = {**options, "subfiletype": 1, "description": None, "extratags": ()}
            _write(self.writer, level.segments, (), page, plain)


def _write(
    writer: tifffile.TiffWriter,
    segments: Iterable[bytes],
    lead: tuple[int, ...],
    page: PageFormat,
    options: Mapping[str, Any],
) -> None:
    """Let tifffile write the directories of some pages, and their segments as they are."""
    writer.write(
        iter(segments),
        shape=(*lead, *page.shape),
        dtype=page.dtype,
        compression=None if page.compression == "none" else page.compression,
        predictor=page.has_predictor,
        tile=(page.rows, page.tile) if page.tile else None,
        rowsperstrip=None if page.tile else page.rows,
        metadata=None,
        contiguous=False,
        **options,
    )


def _pages(
    results: Results, count: int, page: PageFormat, scratch: Path
) -> Iterator[Sequence[Page]]:
    """Take up encoded pieces until all `count` frames of an image are there.

    Parameters
    ----------
    scratch : Path
        A file beside which others of the same name and one suffix more may grow.
    """
    if page.band_rows is None:
        while count > 0:
            bands: list[Band] = next(results)
            yield [[Level(band.segments, [*map(len, band.segments)])] for band in bands]
            count -= len(bands)
        return
    waiting: deque[Band] = deque()
    for _ in range(count):
        yield [_banded_page(_bands(results, waiting), results, page, scratch)]


def _bands(results: Results, waiting: deque[Band]) -> Iterator[Band]:
    """Yield bands one by one; those of a piece that are not asked for wait for the next page."""
    while True:
        if not waiting:
            waiting.extend(next(results))
        yield waiting.popleft()


def _banded_page(bands: Iterator[Band], results: Results, page: PageFormat, scratch: Path) -> Page:
    """Collect one large page band by band in a file, and add its halved copies."""
    sizes: list[list[int]] = []
    spool, half, level = (Path(f"{scratch}.{name}") for name in ("bands", "half", "level"))
    with spool.open("wb") as file:
        while True:
            height = page.band_rows or page.shape[0]
            count = -(-page.shape[0] // height)
            sizes.append(_append(file, itertools.islice(bands, count), half))
            if not page.levels:
                break
            page = page.halved()
            half.replace(level)
            bands = results.work(_level_jobs(level, page))
    starts = itertools.accumulate(map(sum, sizes), initial=0)
    return [Level(_Spooled(spool, a, s), s) for a, s in zip(starts, sizes, strict=False)]


def _append(file: BinaryIO, bands: Iterable[Band], half: Path) -> list[int]:
    """Append the segments of one level, and write the pixels of the next one beside.

    Written, not mapped: a disk that is full then says so.
    """
    sizes: list[int] = []
    with half.open("wb") as halved:
        for band in bands:
            file.writelines(band.segments)
            sizes += map(len, band.segments)
            if band.half is not None:
                halved.write(as_bytes(band.half))
    return sizes


def _level_jobs(path: Path, page: PageFormat) -> Iterator[Callable[[], Band]]:
    """Yield what encodes the bands of a level whose pixels stand in a file."""
    height = page.band_rows or page.shape[0]
    for y in range(0, page.shape[0], height):
        yield partial(_encode_rows_of, path, page, y, min(height, page.shape[0] - y))


def _encode_rows_of(path: Path, page: PageFormat, y: int, rows: int) -> Band:
    shape = (rows, *page.shape[1:])
    row_bytes = math.prod(shape[1:]) * page.dtype.itemsize
    pixels = np.fromfile(path, page.dtype, math.prod(shape), offset=y * row_bytes)
    return encode_band(pixels.reshape(shape), page)


@dataclass(frozen=True)
class _Spooled:
    """Encoded segments that wait in a file, one after the other."""

    path: Path
    start: int
    sizes: Sequence[int]

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(self.start)
            for size in self.sizes:
                yield file.read(size)
