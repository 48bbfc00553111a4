"""The demonstration: samples in napari, saved and opened again in every format."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_ferry.codecs import codecs
from napari_ferry.description import to_json
from napari_ferry.layers import LayerData, to_layers
from napari_ferry.samples import calcium_movie, z_stack

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

_PLUGIN = "napari-ferry"


class Row(NamedTuple):
    """One file of the demonstration: what it took, and what was different when opened again."""

    name: str
    nbytes: int
    seconds: float
    result: str


def show_demo(screenshot: Path | None) -> int:
    """Open napari with samples, save and open them in every format, and print a table.

    Parameters
    ----------
    screenshot : Path, optional
        Where to write a picture of the window, after which napari closes; without it, the
        window stays open.

    Returns
    -------
    int
        Exit status: 1 when something was not as it was.
    """
    import napari

    viewer = napari.Viewer(title="napari-ferry")
    samples = [*calcium_movie(), z_stack()]
    sets = [[_add(viewer, layer) for layer in to_layers([image])] for image in samples]
    folder = Path(tempfile.mkdtemp(prefix="napari-ferry-demo-"))
    rows = list(_round_trips(folder, sets))
    _print_table(folder, rows)
    _arrange(viewer)
    if screenshot is None:
        napari.run()
    else:
        viewer.screenshot(str(screenshot), canvas_only=False)
        print(f"window: {screenshot}")
        viewer.close()
    return 0 if all(row.result == "identical" for row in rows) else 1


def demo_suffixes() -> list[str]:
    """Return one suffix of each format that keeps all of a layer: the first, and double ones."""
    chosen = []
    for codec in codecs():
        if getattr(codec, "IS_MOVIE", False):
            continue
        double = [suffix for suffix in codec.SUFFIXES if suffix.count(".") == 2]
        chosen += [codec.SUFFIXES[0], *double[:1]]
    return chosen


def _add(viewer: Viewer, layer: LayerData) -> Layer:
    from napari.layers import Layer

    return viewer.add_layer(Layer.create(*layer))


def _round_trips(folder: Path, sets: Sequence[Sequence[Layer]]) -> Iterator[Row]:
    """Save each set of layers in each format through napari, and open it again."""
    for suffix in demo_suffixes():
        for layers in sets:
            yield _round_trip(folder / f"{layers[0].name}{suffix}", layers)


def _round_trip(path: Path, layers: Sequence[Layer]) -> Row:
    """Save layers through napari's own doors, open the file in a second viewer, and compare."""
    from napari.components import LayerList, ViewerModel

    started = time.perf_counter()
    saved = LayerList(list(layers)).save(str(path), plugin=_PLUGIN)
    seconds = time.perf_counter() - started
    again = ViewerModel().open(saved[0], plugin=_PLUGIN)
    pairs = zip(layers, again, strict=False)
    changed = [what for before, after in pairs for what in differences(before, after)]
    if len(again) != len(layers):
        changed.append(f"{len(again)} layers instead of {len(layers)}")
    nbytes = sum(Path(file).stat().st_size for file in saved)
    return Row(path.name, nbytes, seconds, ", ".join(changed) or "identical")


def differences(before: Layer, after: Layer) -> list[str]:
    """Return what two layers do not have in common, as names of their properties."""
    data, meta, kind = before.as_layer_data_tuple()
    other, other_meta, other_kind = after.as_layer_data_tuple()
    changed = [] if kind == other_kind else ["type"]
    if data.dtype != other.dtype or not np.array_equal(data, other):
        changed.append("data")
    keys = sorted(meta.keys() - {"locked_data_level"})
    return changed + [key for key in keys if _value(meta[key]) != _value(other_meta.get(key))]


def _value(value: Any) -> Any:
    """Return a property as something that can be compared."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    return (
        str(to_json(value)) if isinstance(value, dict | list | tuple | np.ndarray) else str(value)
    )


def _arrange(viewer: Viewer) -> None:
    """Show all samples side by side, half-way through the shorter one."""
    from qtpy.QtWidgets import QApplication

    viewer.window.resize(1500, 950)
    viewer.grid.enabled = True
    viewer.dims.set_point(0, 2.5)
    QApplication.processEvents()
    viewer.reset_view()
    QApplication.processEvents()


def _print_table(folder: Path, rows: Sequence[Row]) -> None:
    width = max(len(row.name) for row in rows)
    print(f"saved and opened again in {folder}:")
    print(f"{'file':<{width}}  {'MB':>7}  {'seconds':>7}  opened again")
    for row in rows:
        print(f"{row.name:<{width}}  {row.nbytes / 1e6:7.2f}  {row.seconds:7.2f}  {row.result}")
