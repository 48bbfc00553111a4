"""Replace the pixels of layers by those of their files, opened anew.

What the user sees and has changed stays: the display, the name, the place in the list of layers,
and calibration that was edited in napari.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from napari_ferry.arrays.array_protocol import close
from napari_ferry.arrays.sliced_view import without_view
from napari_ferry.errors import FerryError, InvalidImageError
from napari_ferry.layers.blank_frames import without_blanks
from napari_ferry.layers.layer_data import LayerData
from napari_ferry.plugin.origins import Origin, Source, find_layer, origin_of, record_origins
from napari_ferry.plugin.viewer_layers import to_viewer_layers


def group_by_source(selected: Iterable[Any], layers: Sequence[Any]) -> dict[Source, list[Any]]:
    """Return the sources of selected layers, each with all layers of these files.

    A file that changed can no longer be read by any of its layers, so all are loaded again.

    Parameters
    ----------
    selected : iterable of napari.layers.Layer
        The layers whose files are loaded again.
    layers : sequence of napari.layers.Layer
        All layers of the viewer.
    """
    wanted = map(origin_of, selected)
    sources = dict.fromkeys(origin.source for origin in wanted if origin is not None)
    return {source: layers_of(source, layers) for source in sources}


def layers_of(source: Source, layers: Iterable[Any]) -> list[Any]:
    """Return the layers with data of some files."""
    origins = [(layer, origin_of(layer)) for layer in layers]
    return [layer for layer, origin in origins if origin is not None and origin.source is source]


def missing_origin(name: str) -> str:
    """Return the message about a layer that cannot be loaded again."""
    return (
        f"{name} cannot be loaded again: it was not opened by napari-ferry, or its data were "
        "replaced since."
    )


def open_source(source: Source, position: Sequence[int]) -> list[LayerData]:
    """Open the files of a source anew, and read their displayed frames; for a thread.

    The frames are read so that the window need not wait for them.

    Parameters
    ----------
    source : Source
        The files.
    position : sequence of int
        Position on each axis of the viewer, y and x included.

    Raises
    ------
    FerryError
        A file cannot be opened.
    """
    layers = to_viewer_layers(source.open())
    for layer in layers:
        read_frame(layer, position)
    return layers


def read_frame(layer: LayerData, position: Sequence[int]) -> None:
    """Read the frame of a layer at a position of the viewer's sliders, or the nearest one.

    Errors are left to the viewer, which shows such frames blank.
    """
    data, meta, _ = layer
    array = data[0] if meta.get("multiscale") else data
    lead = array.ndim - (3 if meta.get("rgb") else 2)
    steps = (*(0,) * (lead + 2), *position)[-lead - 2 : -2]  # without those of y and x
    index = tuple(min(max(step, 0), n - 1) for step, n in zip(steps, array.shape, strict=False))
    with suppress(FerryError):
        np.asarray(without_blanks(without_view(array))[index])


def replace_layers(source: Source, members: Iterable[Any], layers: Sequence[LayerData]) -> None:
    """Replace the data of layers by those of their files, opened anew.

    Layers that cannot be replaced keep what they have. Layers whose data were replaced meanwhile
    are left alone.

    Parameters
    ----------
    source : Source
        The files.
    members : iterable of napari.layers.Layer
        Layers of these files.
    layers : sequence of (data, meta, type)
        All layers of the files, from `open_source`.

    Raises
    ------
    InvalidImageError
        A layer has no counterpart in the files any more, or cannot show it.
    """
    record_origins(source, layers)
    problem: InvalidImageError | None = None
    for layer in members:
        origin = origin_of(layer)
        if origin is None or origin.source is not source:
            continue
        try:
            _replace(layer, origin, find_layer(origin, layers))
        except InvalidImageError as error:
            problem = problem or error
    if problem is not None:
        raise problem


def _replace(layer: Any, origin: Origin, new: LayerData) -> None:
    """Replace the data of one layer."""
    data, meta, _ = new
    _check_kind(layer, origin, meta)
    levels = [*layer.data] if layer.multiscale else [layer.data]
    scale, translate, ndim = layer.scale, layer.translate, layer.ndim

    layer.data = data
    close(*levels)
    steps = merge_axes(scale, origin.meta["scale"], meta["scale"])
    offsets = merge_axes(translate, origin.meta["translate"], meta["translate"])
    if not np.array_equal(steps, layer.scale):
        layer.scale = steps
    if not np.array_equal(offsets, layer.translate):
        layer.translate = offsets
    for key in ("axis_labels", "units"):
        if key in meta and (layer.ndim != ndim or meta[key] != origin.meta.get(key)):
            setattr(layer, key, meta[key])
    layer.metadata = merge_mappings(layer.metadata, origin.meta["metadata"], meta["metadata"])


def _check_kind(layer: Any, origin: Origin, meta: Mapping[str, Any]) -> None:
    """Refuse data in color or in a pyramid if the layer is not, and the reverse."""
    states = {"rgb": ("in color", "not in color"), "multiscale": ("a pyramid", "not a pyramid")}
    for key, (state, opposite) in states.items():
        if bool(meta.get(key)) != bool(origin.meta.get(key)):
            now = state if meta.get(key) else opposite
            raise InvalidImageError(
                f"{origin.source.name} is now {now}, unlike the layer {layer.name}: open it again."
            )


def merge_axes(
    current: Sequence[float], before: Sequence[float], now: Sequence[float]
) -> tuple[float, ...]:
    """Return a number for each axis: that of the file, unless changed by the user.

    Axes correspond from the last one on, as the number of axes may differ.

    Parameters
    ----------
    current : sequence of float
        Numbers of the layer, such as its scale.
    before, now : sequence of float
        Numbers of the file when the layer was opened, and now.
    """
    merged = list(map(float, now))
    for k in range(1, min(len(current), len(before), len(now)) + 1):
        if not np.isclose(current[-k], before[-k], rtol=1e-9, atol=0):
            merged[-k] = float(current[-k])
    return tuple(merged)


def merge_mappings(
    current: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the metadata of the file, with the keys added, changed or removed by the user.

    Parameters
    ----------
    current : mapping
        Metadata of the layer.
    before, now : mapping
        Metadata of the file when the layer was opened, and now.
    """
    merged = dict(now)
    for key in before.keys() | current.keys():
        if key not in current:
            merged.pop(key, None)
        elif key not in before or not _is_equal(current[key], before[key]):
            merged[key] = current[key]
    return merged


def _is_equal(first: Any, second: Any) -> bool:
    """Compare values of metadata by their text, as arrays among them have no truth value."""
    return first is second or repr(first) == repr(second)
