"""Image of a ScanImage recording, from the header and the number of pages alone.

https://docs.scanimage.org/Appendix/ScanImage+BigTiff+Specification.html. Versions 3 to 5 have no
specification; their headers are text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_ferry.arrays.growth import is_growing, warn_incomplete
from napari_ferry.codecs.tiff.images.levels import ImagePages, page_table
from napari_ferry.codecs.tiff.images.vendor_tags import VendorMetadata, compact, to_number
from napari_ferry.codecs.tiff.names import stem_of
from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes, moved_shape
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Channel, Image
from napari_ferry.image.record import Description

_METADATA_KEYS = (
    *("VERSION_MAJOR", "hBeams.powers", "hChannels.channelSave", "hFastZ.enable"),
    *("hFastZ.numDiscardFlybackFrames", "hPmts.gains", "hRoiManager.scanFrameRate"),
    *("hRoiManager.scanZoomFactor", "hScan2D.logAverageFactor", "hStackManager.framesPerSlice"),
    *("hStackManager.numSlices", "hStackManager.numVolumes"),
    *("imagingSystem", "objectiveResolution"),
)
"""Keys of the header of version 2016 and later that become metadata of the image."""

_MAX_FILLED = 4096
"""Number of slices above which the missing ones of a first volume are not shown as zero."""


@dataclass(frozen=True, kw_only=True)
class _Acquisition:
    """Order of the pages of a recording, and its metadata.

    Parameters
    ----------
    channels, slices, frames_per_slice : int
        Counts; 0 if unknown.
    is_volumes : bool
        True if the recording repeats volumes.
    metadata : VendorMetadata
        Axes, channels and other metadata.
    """

    channels: int
    slices: int
    frames_per_slice: int
    is_volumes: bool
    metadata: VendorMetadata


def read_scanimage(header: Header) -> list[Image]:
    """Open a recording: channels alternate fastest, then frames of a slice, slices, volumes.

    Raises
    ------
    UnreadableFileError
        The header is damaged.

    Warns
    -----
    FerryWarning
        The last volume or slice is not complete; its missing frames are shown as zero.
    """
    acquisition = _read_header(header)
    metadata = acquisition.metadata
    source = TiffPages(header.path)
    lead = _leading_sizes(acquisition, len(source))
    if is_growing():
        lead = _whole_steps(lead, len(source))
    count = math.prod(lead.values())
    if count > len(source):
        warn_incomplete(
            f"{header.path.name} has {len(source)} pages, but {count} were expected: the recording "
            "was stopped before its end, and missing frames are shown as zero.",
        )

    numbers = np.where(np.arange(count) < len(source), np.arange(count), -1)
    axes, move = frame_axes(header)
    frame = moved_shape(header.shape, move)
    pages = ImagePages(
        files=[source], table=page_table(numbers), lead=tuple(lead.values()), move=move
    )
    description = Description(
        shape=(*lead.values(), *frame),
        axes=tuple(map(metadata.axis, (*lead, *axes))),
        dtype=header.dtype.name,
        channels=metadata.channels_of({**lead, **dict(zip(axes, frame, strict=True))}),
        name=stem_of(header.path),
        metadata=metadata.metadata,
    )
    return [description.to_image(pages.to_array(frame, header.dtype))]


def _leading_sizes(acquisition: _Acquisition, pages: int) -> dict[str, int]:
    """Return the lengths of the leading axes by name, except axes of length 1."""
    channels = acquisition.channels or 1
    if pages < channels:
        channels = 1
    images = math.ceil(pages / channels)
    slices = acquisition.slices or 1
    # a single frame may have the settings of an earlier stack, or begin a running recording
    is_single = images == 1 and not is_growing()
    if is_single or not acquisition.is_volumes or slices > _MAX_FILLED:
        slices = min(slices, images)
    frames = acquisition.frames_per_slice or math.ceil(images / slices)

    if acquisition.is_volumes or frames * slices < images:
        sizes = {"t": math.ceil(images / (slices * frames)), "z": slices, "d0": frames}
    elif acquisition.frames_per_slice:  # all frames of a slice precede the next slice
        sizes = {"z": math.ceil(images / frames), "t": min(frames, images)}
    else:
        sizes = {"z": slices, "t": frames}
    sizes["c"] = channels

    return {name: size for name, size in sizes.items() if size > 1}


def _whole_steps(lead: Mapping[str, int], pages: int) -> dict[str, int]:
    """Return the lengths of the axes for whole steps of the first one, but for at least one."""
    if not lead:
        return {}
    first, *others = lead
    length = max(1, pages // math.prod(lead[name] for name in others))
    return {**lead, first: min(length, lead[first])}


@silent_tifffile()
def _read_header(header: Header) -> _Acquisition:
    """Read the header of any version."""
    import tifffile

    try:
        if "scanimage.SI" not in header.description and header.description.startswith("state."):
            return _read_version_3(_parse_lines(header.description, "state."))
        with tifffile.TiffFile(header.path) as tif:
            static = (tif.scanimage_metadata or {}).get("FrameData") or {}
        values = {key.removeprefix("SI."): value for key, value in static.items()}
        if not values and header.software.startswith("SI."):
            values = _parse_lines(header.software, "SI.")
        if values:
            return _read_version_2016(values, header.shape)
        return _read_version_5(_parse_lines(header.description, r"scanimage.SI"))
    except TIFFFILE_ERRORS as error:
        raise UnreadableFileError(
            f"{header.path.name} has a damaged ScanImage header ({error}): get a complete copy of "
            "the file."
        ) from error


def _parse_lines(text: str, prefix: str) -> dict[str, Any]:
    """Parse lines ``key = value`` as printed by MATLAB; keys lose their prefix."""
    import tifffile

    lines = [line for line in text.replace("\r", "\n").split("\n") if line.startswith(prefix)]
    values = tifffile.matlabstr2py("\n".join(lines))
    keys = {key: key.removeprefix(prefix) for key in values} if isinstance(values, dict) else {}
    return {short.lstrip("0123456789."): values[key] for key, short in keys.items()}


def _count(value: object) -> int:
    """Convert a value to a count; 0 for infinity and for any other value."""
    return max(0, int(to_number(value)))


def _read_version_2016(values: Mapping[str, Any], shape: tuple[int, ...]) -> _Acquisition:
    saved = values.get("hChannels.channelSave", 1)
    saved = list(np.ravel(saved)) if isinstance(saved, list | tuple | np.ndarray) else [saved]
    volumes = _count(values.get("hStackManager.numVolumes", values.get("hFastZ.numVolumes")))
    is_fast = bool(values.get("hFastZ.enable")) or volumes > 1

    slices = _count(values.get("hStackManager.actualNumSlices"))
    slices = slices or _count(values.get("hStackManager.numSlices"))
    discarded = _count(values.get("hFastZ.numDiscardFlybackFrames"))
    flyback = discarded if is_fast and slices > 1 else 0
    with_flyback = _count(values.get("hStackManager.numFramesPerVolumeWithFlyback"))
    per_volume = with_flyback or _count(values.get("hFastZ.numFramesPerVolume"))
    frames = _count(values.get("hStackManager.framesPerSlice"))
    if is_fast:
        slices = per_volume or slices + flyback
        frames = 1
    elif not frames:
        slices = 1  # an open-ended recording of one slice

    metadata = VendorMetadata(
        _steps(values, shape, is_fast and slices > 1),
        _channels(values.get("hChannels.channelName"), saved),
        {"scanimage": compact({key: values[key] for key in _METADATA_KEYS if key in values})},
    )
    return _Acquisition(
        channels=len(saved),
        slices=slices,
        frames_per_slice=frames,
        is_volumes=is_fast,
        metadata=metadata,
    )


def _steps(
    values: Mapping[str, Any], shape: tuple[int, ...], is_volumes: bool
) -> dict[str, tuple[float, str]]:
    """Return scale and unit of frames, planes and pixels."""
    average = _count(values.get("hScan2D.logAverageFactor")) or 1
    rate = to_number(values.get("hRoiManager.scanFrameRate")) / average
    if is_volumes:
        rate = to_number(values.get("hRoiManager.scanVolumeRate"))
    step = values.get("hStackManager.actualStackZStepSize")
    step = to_number(step or values.get("hStackManager.stackZStepSize"))
    steps = {"t": (1 / rate if rate else 0.0, "second"), "z": (abs(step), "micrometer")}

    corners = np.asarray(values.get("hRoiManager.imagingFovUm") or [], np.float64)
    if corners.ndim == 2 and corners.shape[1] == 2 and len(shape) >= 2:
        width, height = np.ptp(corners, axis=0).tolist()
        steps |= {"x": (width / shape[1], "micrometer"), "y": (height / shape[0], "micrometer")}
    return steps


def _channels(names: object, saved: list[Any]) -> tuple[Channel, ...]:
    """Return the saved channels, whose numbers start at 1."""
    known = [str(name) for name in names] if isinstance(names, list | tuple) else []
    chosen = [_count(number) - 1 for number in saved]
    if not known or not all(0 <= index < len(known) for index in chosen):
        return ()
    return tuple(Channel(known[index]) for index in chosen)


def _read_version_5(values: Mapping[str, Any]) -> _Acquisition:
    saved = values.get("channelsSave", values.get("hChannels.channelSave", 1))
    slices = _count(values.get("stackNumSlices")) or 1
    is_fast = bool(values.get("fastZEnable")) and slices > 1
    rate = to_number(values.get("scanFrameRate")) / (slices if is_fast else 1)
    return _Acquisition(
        channels=len(np.ravel(saved)) if isinstance(saved, list | tuple | np.ndarray) else 1,
        slices=slices,
        frames_per_slice=1 if is_fast else _count(values.get("acqNumFrames")),
        is_volumes=is_fast,
        metadata=_text_metadata(values, rate, values.get("stackZStepSize")),
    )


def _read_version_3(values: Mapping[str, Any]) -> _Acquisition:
    rate = to_number(values.get("acq.frameRate"))
    return _Acquisition(
        channels=_count(values.get("acq.numberOfChannelsSave")) or 1,
        slices=_count(values.get("acq.numberOfZSlices")) or 1,
        frames_per_slice=_count(values.get("acq.numberOfFrames")),
        is_volumes=False,
        metadata=_text_metadata(values, rate, values.get("acq.zStepSize")),
    )


def _text_metadata(values: Mapping[str, Any], rate: float, z_step: object) -> VendorMetadata:
    """Return the metadata of a header in text; `rate` is per second, `z_step` in micrometers."""
    steps = {
        "t": (1 / rate if rate else 0.0, "second"),
        "z": (abs(to_number(z_step)), "micrometer"),
    }
    return VendorMetadata(steps, metadata={"scanimage": compact(values)})
