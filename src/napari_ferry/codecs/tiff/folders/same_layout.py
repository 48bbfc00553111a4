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

from napari_ferry.arrays.protocol import Closable, close
from napari_ferry.arrays.stamp import Stamp, open_unchanged
from napari_ferry.codecs.tiff.folders.frame_check import ExpectedImage
from napari_ferry.codecs.tiff.folders.model_file import ModelFile, check_file
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS
from napari_ferry.codecs.tiff.pages.template import Template
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Image

_MAX_CHECKED = 100
"""Compressed files of a stack that are checked when it is opened."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StackReader(Closable):
    """Reader of the frames of files of one layout, one file after the other.

    Parameters
    ----------
    paths : tuple of Path
        The files.
    stamps : tuple of Stamp
        Their stamps when the stack was opened.
    ends : tuple of int
        Number of frames up to the end of each file.
    model : ModelFile
        The first file, with which the others are compared.
    template : Template or None
        Template of the first file; None unless its pixels are stored uncompressed in one block.
    """

    is_stamped: ClassVar[Literal[True]] = True

    paths: tuple[Path, ...]
    stamps: tuple[Stamp, ...]
    ends: tuple[int, ...]
    model: ModelFile
    template: Template | None
    _fitting: set[int] = field(default_factory=set, init=False, repr=False)

    def close(self) -> None:
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
            frame = first + done - (self.ends[k - 1] if k else 0)
            n = min(len(out) - done, self.ends[k] - first - done)
            self._read_file_into(k, frame, out[done : done + n])
            done += n

    def _read_file_into(self, k: int, first: int, out: NDArray[Any]) -> None:
        """Read frames of one file."""
        n_frames = self.ends[k] - (self.ends[k - 1] if k else 0)
        try:
            with open_unchanged(self.paths[k], self.stamps[k], buffering=0) as file:
                if self.template is not None and self._read_fitting(file, k, first, out):
                    return
                directory = self.model.recognize(file) if n_frames == 1 else None
                if directory is not None:
                    self.model.read_into(file, directory, out[0])
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

    def _read_fitting(self, file: BinaryIO, k: int, first: int, out: NDArray[Any]) -> bool:
        """Read frames of a file if it fits the template; return whether it does."""
        assert self.template is not None
        if k not in self._fitting:
            if self.stamps[k].nbytes != self.template.nbytes:
                return False
            is_read = self.template.read_all_into(file, out)
            if not is_read and not self.template.fits(file):
                return False
            self._fitting.add(k)
            if is_read:
                return True
        self.template.read_into(file, first, out)
        return True


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
    stamps = tuple(map(Stamp.of, paths))
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
    return StackReader(paths=tuple(paths), stamps=stamps, ends=ends, model=model, template=template)
