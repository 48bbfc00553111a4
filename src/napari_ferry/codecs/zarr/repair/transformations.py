"""Scales and translations of the levels of images of OME-NGFF."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_ferry.arguments import is_finite
from napari_ferry.codecs.zarr.ome_axes import read_steps
from napari_ferry.codecs.zarr.repair.documents import Entry, show_value
from napari_ferry.units import is_step

_KEY = "coordinateTransformations"
_READABLE = ("scale", "translation", "identity", "sequence")


@dataclass
class Steps:
    """Scale and translation of a level along each axis; ``None`` for invalid values.

    `is_regular` is False if they are not stored as a scale, and a translation after it.
    """

    scale: list[float | None]
    translation: list[float | None] | None
    is_regular: bool = True


def read_texts(owner: dict[str, Any], title: str, entry: Entry) -> None:
    """Replace texts by numbers in the transformations of a level or an image.

    Parameters
    ----------
    owner : dict
        The level or the image, changed in place.
    title : str
        Its name for messages.
    entry : Entry
        Its group.
    """
    for each in _listed(owner):
        kind = each.get("type") if isinstance(each, dict) else None
        values = each.get(kind) if kind in ("scale", "translation") else None
        if not isinstance(values, list):
            continue
        texts = [item for item in values if isinstance(item, str)]
        numbers = [_to_number(item) for item in values]
        if not texts or any(isinstance(item, str) for item in numbers):
            continue  # a word is not a number: it is invalid like NaN
        each[kind] = numbers
        before, after = (texts[0], _to_number(texts[0])) if len(texts) == 1 else (values, numbers)
        entry.change(f"{kind} of {title}: {show_value(before)} (text) -> {show_value(after)}")


def _to_number(item: Any) -> Any:
    """Return the number in a text, also with a comma; return anything else unchanged."""
    if not isinstance(item, str):
        return item
    try:
        number = float(item.replace(",", "."))
    except ValueError:
        return item
    return number if math.isfinite(number) else item


def _listed(owner: Mapping[str, Any]) -> list[Any]:
    listed = owner.get(_KEY)
    return listed if isinstance(listed, list) else []


def read_level(owner: Mapping[str, Any], ndim: int, entry: Entry, title: str) -> Steps | None:
    """Return scale and translation; leave transformations of other kinds, and return ``None``."""
    listed = _listed(owner)
    described = [each if isinstance(each, dict) else {} for each in listed]
    kinds = [each.get("type") for each in described]
    if any(kind not in _READABLE for kind in kinds):
        entry.remark(
            f"the transformations of {title} are of an unknown kind "
            f"({', '.join(map(str, kinds))[:60]}): they are left as they are."
        )
        return None

    if kinds in (["scale"], ["scale", "translation"]):
        scale, *others = (_numbers(each.get(each["type"]), ndim) for each in described)
        return Steps(_valid_scales(scale), others[0] if others else None)
    if not kinds or not all(map(_is_valid, described, [ndim] * len(kinds))):
        return Steps([None] * ndim, None, is_regular=False)

    combined = read_steps(listed, ndim, entry.node.label)
    moved = "translation" in kinds or "sequence" in kinds
    translation: list[float | None] | None = [*combined.translation] if moved else None
    return Steps(_valid_scales(combined.scale), translation, is_regular=False)


def _valid_scales(scales: Sequence[float | None]) -> list[float | None]:
    """Replace scales that are not valid distances with ``None``, as when opening images."""
    return [each if each is not None and is_step(abs(each)) else None for each in scales]


def _is_valid(described: Mapping[str, Any], ndim: int) -> bool:
    """Return True for a transformation with a finite number for each axis."""
    kind = described["type"]
    if kind == "sequence":
        inner = _listed({_KEY: described.get("transformations")})
        return all(isinstance(each, dict) and each.get("type") in _READABLE for each in inner) and (
            all(_is_valid(each, ndim) for each in inner)
        )
    return kind == "identity" or None not in _numbers(described.get(kind), ndim)


def _numbers(values: object, ndim: int) -> list[float | None]:
    """Return the finite numbers of a list, one for each axis."""
    if not isinstance(values, list) or len(values) != ndim:
        return [None] * ndim
    return [value if is_finite(value) else None for value in values]


def write_level(owner: dict[str, Any], steps: Steps) -> None:
    """Replace the transformations of a level by a scale, and a translation if it has one."""
    owner[_KEY] = [{"type": "scale", "scale": steps.scale}]
    if steps.translation is not None:
        owner[_KEY].append({"type": "translation", "translation": steps.translation})


def factors(full: Sequence[int], shape: Sequence[int]) -> list[float]:
    """Return the downsampling factor along each axis; a whole number if possible.

    >>> factors((10, 65, 64), (10, 33, 32)), factors((10,), (4,))
    ([1, 2, 2], [2.5])
    """
    return [_factor(n, m) for n, m in zip(full, shape, strict=True)]


def _factor(n: int, m: int) -> float:
    if not n or not m:
        return 1
    whole = round(n / m)
    is_whole = whole and m in (n // whole, -(-n // whole))
    return whole if is_whole else n / m
