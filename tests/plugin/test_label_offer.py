"""Images that are probably labels, and the click that shows them as labels."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image as ImageLayer

from gui import WINDOW, drop
from napari_ferry import Axis, Image, imload, imsave
from napari_ferry.plugin.label_offer import _is_flat_at_center, offer_labels, show_as_labels
from toasts import Toasts, real_toasts

pytestmark = WINDOW

LONG = 150
"""Milliseconds after which a question would have been asked."""

SHAPE = (3, 40, 60)


@pytest.fixture
def toasts(shared_viewer: Any) -> Iterator[Toasts]:
    """Notifications of the window, with our reader as default."""
    from napari.settings import get_settings

    get_settings().plugins.extension2reader = {"*.tif": "napari-ferry"}
    with real_toasts() as toasts:
        yield toasts


def write_image(path: Path, shape: tuple[int, ...] = SHAPE) -> Path:
    """Save noise."""
    return save(path, np.random.default_rng(0).integers(0, 999, shape).astype("u2"))


def write_labels(path: Path, dtype: str = "u2") -> Path:
    """Save two cells in three frames."""
    labels = np.zeros(SHAPE, dtype)
    labels[:, 5:15, 5:20], labels[:, 20:35, 30:55] = 1, 2
    return save(path, labels)


def save(path: Path, pixels: np.ndarray) -> Path:
    axes = (Axis("t", 2, "second"), *(Axis(name, 0.5, "micrometer") for name in "yx"))
    imsave(Image((pixels,), axes[-pixels.ndim :], name=path.stem, metadata={"day": 3}), path)
    return path


def test_a_layer_removed_meanwhile_is_not_flat() -> None:
    layer = ImageLayer(np.zeros(SHAPE, "u2"))
    reference = weakref.ref(layer)
    assert _is_flat_at_center(reference)
    del layer
    gc.collect()
    assert not _is_flat_at_center(reference)


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", ["day3_cp_masks", "Cells", "img label", "nucleiSeg"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_click_shows_an_image_as_labels(
    shared_viewer: Any, tmp_path: Path, toasts: Toasts, qtbot: Any, name: str, is_first: bool
) -> None:
    from napari.layers import Labels

    paths = [write_labels(tmp_path / f"{name}.tif"), write_image(tmp_path / "day3.tif")]
    for path in paths if is_first else paths[::-1]:
        drop(shared_viewer.window._qt_viewer, path)
    question = f"Show {name} as labels?"
    toasts.wait_for(qtbot, question)
    assert len(toasts.texts) == 1
    before = shared_viewer.layers[name]
    names = [layer.name for layer in shared_viewer.layers]
    toasts.click(qtbot, question, "Yes")

    layer = shared_viewer.layers[name]
    assert isinstance(layer, Labels)
    assert [layer.name for layer in shared_viewer.layers] == names
    assert layer.data is before.data
    assert layer.metadata == before.metadata == {"day": 3}
    assert tuple(layer.scale) == (2, 0.5, 0.5)
    assert (layer.units, layer.axis_labels) == (before.units, ("t", "y", "x"))
    assert layer.data[0, 10, 10] == 1
    shared_viewer.layers.save(str(tmp_path / "again.tif"), plugin="napari-ferry")
    kinds = {image.name: image.kind for image in imload(tmp_path / "again.tif")}
    assert kinds == {name: "labels", "day3": "image"}


def test_the_question_is_asked_once(
    shared_viewer: Any, tmp_path: Path, toasts: Toasts, qtbot: Any
) -> None:
    for name in ("day3", "day4"):
        drop(shared_viewer.window._qt_viewer, write_image(tmp_path / f"{name}.tif"))
        drop(shared_viewer.window._qt_viewer, write_labels(tmp_path / f"{name}_mask.tif"))
    toasts.wait_for(qtbot, "Show day3_mask as labels?")
    toasts.wait_for(qtbot, "Show day4_mask as labels?")
    shared_viewer.layers.remove("day4_mask")
    toasts.click(qtbot, "day4_mask", "Yes")
    assert len(shared_viewer.layers) == 3


@pytest.mark.sample(3)
@pytest.mark.parametrize("case", ["alone", "other shape", "other name", "noise", "float"])
def test_other_images_are_not_labels(
    shared_viewer: Any, tmp_path: Path, toasts: Toasts, qtbot: Any, case: str
) -> None:
    name = "excellent.tif" if case == "other name" else "mask.tif"
    dtype = "f4" if case == "float" else "u2"
    path = tmp_path / name
    write_image(path) if case == "noise" else write_labels(path, dtype)
    drop(shared_viewer.window._qt_viewer, path)
    if case != "alone":
        shape = (3, 41, 60) if case == "other shape" else SHAPE
        drop(shared_viewer.window._qt_viewer, write_image(tmp_path / "day3.tif", shape))
    qtbot.wait(LONG)
    assert toasts.texts == []


def test_a_mask_beside_a_picture_in_color(
    shared_viewer: Any, tmp_path: Path, toasts: Toasts, qtbot: Any
) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (*SHAPE[1:], 3)).astype("u1")
    imsave(picture, tmp_path / "day3.tif")
    imsave(np.zeros(SHAPE[1:], "u1"), tmp_path / "day3_mask.tif")
    for name in ("day3.tif", "day3_mask.tif"):
        drop(shared_viewer.window._qt_viewer, tmp_path / name)
    toasts.wait_for(qtbot, "Show day3_mask as labels?")


class Watched:
    """Two cells in three frames, and the threads that read them."""

    shape, dtype, ndim = SHAPE, np.dtype("u2"), 3

    def __init__(self) -> None:
        self.readers: list[threading.Thread] = []

    def __getitem__(self, index: Any) -> Any:
        self.readers.append(threading.current_thread())
        return np.zeros(SHAPE, "u2")[index]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise AssertionError("the whole array is read")


def add_opened(viewer: Any, data: Any, name: str) -> Any:
    """Add a layer as if our reader had opened it."""
    from napari.layers import Image
    from napari.layers._source import layer_source

    with layer_source(path=f"{name}.tif", reader_plugin="napari-ferry"):
        layer = Image(data, name=name, contrast_limits=(0, 9), visible=False)
    return viewer.add_layer(layer)


def test_pixels_are_read_once_and_in_another_thread(
    shared_viewer: Any, toasts: Toasts, qtbot: Any
) -> None:
    watched = Watched()
    add_opened(shared_viewer, watched, "day3_mask")
    watched.readers.clear()
    offer_labels()
    qtbot.wait(LONG)
    assert watched.readers == [], "no other image has its shape"
    noise = np.random.default_rng(0).integers(0, 9, SHAPE).astype("u2")
    add_opened(shared_viewer, noise, "day3")
    watched.readers.clear()
    offer_labels()
    toasts.wait_for(qtbot, "Show day3_mask as labels?")
    offer_labels()
    qtbot.wait(LONG)
    assert len(toasts.texts) == len(watched.readers) == 1
    assert threading.main_thread() not in watched.readers


def test_a_layer_that_cannot_become_labels_stays(
    shared_viewer: Any, toasts: Toasts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("not labels")

    layer = shared_viewer.add_image(np.zeros(SHAPE, "u2"), name="mask")
    monkeypatch.setattr("napari.layers.Labels", refuse)
    with pytest.raises(ValueError, match="not labels"):
        show_as_labels(weakref.ref(layer))
    assert list(shared_viewer.layers) == [layer]
