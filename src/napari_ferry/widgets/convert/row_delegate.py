"""Drawing of a row: check box, picture, name and state, and facts below them."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPalette
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from napari_ferry.widgets.convert.inspection import SIDE
from napari_ferry.widgets.convert.row import Row, State
from napari_ferry.widgets.convert.row_model import RowModel
from napari_ferry.widgets.pictures import to_thumbnail

_GAP = 5
"""Pixels between the parts of a row."""

_BAR = 3
"""Height of the progress in pixels."""

_ACCENT = QColor("#3f7fd0")
_COLORS: dict[State, QColor] = {
    "converted": QColor("#3fa35c"),
    "failed": QColor("#e0574f"),
    "exists": QColor("#c98a1b"),
    "shared": QColor("#e0574f"),
    "running": _ACCENT,
}
"""Colors of states in dark themes."""

_DARKER = 190
"""Percentage by which colors are darker in light themes, so that their contrast is 4.5 or more."""

_FAINT = 0.65
"""Opacity of what is less important."""


class RowDelegate(QStyledItemDelegate):
    """Delegate that draws rows of two lines."""

    def sizeHint(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, _: QModelIndex
    ) -> QSize:
        """Return the size of every row."""
        return QSize(100, max(SIDE, 2 * option.fontMetrics.lineSpacing()) + 2 * _GAP)

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Draw the check box as usual, and the rest beside it."""
        model = index.model()
        assert painter is not None
        assert isinstance(model, RowModel)
        row = model.rows[index.row()]
        style_option = QStyleOptionViewItem(option)
        self.initStyleOption(style_option, index)
        style_option.text = ""
        widget = option.widget
        style = widget.style()
        assert style is not None
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, style_option, painter, widget)
        box = style.subElementRect(
            QStyle.SubElement.SE_ItemViewItemCheckIndicator, style_option, widget
        )
        area = QRect(option.rect)
        area.setLeft(box.right() + _GAP)
        area.adjust(0, _GAP, -_GAP, -_GAP)
        painter.save()
        _draw_picture(painter, area, row)
        area.setLeft(area.left() + SIDE + _GAP)
        _draw_texts(painter, area, row, option)
        _draw_progress(painter, option.rect, row)
        painter.restore()


def _draw_picture(painter: QPainter, area: QRect, row: Row) -> None:
    if row.thumbnail is None:
        return
    pixmap = to_thumbnail(row.thumbnail, SIDE)
    left = area.left() + (SIDE - pixmap.width()) // 2
    painter.drawPixmap(left, area.center().y() - pixmap.height() // 2, pixmap)


def _draw_texts(painter: QPainter, area: QRect, row: Row, option: QStyleOptionViewItem) -> None:
    """Draw the name and the state, and the facts or the problem below."""
    metrics = option.fontMetrics
    height = metrics.lineSpacing()
    top = area.center().y() - height
    line = QRect(area.left(), top, area.width(), height)
    color = option.palette.color(QPalette.ColorRole.Text)
    painter.setOpacity(1.0 if row.is_checked else _FAINT)

    state = row.state_text
    width = metrics.horizontalAdvance(state)
    shown: State = "exists" if row.has_warnings else row.state
    is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
    painter.setPen(color if is_selected else _state_color(shown, color))
    painter.drawText(line, int(Qt.AlignmentFlag.AlignRight), state)
    painter.setPen(color)
    room = line.width() - (width + _GAP if state else 0)
    painter.drawText(
        line, int(Qt.AlignmentFlag.AlignLeft), _elide(metrics, row.name, room, is_name=True)
    )

    painter.setOpacity(1.0 if row.problem else _FAINT)
    is_problem = row.state in ("failed", "shared") and not is_selected
    painter.setPen(_state_color(row.state, color) if is_problem else color)
    below = line.translated(0, height)
    painter.drawText(
        below, int(Qt.AlignmentFlag.AlignLeft), _elide(metrics, row.summary, below.width())
    )


def _state_color(state: State, text: QColor) -> QColor:
    """Return the color of a state, legible where other texts have a given color."""
    color = _COLORS.get(state)
    if color is None:
        return text
    is_dark_theme = text.lightness() > 127  # half of the range
    return color if is_dark_theme else color.darker(_DARKER)


def _elide(metrics: object, text: str, width: int, *, is_name: bool = False) -> str:
    mode = Qt.TextElideMode.ElideMiddle if is_name else Qt.TextElideMode.ElideRight
    elided: str = metrics.elidedText(text, mode, width)  # type: ignore[attr-defined]
    return elided


def _draw_progress(painter: QPainter, area: QRect, row: Row) -> None:
    if row.share is None:
        return
    painter.setOpacity(1.0)
    width = round(area.width() * row.share)
    painter.fillRect(area.left(), area.bottom() - _BAR + 1, width, _BAR, _ACCENT)
