"""Sample types, by the length of a code for smooth samples.

Code lengths are compared in bits per byte of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.layout import KnownFields
from napari_ferry.codecs.binary.layout.signals.code_length import BLOCK, code_cost, float_step
from napari_ferry.codecs.binary.layout.source import SampleSource

Floats = npt.NDArray[np.float64]

_SLICES, _FEW_SLICES, _SLICE_BYTES = 32, 6, 8160
_ODD_PHASE = 0.05
"""Penalty for samples aligned neither to the file nor to its end, in bits per byte."""
_MAX_RIVALRY = 0.01
"""Maximum excess over the cost of another order or phase of the same numbers, in bits per byte."""
ASYMMETRY_WEIGHT = 1.2
_MAX_EXTRA, _MAX_LOG_RATIO = 0.8, 1.6
"""Difference and log ratio of costs, up to which a type is kept."""
_NAMES = ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")
_PENALTIES = {"i1": 0.9, "i2": 0.02, "u4": 0.02, "i4": 0.02}


@dataclass(frozen=True, kw_only=True)
class SampleType:
    """A type of samples and its cost.

    Parameters
    ----------
    dtype : numpy.dtype
        Type of a sample, with its byte order.
    phase : int
        Bytes from a multiple of its size to a sample.
    cost : float
        Code length in bits per byte.
    total : float
        Cost with all penalties.
    rivalry : float
        Cost relative to the best other byte order or phase of the same kind of number.
    """

    dtype: np.dtype[Any]
    phase: int
    cost: float
    total: float
    rivalry: float = 0.0


def find_sample_types(source: SampleSource, known: KnownFields) -> list[SampleType]:
    """Return at most three sample types of a file, the likeliest first."""
    types = [
        candidate for dtype in possible_dtypes(known) for candidate in _phases(source, dtype, known)
    ]
    types = [
        _with_rivalry(candidate, types)
        for candidate in _drop_signed_duplicates(sorted(types, key=_total))
    ]
    if not types:
        return []
    least = types[0].total
    near = [
        candidate
        for candidate in types
        if candidate.total < least + _MAX_EXTRA
        and np.log((candidate.total + 0.05) / (least + 0.05)) < _MAX_LOG_RATIO
        and (candidate.rivalry < _MAX_RIVALRY or candidate is types[0])
    ]

    # The best of each size and kind of number, next to the best of all.
    best_of_kind: dict[tuple[int, bool], SampleType] = {}
    for candidate in near[1:]:
        best_of_kind.setdefault(_kind(candidate), candidate)
    return [candidate for candidate in near if candidate in (near[0], *best_of_kind.values())][:3]


def possible_dtypes(known: KnownFields) -> list[np.dtype[Any]]:
    """Return the dtypes allowed by the known fields."""
    names = _NAMES if known.dtype is None else (known.dtype.str[1:],)
    orders = "<>" if known.byte_order is None else known.byte_order
    both = [np.dtype(order + name) for name in names for order in orders]
    return list(dict.fromkeys(both))


def _total(sample_type: SampleType) -> float:
    return sample_type.total


def _kind(sample_type: SampleType) -> tuple[int, bool]:
    return sample_type.dtype.itemsize, sample_type.dtype.kind == "f"


def _alignment(sample_type: SampleType) -> tuple[str, int]:
    return sample_type.dtype.str[0], sample_type.phase


def _with_rivalry(sample_type: SampleType, types: list[SampleType]) -> SampleType:
    """Return a type with its cost relative to other byte orders and phases."""
    others = [
        other.cost
        for other in types
        if _kind(other) == _kind(sample_type) and _alignment(other) != _alignment(sample_type)
    ]
    return replace(sample_type, rivalry=sample_type.cost - min(others)) if others else sample_type


def _phases(source: SampleSource, dtype: np.dtype[Any], known: KnownFields) -> list[SampleType]:
    """Measure a dtype at each possible alignment.

    Samples usually end with the file, or begin at multiples of their size; other phases are first
    measured in a few slices.
    """
    itemsize = dtype.itemsize
    usual = {source.size % itemsize, 0} if known.offset is None else {known.offset % itemsize}
    measured = [_measure(source, dtype, phase, _SLICES) for phase in sorted(usual)]
    types = [candidate for candidate in measured if candidate is not None]
    if known.offset is not None:
        return types

    least = min((candidate.total for candidate in types), default=np.inf)
    for phase in set(range(itemsize)) - usual:
        few = _measure(source, dtype, phase, _FEW_SLICES)
        if few is not None and few.total < 0.98 * least:
            other = _measure(source, dtype, phase, _SLICES)
            if other is not None and other.total + _ODD_PHASE < least:
                types.append(replace(other, total=other.total + _ODD_PHASE))
    return types


def _measure(
    source: SampleSource, dtype: np.dtype[Any], phase: int, slices: int
) -> SampleType | None:
    """Measure the cost of a dtype at a phase; None if it is impossible."""
    values = read_slices(source, dtype, phase, slices)
    if values.size < 2 * BLOCK:
        return None
    penalty = _PENALTIES.get(dtype.str[1:], 0.0) + (0.05 if dtype.str[0] == ">" else 0.0)
    is_float = dtype.kind == "f"
    numbers, quantum, doubt = _float_steps(values) if is_float else _integer_steps(values)
    if numbers is None:
        return None

    cost, asymmetry = code_cost(numbers, quantum, dtype.itemsize)
    if is_float:
        rank_cost, rank_asymmetry = _rank_cost(numbers, dtype.itemsize)
        if rank_cost < cost:
            cost, asymmetry = rank_cost, rank_asymmetry
        penalty += 1.0 if dtype.itemsize == 8 and _is_pairs(values) else 0.0
    total = cost + ASYMMETRY_WEIGHT * asymmetry + penalty + doubt
    return SampleType(dtype=dtype, phase=phase, cost=cost, total=total)


def read_slices(
    source: SampleSource, dtype: np.dtype[Any], anchor: int, slices: int = _SLICES
) -> npt.NDArray[Any]:
    """Read slices spread over the file, shape ``(slices, samples)``, with the same alignment.

    They are aligned to `anchor` in steps of 24 bytes, which hold whole samples of each size and
    whole pixels of two, three and four channels, so the bytes of a wider number are in the same
    columns of every slice.
    """
    first, step = source.body_start, 24
    room = source.size - first
    nbytes = min(_SLICE_BYTES, room // step * step)
    count = min(slices, max(1, room // max(nbytes, 1)))
    starts = np.linspace(first, source.size - nbytes, count).astype(np.int64)
    starts += (anchor - starts) % step
    rows = [source.read_samples(int(start), nbytes // dtype.itemsize, dtype) for start in starts]
    shortest = min(row.size for row in rows)
    return np.stack([row[:shortest] for row in rows]) if shortest else np.empty((0, 0), dtype)


def _integer_steps(values: npt.NDArray[Any]) -> tuple[Floats | None, float | Floats, float]:
    """Return integers, the step between occurring values, and a penalty for doubts."""
    itemsize = values.dtype.itemsize
    numbers = values.astype(np.float64)
    steps = np.abs(np.diff(values.astype(np.int64), axis=1)).ravel()
    common = int(np.gcd.reduce(steps)) or 1
    shifted = itemsize > 1 and common % 256 == 0
    penalty = 0.5 if shifted else (0.15 if common > 1 else 0.0)
    if itemsize == 2 and values.dtype.kind == "u" and _is_about_zero(values):
        penalty += 0.15
    if itemsize == 4 and np.median(np.abs(numbers)) > 1 << 27:
        penalty += 0.8  # larger than camera counts: these look like the exponents of floats
    return numbers, float(common), penalty


def _is_about_zero(values: npt.NDArray[Any]) -> bool:
    """Return True if unsigned values look like signed ones around zero.

    These are in the last quarter of the range or near 0, but not between.
    """
    last = 3 << (8 * values.dtype.itemsize - 2)
    middle = (values >= last // 3) & (values < last)
    return bool((values >= last).mean() > 0.01 and not middle.any())


def _float_steps(values: npt.NDArray[Any]) -> tuple[Floats | None, float | Floats, float]:
    """Return floats, the step between occurring values, and a penalty for doubts.

    The floats are None if most are not finite or have implausible sizes.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        numbers = values.astype(np.float64)
    bad = ~np.isfinite(numbers)
    share = float(bad.mean())
    size = np.abs(numbers[~bad])
    size = size[size > 0]
    plausible = float(((size > 1e-9) & (size < 1e9)).mean()) if size.size else 1.0
    if share > 0.5 or plausible < 0.5:
        return None, np.ones_like(numbers), 0.0

    if share:
        numbers = _filled(numbers, bad)
    step = float_step(numbers, np.finfo(values.dtype).nmant)
    return numbers, step, 4 * (1 - plausible) + 4 * share


def _is_pairs(values: npt.NDArray[Any]) -> bool:
    """Return True if the lower halves of doubles are plausible floats; rare by chance."""
    order = values.dtype.str[0]
    halves = np.ascontiguousarray(values).view(f"{order}f4")
    with np.errstate(invalid="ignore"):
        size = np.abs(halves[:, (0 if order == "<" else 1) :: 2])
    size = size[size != 0]
    return size.size > 0.05 * values.size and bool(((size > 1e-9) & (size < 1e9)).mean() > 0.9)


def _rank_cost(numbers: Floats, itemsize: int) -> tuple[float, float]:
    """Return the cost of floats as a table of few values and ranks in it, and its asymmetry.

    Such floats were integers before they were scaled.
    """
    table, ranks = np.unique(numbers, return_inverse=True)
    if table.size >= numbers.size / 8:
        return np.inf, 0.0
    integers = ranks.reshape(numbers.shape).astype(np.float64)
    cost, asymmetry = code_cost(integers, 1.0, itemsize)
    return cost + 8 * table.size / numbers.size, asymmetry


def _filled(numbers: Floats, bad: npt.NDArray[np.bool_]) -> Floats:
    """Replace each bad number by the last good one before it."""
    flat, wrong = numbers.ravel(), bad.ravel()
    last = np.maximum.accumulate(np.where(wrong, 0, np.arange(flat.size)))
    filled = np.where(wrong[last], 0.0, flat[last])
    return filled.reshape(numbers.shape)


def _drop_signed_duplicates(types: list[SampleType]) -> list[SampleType]:
    """Drop signed types if their unsigned twins are as likely, as the pixels are the same."""
    totals = {(candidate.dtype.str, candidate.phase): candidate.total for candidate in types}

    def is_twin(candidate: SampleType) -> bool:
        """Return True for a signed type if its unsigned one costs no more."""
        twin = totals.get((candidate.dtype.str.replace("i", "u"), candidate.phase))
        return candidate.dtype.kind == "i" and twin is not None and twin <= candidate.total

    return [candidate for candidate in types if not is_twin(candidate)]
