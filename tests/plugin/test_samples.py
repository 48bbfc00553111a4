"""Sample data of the plugin."""

from __future__ import annotations

from pathlib import Path

from napari_ferry.plugin.commands import sample_raw_recording


def test_the_sample_reports_its_path_without_a_window(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari_ferry.plugin.commands.notify", said.append)
    monkeypatch.setattr("napari.current_viewer", lambda: None)
    ((_, meta, kind),) = sample_raw_recording()
    assert (meta["name"], kind) == ("cells", "labels")
    path = Path(said[0].removeprefix("The recording is ").rstrip("."))
    assert path.stat().st_size == 352 + 60 * 192 * 192 * 2
