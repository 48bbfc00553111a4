"""Choices of the dock *Convert folder* that are stored, and the batch that was not finished."""

from __future__ import annotations

from pathlib import Path

from napari_ferry.widgets.convert.folder_panel import FolderPanel
from napari_ferry.widgets.convert.stored_batch import UnfinishedBatch, save_choices
from napari_ferry.widgets.form import escape_html

_PATTERN, _RECURSIVE, _PLACE, _UNFINISHED = "pattern", "recursive", "place", "unfinished"
"""Keys of the stored choices."""


class ChoicePanel(FolderPanel):
    """Form with the choices of the last session; the parameters are those of `ConvertPanels`."""

    def _connect(self) -> None:
        super()._connect()
        self.unfinished.linkActivated.connect(lambda _: self._go_on())

    def _restore(self) -> None:
        """Restore the choices, and offer to go on with an unfinished batch."""
        self.targets.restore("", str(self.saved.get(_PATTERN, "")))
        self.subfolders.setChecked(self.saved.get(_RECURSIVE) is True)
        place = self.saved.get(_PLACE)
        self.place.fill(place if isinstance(place, dict) else {})
        unfinished = UnfinishedBatch.parse(self.saved.get(_UNFINISHED))
        if unfinished is not None:
            text = escape_html(unfinished.sentence)
            self.unfinished.setText(f'{text} <a href="go-on">Go on</a>')
            self.unfinished.show()

    def save(self) -> None:
        """Store the choices for the next session."""
        self.formats.save()
        self.saved[_PATTERN] = self.targets.pattern.text()
        self.saved[_RECURSIVE] = self.subfolders.isChecked()
        self.saved[_PLACE] = self.place.texts()
        save_choices(self.saved)

    def _go_on(self) -> None:
        """List the folder of the unfinished batch."""
        unfinished = UnfinishedBatch.parse(self.saved.get(_UNFINISHED))
        if unfinished is not None:
            self.targets.restore(unfinished.target, unfinished.pattern)
            self.subfolders.setChecked(unfinished.is_recursive)
            self.set_sources([*map(Path, unfinished.sources)])

    def _store_unfinished(self, done: int, total: int) -> None:
        """Note how far the batch is, for the next session; nothing once it is complete."""
        self.saved.pop(_UNFINISHED, None)
        if done < total:
            self.saved[_UNFINISHED] = {
                "sources": [str(path.expanduser().absolute()) for path in self.sources],
                "target": self.targets.folder.text,
                "pattern": self.targets.pattern.text(),
                "is_recursive": self.subfolders.isChecked(),
                "done": done,
                "total": total,
            }
