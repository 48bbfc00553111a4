"""``napari-ferry demo``: save and reopen samples in every format, and show them in napari."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_ferry.cli.terminal import show
from napari_ferry.cli.termination import end_at_once
from napari_ferry.errors import FerryError
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image.json_values import to_json
from napari_ferry.io.protocol import hooks_of
from napari_ferry.io.search import codecs, find_codec
from napari_ferry.layers.layer_data import from_layers, to_layers
from napari_ferry.plugin.commands import read_files
from napari_ferry.plugin.manifest import PLUGIN, is_offered
from napari_ferry.plugin.samples import calcium_movie, moving_cells, z_stack
from napari_ferry.rendering.render import render

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

_BINDINGS = ("PyQt6", "PySide6", "PyQt5")
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
_FIRST_FRAME = 40
_MAX_WAIT = 20.0
"""Seconds to wait for the preview before a screenshot is taken."""

_SETTLING = 0.5
"""Seconds to wait for the layout of a form after its preview is complete."""

_MAX_DIFFERENCE = 6.0
"""Largest accepted mean difference of a compressed noisy movie, in levels of 0 to 255."""


class Result(NamedTuple):
    """Result of a comparison: its text, and True for a file as good as its format allows."""

    text: str
    is_as_expected: bool


class Row(NamedTuple):
    """One saved file: its name, size in bytes, time to save, and comparison."""

    name: str
    nbytes: int
    seconds: float
    result: Result


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--screenshot", type=Path, metavar="FILE", help="save a screenshot and quit"
    )
    parser.set_defaults(run=lambda options: show_demo(options.screenshot))


def show_demo(screenshot: Path | None) -> int:
    """Open napari with samples, save and open them in every format, and print a table.

    Parameters
    ----------
    screenshot : Path, optional
        File for a screenshot of the window, after which napari closes; without it, the window
        stays open.

    Returns
    -------
    int
        Exit status: 1 if a file does not return what its format can hold.

    Raises
    ------
    FerryError
        There is no binding of Qt, or no display.
    """
    _check_window()
    import napari
    from napari.layers import Layer
    from npe2 import PluginManager

    PluginManager.instance().discover()
    samples = [*calcium_movie(), z_stack()]
    sets = [[Layer.create(*data) for data in to_layers([image])] for image in samples]
    folder = Path(tempfile.mkdtemp(prefix="napari-ferry-demo-"))
    rows = list(_round_trips(folder, sets))
    _print_table(folder, rows)

    end_at_once()
    viewer = napari.Viewer(title="napari-ferry")
    form = _show_movie(viewer)
    if screenshot is None:
        napari.run()
    else:
        _wait_for_preview(form)
        viewer.screenshot(str(screenshot), canvas_only=False)
        show(f"window: {screenshot}")
        viewer.close()
    return 0 if all(row.result.is_as_expected for row in rows) else 1


def _check_window() -> None:
    """Refuse to open a window without Qt or a display, as Qt would end the process.

    Raises
    ------
    FerryError
        There is no binding of Qt, or no display.
    """
    if not any(map(find_spec, _BINDINGS)):
        raise FerryError(
            "No binding of Qt is installed, which napari needs for its window: install one by "
            "pip install 'napari-ferry[all]'."
        )
    if sys.platform == "linux" and not any(map(os.environ.get, _DISPLAYS)):
        raise FerryError(
            "There is no display for a window: start it on a desktop, or save a screenshot by "
            "xvfb-run napari-ferry demo --screenshot demo.png."
        )


def _show_movie(viewer: Viewer) -> Any:
    """Show a movie with its labels and the export form; return the form."""
    from napari.layers import Layer

    viewer.window.resize(1400, 900)
    for data in to_layers(moving_cells()):
        viewer.add_layer(Layer.create(*data))
    movie, cells = viewer.layers
    movie.colormap = "magma"
    cells.contour, cells.opacity = 1, 0.8
    viewer.dims.set_current_step(0, _FIRST_FRAME)
    _, export = viewer.window.add_plugin_dock_widget(PLUGIN, "Export")
    export.show_tab(is_movie=True)
    return export.movie


def _wait_for_preview(form: Any) -> None:
    """Wait until the export form shows its plan and a preview, for some seconds at most."""
    from napari.qt import get_qapp

    until = time.monotonic() + _MAX_WAIT
    is_ready = False
    while time.monotonic() < until:
        get_qapp().processEvents()
        is_shown = form.preview.picture.pixmap().width() > 1 and "about" in form.summary.text()
        if not is_ready and form.ready is not None and is_shown:
            is_ready = True
            until = time.monotonic() + _SETTLING  # the form makes room for its texts
        time.sleep(0.05)


def demo_suffixes() -> list[str]:
    """Return the suffixes to save in: the first, a two-part and the lossless ones of each codec."""
    chosen = []
    for codec in codecs():
        double = [suffix for suffix in codec.SUFFIXES if suffix.count(".") == 2]
        lossless = hooks_of(codec).KEEPS_SAMPLES
        chosen += [*codec.SUFFIXES[:1], *double[:1], *lossless]
    return list(dict.fromkeys(chosen))


def _round_trips(folder: Path, sets: Sequence[Sequence[Layer]]) -> Iterator[Row]:
    """Save each set of layers in each format with napari, and open it again."""
    for suffix in demo_suffixes():
        for layers in sets:
            yield _round_trip(folder / f"{layers[0].name}{suffix}", layers)


def _round_trip(path: Path, layers: Sequence[Layer]) -> Row:
    """Save layers and open the file again, both through napari's plugins, and compare."""
    from napari.components import LayerList
    from napari.layers import Layer
    from npe2 import read

    started = time.perf_counter()
    saved = LayerList(list(layers)).save(str(path), plugin=PLUGIN)
    seconds = time.perf_counter() - started
    # napari opens single PNG files itself unless asked for another reader
    opened: list[Any] = (
        [*read([saved[0]], stack=False, plugin_name=PLUGIN)]
        if is_offered(saved[0])
        else [*read_files(saved[0])]
    )
    reopened = [Layer.create(*data) for data in opened]
    compare = _compare_movie if hooks_of(find_codec(path)).IS_MOVIE else _compare_layers
    nbytes = stored_bytes(map(Path, saved))
    return Row(path.name, nbytes, seconds, compare(layers, reopened))


def _compare_layers(layers: Sequence[Layer], reopened: Sequence[Layer]) -> Result:
    """Compare layers with those of a lossless format."""
    pairs = zip(layers, reopened, strict=False)
    changed = [name for before, after in pairs for name in differences(before, after)]
    if len(reopened) != len(layers):
        changed.append(f"{len(reopened)} layers instead of {len(layers)}")
    return Result(", ".join(changed) or "identical", not changed)


def _compare_movie(layers: Sequence[Layer], reopened: Sequence[Layer]) -> Result:
    """Compare layers with a movie: their samples if it contains these, otherwise a rendering."""
    movie = reopened[0]
    saved, samples = np.asarray(movie.data), np.asarray(layers[0].data)
    has_samples = len(layers) == 1 and (saved.shape, saved.dtype) == (
        samples.shape,
        samples.dtype,
    )
    expected = samples if has_samples else _rendered(layers)
    content = "samples" if has_samples else "drawn pixels"

    if saved.shape != expected.shape:
        return Result(f"shape {saved.shape} instead of {expected.shape}", False)
    frames = _describe_frames(movie)
    if not np.array_equal(movie.scale, layers[0].scale):
        return Result(f"{frames}, scale {movie.scale} instead of {layers[0].scale}", False)
    if np.array_equal(saved, expected):
        return Result(f"{frames}, {content} identical", True)

    # compression changes pixels slightly
    change = np.abs(np.subtract(saved, expected, dtype=np.int64))
    mean = float(change.mean())
    text = f"{frames}, {content} differ by {mean:.1f} of 255 on average, {change.max()} at most"
    return Result(text, not has_samples and mean <= _MAX_DIFFERENCE)


def _rendered(layers: Sequence[Layer]) -> np.ndarray[Any, Any]:
    """Return the rendering of layers, axes (frame, y, x, s) or (y, x, s), uint8."""
    image = render(from_layers([layer.as_layer_data_tuple() for layer in layers]))
    return np.asarray(image.array)


def _describe_frames(movie: Layer) -> str:
    """Describe the number of frames of a movie, their size and rate."""
    height, width = movie.data.shape[movie.ndim - 2 : movie.ndim]
    if movie.ndim == 2:
        return f"1 frame of {width} x {height}"
    step, unit = float(movie.scale[0]), str(movie.units[0])
    rate = f"{1 / step:g} per second" if unit == "second" else f"{step:g} {unit} apart"
    return f"{len(movie.data)} frames of {width} x {height}, {rate}"


def differences(before: Layer, after: Layer) -> list[str]:
    """Return the names of the properties with different values in two layers."""
    data, meta, kind = before.as_layer_data_tuple()
    other, other_meta, other_kind = after.as_layer_data_tuple()
    changed = [] if kind == other_kind else ["type"]
    if data.dtype != other.dtype or not np.array_equal(data, other):
        changed.append("data")
    keys = sorted(meta.keys() - {"locked_data_level"})
    return changed + [key for key in keys if _value(meta[key]) != _value(other_meta.get(key))]


def _value(value: Any) -> Any:
    """Return a property as text, for comparison."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    return (
        str(to_json(value)) if isinstance(value, dict | list | tuple | np.ndarray) else str(value)
    )


def _print_table(folder: Path, rows: Sequence[Row]) -> None:
    width = max(len(row.name) for row in rows)
    show(f"saved and opened again in {folder}:")
    show(f"{'file':<{width}}  {'MB':>7}  {'seconds':>7}  opened again")
    for row in rows:
        show(f"{row.name:<{width}}  {row.nbytes / 1e6:7.2f}  {row.seconds:7.2f}  {row.result.text}")
