"""*Repair binary metadata*: find the layout of a raw file, see it, and write its sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_ferry.codecs.binary import data_file
from napari_ferry.errors import FerryError, InvalidImageError
from napari_ferry.exports import sentence
from napari_ferry.fitting import count_frames, fits, follow, frame_bytes, nearest
from napari_ferry.image import Image
from napari_ferry.raw_layout.layout import Layout, parse_known
from napari_ferry.repair import image_of, look_at
from napari_ferry.said import Said, read_said
from napari_ferry.thumbnails import draw, first_limits
from napari_ferry.widgets.later import Later
from napari_ferry.widgets.repair_candidates import Candidate, Candidates
from napari_ferry.widgets.repair_contrast import contrast
from napari_ferry.widgets.repair_files import Files
from napari_ferry.widgets.repair_form import LayoutForm
from napari_ferry.widgets.repair_meaning import MeaningForm
from napari_ferry.widgets.repair_preview import LivePreview
from napari_ferry.widgets.repair_result import (
    Result,
    Written,
    describe_written,
    may_write,
    write_all,
)

if TYPE_CHECKING:
    from napari import Viewer

_TOGETHER = 200
"""Milliseconds within which files that are offered one by one are one choice."""

_PAUSE_SHOW, _PAUSE_SEARCH = 80, 400
"""Milliseconds after the last change before it is shown, and before others are looked for."""

_WIDTH = 320
_LARGEST_FRAME = 2**29
"""Bytes of a frame that the viewer is not asked to show while somebody types."""

_MOST_FRAMES = 2**31 - 1
"""Most steps of a slider."""

_MOST_CHANNELS = 16
"""Most layers of a preview."""

_UNLIKELY = 0.25
"""Confidence below which it is said that no candidate is likely."""


class RepairMetadata(QWidget):
    """The candidates of a raw file, its layout as a form, and a live preview in the viewer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.layout_shown: Layout | None = None
        self.said: Said | None = None
        self.offered: list[Path] = []
        self.setAcceptDrops(True)
        self._make_parts()
        self._lay_out()
        self._connect()
        self.form.setEnabled(False)
        self.result.show_nothing("Choose a raw file, or drop one here.")

    def _make_parts(self) -> None:
        self.files, self.candidates, self.form = Files(), Candidates(), LayoutForm()
        self.meaning, self.result = MeaningForm(), Result()
        self.status, self.contrast = QLabel(), QLabel()
        for label, name in ((self.status, "What was found"), (self.contrast, "Sidecar and bytes")):
            label.setWordWrap(True)
            label.setAccessibleName(name)
            label.hide()
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.contrast.setTextFormat(Qt.TextFormat.RichText)
        self.preview = LivePreview(self.viewer)
        self.destroyed.connect(self.preview.forget)
        self.looking, self.drawing, self.writing = Later(self), Later(self), Later(self)
        self.timers = {
            name: self._make_timer(pause)
            for name, pause in (
                ("gather", _TOGETHER),
                ("show", _PAUSE_SHOW),
                ("search", _PAUSE_SEARCH),
            )
        }

    def _make_timer(self, pause: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(pause)
        return timer

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        self.more = QCollapsible("Scale and time")
        self.more.setToolTip("What the sidecar says of pixel size and time, too.")
        self.more.addWidget(self.meaning)
        parts = (self.files, self.status, self.contrast, self.candidates, self.form, self.more)
        for part in parts:
            column.addWidget(part)
        column.addStretch()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        area.setMinimumWidth(_WIDTH)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        outer.addWidget(self.result)

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
        for later in (self.looking, self.writing):
            later.failed.connect(self._on_failed)

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
            raw = [data_file(path) if path.suffix.lower() == ".json" else path for path in paths]
            self.files.set_paths(raw)
        except (FerryError, OSError) as error:
            self._fail(error)
            return
        self.form.forget()
        if self.files.current is None:
            self._clear()
            self.result.show_nothing(f"{paths[0]} holds no raw file: choose another folder.")
        else:
            self._look_at_file()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take files."""
        data = None if event is None else event.mimeData()
        if event is not None and data is not None and data.hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        """Look at the files that were dropped."""
        data = None if event is None else event.mimeData()
        urls = [] if data is None else data.urls()
        paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
        if event is not None and paths:
            event.acceptProposedAction()
            self.open_paths(paths)

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
            self.said = read_said(data)
        except OSError as error:
            self._fail(error)
            return
        self.form.setEnabled(True)
        if self.said is not None:
            self.meaning.show_meaning(self.said.meaning)
        self._search()

    def _clear(self) -> None:
        """Show nothing of the file before."""
        self.form.setEnabled(False)
        for later in (self.looking, self.drawing):
            later.forget()
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
        self.looking.forget()
        self.drawing.forget()
        known, files = self.form.known, list(self.files.paths)
        self._say(f"Looking at the bytes of {data.name}…")
        self.looking.call(lambda: look_at(data, files, known), self._on_found)

    def _on_found(self, found: list[Layout]) -> None:
        """Show what was found, and the first of it as the layout."""
        candidates = self._with_sidecar(found)
        self.candidates.show_found(candidates)
        self._say(self._judgement(candidates))
        self._contrast(found)
        if candidates:
            self._fill(candidates[0].layout)
        elif self.layout_shown is None:
            self._fill(follow(self.files.nbytes, _blank(), self.form.fixed))
        self._draw_candidates()

    def _with_sidecar(self, found: Sequence[Layout]) -> list[Candidate]:
        """Return what was found and agrees with the fields, and what the sidecar says."""
        nbytes, fixed, draft = self.files.nbytes, self.form.fixed, self.form.draft()
        if "interleaving" in fixed and draft.channels > 1:
            found = [one for one in found if one.interleaving == draft.interleaving]
        candidates = [Candidate(one, rest=nbytes - one.offset - one.nbytes) for one in found]
        said = self.said.layout if self.said else None
        if self.said is None or said is None or not self._allows(said):
            return candidates
        others = [one for one in candidates if not _same(one.layout, said)]
        rest = max(0, nbytes - said.offset - said.nbytes)
        mine = Candidate(said, self.said.path.name, rest)
        place = 0 if fits(nbytes, said) else 1
        return [*others[:place], mine, *others[place:]]

    def _allows(self, layout: Layout) -> bool:
        """Whether a layout agrees with what is known."""
        names = ("dtype", "byte_order", "frames", "y", "x", "channels", "offset")
        known = self.form.known
        return parse_known(**{name: known.get(name) for name in names}).allows(layout)

    def _judgement(self, candidates: Sequence[Candidate]) -> str:
        """Return what is to be said of candidates that are none, or none that is likely."""
        best = candidates[0] if candidates else None
        if best is None:
            if self.form.fixed:
                return (
                    f"No layout of what is known fits the {self.files.nbytes:,} bytes: change a "
                    "number, or take a tick away."
                )
            return "No image structure was found: type what you know, and the rest follows."
        if best.source or best.layout.confidence >= _UNLIKELY:
            return ""
        reasons = (r for r in best.layout.reasons if r.startswith("no image structure"))
        said = next(reasons, "none of these stands out")
        return f"{said[0].upper()}{said[1:]}. Type what you know, and the rest follows."

    def _contrast(self, found: Sequence[Layout]) -> None:
        """Show a sidecar that does not fit beside what the bytes say."""
        if self.said is not None and self.said.error:
            first = found[0] if found else None
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
        self.looking.forget()
        self._fill(follow(self.files.nbytes, self.form.draft(), self.form.fixed), name)
        self.timers["search"].start()

    def _fill(self, layout: Layout, edited: str = "frames") -> None:
        """Make a layout the one that is shown."""
        self.layout_shown = layout
        self.form.show_layout(layout)
        self.form.say(self._notes(layout, edited))
        self.candidates.mark(layout)
        self.files.show_counts(layout)
        self.timers["show"].start()

    def _notes(self, layout: Layout, edited: str) -> dict[str, tuple[str, int | None]]:
        """Return what does not fit, for the field that was changed and for the header."""
        nbytes, fixed = self.files.nbytes, self.form.fixed
        if fits(nbytes, layout):
            return {}
        rest = nbytes - layout.offset - layout.nbytes
        said = f"{rest:,} bytes remain" if rest > 0 else f"{-rest:,} bytes are missing"
        sized = edited if edited in ("frames", "y", "x", "offset") else "frames"
        notes = {sized: (said, nearest(nbytes, layout, sized, fixed - {sized}))}
        if sized != "offset" and "offset" not in fixed:
            header = nearest(nbytes, layout, "offset", fixed)
            if header is None:
                return notes
            notes["offset"] = ("or the header is another one", header)
        return notes

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
            _check_room(layout)
            image = image_of(data, layout, self.meaning.meaning(), is_cut=True)
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
        if self.timers["show"].isActive() or not self.preview.layers:
            self.timers["show"].stop()
            self._show()

    def _on_write(self, is_of_all: bool) -> None:
        """Write sidecars, in another thread, after the question."""
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
        if fitting and may_write(self, list(fitting), left):
            each = {path: replace(layout, frames=count) for path, count in fitting.items()}
            self.writing.call(lambda: write_all(each, meaning), self._on_written)

    def _on_written(self, done: Written) -> None:
        if done.paths:
            show_info(describe_written(done))
        if done.error:
            self._say(done.error)
        elif self.files.current is not None:
            self.said = read_said(self.files.current)
            self.contrast.hide()

    # --- words ------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _fail(self, error: Exception) -> None:
        self._say(_sentence(error))

    def _on_failed(self, error: Exception) -> None:
        """Say why nothing was found; the form can be filled by hand."""
        self.candidates.show_found([])
        self._fail(error)
        if self.layout_shown is None:
            self.form.show_layout(follow(self.files.nbytes, _blank(), ()))
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
    return Layout(np.dtype("uint16"), 0, 1, 1, "", 512, 512)


def _same(one: Layout, other: Layout) -> bool:
    return replace(one, confidence=0.0, reasons=()) == replace(other, confidence=0.0, reasons=())


def _draw(data: Path, layout: Layout) -> object:
    return draw(image_of(data, layout, is_cut=True))


def _check_room(layout: Layout) -> None:
    """Refuse what the viewer could not show.

    Raises
    ------
    InvalidImageError
        A frame, or the number of frames or channels, is too large, or of a type unknown to it.
    """
    if layout.dtype == np.float16:
        raise InvalidImageError(
            "napari does not show float16: open the file from Python with `load_binary`, or give "
            "another type."
        )
    if layout.channels > _MOST_CHANNELS:
        raise InvalidImageError(
            f"{layout.channels:,} channels would be as many layers, and are not shown: give at "
            f"most {_MOST_CHANNELS}."
        )
    if frame_bytes(layout) > _LARGEST_FRAME or layout.frames > _MOST_FRAMES:
        raise InvalidImageError(
            f"{layout.frames:,} frames of {frame_bytes(layout):,} bytes are not shown: give a "
            "height and width."
        )
