"""Picture of the preview by itself: overlays are dragged, and a part is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_ferry.widgets.export.preview_picture import PreviewPicture

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def picture(qtbot: Any) -> PreviewPicture:
    """Return a shown picture of 80 x 120 pixels, of which 300 x 200 are shown."""
    shown = PreviewPicture()
    qtbot.addWidget(shown)
    shown.resize(400, shown.height())
    shown.show()
    shown.show_pixels(np.zeros((80, 120, 3), np.uint8))
    return shown


def drag(qtbot: Any, picture: PreviewPicture, first: QPoint, last: QPoint) -> list[Any]:
    """Drag the mouse, and return what the picture reports."""
    found: list[Any] = []
    picture.dragged.connect(lambda *corners: found.append(corners))
    picture.cropped.connect(found.append)
    qtbot.mousePress(picture, LEFT, pos=first)
    qtbot.mouseMove(picture, last)
    qtbot.mouseRelease(picture, LEFT, pos=last)
    picture.dragged.disconnect()
    picture.cropped.disconnect()
    return found


def test_an_overlay_is_dragged_to_another_corner(picture: PreviewPicture, qtbot: Any) -> None:
    middle, height = picture.width() // 2, picture.height()
    first, last = QPoint(middle - 40, 10), QPoint(middle + 40, height - 10)
    assert drag(qtbot, picture, first, last) == [("top_left", "bottom_right")]
    assert not drag(qtbot, picture, first, QPoint(middle - 30, 20))
    assert not picture.band.isVisible()


def test_a_part_is_drawn(picture: PreviewPicture, qtbot: Any) -> None:
    picture.is_cropping = True
    middle = picture.rect().center()
    ((rows, columns),) = drag(qtbot, picture, middle - QPoint(30, 20), middle + QPoint(30, 20))
    assert 0 < rows[0] < 0.5 < rows[1] < 1
    assert 0 < columns[0] < 0.5 < columns[1] < 1
    assert not drag(qtbot, picture, middle, middle + QPoint(1, 1))


def test_a_button_that_was_pressed_elsewhere_draws_nothing(
    picture: PreviewPicture, qtbot: Any
) -> None:
    found: list[Any] = []
    picture.dragged.connect(lambda *corners: found.append(corners))
    picture.is_cropping = True
    picture.cropped.connect(found.append)
    qtbot.mouseMove(picture, picture.rect().center())
    qtbot.mouseRelease(picture, LEFT, pos=picture.rect().center())
    assert not found
    assert not picture.band.isVisible()
