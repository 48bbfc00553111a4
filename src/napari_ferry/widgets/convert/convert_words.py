"""Words of the dock *Convert folder*."""

from __future__ import annotations

import re

from napari_ferry.batch.parallel_jobs import AT_ONCE
from napari_ferry.widgets import form_words
from napari_ferry.widgets.form_words import Words

HELP_PAGE = "convert-folder.md"

SOURCE = Words("Folder", "Folder to convert. Or drop a folder, or several files, on this form.")
SOURCE_EMPTY = "Drop a folder here"
BROWSE = "Browse..."
BROWSE_SOURCE = "Select the folder to convert."
SUBFOLDERS = Words("Include subfolders", "Also converts what is in the folders of the folder.")
TARGET = Words("Save in", "Folder for the converted files; it is made if it does not exist.")
BROWSE_TARGET = "Select the folder for the converted files."
PATTERN = Words(
    "Names",
    "Name of each new file: {name} is that of the original, {parent} that of its folder, {index} "
    "a number from 1, and {image} the number of an image in a file with several, which makes a "
    "file of each.",
)
REPLACE = Words("Replace existing files", "Otherwise these files are kept as they are.")

ROWS = Words("Files to convert", "Uncheck files that are not to be converted.")
ALL = Words("All", "Check all files.")
NONE = Words("None", "Uncheck all files.")
OPEN = Words("Open", "Open the converted file in napari.")
SHOW = Words("Show in folder", "Show the converted file in its folder.")

CROP_TIP = "Rows and columns to show, such as 10:200 30:90."
AXIS = form_words.AXIS._replace(
    tooltip="Axis whose steps become the frames: time, or else the only axis, if it is automatic.",
    choices={None: "Automatic"},
)
OTHER_AXES = form_words.OTHER_AXES._replace(
    tooltip="What the movies show of the axes that are not animated: one position, or a projection "
    "over all positions.",
    choices={**form_words.OTHER_AXES.choices, None: "One position"},
)
POSITION = Words(
    "Position",
    "Index on each axis that is not animated, counted from 0, such as z=3.",
    empty="such as z=3",
)
OPTIONS = Words("Options", "Options of the format.")
PLACE_SECTION = Words("Where to run", "Number of threads, or a cluster.")
PLACE = Words(
    "Run on",
    f"A cluster converts with many computers, which have to share the folders: {AT_ONCE}.",
    {"here": "This computer", "cluster": "A Dask cluster"},
)
THREADS = Words("Threads", "Frames that are converted at once. Automatic leaves the window smooth.")
ADDRESS = Words("Scheduler", "Address of the scheduler of dask.distributed.")
ADDRESS_EMPTY = "tcp://192.168.0.2:8786"
NO_ADDRESS = "Enter the address of the scheduler under Where to run, or choose this computer."
TEST = Words("Test", "Connect to the cluster, and count its workers.")
TESTING = "Connecting..."
NO_CLUSTER = "For a cluster, install dask.distributed: pip install 'napari-ferry[cluster]'"

CONVERT, GO_ON, STOP, STOPPING = "Convert", "Go on with", "Stop", "Stopping..."
STARTING = "Starting..."
CONVERT_TIP = "Convert the checked files. What is done already is not converted again."
STOP_TIP = "Stop soon. What is converted is kept, and the rest can be converted later."
IDLE = "Choose a folder to convert."
SEARCHING = "Searching..."
NOTHING = "This folder has no images to convert."
OUTPUTS, NOT_LISTED = "made earlier", "not listed"
SEARCH_FOLDERS = f"Check {SUBFOLDERS.label!r} to search the folders in it."

_PYTHON = re.compile(r" \(--[^)]* on the command line\)")
_LAYOUT = re.compile(r"give missing_metadata=\{[^}]*\}(, or run `napari-ferry repair [^`]*`)?")
_REPAIR = "open the raw file with 'Repair binary metadata' in the menu Plugins"
_FRAME_AXIS = re.compile(
    r"choose one, such as axis='[^']*', and the position on the others, such as position='([^']*)'"
)
_POSITION = re.compile(
    r"give one, such as position='([^']*)', or a projection, such as thickness='all', "
    "projection='max'"
)
_CHOOSE_AXIS = f"choose one under {AXIS.label!r}"
_CHOOSE_OTHERS = (
    f"enter one under {POSITION.label!r}, such as \\1, or choose a projection under "
    f"{OTHER_AXES.label!r}"
)
_SPELLED = {
    "give overwrite=True": f"check {REPLACE.label!r}",
    "give recursive=True to search it": f"check {SUBFOLDERS.label!r} to search it",
}


def in_form_words(text: str) -> str:
    """Return a message with the fields of the form instead of the arguments of functions.

    >>> in_form_words("give recursive=True (--recursive on the command line) to search it")
    "check 'Include subfolders' to search it"
    """
    text = _LAYOUT.sub(_REPAIR, _PYTHON.sub("", text))
    text = _POSITION.sub(_CHOOSE_OTHERS, _FRAME_AXIS.sub(_CHOOSE_AXIS, text))
    for python, own in _SPELLED.items():
        text = text.replace(python, own)
    return text


def same_target(other: str, target: str) -> str:
    """Return a sentence about another file that would be saved under the same name.

    >>> same_target("a.gif", "a.mp4")
    "a.gif would be saved as a.mp4, too: change 'Names', or uncheck one of them."
    """
    cure = f"change {PATTERN.label!r}, or uncheck one of them"
    return f"{other} would be saved as {target}, too: {cure}."
