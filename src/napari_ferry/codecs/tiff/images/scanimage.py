"""Recordings of ScanImage -> an image, from the header and the number of pages alone.

https://docs.scanimage.org/Appendix/ScanImage+BigTiff+Specification.html, and for versions 3 to 5,
the texts that their files carry.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from napari_ferry.codecs.tiff.images.vendor_tags import VendorFacts, number, small
from napari_ferry.codecs.tiff.pages.arrays import pages_array
from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes, moved
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Channel, Image
from napari_ferry.image.record import Description

_KEPT = (
    *("VERSION_MAJOR", "hBeams.powers", "hChannels.channelSave", "hFastZ.enable"),
    *("hFastZ.numDiscardFlybackFrames", "hPmts.gains", "hRoiManager.scanFrameRate"),
    *("hRoiManager.scanZoomFactor", "hScan2D.logAverageFactor", "hStackManager.framesPerSlice"),
    *(
        "hStackManager.numSlices",
        "hStackManager.numVolumes",
        "imagingSystem",
        "objectiveResolution",
    ),
)


class _Told(NamedTuple):
    """What a header tells of the order of pages: counts, or 0 where they are not told."""

    channels: int
    slices: int
    frames_per_slice: int
    is_volumes: bool
    said: VendorFacts


def read_scanimage(header: Header) -> list[Image]:
    """Open a recording: channels alternate fastest, then frames of a slice, slices, volumes.

    Raises
    ------
    UnreadableFileError
        Its header is damaged.

    Warns
    -----
    FerryWarning
        The last volume is not whole; what it lacks is shown as zero.
    """
    told = _tell(header)
    source = TiffPages(header.path)
    names, shape = _leading(told, len(source))
    n = math.prod(shape)
    if n > len(source):
        warnings.warn(
            f"{header.path.name} has {len(source)} pages, {n} would be whole: the recording was "
            "stopped before its end, and what is missing is shown as zero.",
            FerryWarning,
            stacklevel=3,
        )
    pages = np.where(np.arange(n) < len(source), np.arange(n), -1)
    table = np.stack([np.zeros_like(pages), pages], -1)
    axes, move = frame_axes(header)
    frame = moved(header.shape, move)
    array = pages_array([source], table, shape, frame, header.dtype, move=move)
    description = Description(
        shape=(*shape, *frame),
        axes=tuple(map(told.said.axis, (*names, *axes))),
        dtype=header.dtype.name,
        channels=told.said.channels_of(told.channels) if "c" in names else (),
        metadata=told.said.metadata,
    )
    return [description.to_image(array)]


def _leading(told: _Told, pages: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return names and lengths of the axes before those of a frame; none of length 1."""
    channels = told.channels or 1
    if pages % channels and pages < channels:
        channels = 1
    images = math.ceil(pages / channels)
    slices = min(told.slices or 1, images)
    frames = told.frames_per_slice or math.ceil(images / slices)
    if told.is_volumes or frames * slices < images:
        sizes = {"t": math.ceil(images / (slices * frames)), "z": slices, "d0": frames}
    else:
        sizes = {"z": slices, "t": min(frames, math.ceil(images / slices))}
    sizes["c"] = channels
    left = {name: size for name, size in sizes.items() if size > 1}
    if "d0" in left and "t" not in left:
        left = {"t" if name == "d0" else name: size for name, size in left.items()}
    return tuple(left), tuple(left.values())


def _tell(header: Header) -> _Told:
    """Read what the header says, in the words of whichever version."""
    import tifffile

    try:
        if "scanimage.SI" not in header.description and header.description.startswith("state."):
            return _of_version_3(_lines(header.description, "state."))
        with tifffile.TiffFile(header.path) as tif:
            static = (tif.scanimage_metadata or {}).get("FrameData") or {}
        found = {key.removeprefix("SI."): value for key, value in static.items()}
        if not found and header.software.startswith("SI."):
            found = _lines(header.software, "SI.")
        if found:
            return _of_version_2016(found, header.shape)
        return _of_version_5(_lines(header.description, r"scanimage.SI"))
    except TIFFFILE_ERRORS as error:
        raise UnreadableFileError(
            f"{header.path} has a damaged ScanImage header ({error}): get a whole copy of the file."
        ) from error


def _lines(text: str, prefix: str) -> dict[str, Any]:
    """Read lines ``key = value`` as MATLAB prints them; keys lose what they all begin with."""
    import tifffile

    lines = [line for line in text.replace("\r", "\n").split("\n") if line.startswith(prefix)]
    found = tifffile.matlabstr2py("\n".join(lines))
    keys = {key: key.removeprefix(prefix) for key in found} if isinstance(found, dict) else {}
    return {short.lstrip("0123456789."): found[key] for key, short in keys.items()}


def _count(value: object) -> int:
    """Return a count, 0 for none and for infinity."""
    return max(0, int(number(value)))


def _of_version_2016(found: Mapping[str, Any], shape: tuple[int, ...]) -> _Told:
    saved = found.get("hChannels.channelSave", 1)
    saved = list(np.ravel(saved)) if isinstance(saved, list | tuple | np.ndarray) else [saved]
    volumes = _count(found.get("hStackManager.numVolumes", found.get("hFastZ.numVolumes")))
    is_fast = bool(found.get("hFastZ.enable")) or volumes > 1
    slices = _count(found.get("hStackManager.actualNumSlices"))
    slices = slices or _count(found.get("hStackManager.numSlices"))
    flyback = _count(found.get("hFastZ.numDiscardFlybackFrames")) if is_fast and slices > 1 else 0
    whole = _count(found.get("hStackManager.numFramesPerVolumeWithFlyback"))
    frames = _count(found.get("hStackManager.framesPerSlice"))
    if is_fast:
        slices = whole or _count(found.get("hFastZ.numFramesPerVolume")) or slices + flyback
        frames = 1
    elif not frames:
        slices = 1  # frames go on until somebody stops them
    said = VendorFacts(
        _steps(found, shape, is_fast and slices > 1),
        _channels(found.get("hChannels.channelName"), saved),
        {"scanimage": small({key: found[key] for key in _KEPT if key in found})},
    )
    return _Told(len(saved), slices, frames, is_fast, said)


def _steps(
    found: Mapping[str, Any], shape: tuple[int, ...], is_volumes: bool
) -> dict[str, tuple[float, str]]:
    """Return the distance of frames, planes and pixels."""
    average = _count(found.get("hScan2D.logAverageFactor")) or 1
    rate = number(found.get("hRoiManager.scanFrameRate")) / average
    if is_volumes:
        rate = number(found.get("hRoiManager.scanVolumeRate"))
    step = found.get("hStackManager.actualStackZStepSize") or found.get(
        "hStackManager.stackZStepSize"
    )
    steps = {"t": (1 / rate if rate else 0.0, "second"), "z": (abs(number(step)), "micrometer")}
    corners = np.asarray(found.get("hRoiManager.imagingFovUm") or [], np.float64)
    if corners.ndim == 2 and corners.shape[1] == 2 and len(shape) >= 2:
        width, height = np.ptp(corners, axis=0).tolist()
        steps |= {"x": (width / shape[1], "micrometer"), "y": (height / shape[0], "micrometer")}
    return steps


def _channels(names: object, saved: list[Any]) -> tuple[Channel, ...]:
    """Return the names of the channels that were saved, which are counted from 1."""
    known = [str(name) for name in names] if isinstance(names, list | tuple) else []
    chosen = [_count(index) - 1 for index in saved]
    if not known or not all(0 <= index < len(known) for index in chosen):
        return ()
    return tuple(Channel(known[index]) for index in chosen)


def _of_version_5(found: Mapping[str, Any]) -> _Told:
    saved = found.get("channelsSave", found.get("hChannels.channelSave", 1))
    channels = len(np.ravel(saved)) if isinstance(saved, list | tuple | np.ndarray) else 1
    slices = _count(found.get("stackNumSlices")) or 1
    is_fast = bool(found.get("fastZEnable")) and slices > 1
    frames = 1 if is_fast else _count(found.get("acqNumFrames"))
    rate = number(found.get("scanFrameRate")) / (slices if is_fast else 1)
    said = VendorFacts(
        {
            "t": (1 / rate if rate else 0.0, "second"),
            "z": (abs(number(found.get("stackZStepSize"))), "micrometer"),
        },
        metadata={"scanimage": small(found)},
    )
    return _Told(channels, slices, frames, is_fast, said)


def _of_version_3(found: Mapping[str, Any]) -> _Told:
    rate = number(found.get("acq.frameRate"))
    said = VendorFacts(
        {
            "t": (1 / rate if rate else 0.0, "second"),
            "z": (abs(number(found.get("acq.zStepSize"))), "micrometer"),
        },
        metadata={"scanimage": small(found)},
    )
    slices = _count(found.get("acq.numberOfZSlices")) or 1
    frames = _count(found.get("acq.numberOfFrames"))
    return _Told(_count(found.get("acq.numberOfChannelsSave")) or 1, slices, frames, False, said)
