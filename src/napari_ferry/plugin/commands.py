"""The commands of the manifest: napari's readers and writers, over codecs and layers.

A ``get_reader`` looks at names only and never raises; what goes wrong is said when reading.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from napari_ferry.codecs.binary import codec as binary
from napari_ferry.codecs.binary.sidecar import is_sidecar, sidecar_path
from napari_ferry.codecs.binary.sidecar_check import lacks_layout
from napari_ferry.codecs.gif import codec as gif
from napari_ferry.codecs.tiff import codec as tiff
from napari_ferry.codecs.tiff.folders.own_series import series_files
from napari_ferry.codecs.video import codec as video
from napari_ferry.errors import InvalidImageError, SaveError, UnsupportedFormatError
from napari_ferry.image import Image
from napari_ferry.io import find_folder_codec, imload, plan, suffixes, with_suffix
from napari_ferry.layers.layer_data import LayerData, from_layers, to_layers
from napari_ferry.plugin.layer_limit import open_layers, say
from napari_ferry.plugin.recently_opened import RecentlyOpened
from napari_ferry.plugin.samples import calcium_movie, moving_cells, raw_recording, z_stack
from napari_ferry.plugin.viewer import viewer_images, viewer_state
from napari_ferry.rendering.save import plan_as_seen
from napari_ferry.saving import Plan, run

Reader = Callable[[Any], list[LayerData]]
"""What napari calls with the path, or the list of paths, that it asked a reader for."""

_NOTHING: Any = [(None,)]
"""What npe2 takes for: read, and there is nothing to add."""

_PLUGIN = "napari-ferry"

_dropped = RecentlyOpened()


def get_tiff_reader(path: str | Sequence[str]) -> Reader | None:
    """Return the reader of TIFF files, ``None`` for what is none by its name."""
    return _read_tiff if _all_named(path, (*tiff.SUFFIXES, *tiff.ALSO_OPENS)) else None


def get_binary_reader(path: str | Sequence[str]) -> Reader | None:
    """Return the reader of raw files and their sidecars, ``None`` for other files."""
    if not _all_named(path, (*binary.SUFFIXES, ".json")):
        return None
    sidecars = [p for p in _paths(path) if p.suffix.lower() == ".json"]
    return _read_binary if all(is_sidecar(sidecar) for sidecar in sidecars) else None


def get_video_reader(path: str | Sequence[str]) -> Reader | None:
    """Return the reader of videos, ``None`` for other files."""
    return _read_each if _all_named(path, (*video.SUFFIXES, *video.ALSO_OPENS)) else None


def get_gif_reader(path: str | Sequence[str]) -> Reader | None:
    """Return the reader of GIF files, ``None`` for what is none by its name."""
    return _read_each if _all_named(path, gif.SUFFIXES) else None


def get_folder_reader(path: str | Sequence[str]) -> Reader | None:
    """Return the reader of folders that hold TIFF or raw files, ``None`` for foreign ones."""
    folders = _paths(path)
    try:
        known = all(
            folder.is_dir() and not folder.suffix and find_folder_codec(folder) is not None
            for folder in folders
        )
    except OSError:
        return None
    return _read_folders if folders and known else None


def write_tiff(path: str, layers: list[LayerData]) -> list[str]:
    """Save layers as TIFF, for napari; returns the files that were made."""
    return _save(path, layers, tiff.SUFFIXES)


def write_ome_tiff(path: str, layers: list[LayerData]) -> list[str]:
    """Save layers as OME-TIFF, for napari; returns the files that were made."""
    return _save(path, layers, tiff.SUFFIXES[2:])


def write_binary(path: str, layers: list[LayerData]) -> list[str]:
    """Save a layer as raw binary with its sidecar, for napari; returns both files."""
    return _save(path, layers, binary.SUFFIXES)


def write_video(path: str, layers: list[LayerData]) -> list[str]:
    """Save layers, as they are seen, as a video that plays everywhere; returns the file."""
    return _save(path, layers, video.SUFFIXES[:2], is_movie=True)


def write_lossless_video(path: str, layers: list[LayerData]) -> list[str]:
    """Save a layer as a video that keeps every bit, several as they are seen; returns the file."""
    return _save(path, layers, video.SUFFIXES[2:], is_movie=True)


def write_gif(path: str, layers: list[LayerData]) -> list[str]:
    """Save layers, as they are seen, as an animated GIF, for napari; returns the file."""
    return _save(path, layers, gif.SUFFIXES, is_movie=True)


def open_always() -> None:
    """Make napari open the files that we know with us from now on, without asking."""
    from napari.settings import get_settings

    plugins = get_settings().plugins
    patterns = [f"*{suffix}" for suffix in suffixes(to_open=True)]
    plugins.extension2reader = {**plugins.extension2reader, **dict.fromkeys(patterns, _PLUGIN)}
    say(
        f"{', '.join(patterns)} are opened with napari-ferry from now on; Preferences > Plugins "
        "changes that."
    )


def sample_calcium_movie() -> list[LayerData]:
    """Make a noisy calcium movie, and its cells as labels, for napari's samples."""
    return to_layers(calcium_movie())


def sample_moving_cells() -> list[LayerData]:
    """Make a movie of moving cells, and their numbers as labels, for napari's samples."""
    return to_layers(moving_cells())


def sample_z_stacks() -> list[LayerData]:
    """Make z-stacks of two channels over time, with scales and units, for napari's samples."""
    return to_layers([z_stack(planes=12, frames=8)])


def sample_raw_recording() -> list[LayerData]:
    """Make a raw recording without sidecar, and open it in *Repair binary metadata*.

    The layer is that of its cells, which fit when the layout is the right one.
    """
    folder = Path(tempfile.mkdtemp(prefix="napari-ferry-sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path, cells = raw_recording(folder)
    repair = _open_repair()
    if repair is None:
        say(f"The recording is {path}.")
    else:
        repair.offer(path)
    return to_layers([cells])


def _read_tiff(path: str | Sequence[str]) -> list[LayerData]:
    """Open TIFF files; several at once are one stack, parts of one series the whole, once."""
    paths = _paths(path)
    if len(paths) > 1:
        return open_layers(partial(tiff.open_stack, paths))
    if _dropped.consume(paths[0]):
        return list(_NOTHING)
    layers = open_layers(partial(imload, paths[0]))
    _dropped.opened(paths[0], series_files(paths[0]))
    return layers


def _read_binary(path: str | Sequence[str]) -> list[LayerData]:
    """Open raw files; of a raw file and its sidecar dropped together, the second is passed over."""
    described: list[Path] = []
    for found in _paths(path):
        if not _dropped.consume(found):
            data = binary.data_file(found)
            described += [] if _is_repaired(data) else [data]
            _dropped.opened(found, [data, sidecar_path(data)])
    return _open_each(described, binary.open) or list(_NOTHING)


def _is_repaired(path: Path) -> bool:
    """Hand a raw file that nothing describes to the repair in the window, where there is one.

    So for a folder of them; outside of a window, opening says what is wrong.
    """
    if not lacks_layout(path):
        return False
    repair = _open_repair()
    if repair is not None:
        repair.offer(path)
    return repair is not None


def _open_repair() -> Any:
    """Show *Repair binary metadata*; return it, None without a window."""
    from napari import current_viewer

    viewer = current_viewer()
    if viewer is None:
        return None
    dock, repair = viewer.window.add_plugin_dock_widget(_PLUGIN, "Repair binary metadata")
    dock.show()
    dock.raise_()
    return repair


def _read_each(path: str | Sequence[str]) -> list[LayerData]:
    return _open_each(_paths(path))


def _read_folders(path: str | Sequence[str]) -> list[LayerData]:
    described = [
        folder
        for folder in _paths(path)
        if find_folder_codec(folder) is not binary or not _is_repaired(folder)
    ]
    return _open_each(described) or list(_NOTHING)


def _open_each(
    paths: Sequence[Path], open_one: Callable[[Path], list[Image]] = imload
) -> list[LayerData]:
    return open_layers(lambda: [image for path in paths for image in open_one(path)])


def _save(
    path: str, layers: list[LayerData], suffixes: Sequence[str], *, is_movie: bool = False
) -> list[str]:
    """Save layers under the name that was typed, as napari's Save dialog leaves it.

    The dialog has asked about that very name and no other, so nothing else is replaced but
    files of the same data set.

    Raises
    ------
    SaveError
        The layers cannot be saved in this format, or not under this name.
    """
    typed = Path(path)
    try:
        target = with_suffix(typed, suffixes)
        planned, shown = _plan_movie(layers, target) if is_movie else (_plan(layers, target), {})
    except (InvalidImageError, UnsupportedFormatError) as error:
        # napari takes a ValueError to mean that there is no such writer, and does not show it
        raise SaveError(str(error)) from error
    if "position" in shown:
        say(f"{target.name} runs along {shown['axis']}, at {shown['position']} as shown.")
    paths = run(planned, overwrite=target == typed and typed.exists())
    if planned.losses:
        _warn(f"{target.name}: {'; '.join(planned.losses)}.")
    return [str(written) for written in paths]


def _plan(layers: list[LayerData], target: Path) -> Plan:
    return plan(from_layers(layers), target)


def _plan_movie(layers: list[LayerData], target: Path) -> tuple[Plan, dict[str, Any]]:
    """Plan a movie of what the viewer shows; return the options that say what that is, too."""
    images = viewer_images(layers)
    shown = dict(viewer_state(images).options)
    return plan_as_seen(images, target, **shown), shown


def _warn(message: str) -> None:
    from napari.utils.notifications import show_warning

    show_warning(message)


def _paths(path: str | Sequence[str]) -> list[Path]:
    return [Path(path)] if isinstance(path, str | Path) else [Path(p) for p in path]


def _all_named(path: str | Sequence[str], suffixes: Sequence[str]) -> bool:
    """Whether all are files whose names end so."""
    endings, paths = tuple(suffixes), _paths(path)
    if not paths or not all(p.name.lower().endswith(endings) for p in paths):
        return False
    try:
        return not any(p.is_dir() for p in paths)
    except OSError:
        return False
