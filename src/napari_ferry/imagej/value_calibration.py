"""Calibration of the values of an ImageJ hyperstack: stored numbers and their meaning.

ImageJ's classes Calibration and FileOpener (https://github.com/imagej/ImageJ): the entries ``cf``
(the function), ``c0``, ``c1`` ... (its coefficients) and ``vunit`` (the unit). ImageJ stores signed
16-bit images as uint16 with ``c0=-32768`` and ``c1=1``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_ferry.arguments import is_finite
from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.array_protocol import Closable, close
from napari_ferry.arrays.frames import IndexedFrames, ReadFrame
from napari_ferry.errors import warn
from napari_ferry.image.axes import limits_of
from napari_ferry.image.record import CHANNEL_DISPLAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_ferry.image import Channel, Image

_STRAIGHT_LINE, _NONE = 0, 20
"""ImageJ's numbers of functions."""

_STORED = ("uint8", "uint16")
"""Types of samples whose calibration ImageJ applies."""

_EXACT = ("uint8", "int8", "uint16", "int16", "int32")
"""Types of calibrated values, in the order of choice."""

_IDENTITY = {"c0": 0, "c1": 1, "c2": 0, "c3": 0, "c4": 0}
"""Coefficients of a straight line through the stored numbers themselves."""


class ExactCalibration(NamedTuple):
    """A calibration to integers: ``offset + factor * stored``, of a data type."""

    offset: int
    factor: int
    dtype: np.dtype[Any]

    def value(self, stored: float) -> float:
        """Return the value of one stored number."""
        return self.offset + self.factor * stored


@dataclass(frozen=True)
class CalibratedReader(Closable):
    """Reader of frames as their calibrated values."""

    read: ReadFrame
    calibration: ExactCalibration

    def __call__(self, i: int) -> NDArray[Any]:
        offset, factor, dtype = self.calibration
        # exact although products may wrap, because the results fit in the data type
        values = self.read(i).astype(dtype)
        values *= dtype.type(factor)
        values += dtype.type(offset)
        return values

    def close(self) -> None:
        """Close the reader of stored numbers."""
        close(self.read)


def with_values(image: Image, metadata: Mapping[str, Any], filename: str) -> Image:
    """Calibrate the values of an ImageJ hyperstack if the result is exact.

    Parameters
    ----------
    image : Image
        The image, with the numbers as they are stored.
    metadata : mapping
        ``tifffile.TiffFile.imagej_metadata``.
    filename : str
        Name of the file, for the warning.

    Warns
    -----
    FerryWarning
        The calibration is not exact, so the stored numbers are shown.
    """
    if not _has_calibration(metadata) or image.dtype.name not in _STORED or image.is_rgb:
        return image
    calibration = exact_calibration(metadata, image.dtype)
    if calibration is not None:
        return _calibrated(image, calibration)
    known = {key: metadata[key] for key in ("cf", *_IDENTITY, "vunit") if key in metadata}
    warn(
        f"{filename} has a calibration of its values "
        f"({', '.join(f'{key}={value}' for key, value in known.items())}), which is not applied: "
        "the numbers are shown as they are stored; calibrate them in ImageJ if you need it."
    )
    return image


def _has_calibration(metadata: Mapping[str, Any]) -> bool:
    """Return True if values differ from the stored numbers."""
    function = metadata.get("cf", _STRAIGHT_LINE)
    is_identity = _coefficients(metadata) == tuple(_IDENTITY.values())
    return function != _NONE and not (function == _STRAIGHT_LINE and is_identity)


def _coefficients(metadata: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(metadata.get(key, default) for key, default in _IDENTITY.items())


def exact_calibration(metadata: Mapping[str, Any], dtype: np.dtype[Any]) -> ExactCalibration | None:
    """Return the calibration of an ImageJ header if it gives integers, in order.

    Parameters
    ----------
    metadata : mapping
        ``tifffile.TiffFile.imagej_metadata``.
    dtype : data type
        Type of the stored numbers: uint8 or uint16.
    """
    coefficients = _coefficients(metadata)
    are_numbers = all(is_finite(number) for number in coefficients)
    if metadata.get("cf", _STRAIGHT_LINE) != _STRAIGHT_LINE or not are_numbers:
        return None
    offset, factor, *others = coefficients
    if any(others) or int(offset) != offset or int(factor) != factor or factor < 1:
        return None

    low, high = int(offset), int(offset) + int(factor) * int(np.iinfo(dtype).max)
    types = map(np.dtype, _EXACT)
    fits = (t for t in types if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
    found = next(fits, None)
    return None if found is None else ExactCalibration(int(offset), int(factor), found)


def _calibrated(image: Image, calibration: ExactCalibration) -> Image:
    """Return an image of calibrated values, with its contrast limits."""
    channels = tuple(_calibrated_channel(each, calibration) for each in image.channels)
    display = _calibrated_display(image.display, calibration)
    if CHANNEL_DISPLAYS in display:
        own = display[CHANNEL_DISPLAYS]
        display[CHANNEL_DISPLAYS] = [_calibrated_display(each, calibration) for each in own]
    applied = {"cf", *_IDENTITY}
    return replace(
        image,
        levels=tuple(_calibrated_array(level, calibration) for level in image.levels),
        channels=channels,
        display=display,
        metadata={k: v for k, v in image.metadata.items() if k not in applied},
    )


def _calibrated_array(array: Array, calibration: ExactCalibration) -> Frames:
    lead = array.ndim - 2
    reader = CalibratedReader(IndexedFrames(array, lead), calibration)
    return Frames(reader, array.shape, calibration.dtype, lead)


def _calibrated_channel(channel: Channel, calibration: ExactCalibration) -> Channel:
    if channel.contrast_limits is None:
        return channel
    low, high = map(calibration.value, channel.contrast_limits)
    return replace(channel, contrast_limits=(low, high))


def _calibrated_display(
    display: Mapping[str, Any], calibration: ExactCalibration
) -> dict[str, Any]:
    limits = limits_of(display)
    return {
        **display,
        **({"contrast_limits": [*map(calibration.value, limits)]} if limits else {}),
    }
