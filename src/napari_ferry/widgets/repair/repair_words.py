"""Words of the repair form: labels and tooltips; texts with numbers are in `sentences`."""

from __future__ import annotations

from napari_ferry.widgets.form_words import Words

LAYOUT_FIELDS = {
    "dtype": Words("Data type", "Type of the numbers in the file: integers or floating point"),
    "byte_order": Words(
        "Byte order", "Order of the bytes of a number: little endian on nearly all computers"
    ),
    "offset": Words("Header (bytes)", "Bytes before the first pixel of the first frame"),
    "gap": Words("Gap (bytes)", "Bytes after each frame that are not pixels"),
    "frames": Words("Frames", "Number of frames: time points or z planes"),
    "y": Words("Height (pixels)", "Number of rows of a frame: its size along y"),
    "x": Words("Width (pixels)", "Number of pixels in a row: size of a frame along x"),
    "channels": Words("Channels", "Number of values per pixel: 3 for color"),
    "interleaving": Words(
        "Channel order",
        "Order of the channels: interleaved pixel by pixel, or one plane after another",
    ),
}
CALIBRATION_FIELDS = {
    "pixel_size": Words("Pixel size", "Width and height of a pixel; empty if unknown"),
    "unit": Words("Unit", "Unit of the pixel size and of the z step"),
    "frame_axis": Words("Frame axis", "Whether the frames differ in time or in depth"),
    "frame_rate": Words("Frame rate (Hz)", "Frames per second; empty if unknown"),
    "z_step": Words("Z step", "Distance between two planes; empty if unknown"),
}

TOTAL, SIDECAR, FROM_BYTES = "Total (bytes)", "Sidecar", "File"
"""Last row and columns of the comparison of a sidecar with its file."""

BYTE_ORDERS = {"little endian": "little", "big endian": "big"}
CHANNEL_ORDERS = {"interleaved": "pixel", "one plane after another": "plane"}
UNITS = (("µm", "micrometer"), ("nm", "nanometer"), ("mm", "millimeter"))
FRAME_AXES = (("time", "t"), ("depth (z)", "z"))
UNKNOWN = "unknown"

KNOWN = "Known"
KNOWN_TIP = "Check if you know this value: it is kept, and the others are computed from it."
NUMBERS = Words("Numbers", "Data type, size, header and channels, to read or to change")
CALIBRATION = Words("Scale and time", "Pixel size and time step of the layer and the sidecar")

FILE_LINE = Words("File or folder to repair", "Raw file, or folder with files of one camera")
FILE_PLACEHOLDER = "Drop a file or folder"
FILE_BUTTON = Words("File...", "Select a raw file.")
FOLDER_BUTTON = Words("Folder...", "Select a folder. All its raw files get the same layout.")
FILE_TITLE, FOLDER_TITLE = "Raw file", "Folder of raw files"
HELP_PAGE = "repair.md"
FILE_LIST = Words("Files", "Files, with the number of frames in each. Select one to see it.")

CONFIRM = Words("Looks right", "Keep the picture in the viewer as a layer, as Open does.")
NEXT = Words("Try the next", "Show the next possibility (arrow keys: next and previous).")
CANDIDATES = Words(
    "Possible layouts",
    "Possible layouts of the file, with the first frame and the changes between frames. Select "
    "one to show it in the viewer; the arrow keys go through them.",
)
MORE_TIP = "Show the less likely layouts."
DETAILS = Words("Details", "Show the measured numbers behind the reasons.")
USE = Words("Use them", "Use the values that fit the file.")

OPEN = Words("Open", "Keep the picture in the viewer as a layer.")
WRITE = Words(
    "Write sidecar",
    "Write layout, scale and units to a JSON file next to the raw file. From then on the raw file "
    "opens directly. The raw file itself is not changed.",
)
WRITE_ALL_TIP = "Write a sidecar with the same layout next to every file that it fits."
SELECT_FILE = "Select a file or folder, or drop one here."
REPLACE, REPLACE_WRITE = "Replace", "Write"

CHANGES = Words("Changes", "Planned changes, one per line")
WRITE_CHANGES = Words("Write", "Write these changes. Pixels are not touched.")
OPEN_REPAIRED = Words("Open", "Open it in the viewer as it is now.")
KNOWN_VALUES = Words("Known values", "Known properties of the image, to add to the changes")
REPAIR_OPTIONS = {
    "axes": Words("Axes", "Names of the axes, such as tzyx"),
    "scale": Words("Scale", "Distance of neighbors on each axis, such as 2,0.5,0.5 or z=2,x=0.5"),
    "unit": Words("Unit", "Unit of z, y and x, such as um; or units by axis: t=second,x=um"),
    "name": Words("Name", "Name of the image"),
    "averaged": Words(
        "Smaller copies are averaged", "Correct the position of smaller copies, half a pixel off"
    ),
    "ome": Words("Make it an image (OME)", "Describe plain numbers as an image; no file is moved"),
}
KEPT = (
    "Only the description is written, never the pixels. Each old file of the description is kept "
    "next to the new one, with .bak after its name."
)

NO_STRUCTURE = "No image structure was found: enter the numbers you know; the others are computed."
