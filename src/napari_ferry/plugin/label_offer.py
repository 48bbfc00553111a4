"""Images that are probably labels: a question, and their conversion at a click.

Most programs save masks and labels as integer images, which only their names tell apart.
"""

from __future__ import annotations

import re
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.plugin.manifest import PLUGIN
from napari_ferry.plugin.notice import notify

_WORD = re.compile("masks?|labels?|segs?|segment(ed|ations?)|cells?", re.IGNORECASE)
"""A word in the name of labels."""

_SHARED = (
    *("name", "metadata", "visible", "scale", "translate", "rotate", "shear", "affine"),
    *("units", "axis_labels"),
)
"""Keyword arguments of an Image layer that its Labels layer keeps."""

_SIDE = 512
"""Maximum side, in pixels, of the part of a frame that is examined."""

_FLAT = 2 / 3
"""Minimum fraction of pixels in labels that equal their neighbor; images have noise."""

_offered: set[object] = set()
"""Layers for which the question was asked, by their `unique_id`."""


def offer_labels() -> None:
    """Ask whether images in the viewer are labels, once for each layer opened by napari-ferry."""
    from napari import current_viewer

    viewer = current_viewer()
    images = [] if viewer is None else [layer for layer in viewer.layers if _is_image(layer)]
    candidates = [layer for layer in images if _may_be_labels(layer)]
    shapes = {_shape(layer) for layer in images if layer not in candidates}

    for layer in candidates:
        if layer.unique_id not in _offered and _shape(layer) in shapes:
            _offered.add(layer.unique_id)
            # napari keeps notifications, which must not keep the file of a removed layer open
            show = partial(show_as_labels, weakref.ref(layer))
            notify(f"Show {layer.name} as labels?", buttons={"Yes": show})


def show_as_labels(reference: weakref.ref[Any]) -> None:
    """Replace an Image layer by a Labels layer, at the same place of the layer list.

    A layer that has left the viewer meanwhile is left alone.
    """
    from napari import current_viewer
    from napari.layers import Labels

    viewer, layer = current_viewer(), reference()
    if viewer is None or layer is None or layer not in viewer.layers:
        return
    data, meta, _ = layer.as_layer_data_tuple()
    index = viewer.layers.index(layer)
    # first, so that the new layer may have its name
    viewer.layers.remove(layer)
    labels = Labels(data, **{key: meta[key] for key in _SHARED if key in meta})
    viewer.layers.insert(index, labels)
    viewer.layers.selection.active = labels


def _is_image(layer: Any) -> bool:
    from napari.layers import Image

    return isinstance(layer, Image) and not layer.multiscale


def _may_be_labels(layer: Any) -> bool:
    """Return True for an image whose type, name and pixels are those of labels."""
    return (
        layer.source.reader_plugin == PLUGIN
        and not layer.rgb
        and np.dtype(layer.data.dtype).kind in "iu"
        and _has_label_name(layer.name, Path(layer.source.path or "").stem)
        and _is_flat(_examined_part(layer.data))
    )


def _has_label_name(*names: str) -> bool:
    """Return True if a word of a name is one of labels.

    >>> _has_label_name("day3_cp_masks"), _has_label_name("cellSeg"), _has_label_name("excellent")
    (True, True, False)
    """
    text = " ".join(names)
    words = re.findall("[A-Z]?[a-z]+|[A-Z]+", text)
    return any(map(_WORD.fullmatch, words))


def _shape(layer: Any) -> tuple[int, ...]:
    """Return the shape of a layer without the samples of a color."""
    shape = tuple(layer.data.shape)
    return shape[:-1] if layer.rgb else shape


def _examined_part(data: Any) -> NDArray[Any]:
    """Return the center of the central frame of an array, axes (y, x)."""
    *lead, height, width = data.shape
    top, left = max(0, height - _SIDE) // 2, max(0, width - _SIDE) // 2
    plane = (slice(top, top + _SIDE), slice(left, left + _SIDE))
    return np.asarray(data[(*(size // 2 for size in lead), *plane)])


def _is_flat(frame: NDArray[Any]) -> bool:
    """Return True if most pixels equal the next one of their row."""
    return frame.shape[1] > 1 and bool(np.mean(frame[:, 1:] == frame[:, :-1]) >= _FLAT)
