"""Texts of files in forms are shown as they are."""

import pytest
from qtpy.QtGui import QTextDocument

from napari_ferry.widgets.form import escape_text


@pytest.mark.parametrize("text", ['<img src="x.png">cell<b>B</b>', "a & b &lt; c", "one\ntwo"])
def test_tags_are_text(text: str, qtbot) -> None:
    document = QTextDocument()
    document.setHtml(escape_text(text))
    assert document.toPlainText() == text
