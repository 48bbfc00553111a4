"""AMS_BP: every function and parameter on its page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tifffile

from migration.pages import Check, Names, Page, paths_of, same
from napari_ferry import imload

IMAGE = '"new/cells.ome.tiff"'
"""Path of a saved image, in the code of the page."""


def saved(axes: str, **attributes: str) -> Check:
    """Return a check of the frames, their axes, and attributes of OME in the file."""

    def check(found: Any, names: Names) -> bool:
        (image,) = imload(found[0])
        with tifffile.TiffFile(found[0]) as tif:
            text = tif.ome_metadata or ""
        return (
            paths_of(found)[0] == "new/cells.ome.tiff"
            and "".join(image.axis_names) == axes
            and same(image, names["frames"])
            and all(f'{key}="{value}"' in text for key, value in attributes.items())
        )

    return check


def has_json(found: Any, wanted: Mapping[str, Any]) -> bool:
    """Return True if the second file is the metadata of the first, with some of its values."""
    content = json.loads(Path(found[1]).read_text("utf-8"))
    return paths_of(found)[1:] == ["new/cells.json"] and content | wanted == content


def is_whole(found: Any, names: Names) -> bool:
    return saved("zctyx", TimeIncrement="20.0", PhysicalSizeXUnit="m", Name="red")(
        found, names
    ) and has_json(found, names["config"])


def is_split(found: Any, names: Names) -> bool:
    (image,) = imload("new")
    return len(found) == 5 and same(image, names["frames"]) and image.frame_rate == 50


def is_opened(found: Any, names: Names) -> bool:
    (image,) = found
    units = [axis.unit for axis in image.axes]
    return (
        "".join(image.axis_names) == "zctyx"
        and image.frame_rate == 50
        and units == [None, None, "millisecond", "meter", "meter"]
        and [channel.name for channel in image.channels] == ["red", "green"]
        and bool(image.metadata["notes"])
    )


PAGE = Page(
    name="ams-bp",
    system="ams_bp",
    signatures={
        "save_config_frames": "config frames outputparams",
        "MetaData": "notes= axes= TimeIncrement= TimeIncrementUnit= PhysicalSizeX= "
        "PhysicalSizeXUnit= PhysicalSizeY= PhysicalSizeYUnit= Channel=",
        "OutputParameters": "output_path= output_name= subsegment_type= subsegment_number=",
    },
    files={
        "output/cells.ome.tiff": "ts2/Cell_Movie_001.ome.tiff",
        "output/metadata.json": "ts2/metadata.json",
    },
    checks={
        f"imsave(frames, {IMAGE}, metadata=config, metadata_json=True)": is_whole,
        f'imsave(frames, {IMAGE}, metadata={{"axes": "ZCTYX"}})': saved("zctyx"),
        f'imsave(frames, {IMAGE}, metadata={{"notes": "first run"}}, metadata_json=True)': (
            lambda found, names: has_json(found, {"notes": "first run"})
        ),
        f'imsave(frames, {IMAGE}, metadata={{"TimeIncrement": 0.5, "TimeIncrementUnit": "s"}})': (
            saved("tczyx", TimeIncrement="0.5", TimeIncrementUnit="s")
        ),
        f'imsave(frames, {IMAGE}, metadata={{"PhysicalSizeX": 65.0, "PhysicalSizeXUnit": "nm"}})': (
            saved("tczyx", PhysicalSizeX="65.0", PhysicalSizeXUnit="nm")
        ),
        f'imsave(frames, {IMAGE}, metadata={{"PhysicalSizeY": 70.0, "PhysicalSizeYUnit": "nm"}})': (
            saved("tczyx", PhysicalSizeY="70.0", PhysicalSizeYUnit="nm")
        ),
        f'imsave(frames, {IMAGE}, metadata={{"axes": "ZCTYX", "Channel": {{"Name": ["red", '
        '"green"]}})': saved("zctyx", Name="green"),
        f"imsave(frames, {IMAGE})": saved("tczyx"),
        f'imsave(frames, {IMAGE}, metadata=config, partition="t")': is_split,
        f"imsave(frames, {IMAGE}, metadata=config, size_cap=None)": saved("zctyx"),
        'imload("output/cells.ome.tiff")': is_opened,
    },
)
