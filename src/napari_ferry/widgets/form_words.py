"""Labels, tooltips and choices of the forms, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from napari_ferry.signatures import Option


class Words(NamedTuple):
    """Texts of one field.

    Parameters
    ----------
    label : str
        Text beside the field, with its unit.
    tooltip : str
        One or two sentences about its effect.
    choices : mapping
        Value -> text, for a field with choices.
    empty : str
        Text shown in an empty field.
    """

    label: str
    tooltip: str
    choices: Mapping[Any, str] = {}
    empty: str = "automatic"


_CORNERS = {
    None: "Off",
    "top_left": "Top left",
    "top_right": "Top right",
    "bottom_left": "Bottom left",
    "bottom_right": "Bottom right",
}

OPTION_WORDS = {
    # --- files of data ----------------------------------------------------------------------
    "compression": Words(
        "Compression",
        "All are lossless. In TIFF, most programs read zlib and LZW, and Zstandard is faster. In "
        "OME-Zarr, Zstandard is small and LZ4 is fast; automatic keeps the compression of an "
        "opened store.",
        {
            None: "Automatic",
            "none": "None",
            "zlib": "zlib",
            "zstd": "Zstandard",
            "lzw": "LZW",
            "lz4": "LZ4",
            "best": "Smallest file",
        },
    ),
    "size_cap": Words(
        "Split files larger than (GB)",
        "A larger save becomes several files, which open together. Many programs read at most "
        "4 GB. Leave the field empty for one file of any size.",
        empty="never split",
    ),
    "pyramid": Words(
        "Smaller copies to zoom",
        "Saves each plane again at reduced sizes, so that very large planes display quickly; "
        "automatic does so for planes that need it.",
        {None: "Automatic", True: "Yes", False: "No"},
    ),
    "metadata_json": Words(
        "Also write metadata as .json",
        "Writes all metadata to a text file beside the image, for programs of your own.",
    ),
    "version": Words(
        "OME-Zarr version",
        "0.5 has checksums and shards; older programs read 0.4 only.",
        {"0.5": "0.5 (Zarr 3)", "0.4": "0.4 (Zarr 2)"},
    ),
    "chunks": Words(
        "Chunks",
        "Parts that are read at once: planes for viewing one at a time, cubes for volumes that are "
        "sliced in every direction; automatic keeps the chunks of an opened store.",
        {None: "Automatic", "2D": "Planes", "3D": "Cubes"},
    ),
    "shards": Words(
        "Many chunks in one file",
        "Makes far fewer files (shards), which are quicker to copy; automatic does so above 2000 "
        "files. Only in version 0.5.",
        {None: "Automatic", True: "Yes", False: "No"},
    ),
    "levels": Words(
        "Resolutions",
        "Number of resolutions, the full one included; each is half of the one before. Leave the "
        "field empty for as many as a plane needs to display quickly.",
    ),
    "downsample": Words(
        "Smaller copies by",
        "Method of making smaller resolutions; automatic averages images and picks labels.",
        {None: "Automatic", "mean": "Mean", "nearest": "Nearest pixel", "mode": "Most frequent"},
    ),
    # --- movies -----------------------------------------------------------------------------
    "frame_rate": Words(
        "Frames per second",
        "Speed of the movie. Leave the field empty for real time where that is 5 to 60 per second, "
        "otherwise for 10.",
    ),
    "quality": Words(
        "Quality",
        "A better quality makes a larger file.",
        {"small": "Small file", "good": "Good", "high": "High", "best": "Visually lossless"},
    ),
    "codec": Words(
        "Encoding",
        "H.264 plays everywhere. FFV1 keeps every value of 8 and 16 bits, in .mkv only.",
        {"auto": "Automatic", "h264": "H.264", "ffv1": "FFV1 (lossless)"},
    ),
    "loop": Words(
        "Repeat (0 = forever)",
        "Number of times a GIF or an animated PNG plays again after the first time.",
    ),
    "colors": Words(
        "Colors per frame (at most)",
        "Fewer colors make a smaller file: 2 to 256.",
    ),
    "dither": Words(
        "Mix dots for missing colors",
        "Approximates missing colors by a fine pattern of others. The file becomes larger.",
    ),
    # --- overlays ---------------------------------------------------------------------------
    "time_stamp": Words("Time stamp", "Shows the time of each frame in this corner.", _CORNERS),
    "scale_bar": Words(
        "Scale bar", "Draws a scale bar of a round length in this corner.", _CORNERS
    ),
    "color_bar": Words(
        "Color bar",
        "Draws the colors of each image with its contrast limits in this corner.",
        _CORNERS,
    ),
    "text": Words("Text", "One line of text on every frame, such as a title.", empty="none"),
    "text_corner": Words("Text position", "Corner of the text.", _CORNERS),
    # --- frames -----------------------------------------------------------------------------
    "start": Words("Export frames from", "First frame of the movie; counting starts at 0."),
    "stop": Words("up to (not including)", "The movie ends before this frame.", empty="the end"),
    "step": Words("Use every n-th frame", "2 leaves out every other frame."),
    # --- size -------------------------------------------------------------------------------
    "scale": Words(
        "Zoom", "Pixels of the movie per pixel of the sharpest layer: 2 doubles its size."
    ),
    "fit": Words(
        "Fit to",
        "Enlarges or reduces the movie by a whole factor to fit into a screen of this size.",
        {None: "Original size", "1080p": "1920 x 1080 (1080p)", "4K": "3840 x 2160 (4K)"},
    ),
    "crop": Words(
        "Crop",
        "Rows and columns to show, such as 10:200 30:90. Or click Crop below the preview.",
        empty="whole picture",
    ),
    "background": Words(
        "Background",
        "Color behind the layers: a name such as white, or a code such as #20a0ff. Leave the field "
        "empty for the background of the viewer.",
        empty="as in the viewer",
    ),
}
"""Option of a format or of a drawing -> its texts."""


def words_of(option: Option) -> Words:
    """Return the texts of an option; for an option of another package, its name and description."""
    known = OPTION_WORDS.get(option.name)
    if known is not None and option.words:  # formats offer different choices under one name
        words = {*option.words, *([None] if option.is_optional else [])}
        choices = {k: v for k, v in known.choices.items() if k in words}
        return known._replace(choices=choices)
    if known is not None:
        return known
    label = option.name.replace("_", " ").capitalize()
    choices = {word: word.replace("_", " ") for word in option.words}
    if option.is_optional and (choices or option.kind is bool):
        choices = {None: "Automatic", **(choices or {True: "Yes", False: "No"})}
    return Words(label, option.help, choices)


AXIS = Words("Animate axis", "Slider whose steps become the frames of the movie.")
SPEED = Words(
    "Speed",
    "Frames per second. Real time is offered if the time between frames is known.",
)
FRAME_RATE = Words(
    "per second",
    "Leave the field empty for real time if that is 5 to 60 per second, otherwise for 10.",
)
LENGTH = Words("s long", "Length of the movie in seconds; the speed follows from it.")
FACTOR = Words(
    "× real time",
    "How many times faster than recorded the movie plays; it is remembered for other movies.",
)
OTHER_AXES = Words(
    "Other axes",
    "What the movie shows of the axes that are not animated: the positions of the sliders, or a "
    "projection over all positions.",
    {None: "As the sliders", "max": "Maximum", "mean": "Mean", "min": "Minimum", "sum": "Sum"},
)
RENDER = Words(
    "Render",
    "From data is sharp at any size. As on screen takes pictures of the viewer, with points, "
    "shapes and 3-D views. Automatic chooses by what the viewer shows.",
    {None: "Automatic", "data": "From data (sharp)", "canvas": "As on screen"},
)
FORMAT = Words("Format", "Format of the file.")
PURPOSE = Words(
    "For",
    "Sets format, quality and size for a purpose; every choice can be changed afterwards.",
    {
        None: "Own choices",
        "talk": "A talk",
        "web": "Web or e-mail",
        "paper": "A paper",
        "analysis": "Analysis",
    },
)
TARGET = Words("Save to", "File to save. In a folder, the file gets the suggested name.")
LAYERS = Words("Layers", "Layers to export.")

REAL_TIME = "Real time"
NO_TIME = "-"
