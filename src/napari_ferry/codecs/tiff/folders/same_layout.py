"""Frames of many files that are like the first of them, each file looked at when it is read.

To open 2,000 files one by one would take seconds, so the first stands for all of them. A file of
its size whose bytes are the same but for the pixels needs no further look; one whose first
directory says the same (TIFF 6.0, section 2) is decoded as the first; any other is opened,
compared, and refused when it is odd.
"""

from __future__ import annotations

import bisect
import itertools
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Frames
from napari_ferry.arrays.frames import ReadFrame
from napari_ferry.arrays.stack import Indexed
from napari_ferry.codecs.tiff.folders.frame_check import Expected
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.pages.decode import is_one_piece, read_page
from napari_ferry.codecs.tiff.pages.ifd_chain import Stamp, open_unchanged
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS, PageKind, page_kind
from napari_ferry.codecs.tiff.pages.template import Directory, Template, read_directory, read_into
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Image

_LOOKED_AT = 100
"""Compressed files of a stack that are looked at when it is opened."""

_KEPT = 16
"""Files of a stack that stay known, of those that are opened by themselves."""


@dataclass(frozen=True, eq=False)
class Alike:
    """Reads the frames of files that are alike, one file after the other.

    Parameters
    ----------
    paths : tuple of Path
        The files.
    stamps : tuple of Stamp
        What they were when the stack was opened.
    ends : tuple of int
        The number of frames up to the end of each.
    model : Model
        The first of them, by which others are judged.
    template : Template or None
        Where the pixels of the first lie, if they lie there as they are.
    """

    paths: tuple[Path, ...]
    stamps: tuple[Stamp, ...]
    ends: tuple[int, ...]
    model: Model
    template: Template | None
    _fits: set[int] = field(default_factory=set, init=False, repr=False)

    def __call__(self, i: int) -> NDArray[Any]:
        """Return frame `i` of all.

        Raises
        ------
        UnreadableFileError
            Its file changed, is damaged, or is not like the others.
        """
        out = np.empty((1, *self.model.expected.frame), self.model.expected.dtype)
        self.read_into(i, out)
        pixels: NDArray[Any] = out[0]
        return pixels

    def read_into(self, first: int, out: NDArray[Any]) -> None:
        """Read frames from `first` on into an array in C order; its first axis counts them."""
        done = 0
        while done < len(out):
            k = bisect.bisect_right(self.ends, first + done)
            frame = first + done - (self.ends[k - 1] if k else 0)
            n = min(len(out) - done, self.ends[k] - first - done)
            self._read_file_into(k, frame, out[done : done + n])
            done += n

    def _read_file_into(self, k: int, first: int, out: NDArray[Any]) -> None:
        """Read frames of one file."""
        n_frames = self.ends[k] - (self.ends[k - 1] if k else 0)
        try:
            with open_unchanged(self.paths[k], self.stamps[k], buffering=0) as file:
                if self.template is not None and (k in self._fits or self._fit(file, k)):
                    self.template.read_into(file, first, out)
                    return
                directory = self.model.recognize(file) if n_frames == 1 else None
                if directory is not None:
                    self.model.read_into(file, directory, out[0])
                    return
        except TIFFFILE_ERRORS as error:
            raise UnreadableFileError(
                f"{self.paths[k]} is damaged ({error}): get a whole copy of the file, or take it "
                "out."
            ) from error
        read = self.model.reader(self.paths[k], n_frames)
        for i, place in enumerate(out):
            place[...] = read(first + i)

    def _fit(self, file: BinaryIO, k: int) -> bool:
        """Whether a file fits the template, which is remembered."""
        assert self.template is not None
        fits = self.stamps[k].nbytes == self.template.nbytes and self.template.fits(file)
        if fits:
            self._fits.add(k)
        return fits


class Model:
    """The first file of a stack, by which others are judged and read.

    It is described when that is first needed. The last files that had to be opened by themselves
    are kept.

    Parameters
    ----------
    expected : Expected
        What every file has to be.
    """

    def __init__(self, expected: Expected) -> None:
        self.expected = expected
        self.reader = lru_cache(_KEPT)(self._reader)
        self._lock = threading.Lock()
        self._page: tuple[Directory, PageKind] | None = None
        self._is_described = False

    def __reduce__(self) -> tuple[type[Model], tuple[Expected]]:
        return Model, (self.expected,)

    @property
    def page(self) -> tuple[Directory, PageKind] | None:
        """What the first file's only page is; ``None`` where others cannot be read by it."""
        with self._lock:
            if not self._is_described:
                self._page = self._describe()
                self._is_described = True
            return self._page

    def _describe(self) -> tuple[Directory, PageKind] | None:
        # there may be other images below the page, or other frames in other files
        if self.expected.count > 1 or self.expected.n_frames > 1:
            return None
        with self.expected.path.open("rb") as file:
            found = read_directory(file)
        if found is None:
            return None
        kind = page_kind(self.expected.path, found.ifd)
        is_frame = math.prod(kind.shape) == math.prod(self.expected.frame)
        # each JPEG has tables of its own, and so have pictures with a palette
        is_own = any(kind.tables.values()) or kind.palette is not None
        return (found, kind) if is_frame and not is_own else None

    def recognize(self, file: BinaryIO) -> Directory | None:
        """Return the directory of a file whose only page is like the first's; else ``None``."""
        found = read_directory(file) if self.page else None
        return found if found and self.page and found.layout == self.page[0].layout else None

    def read_into(self, file: BinaryIO, directory: Directory, out: NDArray[Any]) -> None:
        """Read the page of a file that was recognized.

        Raises
        ------
        Exception
            One of the `TIFFFILE_ERRORS`: the page is damaged.
        """
        assert self.page is not None
        kind, segments = self.page[1], (directory.offsets, directory.counts)
        _, move = frame_axes(kind)
        if kind.raw_dtype == out.dtype and move is None and is_one_piece(*segments):
            read_into(file, int(directory.offsets[0]), out)
            return
        pixels = read_page(file, kind, *segments)
        out[...] = (np.moveaxis(pixels, *move) if move else pixels).reshape(out.shape)

    def _reader(self, path: Path, n_frames: int) -> ReadFrame:
        """Return what reads the frames of a file that was opened by itself, and fits."""
        image = self.expected.choose(path, read_images(path))
        if math.prod(image.shape[: self.expected.lead]) != n_frames:  # of one not looked at before
            raise self.expected.odd_shape(path, image)
        lead, array = self.expected.lead, image.array
        is_frames = isinstance(array, Frames) and array.lead == lead
        return array.read if isinstance(array, Frames) and is_frames else Indexed(array, lead)


def stacks_of(
    paths: Sequence[Path], firsts: Sequence[Image], varies: Sequence[bool]
) -> list[tuple[Alike, tuple[int, ...]]]:
    """Return what reads the frames of files one after the other, the first of which is open.

    Files of another size than the first are looked at now; but only some of them where sizes tell
    nothing, as the one frame of each is compressed.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    firsts : sequence of Image
        All images of the first; each goes on in the images of that number of the other files.
    varies : sequence of bool
        For each image, whether files may have other lengths along its first axis.

    Returns
    -------
    list of (Alike, tuple of int)
        For each image, what reads all frames, and the length of each file along its first axis; 1
        unless that `varies`.

    Raises
    ------
    UnreadableFileError
        A file is odd.
    """
    stamps = tuple(map(Stamp.of, paths))
    models = [Model(Expected.of(paths[0], firsts, k, varies[k])) for k in range(len(firsts))]
    is_one = len(firsts) == 1  # beside the pixels of one image, those of others differ anyhow
    template = Template.of(paths[0], firsts[0].array, models[0].expected.lead) if is_one else None
    others = [k for k, stamp in enumerate(stamps) if stamp.nbytes != stamps[0].nbytes]
    if template is None and all(model.expected.n_frames == 1 for model in models):
        others = others[:_LOOKED_AT]
    usual = [model.expected.length for model in models]
    looked = {k: _lengths(models, paths[k]) for k in others}
    lengths = zip(*(looked.get(k, usual) for k in range(len(paths))), strict=True)
    return [
        (_reader_of(paths, stamps, model, template, found), found)
        for model, found in zip(models, lengths, strict=True)
    ]


def _lengths(models: Sequence[Model], path: Path) -> list[int]:
    """Look at a file, refuse it when it is odd, and return the lengths of its images."""
    if len(models) == models[0].expected.n_frames == 1:
        with path.open("rb") as file:
            if models[0].recognize(file):
                return [1]
    images = read_images(path)
    return [
        image.shape[0] if model.expected.varies else 1
        for model in models
        for image in [model.expected.choose(path, images)]
    ]


def _reader_of(
    paths: Sequence[Path],
    stamps: tuple[Stamp, ...],
    model: Model,
    template: Template | None,
    lengths: Sequence[int],
) -> Alike:
    """Return what reads one image of all files."""
    unit = model.expected.n_frames // model.expected.length
    ends = tuple(itertools.accumulate(length * unit for length in lengths))
    return Alike(tuple(paths), stamps, ends, model, template)
