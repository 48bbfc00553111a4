"""Files opened or displayed by the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices


def open_file(path: Path) -> None:
    """Open a file in the system's default program for it."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def show_in_folder(path: Path) -> None:
    """Open the folder of a file, with the file selected on Windows and macOS."""
    if sys.platform == "win32":
        # the list form of arguments would quote the comma
        subprocess.Popen(f'explorer /select,"{path}"')
    elif sys.platform == "darwin":
        subprocess.Popen(["open", "-R", str(path)])
    else:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
