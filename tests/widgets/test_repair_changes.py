"""The widget *Repair binary metadata* with metadata to mend: choose, read, write and open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import WINDOW, drop
from helpers import pixels
from napari_ferry import imload
from napari_ferry.errors import TargetError
from napari_ferry.widgets.repair import change_panel
from raw_files import raw
from zarr_files import write_image

pytestmark = WINDOW

WAIT = 15_000
DATA = pixels((3, 16, 20))


@pytest.fixture
def widget(shared_viewer: Any) -> Any:
    _, widget = shared_viewer.window.add_plugin_dock_widget(
        "napari-ferry", "Repair binary metadata"
    )
    return widget


def damaged(folder: Path) -> Path:
    path = write_image(folder / "a.zarr", (DATA, DATA[:, ::2, ::2]), "zyx", scale=(2, 0.5, 0.25))
    document = path / "zarr.json"
    values = json.loads(document.read_text())
    (multiscale,) = values["attributes"]["ome"]["multiscales"]
    multiscale["datasets"][0]["coordinateTransformations"][0]["scale"][2] = "0.25"
    document.write_text(json.dumps(values))
    return path


def shown(panel: Any) -> list[str]:
    return [panel.list.item(row).text() for row in range(panel.list.count())]


def test_changes_are_listed_written_and_opened(
    widget: Any, tmp_path: Path, qtbot: Any, shared_viewer: Any
) -> None:
    path, panel = damaged(tmp_path), widget.changes
    before = (path / "zarr.json").read_bytes()
    drop(widget, path)
    qtbot.waitUntil(panel.isVisible, timeout=WAIT)
    assert panel.headline.text() == "1 change repairs a.zarr:"
    assert shown(panel) == ["scale of level 0: '0.25' (text) → 0.25"]
    assert panel.remarks.text().startswith("The smaller levels have no translation")
    assert not widget.result.isVisible()
    assert not widget.numbers.isVisible()
    assert (path / "zarr.json").read_bytes() == before

    panel.write_button.click()
    qtbot.waitUntil(lambda: "nothing to repair" in panel.headline.text(), timeout=WAIT)
    assert not panel.write_button.isEnabled()
    assert not panel.note.isVisible()
    assert (path / "zarr.json.bak").read_bytes() == before
    panel.open_button.click()
    (layer,) = shared_viewer.layers
    assert tuple(layer.scale) == (2, 0.5, 0.25)
    np.testing.assert_array_equal(np.asarray(layer.data[0]), DATA)


def test_a_raw_file_brings_its_form_back(widget: Any, tmp_path: Path, qtbot: Any) -> None:
    drop(widget, damaged(tmp_path))
    qtbot.waitUntil(widget.changes.isVisible, timeout=WAIT)
    drop(widget, raw(tmp_path))
    qtbot.waitUntil(widget.result.isVisible, timeout=WAIT)
    assert not widget.changes.isVisible()
    assert widget.numbers.isVisible()
    assert widget.files.current is not None


def test_errors_are_shown(
    widget: Any, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.zarr").mkdir()
    widget.open_paths([tmp_path / "b.zarr"])
    qtbot.waitUntil(lambda: "is not a Zarr store" in widget.status.text(), timeout=WAIT)

    def refuse(_: object) -> list[Path]:
        raise TargetError("The disk is full.")

    monkeypatch.setattr(change_panel, "run_repair", refuse)
    drop(widget, damaged(tmp_path))
    qtbot.waitUntil(widget.changes.isVisible, timeout=WAIT)
    assert not widget.status.isVisible()
    widget.changes.write_button.click()
    qtbot.waitUntil(lambda: "The disk is full." in widget.status.text(), timeout=WAIT)
    assert widget.changes.write_button.isEnabled()


def test_known_values_change_the_list(widget: Any, tmp_path: Path, qtbot: Any) -> None:
    panel = widget.changes
    drop(widget, damaged(tmp_path))
    qtbot.waitUntil(panel.isVisible, timeout=WAIT)
    fields = panel.options.fields
    assert list(fields) == ["axes", "scale", "unit", "name", "averaged", "ome"]
    panel.known.expand(animate=False)
    fields["axes"].setText("yx")
    fields["axes"].editingFinished.emit()
    qtbot.waitUntil(lambda: "name one axis for each" in widget.status.text(), timeout=WAIT)
    assert not panel.write_button.isEnabled()

    fields["axes"].setText("tyx")
    fields["axes"].editingFinished.emit()
    qtbot.waitUntil(lambda: "axes: z y x → t y x" in shown(panel), timeout=WAIT)
    assert not widget.status.isVisible()
    fields["averaged"].click()
    qtbot.waitUntil(lambda: any("translation" in line for line in shown(panel)), timeout=WAIT)
    panel.write_button.click()
    qtbot.waitUntil(lambda: "nothing to repair" in panel.headline.text(), timeout=WAIT)
    assert imload(tmp_path / "a.zarr")[0].axis_names == ("t", "y", "x")
