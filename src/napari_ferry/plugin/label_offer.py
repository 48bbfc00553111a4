"""Images likely to be labels: a question, and their conversion at a click.

Most programs save masks and labels as integer images, told apart from others only by their names.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

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

_flat: dict[object, bool] = {}
"""Whether the pixels of a layer are those of labels, by its `unique_id`; False until known."""

_offered: set[object] = set()
"""Layers for which the question was asked, by their `unique_id`."""


def offer_labels() -> None:
    """Offer to convert likely label images, once for each layer opened by napari-ferry.

    Name, type and shape select the layers whose pixels are examined, each once and in another
    thread: reading a frame may take long.
    """
    from napari.qt.threading import create_worker

    images = _images()
    for layer in images:
        if layer.unique_id in _flat or not _may_be_labels(layer) or not _has_pair(layer, images):
            continue
        _flat[layer.unique_id] = False
        # an ended worker keeps its arguments, which must not keep the file open; a file that cannot
        # be read is reported where it is shown
        create_worker(
            _is_flat_at_center,
            weakref.ref(layer),
            _ignore_errors=True,
            _connect={"returned": partial(_on_examined, layer.unique_id)},
        )
    _ask()


def _on_examined(identity: object, is_flat: bool) -> None:
    _flat[identity] = is_flat
    _ask()


def _ask() -> None:
    """Ask about layers with the pixels of labels beside an image of the same shape."""
    images = _images()
    candidates = [layer for layer in images if _flat.get(layer.unique_id)]
    pictures = [layer for layer in images if layer not in candidates]
    for layer in candidates:
        if layer.unique_id not in _offered and _has_pair(layer, pictures):
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
    # an error here leaves the image in the viewer
    labels = Labels(data, **{key: meta[key] for key in _SHARED if key in meta})
    # first, so that the new layer may have its name
    viewer.layers.remove(layer)
    viewer.layers.insert(index, labels)
    viewer.layers.selection.active = labels


def _images() -> list[Any]:
    """Return the Image layers of the current viewer other than multiscale ones."""
    from napari import current_viewer
    from napari.layers import Image

    viewer = current_viewer()
    layers = () if viewer is None else viewer.layers
    return [layer for layer in layers if isinstance(layer, Image) and not layer.multiscale]


def _has_pair(layer: Any, others: Sequence[Any]) -> bool:
    """Return True if another one of some layers has the same shape."""
    return any(other is not layer and _shape(other) == _shape(layer) for other in others)


def _may_be_labels(layer: Any) -> bool:
    """Return True for an image whose type and name are those of labels."""
    return (
        layer.source.reader_plugin == PLUGIN
        and not layer.rgb
        and np.dtype(layer.data.dtype).kind in "iu"
        and _has_label_name(layer.name, Path(layer.source.path or "").stem)
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


def _is_flat_at_center(reference: weakref.ref[Any]) -> bool:
    """Return True if most pixels at the center of the central frame equal the next of their row."""
    layer = reference()
    if layer is None:
        return False
    *lead, height, width = layer.data.shape
    top, left = max(0, height - _SIDE) // 2, max(0, width - _SIDE) // 2
    plane = (slice(top, top + _SIDE), slice(left, left + _SIDE))
    frame = np.asarray(layer.data[(*(size // 2 for size in lead), *plane)])
    return width > 1 and bool(np.mean(frame[:, 1:] == frame[:, :-1]) >= _FLAT)
