"""Arrays without metadata of OME-NGFF: names of their axes, and their change into an image."""

from __future__ import annotations

from collections.abc import Sequence

from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.multiscales import is_level
from napari_ferry.codecs.zarr.node import Node
from napari_ferry.codecs.zarr.ome_axes import valid_names
from napari_ferry.codecs.zarr.plain import dimension_names
from napari_ferry.codecs.zarr.repair.axis_entries import describe_axes
from napari_ferry.codecs.zarr.repair.documents import Entry, show_value
from napari_ferry.codecs.zarr.repair.request import Request
from napari_ferry.codecs.zarr.repair.transformations import factors
from napari_ferry.errors import InvalidImageError, UnreadableFileError
from napari_ferry.image.axes import default_axes

_DIMENSIONS = "_ARRAY_DIMENSIONS"
_ORDER = "tczyx"


def name_axes(entries: Sequence[Entry], request: Request) -> None:
    """Write the names of axes given by the user into plain arrays.

    Parameters
    ----------
    entries : sequence of Entry
        The arrays.
    request : Request
        Values of the user.

    Raises
    ------
    InvalidImageError
        There is no place for the values, or the names fit no array.
    """
    others = {"scale": request.scale, "unit": request.unit, "name": request.name}
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise InvalidImageError(
            f"A plain array has no place for {' and '.join(given)}: choose the option ome, which "
            "makes it an image of OME-Zarr."
        )

    if request.axes is None:
        return
    counts = [len(entry.node.array.get("shape", [])) for entry in entries if entry.node.array]
    if not any(request.axis_names(ndim) for ndim in counts):
        raise InvalidImageError(
            f"The axes are {request.axes!r}, but the array has "
            f"{' or '.join(map(str, dict.fromkeys(counts))) or 'none'}: name one axis for each "
            "dimension."
        )

    for entry, ndim in zip(entries, counts, strict=True):
        names = request.axis_names(ndim)
        if names is not None:
            _name_axes(entry, names)


def _name_axes(entry: Entry, names: Sequence[str]) -> None:
    """Name the axes of one array."""
    before = dimension_names(entry.node)
    if before == [*names]:
        return
    text = f"axes: {' '.join(before) or 'missing'} -> {' '.join(names)}"
    if entry.node.version == 3:
        entry.documents.create(entry.metadata_key)["dimension_names"] = [*names]
        entry.change_metadata(text)
    else:
        entry.attributes[_DIMENSIONS] = [*names]
        entry.change(text)


def make_image(group: Entry, nodes: Sequence[Node], request: Request) -> None:
    """Make the arrays of a group an image of OME-NGFF, by attributes of the group alone.

    Parameters
    ----------
    group : Entry
        The group.
    nodes : sequence of Node
        Everything in the store.
    request : Request
        Values of the user.

    Raises
    ------
    InvalidImageError
        This needs another arrangement of files, or the axes do not fit.
    """
    label = group.node.label
    if group.node.array is not None:
        raise InvalidImageError(
            f"{label} is an array, and an image of OME-Zarr is a group with arrays: make a new "
            f"folder that ends in .ome.zarr, create a group in it, move {label} into it as 0, and "
            "repair the new folder with the option ome; or save it as another file with convert."
        )
    levels = _pyramid_of(group, nodes)
    _, first = levels[0]
    known = valid_names(dimension_names(_node_of(nodes, levels[0][0])), first.ndim)
    names = request.axis_names(first.ndim) or known or default_axes(first.ndim)
    _check_axes(names, label)

    datasets = []
    for node, array in levels:
        path = node.key.removeprefix(f"{group.node.key}/") if group.node.key else node.key
        scale = [float(factor) for factor in factors(first.shape, array.shape)]
        transformations = [{"type": "scale", "scale": scale}]
        datasets.append({"path": path, "coordinateTransformations": transformations})
    multiscale = {"axes": describe_axes(names, {}), "datasets": datasets}
    if group.node.version == 3:
        group.attributes["ome"] = {"version": "0.5", "multiscales": [multiscale]}
    else:
        group.attributes["multiscales"] = [{"version": "0.4", **multiscale}]
    version = "0.5" if group.node.version == 3 else "0.4"
    note = "" if request.axes or known else " (axes assumed; if they are others, give the axes)"
    listed = show_value([dataset["path"] for dataset in datasets])
    group.change(f"OME-Zarr {version}: missing -> an image {' '.join(names)} of {listed}{note}")


def _node_of(nodes: Sequence[Node], node: Node) -> Node:
    return next(each for each in nodes if each.key == node.key)


def _pyramid_of(group: Entry, nodes: Sequence[Node]) -> list[tuple[Node, ZarrArray]]:
    """Return the arrays of a group if they are one image, the largest first.

    Raises
    ------
    InvalidImageError
        There is no image, or there are several.
    """
    dims = {dim for node in nodes if node.array is not None for dim in dimension_names(node)}

    found = []
    for node in nodes:
        if node.array is None or node.key.rpartition("/")[2] in dims:
            continue
        try:
            array = node.open_array()
        except UnreadableFileError as error:
            group.documents.remarks.append(str(error))
            continue
        if array.ndim >= 2 and array.dtype.kind != "U":
            found.append((node, array))

    found.sort(key=lambda pair: (-pair[1].size, pair[0].key))
    sizes = [array.size for _, array in found]
    is_pyramid = len(set(sizes)) == len(sizes) and all(
        is_level(found[0][1], array) for _, array in found
    )
    if not found or not is_pyramid:
        names = ", ".join(node.key for node, _ in found[:5]) or "none"
        raise InvalidImageError(
            f"{group.node.label} has the arrays {names}, expected one image, or one at several "
            "resolutions: give the group of one image."
        )
    return found


def _check_axes(names: Sequence[str], label: str) -> None:
    """Refuse axes not allowed by OME-NGFF."""
    places = [_ORDER.find(name) for name in names]
    if -1 in places or places != sorted(places) or not {"y", "x"} <= {*names}:
        raise InvalidImageError(
            f"The axes of {label} are {' '.join(names)}, expected some of t, c, z, y and x in this "
            "order, with y and x: give the axes, or save it as another file with convert."
        )
