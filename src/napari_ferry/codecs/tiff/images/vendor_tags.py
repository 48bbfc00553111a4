"""What the private tags and texts of microscopes' TIFF files say: steps, channels, and the rest.

As tifffile reads them; none of these formats has a specification that is public and whole.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.image import Axis, Channel
from napari_ferry.image.json_values import to_json
from napari_ferry.units import from_imagej, is_step

if TYPE_CHECKING:
    import tifffile

_MAX_VALUE, _MAX_METADATA = 1024, 16384
_CENTIMETER = 3


@dataclass(frozen=True)
class VendorFacts:
    """What a file says of its axes and channels.

    Parameters
    ----------
    steps : mapping
        Distance and unit by the name of an axis.
    channels : tuple of Channel
        Names and colors.
    metadata : mapping
        The rest, small, as plain JSON, under the name of the format.
    """

    steps: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def axis(self, name: str) -> Axis:
        """Return an axis with its step, where one is said that is possible."""
        step, unit = self.steps.get(name, (0.0, ""))
        return Axis(name, step, unit) if is_step(step) else Axis(name)

    def channels_of(self, count: int) -> tuple[Channel, ...]:
        """Return the channels if there are as many."""
        return self.channels if len(self.channels) == count else ()


def small(metadata: object) -> Any:
    """Return metadata as plain JSON without what is long; empty when all of it is too much."""
    plain = to_json(metadata)
    if isinstance(plain, dict):
        plain = {k: v for k, v in plain.items() if len(json.dumps(v)) <= _MAX_VALUE}
    return plain if plain and len(json.dumps(plain)) <= _MAX_METADATA else {}


def number(value: object) -> float:
    """Return a number that a file gives, 0 for what is none."""
    if isinstance(value, np.ndarray | Sequence) and not isinstance(value, str) and len(value):
        return number(value[0])
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return found if math.isfinite(found) else 0.0


def said_by(tif: tifffile.TiffFile, flavor: str) -> VendorFacts:
    """Return what a file of a microscope says."""
    steps, channels = _READERS.get(flavor, _read_resolution)(tif)
    told = small(getattr(tif, f"{flavor}_metadata", None))
    text = {} if told else small({"ImageDescription": tif.pages.first.description})
    metadata = told or {key: value for key, value in text.items() if value}
    return VendorFacts(steps, channels, {flavor: metadata} if metadata else {})


_Steps = dict[str, tuple[float, str]]
_Found = tuple[_Steps, tuple[Channel, ...]]


def _read_resolution(tif: tifffile.TiffFile) -> _Found:
    """Read pixels per centimeter; per inch, they are those of a printer."""
    tags = tif.pages.first.tags
    if tags.valueof(296) != _CENTIMETER:
        return {}, ()
    found = {}
    for name, tag in (("x", 282), ("y", 283)):
        top, bottom = tags.valueof(tag) or (0, 1)
        found[name] = (1e4 * bottom / top if top else 0.0, "micrometer")
    return found, ()


def _read_svs(tif: tifffile.TiffFile) -> _Found:
    """Read Aperio's micrometers per pixel."""
    match = re.search(r"\bMPP\s*=\s*([\d.eE+-]+)", tif.pages.first.description)
    step = (number(match[1] if match else 0), "micrometer")
    return {"y": step, "x": step}, ()


def _read_bif(tif: tifffile.TiffFile) -> _Found:
    """Read Ventana's micrometers per pixel, which stand in the XMP."""
    xmp = tif.pages.first.tags.valueof(700) or b""
    text = xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else str(xmp)
    match = re.search(r'ScanRes="([\d.eE+-]+)"', text)
    step = (number(match[1] if match else 0), "micrometer")
    return {"y": step, "x": step}, ()


def _read_philips(tif: tifffile.TiffFile) -> _Found:
    """Read Philips' millimeters per pixel, as DICOM has them: rows first."""
    found = re.search(r"DICOM_PIXEL_SPACING[^>]*>([^<]*)<", tif.pages.first.description)
    values = [number(text) for text in re.findall(r"[\d.eE+-]+", found[1])] if found else []
    y, x = values[:2] if len(values) > 1 else (0.0, 0.0)
    return {"y": (y * 1e3, "micrometer"), "x": (x * 1e3, "micrometer")}, ()


def _read_lsm(tif: tifffile.TiffFile) -> _Found:
    """Read Zeiss' voxel sizes, in meters, the time between frames, and names of channels."""
    info = tif.lsm_metadata or {}
    steps = {
        name: (number(info.get(f"VoxelSize{name.upper()}")) * 1e6, "micrometer") for name in "zyx"
    }
    steps["t"] = (number(info.get("TimeIntervall")), "second")
    colors = info.get("ChannelColors") or {}
    names = list(colors.get("ColorNames") or ())
    values = [*(colors.get("Colors") or ()), *[None] * len(names)]
    return steps, tuple(
        Channel(str(name) or None, None if rgb is None else f"#{bytes(rgb[:3]).hex()}")
        for name, rgb in zip(names, values, strict=False)
    )


def _read_stk(tif: tifffile.TiffFile) -> _Found:
    """Read MetaMorph's calibration, distance of planes, times in seconds, and wavelengths."""
    info = tif.stk_metadata or {}
    unit = from_imagej(str(info.get("CalibrationUnits", ""))) if info.get("XCalibration") else None
    steps: _Steps = {}
    if unit:
        steps = {name: (number(info.get(f"{name.upper()}Calibration")), unit) for name in "yx"}
    distances = np.abs(np.atleast_1d(np.asarray(info.get("ZDistance", 0.0), np.float64)))
    steps["z"] = (float(distances[-1]), unit or "micrometer")
    times = np.asarray(info.get("DatetimeCreated", ()))
    if len(times) > 1 and times.dtype.kind == "M":
        seconds = np.diff(times) / np.timedelta64(1, "s")
        steps["t"] = (float(seconds.mean()), "second")
    waves = np.unique(np.atleast_1d(info.get("Wavelengths", ())))
    return steps, tuple(Channel(f"{wave:g} nm") for wave in waves.tolist() if wave)


def _read_fluoview(tif: tifffile.TiffFile) -> _Found:
    """Read Olympus' dimensions: name, size, origin, resolution, unit."""
    steps: _Steps = {}
    names = {"X": "x", "Y": "y", "Z": "z", "T": "t", "TIME": "t"}
    for name, _, _, step, unit, *_ in (tif.fluoview_metadata or {}).get("Dimensions", ()):
        axis, known = names.get(str(name).upper()), from_imagej(str(unit).strip())
        if axis and known:
            steps[axis] = (number(step), known)
    return steps, ()


def _read_sis(tif: tifffile.TiffFile) -> _Found:
    """Read Olympus' pixel sizes, in meters."""
    info = tif.sis_metadata or {}
    return {name: (number(info.get(f"pixelsize{name}")) * 1e6, "micrometer") for name in "yx"}, ()


def _read_nih(tif: tifffile.TiffFile) -> _Found:
    """Read NIH Image's pixels per unit."""
    info = tif.nih_metadata or {}
    scale, unit = number(info.get("XScale")), from_imagej(str(info.get("XUnit", "")))
    step = (1 / scale if scale else 0.0, unit or "")
    return ({"y": step, "x": step} if unit else {}), ()


_READERS = {
    "bif": _read_bif,
    "fluoview": _read_fluoview,
    "lsm": _read_lsm,
    "nih": _read_nih,
    "philips": _read_philips,
    "sis": _read_sis,
    "stk": _read_stk,
    "svs": _read_svs,
}
