"""Button to open a page of the documentation in the browser."""

from __future__ import annotations

from importlib.metadata import metadata
from urllib.parse import urljoin

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QPushButton

_DISTRIBUTION = "napari-ferry"


class HelpButton(QPushButton):
    """Small button with a question mark.

    Parameters
    ----------
    page : str
        Name of the page, such as ``repair.md``.
    """

    def __init__(self, page: str) -> None:
        super().__init__("?")
        self.page = page
        self.setMaximumWidth(2 * self.fontMetrics().height())
        self.setToolTip("Open the guide to this form in the browser.")
        self.setAccessibleName("Help")
        self.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(page_url(self.page))))


def page_url(page: str) -> str:
    """Return the address of a page of the documentation, beside its first page in the metadata."""
    urls = metadata(_DISTRIBUTION).get_all("Project-URL") or []
    entries = (url.partition(", ") for url in urls)
    base = next((address for label, _, address in entries if label == "Documentation"), "")
    return urljoin(base, page)
