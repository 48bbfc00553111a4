"""Words of the dock *Follow*."""

from __future__ import annotations

from napari_ferry.widgets.words import Words

FOLLOW = Words(
    "Follow files of selected layers",
    "Look at the files once a second, and add new frames to their layers. The files may be those "
    "of an acquisition in progress.",
)
STAY = Words("Stay at the end", "Move the slider to the newest frame whenever one is added.")
STATUS = "Followed files"
IDLE = "Select layers whose files another program is still writing."
NO_LAYERS = "No layer is selected: select layers whose files are being written."
ENDED = "Following has ended, because the layers were removed."
HELP_PAGE = "reload.md"
