"""Saving of layers from napari's menus and with `viewer.layers.save`."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_ferry.arrays.progress import size_text
from napari_ferry.errors import (
    InvalidImageError,
    SaveCancelledError,
    SaveError,
    UnsupportedFormatError,
)
from napari_ferry.files.short_texts import list_few
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image import Image
from napari_ferry.io.protocol import hooks_of
from napari_ferry.io.search import find_codec
from napari_ferry.layers.layer_data import LayerData, from_layers
from napari_ferry.plugin.label_edits import watch_edits
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.target_name import choose_target
from napari_ferry.plugin.view_check import check_view
from napari_ferry.plugin.viewer import viewer_images, viewer_state
from napari_ferry.plugin.viewer_overlays import restyled_overlays
from napari_ferry.plugin.window import execute, has_window
from napari_ferry.rendering.drawing_choice import keeps_samples
from napari_ferry.rendering.save import plan
from napari_ferry.saving import Progress, run
from napari_ferry.saving.execution.workers import default_workers

_NAPARI_DIALOG = "_save_layers_dialog"
"""Function of napari behind *File > Save Selected Layers* and *Save All Layers*."""


@dataclass(frozen=True, kw_only=True)
class _SavedFiles:
    """Files of a finished save, their size, and the losses."""

    paths: Sequence[Path]
    losses: Sequence[str]
    nbytes: int | None


@dataclass(frozen=True, kw_only=True)
class _Save:
    """Images to save under the name of a target.

    Parameters
    ----------
    images : list of Image
        One per layer.
    target : Path
        File to save.
    options : mapping
        For a movie, options to draw the current view.
    missing : tuple of str
        Things in the current view that the movie lacks.
    typed : Path
        Name that the user typed. If it is the target, its file or data set may be replaced.
    """

    images: list[Image]
    target: Path
    options: Mapping[str, Any]
    missing: tuple[str, ...]
    typed: Path

    @property
    def shows_frames(self) -> bool:
        """True if the file shows frames as napari displays them instead of storing samples."""
        is_movie = hooks_of(find_codec(self.target)).IS_MOVIE
        return is_movie and not keeps_samples(self.images, self.target, self.options)

    def run(
        self,
        progress: Callable[[Progress], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> _SavedFiles:
        """Plan and save; with a window, this is called in another thread."""
        # in this thread, as a network may take seconds to answer
        _refuse_folder(self.typed)
        overwrite = self.target == self.typed and self.target.exists()
        planned = plan(self.images, self.target, **self.options)
        cores = os.cpu_count() or 1
        # one core is left to the window
        workers = default_workers(planned, cores if progress is None else max(1, cores - 1))
        paths = run(planned, overwrite=overwrite, workers=workers, progress=progress, cancel=cancel)
        return _SavedFiles(paths=paths, losses=planned.losses, nbytes=_stored_bytes(paths))


def write_layers(suffixes: Sequence[str], path: str, layers: list[LayerData]) -> list[str]:
    """Save layers under the name from a Save dialog.

    The dialog asks before it replaces this exact name, so only this path and other files of the
    same data set are replaced. With a window, the save runs in another thread, and the event loop
    of the window runs until it is done.

    Parameters
    ----------
    suffixes : sequence of str
        Suffixes of the chosen format. A name with the suffix of another format is saved in that.
    path : str
        The name as it was typed.
    layers : list of tuple
        Layer data.

    Returns
    -------
    list of str
        Paths of the written files.

    Raises
    ------
    SaveError
        The layers cannot be saved in this format, or not under this name.
    SaveCancelledError
        The user cancelled the save. napari's own dialog would report this as a failure; it gets
        the name of the target instead.
    """
    typed = Path(path)
    try:
        save = _prepare(layers, typed, choose_target(typed, suffixes))
        with watch_edits(layers) as edited:
            saved = (
                execute("run_in_window", save.run, save.target.name) if has_window() else save.run()
            )
    except (InvalidImageError, UnsupportedFormatError) as error:
        # napari treats a ValueError as a missing writer and does not display it
        raise SaveError(str(error)) from error
    except SaveCancelledError:
        text = f"Saving {typed.name} was cancelled; existing files are unchanged."
        notify(text)
        if _is_called_by_napari_dialog():
            return [path]
        raise SaveCancelledError(text) from None

    _report(save, saved, edited)
    return [str(written) for written in saved.paths]


def _prepare(layers: list[LayerData], typed: Path, target: Path) -> _Save:
    """Collect the contributions of layers and window to a save."""
    options: dict[str, Any] = {}
    missing: tuple[str, ...] = ()
    if hooks_of(find_codec(target)).IS_MOVIE:
        images = viewer_images(layers)
        options = dict(viewer_state(images, path=target).options)
        missing = check_view(images, target, options)
    else:
        images = from_layers(layers)

    return _Save(
        images=images,
        target=target,
        options=options,
        missing=missing,
        typed=typed,
    )


def _refuse_folder(path: Path) -> None:
    """Refuse to replace a folder."""
    if path.is_dir():
        raise SaveError(
            f"{path.name} exists already, and File > Save does not ask whether to replace a "
            "folder: choose another name, or use Layers > Data > Export data, which asks."
        )


def _is_called_by_napari_dialog() -> bool:
    return any(frame.f_code.co_name == _NAPARI_DIALOG for frame, _ in traceback.walk_stack(None))


def _report(save: _Save, saved: _SavedFiles, edited: Collection[str]) -> None:
    """Report the location and the losses of saved files.

    Losses of a file that stores samples, things in the window that a movie lacks, and layers that
    were edited during the save are worth a warning. That a movie shows 8-bit colors instead of
    samples is expected.
    """
    path = saved.paths[0]
    edits = [f"{name} was edited during the save, so save it again" for name in sorted(edited)]
    notes = [*edits, *save.missing, *saved.losses, *restyled_overlays(save.options)]
    if "position" in save.options:
        notes.insert(0, f"the frame axis is {save.options['axis']}, at {save.options['position']}")

    size = "" if saved.nbytes is None else f" ({size_text(saved.nbytes)})"
    names = list_few([each.name for each in saved.paths], 1)
    text = f"Saved {names}{size} in {path.parent}."
    is_warning = bool(edits or save.missing or (saved.losses and not save.shows_frames))
    if notes:
        text += f"\n{path.name}: {'; '.join(notes)}."
    shows = {"Show in folder": lambda: execute("show_in_folder", path)} if has_window() else {}
    notify(text, "warning" if is_warning else "info", shows)


def _stored_bytes(paths: Sequence[Path]) -> int | None:
    """Return the size of saved files in bytes, or ``None`` if it cannot be read.

    The save was successful: a file that another program has moved since must not make it fail.
    """
    try:
        return stored_bytes(paths)
    except OSError:
        return None
