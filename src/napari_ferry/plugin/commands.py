"""Commands of the manifest: generic readers and writers of napari, and sample data.

In the manifest, readers are named ``get_<format>_reader``, after the package of a codec. Writers
have any name ``write_<name>``, and their suffixes in the manifest. No format has code of its own
here. Readers are chosen by name alone, without raising errors; these are reported while reading.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from napari_ferry.arguments import find_url
from napari_ferry.errors import UnsupportedFormatError
from napari_ferry.image import Image
from napari_ferry.io import imload, open_stack
from napari_ferry.io.protocol import Codec, Hooks, format_name, hooks_of, suffixes_of
from napari_ferry.io.search import codecs, find_source_codec
from napari_ferry.layers.layer_data import LayerData, to_layers
from napari_ferry.plugin.layer_limit import open_layers
from napari_ferry.plugin.manifest import writers
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.recently_opened import RecentlyOpened
from napari_ferry.plugin.samples import calcium_movie, moving_cells, raw_recording, z_stack
from napari_ferry.plugin.url_reader import open_url
from napari_ferry.plugin.window import execute, has_window, show_dock
from napari_ferry.plugin.window_reader import NOTHING, for_window
from napari_ferry.saving.partial.interruption import interrupted_in

Paths: TypeAlias = str | Sequence[str]
"""One path, or several paths to open as a stack."""

Reader: TypeAlias = Callable[[Paths], list[LayerData]]
"""Function that napari calls with the paths for which it requested a reader."""

OpenMany: TypeAlias = Callable[[Sequence[Path]], list[Image]]
"""Function that opens several files as one stack."""

_T = TypeVar("_T")

_recent = RecentlyOpened()


def __getattr__(name: str) -> Callable[..., Any]:
    """Return a reader or writer of the manifest by its name; see the docstring of the module."""
    for writer in writers() if name.startswith("write_") else ():
        if name == writer.function:
            return _with_name(name, partial(_write, writer.suffixes))
    for codec in codecs() if name.startswith("get_") else ():
        if name == f"get_{format_name(codec)}_reader":
            return _with_name(name, partial(_get_reader, codec))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _with_name(name: str, command: partial[_T]) -> Callable[..., _T]:
    """Return a command with a name, for tracebacks and logs."""
    command.__name__ = command.__qualname__ = name  # type: ignore[attr-defined]
    return command


def get_folder_reader(path: Paths | None = None) -> Reader | None:
    """Return the reader of folders, or None for folders not supported by any codec.

    Without a path, as from the command palette, a folder is asked for and opened.
    """
    if path is None:
        execute("open_folder")
        return None
    folders = _to_paths(path)
    is_known = bool(folders) and all(map(_is_readable_folder, folders))
    return for_window(_read) if is_known else None


def sample_calcium_movie() -> list[LayerData]:
    """Return a noisy calcium movie, and its cells as labels, as sample data for napari."""
    return to_layers(calcium_movie())


def sample_moving_cells() -> list[LayerData]:
    """Return a movie of moving cells, and the cells as labels, as sample data for napari."""
    return to_layers(moving_cells())


def sample_z_stacks() -> list[LayerData]:
    """Return calibrated z-stacks of two channels over time, as sample data for napari."""
    return to_layers([z_stack(planes=12, frames=8)])


def sample_raw_recording() -> list[LayerData]:
    """Write a raw recording without sidecar, and open it in *Repair binary metadata*.

    The returned layer contains the cells; these match the recording when its layout is correct.
    """
    folder = Path(tempfile.mkdtemp(prefix="napari-ferry-sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path, cells = raw_recording(folder)
    repair = _open_repair()
    if repair is None:
        notify(f"The recording is {path}.")
    else:
        repair.offer(path)
    return to_layers([cells])


def read_files(paths: Paths) -> list[LayerData]:
    """Return the layers of files for which napari does not offer a reader of ours."""
    return _read(paths)


def _is_readable_folder(folder: Path) -> bool:
    """Return True for a store of a format, or a folder of images without a suffix.

    Other folders with a suffix are stores of other plugins. In a folder of files that a save has
    not put in place yet, reading reports the save.
    """
    try:
        if not folder.is_dir():
            return False
        is_store = not hooks_of(find_source_codec(folder)).FOLDER_PRIORITY
        return is_store or not folder.suffix
    except UnsupportedFormatError:
        return not folder.suffix and interrupted_in(folder) is not None
    except OSError:
        return False


def _get_reader(codec: Codec, path: Paths | None = None) -> Reader | None:
    """Return the reader of a format, or None if a path is of a different format.

    Without a path, as from the command palette, files are asked for and opened.
    """
    if path is None:
        execute("open_files", suffixes_of(codec, to_open=True))
        return None
    url = find_url(path)
    if url is not None and hooks_of(codec).open_url is not None:
        return for_window(lambda _: open_url(url))
    paths = _to_paths(path)
    if not paths or not all(_matches_format(codec, each) for each in paths):
        return None
    open_many = hooks_of(codec).open_many
    if len(paths) > 1 and open_many is not None:
        return for_window(lambda _: open_layers(partial(open_stack, open_many, paths), paths))
    return for_window(_read)


def _open_all(paths: Sequence[Path]) -> list[Image]:
    """Open the images of several files or folders."""
    return [image for path in paths for image in imload(path)]


def _matches_format(codec: Codec, path: Path) -> bool:
    """Return True for a file with a suffix of the format, or a path claimed by its codec."""
    try:
        is_named = path.name.lower().endswith(suffixes_of(codec, to_open=True))
        return (is_named and not path.is_dir()) or hooks_of(codec).claims(path)
    except OSError:
        return False


def _read(path: Paths) -> list[LayerData]:
    """Open files or folders of one format; of the files of one data set, the first opens all."""
    wanted: list[Path] = []
    companions: dict[Path, list[Path]] = {}
    for each in _to_paths(path):
        if _recent.consume(each) or each in chain(*companions.values()):
            continue
        hooks = hooks_of(find_source_codec(each)) if each.exists() else Hooks()
        companions[each] = [each] if each.is_dir() else hooks.members(each)
        data = companions[each][0]
        if not (hooks.lacks_metadata(data) and _is_repaired(data)):
            wanted.append(each)

    layers = list(NOTHING)
    if wanted:
        layers = open_layers(partial(_open_all, wanted), [each.absolute() for each in wanted])
    for each, members in companions.items():
        _recent.opened(each, members)
    return layers


def _is_repaired(path: Path) -> bool:
    """Hand a file or folder without metadata to the repair form, if there is a window.

    Without a window, opening it reports the missing metadata.
    """
    repair = _open_repair()
    if repair is not None:
        repair.offer(path)
    return repair is not None


def _open_repair() -> Any:
    """Show *Repair binary metadata* and return it; return None without a window."""
    from napari import current_viewer

    viewer = current_viewer()
    return None if viewer is None else show_dock(viewer, "Repair binary metadata")


def _write(
    suffixes: Sequence[str], path: str | None = None, layers: list[LayerData] | None = None
) -> list[str]:
    """Save layers, or ask for their name if called without one, as by the command palette."""
    if path is None or layers is None:
        execute("save_as", suffixes)
        return []
    if has_window():
        execute("call_in_thread", _import_writers)
    from napari_ferry.plugin.layer_save import write_layers

    return write_layers(suffixes, path, layers)


def _import_writers() -> None:
    """Import the formats and the module for saving layers; the first time takes half a second."""
    import napari_ferry.plugin.layer_save  # noqa: F401

    codecs()


def _to_paths(path: Paths) -> list[Path]:
    return [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
