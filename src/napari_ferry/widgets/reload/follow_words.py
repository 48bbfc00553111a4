"""Words of the dock *Follow*."""

from __future__ import annotations

from napari_ferry.widgets.form_words import Words

FOLLOW = Words(
    "Follow files of selected layers",
    "Check the files once a second, and add new frames to their layers. The files may belong to an "
    "acquisition in progress.",
)
STAY = Words("Stay at the end", "Move the slider to the newest frame whenever one is added.")
OPEN_FILE = Words("Open file...", "Open a file that is being written, and follow it.")
OPEN_FOLDER = Words("Open folder...", "Open a folder that is being filled, and follow it.")
OPEN_TITLE = "Open and follow"
STATUS = "Followed files"
IDLE = "Open files that another program is still writing, or select their layers."
NO_LAYERS = "No layer is selected: open a file here, or select layers whose files are written."
ENDED = "Following has ended, because the layers were removed."
HELP_PAGE = "reload.md"
