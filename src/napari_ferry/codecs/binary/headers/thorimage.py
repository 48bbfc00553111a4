"""ThorImage LS: ``Experiment.xml`` beside ``Image_0001_0001.raw``, by microscopes of Thorlabs.

Samples are unsigned, of 16 bits, little endian. Frames follow each other as time, position of the
stage and channel. Positions of a fast stage are followed by the frames of its flyback.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from napari_ferry.codecs.binary.headers.foreign_header import (
    Dimension,
    Header,
    read_counts,
    read_head,
    refuse,
)
from napari_ferry.image import Axis, Channel
from napari_ferry.units import is_step

NAME = "experiment.xml"

_DATA_NAME = re.compile(r"image_\d+_\d+\.raw", re.IGNORECASE)
_TYPE = np.dtype("<u2")


def is_experiment(path: Path) -> bool:
    """Return True for a file of ThorImage."""
    return path.is_file() and b"ThorImageExperiment" in read_head(path)


def read(path: Path, data: Path | None = None) -> Header | None:
    """Read the description of an experiment; ``None`` if the file is of another format.

    Parameters
    ----------
    path : Path
        The file ``Experiment.xml``.
    data : Path, optional
        The file of the samples; by default the only one of a usual name.

    Raises
    ------
    UnreadableFileError
        The description is damaged, or the file of the samples is missing.
    """
    root = _parse(path)
    lsm = None if root is None else root.find("LSM")
    if root is None or lsm is None or (data and not _DATA_NAME.fullmatch(data.name)):
        return None
    data = data or _data_beside(path)
    sizes = read_counts([lsm.get("pixelX"), lsm.get("pixelY")], path, "pixelX and pixelY")
    channels = [Channel(each.get("name")) for each in root.findall("Wavelengths/Wavelength")]
    count = len(channels) or max(1, _whole(lsm, "channel").bit_count())
    planes, flyback = _planes(root)

    # ThorImage writes the requested number of frames, also if a recording was stopped
    frame = sizes[0] * sizes[1] * count * _TYPE.itemsize
    frames = data.stat().st_size // (frame * (planes + flyback))
    notes = _frame_notes(root, data, frames * (planes + flyback), planes + flyback)
    if flyback:
        notes.append(
            f"{data.name}: the {flyback} flyback frames after each {planes} planes are left out."
        )
    dimensions = [
        Dimension(_time_axis(lsm, planes + flyback), max(1, frames)),
        Dimension(_stage_axis(root), planes + flyback),
        Dimension(Axis("c"), count),
        *(
            Dimension(_pixel_axis(lsm, name), size)
            for name, size in zip("yx", sizes[::-1], strict=True)
        ),
    ]
    return Header(
        path=path,
        data=data,
        program="ThorImage",
        dtype=_TYPE,
        dimensions=tuple(d for d in dimensions if d.size > 1 or d.axis.name in "tyx"),
        skipped={"z": flyback} if flyback else {},
        channels=tuple(channels) if count > 1 else (),
        metadata={"ThorImage": {child.tag: dict(child.attrib) for child in root}},
        notes=tuple(notes),
    )


def _parse(path: Path) -> ET.Element | None:
    """Return the root of an experiment; ``None`` for other XML, and for a DOCTYPE."""
    head = read_head(path)
    if b"ThorImageExperiment" not in head or b"<!DOCTYPE" in head:
        return None
    try:
        return ET.fromstring(head)
    except ET.ParseError as error:
        refuse(path, f"is damaged ({error})", "restore it")


def _data_beside(path: Path) -> Path:
    """Return the file of the samples.

    Raises
    ------
    UnreadableFileError
        There is none, or several.
    """
    found = sorted(each for each in path.parent.iterdir() if _DATA_NAME.fullmatch(each.name))
    if len(found) != 1:
        problem = f"describes one raw file, but {len(found)} of the name Image_0001_0001.raw"
        refuse(path, f"{problem} are beside it", "open one of its images by its name")
    return found[0]


def _planes(root: ET.Element) -> tuple[int, int]:
    """Return the positions of a fast stage, and the frames of its flyback."""
    streaming, stage = root.find("Streaming"), root.find("ZStage")
    if streaming is None or stage is None or streaming.get("zFastEnable", "0") == "0":
        return 1, 0
    planes = max(1, _whole(stage, "steps"))
    return planes, _whole(streaming, "flybackFrames") if planes > 1 else 0


def _frame_notes(root: ET.Element, data: Path, found: int, group: int) -> list[str]:
    """Return a sentence about another number of frames in the file than was requested."""
    streaming, timelapse = root.find("Streaming"), root.find("Timelapse")
    stated = 0
    if streaming is not None and streaming.get("enable", "1") == "1":
        stated = _whole(streaming, "frames")
    elif timelapse is not None:
        stated = _whole(timelapse, "timepoints") * group
    if not stated or stated // group * group == found:
        return []
    return [
        f"Experiment.xml describes {stated} frames, but {data.name} holds {found}: these are "
        "opened."
    ]


def _time_axis(lsm: ET.Element, group: int) -> Axis:
    """Return the axis of time; a frame rate counts single frames, before averaging."""
    rate = _number(lsm, "frameRate")
    is_averaged = lsm.get("averageMode", "0") != "0"
    averaged = max(1, _whole(lsm, "averageNum")) if is_averaged else 1
    step = group * averaged / rate if rate else 0.0
    return Axis("t", step, "second") if is_step(step) else Axis("t")


def _stage_axis(root: ET.Element) -> Axis:
    stage = root.find("ZStage")
    step = 0.0 if stage is None else abs(_number(stage, "stepSizeUM"))
    return Axis("z", step, "micrometer") if is_step(step) else Axis("z")


def _pixel_axis(lsm: ET.Element, name: str) -> Axis:
    """Return y or x with the size of a pixel, or with the size of the field by the pixel count."""
    side, count = {"y": ("heightUM", "pixelY"), "x": ("widthUM", "pixelX")}[name]
    field = _number(lsm, side) / max(1, _whole(lsm, count))
    own = {"y": "pixelHeightUM", "x": "pixelWidthUM"}[name]
    step = _number(lsm, own) or _number(lsm, "pixelSizeUM") or field
    return Axis(name, step, "micrometer") if is_step(step) else Axis(name)


def _number(element: ET.Element, key: str) -> float:
    """Return a number of an element; 0 for none."""
    try:
        return float(element.get(key, "0"))
    except ValueError:
        return 0.0


def _whole(element: ET.Element, key: str) -> int:
    """Return a whole number of an element; 0 for none."""
    value = _number(element, key)
    return int(value) if 0 <= value < 1e9 else 0
