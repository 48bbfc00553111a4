"""Origins of layers: the files of a layer, and its position among their layers.

An origin belongs to the array of a layer, not to the layer: a duplicate of a layer has the same
one, and a layer whose data were replaced, by a filter for example, has none. It is never saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from napari_ferry.arrays.sliced_view import SlicedView
from napari_ferry.errors import InvalidImageError
from napari_ferry.files.short_texts import list_few
from napari_ferry.image import Image
from napari_ferry.layers.blank_frames import BlankingArray
from napari_ferry.layers.layer_data import LayerData

Open: TypeAlias = Callable[[], Sequence[Image]]
"""Opens files anew at each call."""


@dataclass(frozen=True, eq=False)
class Source:
    """Files opened together; two sources are equal only if they are the same object.

    Parameters
    ----------
    open : callable
        Opens the images anew at each call.
    paths : tuple of Path
        The files and folders that it opens; absolute.
    """

    open: Open
    paths: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """Name of the first file or folder, for messages."""
        return self.paths[0].name if self.paths else "The file"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Origin of the array of one layer.

    Parameters
    ----------
    source : Source
        The files.
    index : int
        Index of the layer among all layers of these files.
    identities : tuple of (str, str)
        Type and name of each of these layers when they were opened.
    meta : mapping
        Keyword arguments of the layer when it was opened.
    """

    source: Source
    index: int
    identities: tuple[tuple[str, str], ...]
    meta: Mapping[str, Any]


_origins: WeakKeyDictionary[BlankingArray | SlicedView, Origin] = WeakKeyDictionary()


def record_origins(source: Source, layers: Sequence[LayerData]) -> None:
    """Record the origins of all layers of some files, in their order.

    Arrays in memory have no origin: nobody knows whether they were changed.
    """
    identities = tuple(map(_identity, layers))
    for index, (data, meta, _) in enumerate(layers):
        array = data[0] if meta.get("multiscale") else data
        if isinstance(array, BlankingArray | SlicedView):
            _origins[array] = Origin(
                source=source, index=index, identities=identities, meta=dict(meta)
            )


def origin_of(layer: Any) -> Origin | None:
    """Return the origin of a layer of napari, or ``None`` if its data are not those of a file."""
    from napari import layers

    if not isinstance(layer, layers.Image | layers.Labels):
        return None
    array = layer.data[0] if layer.multiscale else layer.data
    return _origins.get(array) if isinstance(array, BlankingArray | SlicedView) else None


def find_layer(origin: Origin, layers: Sequence[LayerData]) -> LayerData:
    """Return the counterpart of an earlier layer, after its files were opened anew.

    This is the layer with its name and type. A layer with another name takes its place only if
    there are as many layers as before and none of the others had this name.

    Raises
    ------
    InvalidImageError
        There is no such layer, or there are several.
    """
    wanted, now = origin.identities[origin.index], [*map(_identity, layers)]
    is_as_before = len(now) == len(origin.identities)
    matches = [k for k, identity in enumerate(now) if identity == wanted]
    if is_as_before and (origin.index in matches or _is_renamed(origin, now)):
        return layers[origin.index]
    if len(matches) == 1:
        return layers[matches[0]]

    kind, name = wanted
    found = list_few([name for _, name in now])
    count = "several layers" if matches else "no layer"
    raise InvalidImageError(
        f"{origin.source.name} now has {count} of type {kind} named {name} (it has {found}): "
        "open it again."
    )


def _is_renamed(origin: Origin, now: Sequence[tuple[str, str]]) -> bool:
    """Return True if the layer at the same index has a new name, and the same type."""
    kind, _ = origin.identities[origin.index]
    candidate = now[origin.index]
    return candidate[0] == kind and candidate not in origin.identities


def _identity(layer: LayerData) -> tuple[str, str]:
    """Return the type and the name of a layer."""
    _, meta, kind = layer
    return kind, str(meta.get("name", ""))
