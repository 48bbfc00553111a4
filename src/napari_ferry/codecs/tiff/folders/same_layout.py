"""Stacks of many files with the layout of the first file, each checked when it is read.

Opening 2,000 files one by one would take seconds, so only the first file is opened. A file of the
same size whose bytes differ only in the pixels needs no further check. A file with an equal first
directory (TIFF 6.0, section 2) is decoded like the first. Any other file is opened and compared,
and refused if it does not match.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.array_protocol import Closable, close
from napari_ferry.arrays.stamp import Stamp, open_unchanged, read_stamps
from napari_ferry.codecs.tiff.folders.frame_check import ExpectedImage
from napari_ferry.codecs.tiff.folders.model_file import ModelFile, check_file
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS
from napari_ferry.codecs.tiff.pages.template import Template
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.file_list import texts_of
from napari_ferry.image import Image

_MAX_CHECKED = 100
"""Number of compressed files of a stack checked when it is opened."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StackReader(Closable):
    """Reader of the frames of files of one layout, one file after the other.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    stamps : tuple of Stamp
        Their stamps when the stack was opened.
    ends : tuple of int
        Number of frames up to the end of each file.
    model : ModelFile
        The first file, with which the others are compared.
    template : Template or None
        Template of the first file; None unless its pixels are stored uncompressed in one block.
    _fitting, _differing : set of int
        Files of the size of the template that fit it, and that do not. Once there is one that does
        not, such as with another date in each file, the others are compared before they are read.
    """

    is_stamped: ClassVar[Literal[True]] = True

    paths: Sequence[Path]
    stamps: tuple[Stamp, ...]
    ends: tuple[int, ...]
    model: ModelFile
    template: Template | None
    _fitting: set[int] = field(default_factory=set, init=False, repr=False)
    _differing: set[int] = field(default_factory=set, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle, and to identify the files, without what was read so far."""
        return {**self.__dict__, "_fitting": set(), "_differing": set()}

    def close(self) -> None:
        """Close the first file."""
        close(self.model)

    def __call__(self, i: int) -> NDArray[Any]:
        """Read frame `i` of the stack.

        Raises
        ------
        UnreadableFileError
            Its file changed, is damaged, or differs from the others.
        """
        out = np.empty((1, *self.model.expected.frame), self.model.expected.dtype)
        self.read_into(i, out)
        pixels: NDArray[Any] = out[0]
        return pixels

    def read_into(self, first: int, out: NDArray[Any]) -> None:
        """Read consecutive frames into an array.

        Parameters
        ----------
        first : int
            Number of the first frame.
        out : array, axes frame, and those of a frame
            Target, in C order.
        """
        done = 0
        while done < len(out):
            k = bisect.bisect_right(self.ends, first + done)
            frame = first + done - self._start(k)
            n = self._read_whole_files(k, out[done:]) if frame == 0 else 0
            if not n:
                n = min(len(out) - done, self.ends[k] - first - done)
                self._read_file_into(k, frame, out[done : done + n])
            done += n

    def _start(self, k: int) -> int:
        """Return the number of the first frame of file `k`."""
        return self.ends[k - 1] if k else 0

    def _read_whole_files(self, k: int, out: NDArray[Any]) -> int:
        """Read files from `k` on as long as they fit the template; return the number of frames."""
        if self.template is None or self._differing:
            return 0
        end = k + len(out) // len(self.template.starts)
        paths, stamps = texts_of(self.paths[k:end]), self.stamps[k:end]
        n_files = self.template.read_files_into(paths, stamps, out)
        self._fitting.update(range(k, k + n_files))
        return n_files * len(self.template.starts)

    def _read_file_into(self, k: int, first: int, out: NDArray[Any]) -> None:
        """Read frames of one file."""
        n_frames = self.ends[k] - self._start(k)
        try:
            with open_unchanged(self.paths[k], self.stamps[k], buffering=0) as file:
                if self.template is not None and self._fits(file, k):
                    self.template.read_into(file, first, out)
                    return
                page = self.model.recognize(file) if n_frames == 1 else None
                if page is not None:
                    self.model.read_into(file, page, out[0])
                    return
        except TIFFFILE_ERRORS as error:
            raise UnreadableFileError(
                f"{self.paths[k]} is damaged ({error}): get a complete copy of the file, or leave "
                "it out."
            ) from error

        # a file of another layout may still contain the expected frames
        read = self.model.reader(self.paths[k], n_frames)
        for i, frame in enumerate(out):
            frame[...] = read(first + i)

    def _fits(self, file: BinaryIO, k: int) -> bool:
        """Return True if a file fits the template."""
        assert self.template is not None
        if k in self._fitting:
            return True
        if self.stamps[k].nbytes != self.template.nbytes:
            return False
        fits = self.template.fits(file)
        (self._fitting if fits else self._differing).add(k)
        return fits


class FileStack(NamedTuple):
    """One image of each of several files, joined.

    Parameters
    ----------
    reader : StackReader
        Reads all frames.
    lengths : tuple of int
        Length of each file along its first axis; 1 unless files may differ in it.
    """

    reader: StackReader
    lengths: tuple[int, ...]


def join_files(
    paths: Sequence[Path], firsts: Sequence[Image], varies: Sequence[bool], *, model: int = 0
) -> list[FileStack]:
    """Join the images of several files after opening only one, the model for the others.

    Files of another size than the model are checked now. If each file has one compressed frame,
    sizes always differ, and only some files are checked now.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    firsts : sequence of Image
        All images of the model; each is joined with those at its index in the other files.
    varies : sequence of bool
        For each image, True if files may differ in the length of its first axis.
    model : int
        Number of the model among the files, by default the first.

    Returns
    -------
    list of FileStack
        One for each image.

    Raises
    ------
    UnreadableFileError
        A file does not match the model.
    """
    stamps = tuple(read_stamps(texts_of(paths)))
    path = paths[model]
    models = [ModelFile(ExpectedImage.of(path, firsts, k, varies[k])) for k in range(len(firsts))]
    template = None
    if len(firsts) == 1:  # the bytes apart from one image must not contain another image
        template = Template.of(path, firsts[0].array, models[0].expected.lead)

    others = [k for k, stamp in enumerate(stamps) if stamp.nbytes != stamps[model].nbytes]
    if template is None and all(each.expected.n_frames == 1 for each in models):
        others = others[:_MAX_CHECKED]
    usual = [each.expected.length for each in models]
    checked = {k: check_file(models, paths[k]) for k in others}
    columns = zip(*(checked.get(k, usual) for k in range(len(paths))), strict=True)

    return [
        FileStack(_stack_reader(paths, stamps, each, template, lengths), lengths)
        for each, lengths in zip(models, columns, strict=True)
    ]


def _stack_reader(
    paths: Sequence[Path],
    stamps: tuple[Stamp, ...],
    model: ModelFile,
    template: Template | None,
    lengths: Sequence[int],
) -> StackReader:
    """Return the reader of one image of all files."""
    unit = model.expected.n_frames // model.expected.length
    ends = tuple(itertools.accumulate(length * unit for length in lengths))
    return StackReader(paths=paths, stamps=stamps, ends=ends, model=model, template=template)
