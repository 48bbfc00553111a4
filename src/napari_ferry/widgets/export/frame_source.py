"""Frames for the preview of a movie."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.image import Image
from napari_ferry.io import imload
from napari_ferry.io.search import find_codec
from napari_ferry.layers.channels import split_all
from napari_ferry.rendering.cropping import find_crop
from napari_ferry.rendering.render import render
from napari_ferry.rendering.save import imsave
from napari_ferry.rendering.view import find_plane
from napari_ferry.rendering.world import make_world
from napari_ferry.signatures import option_names
from napari_ferry.widgets.plan_summary import Request

_RANGE = ("start", "stop", "step")
"""Options of `render` to leave out: every position can be shown."""


class FrameSource:
    """All frames of a movie, drawn or as its file will show them; used in one thread.

    Parameters
    ----------
    request : Request
        Export of a movie that is drawn from data.
    """

    def __init__(self, request: Request) -> None:
        self.request = request

    @cached_property
    def drawn(self) -> Image:
        """The movie as an image; it may have more frames than are exported."""
        names = [name for name in option_names(render) if name not in _RANGE]
        return render(self.request.images, **self._options(names))

    @property
    def can_be_cropped(self) -> bool:
        """True if rows and columns of the picture match the images, in their order."""
        return not any(self.request.options.get(name) for name in ("flip", "grid"))

    def draw(self, position: int) -> NDArray[np.uint8]:
        """Draw one frame.

        Parameters
        ----------
        position : int
            Position on the frame axis.

        Returns
        -------
        numpy.ndarray
            Axes y x s; uint8.

        Raises
        ------
        FerryError
            The export would fail in the same way.
        """
        array = self.drawn.array
        is_movie = self.drawn.ndim > 3
        return np.asarray(array[min(position, array.shape[0] - 1)] if is_movie else array)

    def encode(self, position: int) -> NDArray[np.uint8]:
        """Return one frame as its file will show it, with the effects of its compression.

        A movie with only that frame is saved in a temporary folder and opened again. The
        parameters and errors are the same as for `draw`.

        Returns
        -------
        numpy.ndarray
            Axes y x, or y x s with three colors; uint8.
        """
        picture = self.draw(position)
        codec = find_codec(self.request.path)
        drawing = option_names(render)
        saving = self._options([name for name in option_names(codec.plan) if name not in drawing])

        with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
            path = Path(folder, f"frame{self.request.path.suffix}")
            imsave(Image.from_array(picture[None], "tyxs"), path, **saving)
            (opened,) = imload(path)
            pixels = np.array(opened.array[0])
            opened.close()
        return pixels

    def find_crop(self, edges: tuple[tuple[float, float], tuple[float, float]]) -> str:
        """Return the option ``crop`` of `render` for a part of the picture.

        Parameters
        ----------
        edges : tuple of tuple of float
            First and last edge of the part along y and x, as fractions of the picture.
        """
        world = make_world(split_all(self.request.images))
        plane = find_plane(world, str(self.request.options.get("plane", "y x")))
        y, x = self.drawn.axes[-3:-1]
        height, width = self.drawn.shape[-3:-1]
        (top, bottom), (left, right) = edges
        pixels = ((top * height, bottom * height), (left * width, right * width))
        return find_crop(world, plane, (y, x), pixels)

    def _options(self, names: list[str]) -> Mapping[str, Any]:
        """Return the given ones among the options of the export."""
        return {name: self.request.options[name] for name in names if name in self.request.options}
