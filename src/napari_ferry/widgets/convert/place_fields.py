"""Where a batch runs: on this computer with some threads, or on a cluster."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_ferry.files.short_texts import count_things
from napari_ferry.widgets.convert import convert_words
from napari_ferry.widgets.form import FoldedSection, make_label
from napari_ferry.widgets.plan_summary import sentence
from napari_ferry.widgets.worker import BackgroundWorker

_MOST_THREADS = 256


class PlaceFields(FoldedSection):
    """Folded fields for the place and the number of threads."""

    changed = Signal()
    """The place was changed."""

    def __init__(self) -> None:
        super().__init__(convert_words.PLACE_SECTION.label, convert_words.PLACE_SECTION.tooltip)
        self.testing = BackgroundWorker(self)
        self.testing.failed.connect(lambda error: self._show(sentence(error)))
        self._make_fields()
        self._lay_out()
        self._on_place()

    def _make_fields(self) -> None:
        self.place = QComboBox()
        for value, text in convert_words.PLACE.choices.items():
            self.place.addItem(text, value)
        self.place.currentIndexChanged.connect(self._on_place)
        self.threads = QSpinBox()
        self.threads.setMaximum(_MOST_THREADS)
        self.threads.setSpecialValueText("Automatic")
        self.address = QLineEdit()
        self.address.setPlaceholderText(convert_words.ADDRESS_EMPTY)
        self.address.setAcceptDrops(False)
        self.address.textEdited.connect(lambda _: self._show(""))
        self.test = QPushButton(convert_words.TEST.label)
        self.test.setToolTip(convert_words.TEST.tooltip)
        self.test.clicked.connect(self._on_test)
        self.status = make_label()
        named = ((self.place, convert_words.PLACE), (self.threads, convert_words.THREADS))
        for field, each in (*named, (self.address, convert_words.ADDRESS)):
            field.setAccessibleName(each.label)
            field.setToolTip(each.tooltip)

    def _lay_out(self) -> None:
        form = QWidget()
        self.rows = QFormLayout(form)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.address_row = QWidget()
        row = QHBoxLayout(self.address_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.address)
        row.addWidget(self.test)
        self.has_cluster = find_spec("distributed") is not None
        self.rows.addRow(convert_words.PLACE.label, self.place)
        self.rows.setRowVisible(self.place, self.has_cluster)
        self.rows.addRow(convert_words.THREADS.label, self.threads)
        self.rows.addRow(convert_words.ADDRESS.label, self.address_row)
        self.add(form, self.status)

    @property
    def is_cluster(self) -> bool:
        """Whether to run on a cluster."""
        return self.has_cluster and self.place.currentData() == "cluster"

    @property
    def scheduler(self) -> str:
        """Address of the scheduler; empty to run here."""
        return self.address.text().strip() if self.is_cluster else ""

    @property
    def n_threads(self) -> int | None:
        """Number of threads of each save here; None for the default."""
        return None if self.is_cluster else self.threads.value() or None

    def texts(self) -> dict[str, Any]:
        """Return the choices as plain JSON values."""
        return {"threads": self.threads.value(), "address": self.address.text().strip()}

    def fill(self, texts: dict[str, Any]) -> None:
        """Restore choices; the place is always this computer at first."""
        if isinstance(texts.get("threads"), int):
            self.threads.setValue(texts["threads"])
        self.address.setText(str(texts.get("address", "")))

    def _on_place(self) -> None:
        self.rows.setRowVisible(self.threads, not self.is_cluster)
        self.rows.setRowVisible(self.address_row, self.is_cluster)
        self._show("" if self.has_cluster else convert_words.NO_CLUSTER)
        self.changed.emit()

    def _on_test(self) -> None:
        address = self.scheduler
        self._show(convert_words.TESTING)
        self.test.setEnabled(False)
        self.testing.call(lambda: _count_workers(address), self._show)

    def _show(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))
        self.test.setEnabled(text != convert_words.TESTING)


def _count_workers(address: str) -> str:
    """Return the number of workers and threads of a cluster as a sentence.

    Raises
    ------
    FerryError
        It does not answer, or has no workers.
    """
    from napari_ferry.saving.execution.cluster.connection import connecting

    with connecting(address) as client:
        threads = client.nthreads()
    workers = count_things(len(threads), "worker")
    return f"Connected: {workers} with {count_things(sum(threads.values()), 'thread')}."
