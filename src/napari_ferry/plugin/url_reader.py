"""Layers of images at addresses (URLs), opened without blocking the window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import numpy as np

from napari_ferry.arrays import Array
from napari_ferry.errors import FerryError
from napari_ferry.image import Image
from napari_ferry.image.axes import frame_ndim
from napari_ferry.io import imload
from napari_ferry.layers.channels import MOST_LAYERS
from napari_ferry.layers.layer_data import LayerData
from napari_ferry.plugin.layer_limit import open_layers
from napari_ferry.plugin.window import execute, has_window
from napari_ferry.plugin.window_reader import NOTHING

_MOST_SAMPLES = 1 << 24
"""Samples up to which a level is read before it is shown; napari shows parts of larger ones."""


def open_url(url: str) -> list[LayerData]:
    """Return the layers of the images at an address.

    In a window they are opened in a thread, with the frames that it displays first, while its
    event loop runs.

    Raises
    ------
    FerryError
        As `imload`.
    """
    from napari import current_viewer

    if not has_window():
        return open_layers(partial(imload, url))
    viewer = current_viewer()
    position = viewer.dims.current_step if viewer.layers else ()
    images: list[Image] = execute("call_in_thread", partial(_open_with_frames, url, position))
    if current_viewer() is not viewer:  # it was closed meanwhile
        return list(NOTHING)
    return open_layers(partial(imload, url), opened=images)


def _open_with_frames(url: str, position: Sequence[int]) -> list[Image]:
    """Open images, and cache the frames first displayed by a viewer at a position."""
    images = imload(url)
    for image in images[:MOST_LAYERS]:
        lead = image.ndim - frame_ndim(image.axes)
        _read_frame(image.levels[-1], image.axis_names, lead, (0,) * image.ndim)  # of a new layer
        for level in image.levels:
            _read_frame(level, image.axis_names, lead, position)
    return images


def _read_frame(level: Array, names: Sequence[str], lead: int, position: Sequence[int]) -> None:
    """Read a frame of all channels, unless it is large."""
    n_channels = level.shape[names.index("c")] if "c" in names else 1
    if math.prod(level.shape[lead:]) * n_channels <= _MOST_SAMPLES:
        with suppress(FerryError):  # the viewer shows such a frame blank
            np.asarray(level[_frame_index(names, level.shape[:lead], position)])


def _frame_index(
    names: Sequence[str], counts: Sequence[int], position: Sequence[int]
) -> tuple[int | slice, ...]:
    """Return the index of the frame of all channels at a position, or else in the middle.

    Parameters
    ----------
    names : sequence of str
        Names of all axes.
    counts : sequence of int
        Lengths of the axes before those of a frame.
    position : sequence of int
        Position on each axis of the viewer, y and x included; empty for none.
    """
    index: list[int | slice] = [(n - 1) // 2 for n in counts]
    sliders = [k for k, n in enumerate(counts) if n > 1 and names[k] != "c"]
    for k, step in zip(reversed(sliders), reversed(position[:-2]), strict=False):
        index[k] = min(step, counts[k] - 1)
    return tuple(slice(None) if name == "c" else i for name, i in zip(names, index, strict=False))
