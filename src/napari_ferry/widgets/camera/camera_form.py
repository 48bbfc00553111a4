"""Form for moves of the camera: none, a turn, or key frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.plugin.camera_moves import CameraMoves, Turn, missing_layers
from napari_ferry.plugin.view_state import ViewState, capture_view, show_view
from napari_ferry.widgets.camera.key_frame_form import KeyFrameForm
from napari_ferry.widgets.camera.player import MovesPlayer
from napari_ferry.widgets.camera.turn_form import TurnForm
from napari_ferry.widgets.form import FoldedSection, lay_out
from napari_ferry.widgets.sliders import find_sliders

if TYPE_CHECKING:
    from napari import Viewer

_STILL, _TURN, _KEY_FRAMES = "still", "turn", "key frames"
_KINDS = (("None", _STILL), ("Turn", _TURN), ("Key frames", _KEY_FRAMES))

_TIP = "Moves of the camera, drawn as on screen"

_KIND_TIP = (
    "Turn: a 3-D view rotates about an axis. Key frames: the view moves from each view that you "
    "add to the next one."
)
_PLAY_TIP = "Play the moves in the viewer, which is restored afterwards."
_PLAY, _STOP = "Play in viewer", "Stop"

_DEFAULT_RATE = 30.0
"""Frames per second unless `set_frame_rate` was called."""


class CameraForm(FoldedSection):
    """Collapsible form for moves of the camera.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer to move.
    """

    changed = Signal()
    """The moves changed, or the viewer does and they may no longer be possible."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__("Camera", _TIP)
        self.viewer = viewer
        self.rate = _DEFAULT_RATE
        self.kind = ComboBox(name="kind", label="Move", choices=list(_KINDS), tooltip=_KIND_TIP)
        self.turn = TurnForm()
        self.key_frames = KeyFrameForm(viewer)
        self.player = MovesPlayer(viewer, self)
        self._make_results()
        self._connect()
        self._on_kind()

    def _make_results(self) -> None:
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setAccessibleName("Summary of the moves")
        self.play_button = QPushButton(_PLAY)
        self.play_button.setToolTip(_PLAY_TIP)

        row = QWidget()
        lay_out(row, [self.kind])
        self.add(row, self.turn, self.key_frames, self.summary, self.play_button)

    def _connect(self) -> None:
        self.kind.changed.connect(self._on_kind)
        self.turn.changed.connect(self._on_change)
        self.key_frames.changed.connect(self._on_change)
        self.key_frames.captured.connect(self.stop)
        self.key_frames.chosen.connect(self._show)
        self.play_button.clicked.connect(self._on_play)
        self.player.stopped.connect(self._on_stopped)
        for event, slot in self._viewer_slots():
            event.connect(slot)

    def release(self) -> None:
        """Stop the preview, and disconnect from the viewer."""
        self.stop()
        for event, slot in self._viewer_slots():
            event.disconnect(slot)

    def _viewer_slots(self) -> list[tuple[Any, Callable[..., None]]]:
        """Return events of the viewer, each with its slot."""
        dims, layers = self.viewer.dims.events, self.viewer.layers.events
        events = (dims.ndisplay, dims.order, dims.axis_labels, dims.range)
        return [(event, self._on_viewer) for event in (*events, layers.inserted, layers.removed)]

    # --- moves --------------------------------------------------------------------------------

    def moves(self) -> CameraMoves | None:
        """Return the moves, or None if the camera does not move.

        Raises
        ------
        InvalidImageError
            A field is not valid, there are fewer than two key frames, or the view is not in 3-D.
        """
        if self.kind.value == _STILL:
            return None
        if self.kind.value == _KEY_FRAMES:
            return self.key_frames.key_frames(self.rate)
        turn = self.turn.turn(self.rate)
        turn.check(capture_view(self.viewer, ()))
        return turn

    def set_frame_rate(self, rate: float) -> None:
        """Set the frames per second, used to convert lengths in seconds."""
        if rate != self.rate:
            self.rate = rate
            self._on_change()

    def texts(self) -> dict[str, str]:
        """Return the contents of the fields of a turn, as plain JSON values."""
        return self.turn.texts()

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Set the contents of the fields of a turn; skip invalid values."""
        self.turn.fill(texts)

    # --- changes ------------------------------------------------------------------------------

    def _on_kind(self, _: object = None) -> None:
        """Show the fields of the chosen kind."""
        kind = self.kind.value
        self.turn.setVisible(kind == _TURN)
        self.key_frames.setVisible(kind == _KEY_FRAMES)
        self.play_button.setVisible(kind != _STILL)
        self.summary.setVisible(kind != _STILL)
        self._update_sliders()
        self._on_change()

    def _on_viewer(self, _: object = None) -> None:
        """Follow the viewer, unless it is playing the moves."""
        if not self.player.is_playing:
            self._update_sliders()
            if self.kind.value != _STILL:
                self._on_change()

    def _update_sliders(self) -> None:
        self.turn.set_sliders([slider.label for slider in find_sliders(self.viewer)])

    def _on_change(self, _: object = None) -> None:
        """Stop the preview, describe the moves, and report the change."""
        self.stop()
        self._update_summary()
        self.changed.emit()

    def _update_summary(self) -> None:
        """Describe the moves; invalid ones are reported by the callers of `moves`."""
        try:
            moves = self.moves()
        except InvalidImageError:
            self.summary.clear()
            self.play_button.setEnabled(False)
        else:
            self.summary.setText("" if moves is None else self._describe(moves))
            self.play_button.setEnabled(moves is not None)

    def _describe(self, moves: CameraMoves) -> str:
        seconds = moves.nframes / moves.frame_rate
        text = f"{moves.nframes} frames, {seconds:.3g} s at {moves.frame_rate:.4g} per second"
        if isinstance(moves, Turn):
            text += f", {abs(moves.degrees) / moves.nframes:.3g}° per frame"
        missing = missing_layers(moves, self.viewer)
        return f"{text}. Removed layers are left out: {', '.join(missing)}." if missing else text

    # --- preview ------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop the preview and restore the viewer; call it before an export."""
        self.player.stop()

    def _show(self, view: ViewState) -> None:
        self.stop()
        show_view(self.viewer, view)

    def _on_play(self) -> None:
        if self.player.is_playing:
            self.stop()
            return
        moves = self.moves()
        if moves is not None:
            self.player.play(moves)
            self.play_button.setText(_STOP)

    def _on_stopped(self) -> None:
        self.play_button.setText(_PLAY)
        self._update_summary()  # layers may have been removed meanwhile
