"""*Repair binary metadata*: find the layout of a raw file, see it, and write its sidecar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent

from napari_ferry.arguments import to_path
from napari_ferry.codecs.binary.calibration import Calibration
from napari_ferry.codecs.binary.codec import data_file
from napari_ferry.codecs.binary.fit import derive_free_size, mismatch_notes
from napari_ferry.codecs.binary.layout import Layout, count_frames
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_check import SidecarStatus, read_sidecar_status
from napari_ferry.codecs.binary.sidecar_search import find_file_layouts, open_with_layout
from napari_ferry.errors import FerryError, InvalidImageError
from napari_ferry.image import Image
from napari_ferry.widgets.repair.candidate_list import Candidate, judge, make_candidates
from napari_ferry.widgets.repair.layout_preview import check_room
from napari_ferry.widgets.repair.mismatch_table import contrast
from napari_ferry.widgets.repair.panels import RepairParts
from napari_ferry.widgets.repair.result import (
    Wanted,
    Written,
    describe_written,
    find_losses,
    may_write,
    write_all,
)
from napari_ferry.widgets.repair.thumbnails import draw, first_limits
from napari_ferry.widgets.summary import sentence

if TYPE_CHECKING:
    from napari import Viewer


class RepairMetadata(RepairParts):
    """The candidates of a raw file, its layout as a form, and a live preview in the viewer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.layout_shown: Layout | None = None
        self.said: SidecarStatus | None = None
        self.offered: list[Path] = []
        self._connect()
        self.result.show_nothing("Choose a raw file, or drop one here.")

    def _connect(self) -> None:
        self.files.wanted.connect(self.open_paths)
        self.files.chosen.connect(self._on_other_file)
        self.candidates.chosen.connect(self._on_candidate)
        self.form.edited.connect(self._on_edit)
        self.form.fixed_changed.connect(self.timers["search"].start)
        self.meaning.changed.connect(self.timers["show"].start)
        self.result.open_wanted.connect(self._on_open)
        self.result.write_wanted.connect(self._on_write)
        self.timers["gather"].timeout.connect(self._open_offered)
        self.timers["show"].timeout.connect(self._show)
        self.timers["search"].timeout.connect(self._search)
        self.looking.failed.connect(self._on_failed)
        self.writing.failed.connect(self._fail)

    # --- which files ------------------------------------------------------------------------

    def offer(self, path: str | Path) -> None:
        """Take a file or folder that napari was asked to open, with those that come with it."""
        self.offered.append(Path(path))
        self.timers["gather"].start()

    def _open_offered(self) -> None:
        paths, self.offered = self.offered, []
        self.open_paths(paths)

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Look at the first of some files; those of folders are taken for one camera's."""
        try:
            paths = [to_path(path) for path in paths]
            raw = [data_file(path) if path.suffix.lower() == ".json" else path for path in paths]
            self.files.set_paths(raw)
        except (FerryError, OSError) as error:
            self._fail(error)
            return
        self.form.forget()
        self.meaning.show_meaning(Calibration())
        if self.files.current is None:
            self._clear()
            self.result.show_nothing(f"{paths[0]} holds no raw file: choose another folder.")
        else:
            self._look_at_file()

    def _on_other_file(self) -> None:
        self.form.forget("frames")
        self._look_at_file()

    def _look_at_file(self) -> None:
        """Look into the file that was chosen, from the beginning."""
        data = self.files.current
        assert data is not None
        self._clear()
        if not self.files.nbytes:
            self.result.show_nothing(f"{data.name} is empty: there is nothing to repair.")
            return
        try:
            self.said = read_sidecar_status(data)
        except OSError as error:
            self._fail(error)
            return
        self.form.setEnabled(True)
        if self.said is not None:
            self.meaning.show_meaning(self.said.calibration)
        self._search()

    def _clear(self) -> None:
        """Show nothing of the file before."""
        self.form.setEnabled(False)
        for later in (self.looking, self.drawing):
            later.discard()
        for timer in self.timers.values():
            timer.stop()
        self.preview.remove()
        self.said = self.layout_shown = None
        self.candidates.show_found([])
        self.form.say({})
        self.contrast.hide()
        self._say("")

    # --- candidates -------------------------------------------------------------------------

    def _search(self) -> None:
        """Look for layouts with what is known, in another thread."""
        data = self.files.current
        if data is None:
            return
        self.looking.discard()
        self.drawing.discard()
        known, files = self.form.known, list(self.files.paths)
        self._say(f"Looking at the bytes of {data.name}…")
        self.looking.call(lambda: find_file_layouts(data, files, known), self._on_found)

    def _on_found(self, found: list[Layout]) -> None:
        """Show what was found, and the first of it as the layout."""
        nbytes, form = self.files.nbytes, self.form
        draft = form.draft()
        ways = form.fixed & ({"gap", "interleaving"} if draft.channels > 1 else {"gap"})
        found = [one for one in found if all(getattr(one, n) == getattr(draft, n) for n in ways)]
        candidates = make_candidates(found, self.said, form.known, nbytes)
        self.candidates.show_found(candidates)
        self._say(judge(candidates, nbytes, is_anything_known=bool(form.fixed)))
        self._contrast([one.layout for one in candidates])
        if candidates:
            self._fill(candidates[0].layout)
        elif self.layout_shown is None:
            self._fill(derive_free_size(self.files.nbytes, _blank(), self.form.fixed))
        self._draw_candidates()

    def _contrast(self, layouts: Sequence[Layout]) -> None:
        """Show a sidecar that does not fit beside what the bytes say."""
        if self.said is not None and self.said.error:
            first = next((one for one in layouts if one != self.said.layout), None)
            self.contrast.setText(contrast(self.said, first, self.files.nbytes))
            self.contrast.show()

    def _draw_candidates(self) -> None:
        """Draw the pictures of the candidates, one after the other, in another thread."""
        data = self.files.current
        assert data is not None
        for row, one in enumerate(self.candidates.known):
            self.drawing.call(
                partial(_draw, data, one.layout), partial(self.candidates.show_pictures, row)
            )

    def _on_candidate(self, candidate: Candidate) -> None:
        draft, layout = self.form.draft(), candidate.layout
        others = [n for n in self.form.fixed if getattr(draft, n) != getattr(layout, n)]
        if others:
            self.form.forget(*others)
        self._fill(layout)

    # --- the layout -------------------------------------------------------------------------

    def _on_edit(self, name: str) -> None:
        """Let at once follow what arithmetic says, and look for the rest soon."""
        if self.files.current is None:
            return
        self.looking.discard()
        self._fill(derive_free_size(self.files.nbytes, self.form.draft(), self.form.fixed), name)
        self.timers["search"].start()

    def _fill(self, layout: Layout, edited: str = "frames") -> None:
        """Make a layout the one that is shown."""
        self.layout_shown = layout
        self.form.show_layout(layout)
        self.form.say(mismatch_notes(self.files.nbytes, layout, edited, self.form.fixed))
        self.candidates.mark(layout)
        self.files.show_counts(layout)
        self.timers["show"].start()

    def _show(self) -> None:
        """Show the layout in the viewer."""
        data, layout = self.files.current, self.layout_shown
        if data is None or layout is None:
            return
        nbytes = self.files.nbytes
        self.result.show_layout(
            nbytes, layout, len(self.files.fitting(layout)), len(self.files.paths)
        )
        try:
            if not count_frames(nbytes, layout)[0]:
                self.preview.remove()
                return
            check_room(layout)
            image = open_with_layout(data, layout, self.meaning.meaning(), whole_frames=True)
            self.preview.show(image, first_limits(image))
        except (FerryError, OSError) as error:
            self.preview.remove()
            self.result.show_nothing(_sentence(error))
            return
        self.drawing.call(lambda: (image, draw(image).limits), self._on_limits)

    def _on_limits(self, found: tuple[Image, tuple[float, float]]) -> None:
        image, limits = found
        if image is self.preview.image:
            self.preview.set_limits(limits)

    # --- what comes of it -------------------------------------------------------------------

    def _on_open(self) -> None:
        """Leave the preview to the viewer as it is."""
        self._show_now()
        kept = self.preview.keep()
        if kept:
            self.viewer.layers.selection = set(kept)

    def _show_now(self) -> None:
        """Show what was typed a moment ago, if it waits."""
        if self.timers["show"].isActive() or not self.preview.is_shown:
            self.timers["show"].stop()
            self._show()

    def _on_write(self, is_of_all: bool) -> None:
        """See, in another thread, what writing sidecars would take away, and ask."""
        self._show_now()
        layout, current = self.layout_shown, self.files.current
        if layout is None or current is None:
            return
        fitting = self.files.fitting(layout) if is_of_all else {current: layout.frames}
        left = [path for path in self.files.paths if path not in fitting] if is_of_all else []
        try:
            meaning = self.meaning.meaning()
        except InvalidImageError as error:
            self._fail(error)
            return
        if fitting:
            each = {path: replace(layout, frames=count) for path, count in fitting.items()}
            before = Calibration() if self.said is None else self.said.calibration
            wanted = Wanted(each, meaning, self.meaning.differs_from(before))
            self.writing.call(
                lambda: find_losses(wanted), lambda losses: self._ask(wanted, left, losses)
            )

    def _ask(
        self, wanted: Wanted, left: Sequence[Path], losses: Mapping[str, Sequence[Path]]
    ) -> None:
        """Write sidecars, in another thread, if that is wanted once it is said what goes."""
        if may_write(self, wanted, left, losses):
            self.writing.call(lambda: write_all(wanted), self._on_written)

    def _on_written(self, done: Written) -> None:
        if done.paths:
            show_info(describe_written(done))
        if done.error:
            self._say(done.error)
        elif self.files.current is not None and sidecar_path(self.files.current) in done.paths:
            self.said = read_sidecar_status(self.files.current)
            self.contrast.hide()

    # --- words ------------------------------------------------------------------------------

    def _fail(self, error: Exception) -> None:
        self._say(_sentence(error))

    def _on_failed(self, error: Exception) -> None:
        """Say why nothing was found; the form can be filled by hand."""
        self.candidates.show_found([])
        self._fail(error)
        if self.layout_shown is None:
            self.form.show_layout(derive_free_size(self.files.nbytes, _blank(), ()))
            self.result.show_nothing("")

    # --- the end ----------------------------------------------------------------------------

    def event(self, event: QEvent | None) -> bool:
        """Go when the dock around it was closed."""
        found = super().event(event)
        if event and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._clear()
            self.deleteLater()
        return bool(found)


def _sentence(error: Exception) -> str:
    """Say what went wrong, with a file too."""
    if isinstance(error, OSError) and not isinstance(error, FerryError):
        return f"{error.filename} cannot be read ({error.strerror}): check that it is there."
    return sentence(error)


def _blank() -> Layout:
    """Return a layout to begin with where nothing is known."""
    return Layout(dtype=np.dtype("uint16"), offset=0, frames=1, y=512, x=512)


def _draw(data: Path, layout: Layout) -> object:
    return draw(open_with_layout(data, layout, whole_frames=True))
