"""Dock widget *Repair binary metadata*: find the layout of a raw file, and write its sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arguments import to_path
from napari_ferry.codecs.binary.calibration import Calibration
from napari_ferry.codecs.binary.fit import derive_free_size
from napari_ferry.codecs.binary.layout import Layout, count_frames, strip_evidence
from napari_ferry.codecs.binary.layout.find import FoundLayouts
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_check import SidecarStatus, read_sidecar_status
from napari_ferry.codecs.binary.sidecar_search import find_file_layouts, open_with_layout
from napari_ferry.errors import FerryError, InvalidImageError
from napari_ferry.image import Image
from napari_ferry.widgets.repair.candidate import (
    Candidate,
    describe_doubts,
    is_likely,
    make_candidates,
)
from napari_ferry.widgets.repair.change_panel import PlannedChanges, find_changes
from napari_ferry.widgets.repair.files import RawFiles, list_raw_files
from napari_ferry.widgets.repair.layout_form import DEFAULT_LAYOUT
from napari_ferry.widgets.repair.layout_preview import check_displayable
from napari_ferry.widgets.repair.notes import size_notes
from napari_ferry.widgets.repair.panels import RepairPanels
from napari_ferry.widgets.repair.repair_words import SELECT_FILE
from napari_ferry.widgets.repair.sentences import error_sentence, opened, reading, searching
from napari_ferry.widgets.repair.sidecar_writer import SidecarRequest, WrittenSidecars
from napari_ferry.widgets.repair.thumbnails import (
    first_frame_limits,
    layout_thumbnails,
    make_thumbnails,
)

if TYPE_CHECKING:
    from napari import Viewer


class RepairMetadata(RepairPanels):
    """Candidates for the layout of a raw file, a form to edit it, and a preview in the viewer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.offered: list[Path] = []
        self._connect()
        self.result.show_nothing(SELECT_FILE)

    def _connect(self) -> None:
        self.files.paths_entered.connect(self.open_paths)
        self.files.file_selected.connect(self._on_file)
        self.question.confirmed.connect(self._on_open)
        self.question.suggestion_accepted.connect(self._on_suggestion)
        self.question.stepped.connect(self.candidate_list.step)
        self.candidate_list.candidate_selected.connect(self._on_candidate)
        self.form.edited.connect(self._on_edit)
        self.form.fixed_changed.connect(self.timers["search"].start)
        self.calibration_form.changed.connect(self.timers["show"].start)
        self.result.open_clicked.connect(self._on_open)
        self.result.write_clicked.connect(self._on_write)

        self.timers["gather"].timeout.connect(self._open_offered)
        self.timers["show"].timeout.connect(self._show)
        self.timers["search"].timeout.connect(self._search)
        self.opening.failed.connect(self._show_error)
        self.searching.failed.connect(self._on_search_failed)
        self.writer.written.connect(self._on_written)
        self.writer.failed.connect(self._show_error)

    # --- files ------------------------------------------------------------------------------

    def offer(self, path: str | Path) -> None:
        """Open a file or folder dropped on napari, together with others dropped soon after."""
        self.offered.append(Path(path))
        self.timers["gather"].start()

    def _open_offered(self) -> None:
        paths, self.offered = self.offered, []
        self.open_paths(paths)

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open the first of some files; the files of a folder are treated as one camera's."""
        try:
            known = [to_path(path) for path in paths]
        except FerryError as error:
            self._show_error(error)
            return
        self._show_status(reading(known[0].name))
        self.opening.call(lambda: find_changes(known[0]) or list_raw_files(known), self._on_files)

    def _on_files(self, files: RawFiles | PlannedChanges) -> None:
        """Show files, and open the first one; or changes of metadata."""
        if isinstance(files, PlannedChanges):
            self._show_changes(files)
            return
        self._show_changes(None)
        self.form.forget()
        self.calibration_form.show_calibration(Calibration())
        self.files.set_files(files)
        if self.files.current is None:
            self._clear()
            self.result.show_nothing(f"{files.path} contains no raw files: select another folder.")
        else:
            self._open_current()

    def _on_file(self) -> None:
        self.form.forget("frames")
        self._open_current()

    def _open_current(self) -> None:
        """Read the sidecar of the selected file, and search for its layout."""
        data = self.files.current
        assert data is not None
        self._clear()
        if not self.files.nbytes:
            self.result.show_nothing(f"{data.name} is empty: there is nothing to repair.")
            return
        self._show_status(reading(data.name))
        self.opening.call(lambda: read_sidecar_status(data), self._on_sidecar)

    def _on_sidecar(self, status: SidecarStatus | None) -> None:
        """Show the calibration of the sidecar, and search for the layout."""
        self.sidecar_status = status
        self.form.setEnabled(True)
        if status is not None:
            self.calibration_form.show_calibration(status.calibration)
        self._search()

    # --- candidates -------------------------------------------------------------------------

    def _search(self) -> None:
        """Search for layouts with the known values, in another thread."""
        data = self.files.current
        if data is None:
            return
        self.searching.discard()
        self.drawing.discard()
        known, files = self.form.known, list(self.files.paths)
        self._show_status(searching(data.name))
        self.searching.call(lambda: find_file_layouts(data, files, known), self._on_found)

    def _on_found(self, found: FoundLayouts) -> None:
        """Show the layouts found as candidates, and the first one in the form.

        If the bytes contradict the numbers of the user, the form keeps these, and offers others.
        """
        nbytes, form = self.files.nbytes, self.form
        layouts = [layout for layout in found.layouts if form.agrees_with(layout)]
        candidates = make_candidates(layouts, self.sidecar_status, form.known, nbytes)
        if found.rival is not None:
            candidates.insert(0, Candidate(found.rival))
        self.candidate_list.show_candidates(candidates)
        self._show_status(describe_doubts(candidates, nbytes, has_known_values=bool(form.fixed)))
        self._show_mismatch([candidate.layout for candidate in candidates])

        if found.rival is not None and self.displayed_layout is not None:
            self._suggest(self.displayed_layout, found.rival)
        elif candidates:
            self._fill(candidates[0].layout)
        elif self.displayed_layout is None:
            self._fill(derive_free_size(self.files.nbytes, DEFAULT_LAYOUT, self.form.fixed))
        if not is_likely(candidates):
            self.numbers.expand(animate=False)
        self._draw_thumbnails()

    def _draw_thumbnails(self) -> None:
        """Draw the thumbnails of the candidates one by one, in another thread."""
        data = self.files.current
        assert data is not None
        for row, candidate in enumerate(self.candidate_list.candidates):
            self.drawing.call(
                partial(layout_thumbnails, data, candidate.layout),
                partial(self.candidate_list.show_thumbnails, row),
            )

    def _on_candidate(self, candidate: Candidate) -> None:
        """Show a candidate, and uncheck contradicting values."""
        draft, layout = self.form.draft(), candidate.layout
        others = [n for n in self.form.fixed if getattr(draft, n) != getattr(layout, n)]
        if others:
            self.form.forget(*others)
        self._fill(layout)

    def _on_suggestion(self) -> None:
        """Show the rival of the user's numbers, the first candidate, and search without them."""
        self._on_candidate(self.candidate_list.candidates[0])
        self.timers["search"].start()

    # --- the layout -------------------------------------------------------------------------

    def _on_edit(self, name: str) -> None:
        """Compute a free size from the others at once, and search for the rest soon."""
        if self.files.current is None:
            return
        self.searching.discard()
        self._fill(derive_free_size(self.files.nbytes, self.form.draft(), self.form.fixed), name)
        self.timers["search"].start()

    def _fill(self, layout: Layout, edited: str = "frames") -> None:
        """Show a layout in the form, and soon in the viewer."""
        if self.displayed_layout is None or strip_evidence(layout) != strip_evidence(
            self.displayed_layout
        ):
            self.preview.opened = []
        self.displayed_layout = layout
        self.form.show_layout(layout)
        self.form.show_notes(size_notes(self.files.nbytes, layout, edited, self.form.fixed))
        self.files.show_counts(layout)
        self._ask(layout)
        self.timers["show"].start()

    def _show(self) -> None:
        """Show the layout in the viewer."""
        data, layout = self.files.current, self.displayed_layout
        if data is None or layout is None:
            return
        nbytes, nfitting = self.files.nbytes, len(self.files.count_fitting(layout))
        self.result.show_layout(nbytes, layout, nfitting=nfitting, nfiles=len(self.files.paths))

        try:
            if not count_frames(nbytes, layout)[0]:
                self.preview.remove()
                return
            check_displayable(layout)
            calibration = self.calibration_form.calibration()
            image = open_with_layout(data, layout, calibration, whole_frames=True)
            if self.preview.opened:
                self.preview.calibrate(image)
                self.result.open_button.setEnabled(False)
                return
            self.preview.show(image, first_frame_limits(image))
        except (FerryError, OSError) as error:
            if not self.preview.opened:
                self.preview.remove()
            self.result.show_nothing(error_sentence(error))
            return
        self.drawing.call(lambda: (image, make_thumbnails(image).limits), self._on_limits)

    def _on_limits(self, result: tuple[Image, tuple[float, float]]) -> None:
        image, limits = result
        if image is self.preview.image:
            self.preview.set_limits(limits)

    # --- open and write ---------------------------------------------------------------------

    def _on_open(self) -> None:
        """Turn the preview into ordinary layers."""
        if self.timers["show"].isActive() or not self.preview.has_layers:
            self.timers["show"].stop()  # its preview is still delayed, or was deleted
            self._show()
        layers = self.preview.keep()
        if layers:
            self.viewer.layers.selection = set(layers)
            self.question.state(opened([layer.name for layer in layers]))
            self.result.open_button.setEnabled(False)

    def _on_write(self, is_for_all: bool) -> None:
        """Write the sidecar of the current file, or of all fitting files."""
        layout, current = self.displayed_layout, self.files.current
        if layout is None or current is None:
            return
        fitting = self.files.count_fitting(layout) if is_for_all else {current: layout.frames}
        left_out = [path for path in self.files.paths if path not in fitting] if is_for_all else []
        try:
            calibration = self.calibration_form.calibration()
        except InvalidImageError as error:
            self._show_error(error)
            return

        if fitting:
            status = self.sidecar_status
            before = Calibration() if status is None else status.calibration
            layouts = {path: replace(layout, frames=count) for path, count in fitting.items()}
            edited = self.calibration_form.differs_from(before)
            self.writer.write(SidecarRequest(current, layouts, calibration, edited), left_out)

    def _on_written(self, written: WrittenSidecars) -> None:
        if written.error:
            self._show_status(written.error)
        data, status = self.files.current, written.status
        if data is not None and status is not None and status.path == sidecar_path(data):
            self.sidecar_status = status
            self.mismatch.hide()

    # --- errors -----------------------------------------------------------------------------

    def _on_search_failed(self, error: Exception) -> None:
        """Show the error, and a default layout to edit."""
        self.candidate_list.show_candidates([])
        self._show_error(error)
        if self.displayed_layout is None:
            self.form.show_layout(derive_free_size(self.files.nbytes, DEFAULT_LAYOUT, ()))
            self.result.show_nothing("")
