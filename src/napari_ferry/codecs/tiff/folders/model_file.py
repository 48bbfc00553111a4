"""First file of a stack, and the comparison of other files with it."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Frames
from napari_ferry.arrays.array_protocol import Closable
from napari_ferry.arrays.frames import IndexedFrames, ReadFrame
from napari_ferry.codecs.tiff.folders.frame_check import ExpectedImage
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.pages.decode import is_contiguous, read_page
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes
from napari_ferry.codecs.tiff.pages.page_kind import PageKind, read_page_kind
from napari_ferry.codecs.tiff.pages.single_page import SinglePage, read_single_page
from napari_ferry.codecs.tiff.pages.template import read_into

_MAX_OPENED = 16
"""Number of files of a stack with cached readers."""


class _ModelPage(NamedTuple):
    """The only page of the model, and its kind."""

    page: SinglePage
    kind: PageKind


class ModelFile(Closable):
    """First file of a stack, the model for the comparison of the others.

    It is described on first use. The readers of the last files that were opened individually
    are cached.

    Parameters
    ----------
    expected : ExpectedImage
        The required properties of every file.
    """

    def __init__(self, expected: ExpectedImage) -> None:
        self.expected = expected
        self.reader = lru_cache(_MAX_OPENED)(partial(_open_reader, expected))
        self._lock = threading.Lock()
        self._model: _ModelPage | None = None
        self._is_described = False

    def __reduce__(self) -> tuple[type[ModelFile], tuple[ExpectedImage]]:
        return ModelFile, (self.expected,)

    def close(self) -> None:
        """Close the individually opened files."""
        self.reader.cache_clear()

    @property
    def model(self) -> _ModelPage | None:
        """The only page of the file; None if other files cannot be decoded by it."""
        with self._lock:
            if not self._is_described:
                self._model = self._describe()
                self._is_described = True
            return self._model

    def _describe(self) -> _ModelPage | None:
        # there may be other images below the page, or other frames in other files
        if self.expected.count > 1 or self.expected.n_frames > 1:
            return None
        with self.expected.path.open("rb") as file:
            page = read_single_page(file)
        if page is None:
            return None

        kind = read_page_kind(self.expected.path, page.ifd)
        is_frame = math.prod(kind.shape) == math.prod(self.expected.frame)
        # samples may be opened as other values, such as signed ones
        is_frame &= self.expected.dtype in (kind.dtype, bool)
        # the tables of JPEG and the colors of a palette differ between files
        has_tables = any(kind.tables.values()) or kind.palette is not None
        return _ModelPage(page, kind) if is_frame and not has_tables else None

    def recognize(self, file: BinaryIO) -> SinglePage | None:
        """Return the only page of a file if it has the same layout, else None."""
        model = self.model
        page = None if model is None else read_single_page(file)
        if model is None or page is None:
            return None
        return page if page.layout == model.page.layout else None

    def read_into(self, file: BinaryIO, page: SinglePage, out: NDArray[Any]) -> None:
        """Read the page of a recognized file.

        Raises
        ------
        Exception
            One of the `TIFFFILE_ERRORS`: the page is damaged.
        """
        assert self.model is not None
        kind, segments = self.model.kind, page.segments
        _, move = frame_axes(kind)
        if kind.raw_dtype == out.dtype and move is None and is_contiguous(segments):
            read_into(file, int(segments.offsets[0]), out)
            return
        pixels = read_page(file, kind, segments)
        out[...] = (np.moveaxis(pixels, *move) if move else pixels).reshape(out.shape)


def _open_reader(expected: ExpectedImage, path: Path, n_frames: int) -> ReadFrame:
    """Open a file by itself, and return a reader of its frames."""
    image = expected.choose(path, read_images(path))
    if expected.n_frames_of(image) != n_frames:  # if not checked on opening
        raise expected.other_shape(path, image)
    lead, array = image.ndim - image.frame_ndim, image.array
    is_frames = isinstance(array, Frames) and array.lead == lead
    return array.read if isinstance(array, Frames) and is_frames else IndexedFrames(array, lead)


def check_file(models: Sequence[ModelFile], path: Path) -> list[int]:
    """Compare a file with the first, and return the lengths of its images.

    Raises
    ------
    UnreadableFileError
        The file does not match.
    """
    if len(models) == models[0].expected.n_frames == 1:
        with path.open("rb") as file:
            if models[0].recognize(file):
                return [1]
    images = read_images(path)
    chosen = [model.expected.choose(path, images) for model in models]
    return [model.expected.length_of(image) for model, image in zip(models, chosen, strict=True)]
