"""Writing of encoded pages to a TIFF file, or to parts below a cap with complete metadata.

tifffile writes the pages, with halved copies as SubIFDs (TIFF Technical Note 1), as in the pyramids
of OME-TIFF (https://ome-model.readthedocs.io/en/stable/ome-tiff/specification.html).
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from napari_ferry.arrays.blocks import as_bytes
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.codecs.tiff.saving.headers import DIRECTORY_BYTES, Options, PageOptions
from napari_ferry.codecs.tiff.saving.job import Job
from napari_ferry.codecs.tiff.saving.page_encoder import Band, PageFormat, encode_band
from napari_ferry.codecs.tiff.saving.parts import describe_parts
from napari_ferry.codecs.tiff.saving.series_description import FrameRun
from napari_ferry.errors import SaveError
from napari_ferry.saving.stream import Results

if TYPE_CHECKING:
    import tifffile

_SEGMENT_BYTES = 16
"""Size of the offset and length of one strip or tile in its directory."""


@dataclass(frozen=True, kw_only=True)
class WriterSettings:
    """Settings of the files of a job with encoded pages.

    Parameters
    ----------
    options : PageOptions
        Options of tifffile for the pages of each image.
    bigtiff : bool
        True if offsets have 64 bits.
    series : tuple of Path
        Final paths of the parts, as many as there can be; empty for a single file.
    reserve : int
        Bytes reserved in each part for its description.
    """

    options: PageOptions
    bigtiff: bool
    series: tuple[Path, ...] = ()
    reserve: int = 0


class Level(NamedTuple):
    """Encoded strips or tiles of a page or of one of its halved copies, and their sizes."""

    segments: Iterable[bytes]
    sizes: Sequence[int]

    @property
    def nbytes(self) -> int:
        """Size in the file in bytes, with the directory."""
        return sum(self.sizes) + len(self.sizes) * _SEGMENT_BYTES + DIRECTORY_BYTES


Page = Sequence[Level]
"""A page and its halved copies, largest first."""


def assemble(
    partials: Sequence[Path], results: Results, *, job: Job, settings: WriterSettings
) -> int:
    """Write encoded pages into TIFF files, in order.

    Returns
    -------
    int
        Number of files.

    Raises
    ------
    SaveError
        A single page is larger than the cap.
    """
    with closing(_Files(partials=partials, job=job, settings=settings)) as files:
        for index, (layer, page) in enumerate(zip(job.layers, job.pages, strict=True)):
            for pages in _pages(results, layer.nframes, page, partials[0]):
                files.add(index, pages)
    if not settings.series:
        return 1
    describe_parts(partials, files.runs, job.images, job.path, job.nonce)
    return len(files.runs)


@dataclass(kw_only=True)
class _Files:
    """Writer of one file, or of a series; pages go to the next file if the current one is full."""

    partials: Sequence[Path]
    job: Job
    settings: WriterSettings
    runs: list[FrameRun] = field(default_factory=list)
    writer: tifffile.TiffWriter | None = None

    def add(self, index: int, pages: Sequence[Page]) -> None:
        """Append pages of an image."""
        while pages:
            if not self.runs or index != self.runs[-1].image:
                self._begin(index)
            count = self._count_fitting(pages)
            if count:
                self._write(index, pages[:count])
                pages = pages[count:]
            elif self.runs[-1].nframes:
                self._begin(index)
            else:  # the first page of a file does not fit
                nbytes = sum(level.nbytes for level in pages[0])
                raise SaveError(
                    f"Frame {self.runs[-1].first} needs {nbytes / 1e9:.6g} GB encoded, and the "
                    f"description of the series up to {self.settings.reserve / 1e9:.6g} GB, "
                    f"together more than the size cap of {self.job.cap / 1e9:.6g} GB: raise the "
                    "cap."
                )

    def close(self) -> None:
        """Finish the current file."""
        if self.writer is not None:
            self.writer.close()

    def _begin(self, index: int) -> None:
        """Begin a run of frames of one image; in a series, each run is a separate file."""
        import tifffile

        if self.settings.series or self.writer is None:
            self.close()
            path, bigtiff = self.partials[len(self.runs)], self.settings.bigtiff
            self.writer = tifffile.TiffWriter(path, bigtiff=bigtiff, byteorder="<", ome=False)
        written = sum(run.nframes for run in self.runs if run.image == index)
        self.runs.append(FrameRun(image=index, first=written, nframes=0))

    def _count_fitting(self, pages: Sequence[Page]) -> int:
        """Return the number of pages up to the size cap of the current file."""
        assert self.writer is not None
        ends = itertools.accumulate(sum(level.nbytes for level in page) for page in pages)
        available = self.job.cap - self.settings.reserve - self.writer.filehandle.tell()
        return sum(end <= available for end in ends)

    def _write(self, index: int, pages: Sequence[Page]) -> None:
        """Append pages of one image; its first page in a file has the description."""
        assert self.writer is not None
        page, run = self.job.pages[index], self.runs[-1]
        every, first = self.settings.options.every[index], self.settings.options.first[index]
        options = dict(every) if run.nframes else {**every, **first}
        if page.levels:
            for each in pages:
                self._write_pyramid(each, page, options)
                options = dict(every)
        else:
            segments = itertools.chain.from_iterable(each[0].segments for each in pages)
            lead = (len(pages),) if len(pages) > 1 else ()
            _write(self.writer, segments, lead, page, options)
        self.runs[-1] = run._replace(nframes=run.nframes + len(pages))

    def _write_pyramid(self, levels: Page, page: PageFormat, options: dict[str, Any]) -> None:
        assert self.writer is not None
        full, *halved = levels
        _write(self.writer, full.segments, (), page, {**options, "subifds": len(halved)})
        for level in halved:
            page = page.halved()
            plain = {**options, "subfiletype": 1, "description": None, "extratags": ()}
            _write(self.writer, level.segments, (), page, plain)


@silent_tifffile()
def _write(
    writer: tifffile.TiffWriter,
    segments: Iterable[bytes],
    lead: tuple[int, ...],
    page: PageFormat,
    options: Options,
) -> None:
    """Write encoded segments with the directories of their pages."""
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
    """Yield the pages of all `count` frames of an image, some at a time.

    Parameters
    ----------
    scratch : Path
        Path of a file; temporary files have its name and another suffix.
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
    """Yield bands one by one; the rest of a result stays in `waiting` for the next page."""
    while True:
        if not waiting:
            waiting.extend(next(results))
        yield waiting.popleft()


def _banded_page(bands: Iterator[Band], results: Results, page: PageFormat, scratch: Path) -> Page:
    """Collect the bands of a large page in a temporary file, and add halved copies."""
    sizes: list[list[int]] = []
    spool, half, level = (Path(f"{scratch}.{name}") for name in ("bands", "half", "level"))
    # each level is read back from the halved bands of the one before
    with spool.open("wb") as file:
        while True:
            height = page.band_rows or page.shape[0]
            count = -(-page.shape[0] // height)
            sizes.append(_append(file, itertools.islice(bands, count), half))
            if not page.levels:
                break
            page = page.halved()
            half.replace(level)
            bands = results.work(_level_tasks(level, page))
    starts = itertools.accumulate(map(sum, sizes), initial=0)
    return [Level(_Spooled(spool, a, s), s) for a, s in zip(starts, sizes, strict=False)]


def _append(file: BinaryIO, bands: Iterable[Band], half: Path) -> list[int]:
    """Append the segments of one level to a file, and write the pixels of the next one to `half`.

    The pixels are written, not mapped, so that a full disk raises an error.
    """
    sizes: list[int] = []
    with half.open("wb") as halved:
        for band in bands:
            file.writelines(band.segments)
            sizes += map(len, band.segments)
            if band.half is not None:
                halved.write(as_bytes(band.half))
    return sizes


def _level_tasks(path: Path, page: PageFormat) -> Iterator[Callable[[], Band]]:
    """Yield functions to encode the bands of a level from a file of its pixels."""
    height = page.band_rows or page.shape[0]
    for y in range(0, page.shape[0], height):
        yield partial(_encode_file_rows, path, page, y, min(height, page.shape[0] - y))


def _encode_file_rows(path: Path, page: PageFormat, y: int, rows: int) -> Band:
    shape = (rows, *page.shape[1:])
    row_bytes = math.prod(shape[1:]) * page.dtype.itemsize
    pixels = np.fromfile(path, page.dtype, math.prod(shape), offset=y * row_bytes)
    return encode_band(pixels.reshape(shape), page)


@dataclass(frozen=True)
class _Spooled:
    """Encoded segments in a temporary file, one after the other."""

    path: Path
    start: int
    sizes: Sequence[int]

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(self.start)
            for size in self.sizes:
                yield file.read(size)
