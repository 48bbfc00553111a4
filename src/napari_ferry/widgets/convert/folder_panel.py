"""List of a folder: data sets as they are found, looked into and described."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_ferry.batch.inputs import MADE_EARLIER, Input, Skipped
from napari_ferry.errors import FerryError
from napari_ferry.files.short_texts import count_things
from napari_ferry.widgets.convert import convert_words
from napari_ferry.widgets.convert.conversion_request import ConversionRequest
from napari_ferry.widgets.convert.format_fields import FormatFields
from napari_ferry.widgets.convert.input_search import InputSearch
from napari_ferry.widgets.convert.row import Row
from napari_ferry.widgets.convert.survey_panel import SurveyPanel
from napari_ferry.widgets.form import escape_text
from napari_ferry.widgets.plan_summary import sentence

if TYPE_CHECKING:
    from napari import Viewer

_MOST_FINDS = 300
"""Maximum number of rows that are added to the list at once."""

_MOST_SKIPPED = 20
"""Maximum number of files in the tooltip about what is not listed."""


class FolderPanel(SurveyPanel):
    """Fields and list of a folder, and a summary of what would be converted.

    Parameters
    ----------
    viewer, saved, formats
        As for `ConvertPanels`.
    """

    def __init__(self, viewer: Viewer, saved: dict[str, Any], formats: FormatFields) -> None:
        super().__init__(viewer, saved, formats)
        self.sources: list[Path] = []
        self.skipped: list[Skipped] = []
        self._connect()
        self._on_settled()

    def _connect(self) -> None:
        super()._connect()
        self.source.entered.connect(lambda path: self.set_sources([path]))
        self.subfolders.toggled.connect(lambda _: self.start_search())
        self.targets.folder.entered.connect(lambda _: self._on_target())
        self.targets.changed.connect(self._on_change)
        self.formats.changed.connect(self._on_format)
        self.settle.timeout.connect(self._on_settled)
        self.workers["searching"].failed.connect(self._on_search_failed)

    # --- folder -----------------------------------------------------------------------------

    def set_sources(self, sources: Sequence[Path]) -> None:
        """List the data sets of folders and files, unless a batch is running."""
        if self.is_running or not sources:
            return
        self.sources = [*sources]
        self.source.show_path(self._sources_text(self.sources))
        self.targets.suggest(self.sources, self.formats.selected)
        self.unfinished.hide()
        self._on_settled()
        self.start_search()

    def start_search(self) -> None:
        """Search for data sets, and forget those that were found before."""
        if self.is_running or not self.sources:
            return
        self._discard()
        self.rows.model.clear()
        self._show_example()
        self.rows.show()
        self.detail.show_row(None)
        self.skipped = []
        self.replace.setChecked(False)  # agreed to for other files
        self.replace.hide()
        self._show_status("")
        target = Path(self.targets.folder.text).expanduser().absolute()
        self.search = InputSearch(
            sources=self.sources, target=target, is_recursive=self.subfolders.isChecked()
        )
        self.summary.show_error(convert_words.SEARCHING)
        self.workers["searching"].call(self.search.run, lambda _: self.tick.start())
        self.tick.start()

    def _discard(self) -> None:
        """Stop the search, and drop all results that are under way."""
        if self.search is not None:
            self.search.cancelled.set()
        self.search = None
        self.workers["searching"].discard()
        super()._discard()

    def _on_tick(self) -> None:
        self._take_finds()
        super()._on_tick()

    def _take_finds(self) -> None:
        """Add the rows that were found since."""
        if self.search is None:
            return
        is_complete = self.search.is_complete  # or files could be found after the last ones
        finds = self.search.take(_MOST_FINDS)
        rows = [Row(input=each) for each in finds if isinstance(each, Input)]
        self.skipped += [each for each in finds if isinstance(each, Skipped)]
        if rows:
            is_first = not self.rows.rows
            self.rows.model.append(rows)
            if is_first:
                self._show_example()
        if finds:
            self._show_count()
            self.is_changed = True
        elif is_complete:
            self._end_search()

    def _end_search(self) -> None:
        """Show that everything has been found."""
        self.search = None
        self.is_changed = True
        self._number_rows()
        self._show_count()
        self._show_example()
        if not self.rows.rows:
            self._show_nothing()

    def _show_nothing(self) -> None:
        """Show that the folder has no images, and where there may be some."""
        has_folders = any(each.path.is_dir() for each in self.skipped)
        is_searched = self.subfolders.isChecked()
        hint = f" {convert_words.SEARCH_FOLDERS}" if has_folders and not is_searched else ""
        self._show_status(f"{convert_words.NOTHING}{hint}")
        self.summary.show_error(convert_words.IDLE)
        self.rows.hide()

    def _on_search_failed(self, error: Exception) -> None:
        while self.search is not None and self.search.found:
            self._take_finds()
        self.search = None
        self._number_rows()
        self.rows.setVisible(bool(self.rows.rows))
        self.summary.show_error("")
        self._show_error(error)
        self.is_changed = True

    def _show_count(self) -> None:
        """Show the number of rows, and in the tooltip what is not listed and why."""
        count = count_things(len(self.rows.rows), "file")
        made = sum(each.reason == MADE_EARLIER for each in self.skipped)
        numbers = (
            (convert_words.OUTPUTS, made),
            (convert_words.NOT_LISTED, len(self.skipped) - made),
        )
        left_out = "".join(f", {number} {text}" for text, number in numbers if number)
        ending = f" {convert_words.SEARCHING}" if self.search is not None else ""
        self.rows.caption.setText(f"{count}{left_out}{ending}")
        listed = self.skipped[:_MOST_SKIPPED]
        lines = [f"{each.path.name}: {convert_words.in_form_words(each.reason)}" for each in listed]
        more = len(self.skipped) - len(listed)
        lines += [f"and {more} more"] if more else []
        self.rows.caption.setToolTip(escape_text("\n".join(lines)) if lines else "")

    # --- changes ----------------------------------------------------------------------------

    def _on_change(self) -> None:
        """Show the names at once, and plan again when nothing has changed for a while."""
        self._show_example()
        self.settle.start()

    def _on_check(self) -> None:
        super()._on_check()
        self._show_example()

    def _on_format(self) -> None:
        self.targets.suggest(self.sources, self.formats.selected)
        self._on_change()

    def _on_target(self) -> None:
        """Leave out another folder where the targets are among the sources."""
        self._on_settled()
        self.start_search()

    def _on_settled(self) -> None:
        """Read the fields, and look into all rows again if they ask for something else."""
        self.settle.stop()
        try:
            naming = self.targets.naming(self.formats.selected)
            request = ConversionRequest(naming, self.formats.selected, self.formats.values())
        except FerryError as error:
            self.request = None
            self._show_status(sentence(error) if self.sources else "")
            self._show_button()
            return
        if request == self.request:
            return
        self._show_status("")
        if self.request is None or request.naming != self.request.naming:
            self.replace.setChecked(False)  # agreed to for other files
        self.request = request
        self._show_example()
        self._look_again()

    def _show_example(self) -> None:
        chosen = [row for row in self.rows.rows if row.is_checked] or self.rows.rows
        first = chosen[0].input if chosen else None
        self.targets.show_example(first, len(chosen), self.formats.selected)
