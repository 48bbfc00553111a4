"""Axes, channels and other metadata from private tags and texts of microscopes' TIFF files.

The tags are read by tifffile; none of these formats has a complete public specification.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.codecs.tiff.images.page_names import page_channel
from napari_ferry.image import Axis, Channel
from napari_ferry.image.json_values import to_json
from napari_ferry.units import from_imagej, is_step

if TYPE_CHECKING:
    import tifffile

_MAX_VALUE, _MAX_METADATA = 1024, 16384
"""Maximum numbers of characters of one value, and of all metadata, as JSON."""


@dataclass(frozen=True)
class VendorMetadata:
    """Metadata of a microscope's file.

    Parameters
    ----------
    steps : mapping
        Scale and unit of each axis, by name.
    channels : tuple of Channel
        Names and colors.
    metadata : mapping
        Other short values as plain JSON, under the name of the format.
    """

    steps: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def axis(self, name: str) -> Axis:
        """Return an axis, with its scale and unit if the scale is valid."""
        step, unit = self.steps.get(name, (0.0, ""))
        return Axis(name, step, unit) if is_step(step) else Axis(name)

    def channels_of(self, sizes: Mapping[str, int]) -> tuple[Channel, ...]:
        """Return the channels if they fit an image, given the lengths of its axes by name.

        A single channel describes an image without an axis ``c``, unless that is in color.
        """
        is_color = "s" in sizes and "c" not in sizes
        fits = len(self.channels) == sizes.get("c", 1) and not is_color
        return self.channels if fits else ()


def compact(metadata: object) -> Any:
    """Return metadata as plain JSON without long values; empty if the result is too long."""
    plain = to_json(metadata)
    if isinstance(plain, dict):
        plain = {k: v for k, v in plain.items() if len(json.dumps(v)) <= _MAX_VALUE}
    return plain if plain and len(json.dumps(plain)) <= _MAX_METADATA else {}


def to_number(value: object) -> float:
    """Convert a value of a tag to a finite number, or 0 for any other value."""
    if isinstance(value, np.ndarray | Sequence) and not isinstance(value, str) and len(value):
        return to_number(value[0])
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def vendor_metadata(tif: tifffile.TiffFile, flavor: str) -> VendorMetadata:
    """Return the metadata of a microscope's file."""
    steps, channels = _READERS[flavor](tif) if flavor in _READERS else ({}, ())
    tags = compact(getattr(tif, f"{flavor}_metadata", None))
    text = {} if tags else compact({"ImageDescription": tif.pages.first.description})
    metadata = tags or {key: value for key, value in text.items() if value}
    return VendorMetadata(steps, channels, {flavor: metadata} if metadata else {})


_Steps = dict[str, tuple[float, str]]
_Calibration = tuple[_Steps, tuple[Channel, ...]]
"""Scale and unit of each axis, and the channels."""


def _read_qpi(tif: tifffile.TiffFile) -> _Calibration:
    """Read PerkinElmer's names and colors of channels, one page each."""
    pages = tif.series[0].levels[0].pages
    named = [page_channel(page.aspage().description) for page in pages if page is not None]
    channels = tuple(page.channel for page in named if page is not None)
    return {}, channels if 1 < len(channels) == len(pages) else ()


def _read_svs(tif: tifffile.TiffFile) -> _Calibration:
    """Read Aperio's micrometers per pixel."""
    match = re.search(r"\bMPP\s*=\s*([\d.eE+-]+)", tif.pages.first.description)
    step = (to_number(match[1] if match else 0), "micrometer")
    return {"y": step, "x": step}, ()


def _read_bif(tif: tifffile.TiffFile) -> _Calibration:
    """Read Ventana's micrometers per pixel from the XMP."""
    xmp = tif.pages.first.tags.valueof(700) or b""
    text = xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else str(xmp)
    match = re.search(r'ScanRes="([\d.eE+-]+)"', text)
    step = (to_number(match[1] if match else 0), "micrometer")
    return {"y": step, "x": step}, ()


def _read_philips(tif: tifffile.TiffFile) -> _Calibration:
    """Read Philips' millimeters per pixel, in the order of DICOM: rows first."""
    match = re.search(r"DICOM_PIXEL_SPACING[^>]*>([^<]*)<", tif.pages.first.description)
    values = [to_number(text) for text in re.findall(r"[\d.eE+-]+", match[1])] if match else []
    y, x = values[:2] if len(values) > 1 else (0.0, 0.0)
    return {"y": (y * 1e3, "micrometer"), "x": (x * 1e3, "micrometer")}, ()


def _read_lsm(tif: tifffile.TiffFile) -> _Calibration:
    """Read Zeiss' voxel sizes in meters, the time between frames, and the channels."""
    info = tif.lsm_metadata or {}
    steps = {
        name: (to_number(info.get(f"VoxelSize{name.upper()}")) * 1e6, "micrometer")
        for name in "zyx"
    }
    steps["t"] = (to_number(info.get("TimeIntervall")), "second")

    colors = info.get("ChannelColors") or {}
    names = list(colors.get("ColorNames") or ())
    values = [*(colors.get("Colors") or ()), *[None] * len(names)]
    return steps, tuple(
        Channel(str(name) or None, None if rgb is None else f"#{bytes(rgb[:3]).hex()}")
        for name, rgb in zip(names, values, strict=False)
    )


def _read_stk(tif: tifffile.TiffFile) -> _Calibration:
    """Read MetaMorph's calibration, distance between planes, times, and wavelengths."""
    info = tif.stk_metadata or {}
    unit = from_imagej(str(info.get("CalibrationUnits", ""))) if info.get("XCalibration") else None
    steps: _Steps = {}
    if unit:
        steps = {name: (to_number(info.get(f"{name.upper()}Calibration")), unit) for name in "yx"}

    distances = np.abs(np.atleast_1d(np.asarray(info.get("ZDistance", 0.0), np.float64)))
    steps["z"] = (float(distances[-1]), unit or "micrometer")

    times = np.asarray(info.get("DatetimeCreated", ()))
    if len(times) > 1 and times.dtype.kind == "M":
        seconds = np.diff(times) / np.timedelta64(1, "s")
        steps["t"] = (float(seconds.mean()), "second")

    wavelengths = np.unique(np.atleast_1d(info.get("Wavelengths", ())))
    return steps, tuple(Channel(f"{each:g} nm") for each in wavelengths.tolist() if each)


def _read_fluoview(tif: tifffile.TiffFile) -> _Calibration:
    """Read Olympus' dimensions: name, size, origin, resolution, unit."""
    steps: _Steps = {}
    names = {"X": "x", "Y": "y", "Z": "z", "T": "t", "TIME": "t"}
    for name, _, _, step, unit, *_ in (tif.fluoview_metadata or {}).get("Dimensions", ()):
        axis, full_unit = names.get(str(name).upper()), from_imagej(str(unit).strip())
        if axis and full_unit:
            steps[axis] = (to_number(step), full_unit)
    return steps, ()


def _read_nih(tif: tifffile.TiffFile) -> _Calibration:
    """Read NIH Image's pixels per unit."""
    info = tif.nih_metadata or {}
    scale, unit = to_number(info.get("XScale")), from_imagej(str(info.get("XUnit", "")))
    step = (1 / scale if scale else 0.0, unit or "")
    return ({"y": step, "x": step} if unit else {}), ()


_READERS = {
    "bif": _read_bif,
    "fluoview": _read_fluoview,
    "lsm": _read_lsm,
    "nih": _read_nih,
    "philips": _read_philips,
    "qpi": _read_qpi,
    "stk": _read_stk,
    "svs": _read_svs,
}
