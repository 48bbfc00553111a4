"""The type of number, by how few bits a smooth code needs for the samples read as each type.

The code is a zero-inflated two-sided geometric one of the differences of neighbors, in bits per
byte of file. It is metric, so it tells byte orders apart, which the entropy of bytes cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.layout import KnownFields
from napari_ferry.codecs.binary.layout.source import Samples

Floats = npt.NDArray[np.float64]

BLOCK = 96
_SLICES, _FEW_SLICES, _SLICE_BYTES = 32, 6, 8160
_ODD_PHASE = 0.05
_RIVALRY = 0.01
"""Bits a byte that a type may cost more than another order or phase of the same numbers."""
_NAMES = ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")
_PENALTIES = {"i1": 0.9, "i2": 0.02, "u4": 0.02, "i4": 0.02}


@dataclass(frozen=True)
class Coded:
    """What a type costs: bits per byte; in `total`, what speaks against it is added.

    Samples begin `phase` bytes after multiples of their size. `rivalry` is what it costs more, or
    less, than the best of other byte orders and phases of the same kind of number.
    """

    dtype: np.dtype[Any]
    phase: int
    cost: float
    total: float
    rivalry: float = 0.0


def finite(values: npt.NDArray[Any]) -> Floats:
    """Return numbers as floats, those that are none or beyond all measure as 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        x = values.astype(np.float64)
        x[~(np.abs(x) < 1e30)] = 0.0
    return x


def bits(zeros: Floats, mean: Floats) -> Floats:
    """Return bits per residual: a share `zeros` of them is 0, their mean size is `mean`."""
    p0 = np.clip(zeros, 1e-9, 1 - 1e-9)
    m1 = np.maximum(1 + 1e-9, mean / (1 - p0))
    h2 = -p0 * np.log2(p0) - (1 - p0) * np.log2(1 - p0)
    more: Floats = h2 + (1 - p0) * (1 + np.log2(m1) - (m1 - 1) * np.log2(1 - 1 / m1))
    return more


def find_dtypes(source: Samples, known: KnownFields) -> list[Coded]:
    """Return the types that a file's samples may have, at most three, the likeliest first."""
    found = [coded for dtype in types_of(known) for coded in _phases(source, dtype, known)]
    found = [_among(coded, found) for coded in _without_twins(sorted(found, key=_total))]
    if not found:
        return []
    least = found[0].total
    near = [
        coded
        for coded in found
        if coded.total < least + 0.8
        and np.log((coded.total + 0.05) / (least + 0.05)) < 1.6
        and (coded.rivalry < _RIVALRY or coded is found[0])
    ]
    of_kind: dict[tuple[int, bool], Coded] = {}
    for coded in near[1:]:
        of_kind.setdefault(_kind(coded), coded)
    return [coded for coded in near if coded in (near[0], *of_kind.values())][:3]


def types_of(known: KnownFields) -> list[np.dtype[Any]]:
    """Return the types that are not ruled out."""
    names = _NAMES if known.dtype is None else (known.dtype.str[1:],)
    orders = "<>" if known.byte_order is None else known.byte_order
    both = [np.dtype(order + name) for name in names for order in orders]
    return list(dict.fromkeys(both))


def _total(coded: Coded) -> float:
    return coded.total


def _kind(coded: Coded) -> tuple[int, bool]:
    return coded.dtype.itemsize, coded.dtype.kind == "f"


def _among(coded: Coded, found: list[Coded]) -> Coded:
    """Return a type with what it costs beside others of its kind."""
    place = coded.dtype.str[0], coded.phase
    others = [
        other.cost
        for other in found
        if _kind(other) == _kind(coded) and (other.dtype.str[0], other.phase) != place
    ]
    return replace(coded, rivalry=coded.cost - min(others)) if others else coded


def _phases(source: Samples, dtype: np.dtype[Any], known: KnownFields) -> list[Coded]:
    """Return what a type costs from each byte on at which its samples may begin.

    Samples usually end with the file, or begin at multiples of their size; others are looked at in
    few slices first.
    """
    itemsize = dtype.itemsize
    usual = {source.size % itemsize, 0} if known.offset is None else {known.offset % itemsize}
    found = [_coded(source, dtype, phase, _SLICES) for phase in sorted(usual)]
    if known.offset is None:
        least = min((coded.total for coded in found if coded is not None), default=np.inf)
        for phase in set(range(itemsize)) - usual:
            few = _coded(source, dtype, phase, _FEW_SLICES)
            if few is not None and few.total < 0.98 * least:
                other = _coded(source, dtype, phase, _SLICES)
                if other is not None and other.total + _ODD_PHASE < least:
                    found.append(replace(other, total=other.total + _ODD_PHASE))
    return [coded for coded in found if coded is not None]


def _coded(source: Samples, dtype: np.dtype[Any], phase: int, slices: int) -> Coded | None:
    values = sample_of(source, dtype, phase, slices)
    if values.size < 2 * BLOCK:
        return None
    penalty = _PENALTIES.get(dtype.str[1:], 0.0) + (0.05 if dtype.str[0] == ">" else 0.0)
    is_float = dtype.kind == "f"
    numbers, quantum, more = _float_steps(values) if is_float else _integer_steps(values)
    if numbers is None:
        return None
    cost, asymmetry = code_of(numbers, quantum, dtype.itemsize)
    if is_float:
        ranked, unlike = _as_ranks(numbers, dtype.itemsize)
        cost, asymmetry = (ranked, unlike) if ranked < cost else (cost, asymmetry)
        penalty += 1.0 if dtype.itemsize == 8 and _is_pairs(values) else 0.0
    total = cost + 1.2 * asymmetry + penalty + more
    return Coded(dtype, phase, cost, total)


def sample_of(
    source: Samples, dtype: np.dtype[Any], anchor: int, slices: int = _SLICES
) -> npt.NDArray[Any]:
    """Return slices spread over the body, shape ``(slices, samples)``, each in step with others.

    The step holds whole samples of each size and whole pixels of two, three and four channels, so
    that the bytes of a wider number lie in the same columns of every slice.
    """
    first, step = source.body, 24
    room = source.size - first
    nbytes = min(_SLICE_BYTES, room // step * step)
    count = min(slices, max(1, room // max(nbytes, 1)))
    starts = np.linspace(first, source.size - nbytes, count).astype(np.int64)
    starts += (anchor - starts) % step
    rows = [source.values(int(start), nbytes // dtype.itemsize, dtype) for start in starts]
    shortest = min(row.size for row in rows)
    return np.stack([row[:shortest] for row in rows]) if shortest else np.empty((0, 0), dtype)


def _integer_steps(values: npt.NDArray[Any]) -> tuple[Floats | None, float | Floats, float]:
    """Return integers, the step between those that occur, and what speaks against them."""
    itemsize = values.dtype.itemsize
    numbers = values.astype(np.float64)
    steps = np.abs(np.diff(values.astype(np.int64), axis=1)).ravel()
    common = int(np.gcd.reduce(steps)) or 1
    shifted = itemsize > 1 and common % 256 == 0
    penalty = 0.5 if shifted else (0.15 if common > 1 else 0.0)
    if itemsize == 2 and values.dtype.kind == "u" and _is_about_zero(values):
        penalty += 0.15
    if itemsize == 4 and np.median(np.abs(numbers)) > 1 << 27:
        penalty += 0.8  # no camera counts so far: the exponents of floats look so
    return numbers, float(common), penalty


def _is_about_zero(values: npt.NDArray[Any]) -> bool:
    """Whether unsigned values lie at both ends of their range, or its last quarter, alone."""
    last = 3 << (8 * values.dtype.itemsize - 2)
    middle = (values >= last // 3) & (values < last)
    return bool((values >= last).mean() > 0.01 and not middle.any())


def _float_steps(values: npt.NDArray[Any]) -> tuple[Floats | None, float | Floats, float]:
    """Return floats, the step between those that occur, and what speaks against floats."""
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
    """Whether lower halves of doubles are floats of usual sizes, which is rare by chance."""
    order = values.dtype.str[0]
    halves = np.ascontiguousarray(values).view(f"{order}f4")
    with np.errstate(invalid="ignore"):
        size = np.abs(halves[:, (0 if order == "<" else 1) :: 2])
    size = size[size != 0]
    return size.size > 0.05 * values.size and bool(((size > 1e-9) & (size < 1e9)).mean() > 0.9)


def float_step(numbers: Floats, mantissa: int) -> Floats:
    """Return the step between neighboring floats that occur, for each of some numbers."""
    fraction, exponent = np.frexp(numbers)
    whole = np.abs(fraction * 2.0 ** (mantissa + 1)).astype(np.int64)
    lowest = np.log2(np.maximum(whole & -whole, 1))
    exact = numbers != 0
    if not exact.any():
        return np.ones_like(numbers)
    exponent = np.maximum(exponent, np.median(exponent[exact]) - 12)
    zeros = np.percentile(lowest[exact], 1)
    last = np.percentile((exponent - mantissa - 1 + lowest)[exact], 1)
    step: Floats = 2.0 ** np.maximum(exponent - 1.0 - mantissa + zeros, last)
    return step


def _as_ranks(numbers: Floats, itemsize: int) -> tuple[float, float]:
    """Return the cost of floats that were few integers once, as a table and places in it."""
    table, ranks = np.unique(numbers, return_inverse=True)
    if table.size >= numbers.size / 8:
        return np.inf, 0.0
    places = ranks.reshape(numbers.shape).astype(np.float64)
    cost, unlike = code_of(places, 1.0, itemsize)
    return cost + 8 * table.size / numbers.size, unlike


def _filled(numbers: Floats, bad: npt.NDArray[np.bool_]) -> Floats:
    """Return numbers with the last good one in place of each bad one."""
    flat, wrong = numbers.ravel(), bad.ravel()
    last = np.maximum.accumulate(np.where(wrong, 0, np.arange(flat.size)))
    filled = np.where(wrong[last], 0.0, flat[last])
    return filled.reshape(numbers.shape)


def code_of(numbers: Floats, quantum: float | Floats, itemsize: float) -> tuple[float, float]:
    """Return bits per byte at the best distance of neighbors, and how unlike its phases are.

    The halves of a wider number are seen at even distances, whichever is the best one.
    """
    phases = {lag: _phase_bits(numbers, quantum, lag) for lag in (1, 2, 3, 4)}
    means = {lag: float(per_phase.mean()) for lag, per_phase in phases.items()}
    best = min(means, key=lambda lag: means[lag] + (0.04 * itemsize if lag > 1 else 0.0))
    close = 1.25 * means[best] + 0.01
    near = {best} | {lag for lag in (2, 4) if means[lag] < close}
    if best == 4 and _has_alpha(phases[4]):
        near = {4}
    unlike = max(_asymmetry(phases[lag]) for lag in near)
    return min(means[best], 8.0 * itemsize) / itemsize, unlike


def _phase_bits(numbers: Floats, quantum: float | Floats, lag: int) -> Floats:
    """Return bits per sample of differences at a lag, for each phase of it, shape ``(lag,)``."""
    with np.errstate(over="ignore"):
        residual = np.abs(numbers[:, lag:] - numbers[:, :-lag])
        residual /= quantum if isinstance(quantum, float) else quantum[:, lag:]
    np.minimum(residual, 1e30, out=residual)
    nblocks = residual.shape[1] // (BLOCK * lag)
    if not nblocks:
        return np.full(lag, np.inf)
    blocks = residual[:, : nblocks * BLOCK * lag].reshape(-1, nblocks, BLOCK, lag)
    found: Floats = bits((blocks < 0.5).mean(2), blocks.mean(2)).mean((0, 1))
    return found


def _has_alpha(per_phase: Floats) -> bool:
    return bool(per_phase[3] < 0.02 * per_phase.max())


def _asymmetry(per_phase: Floats) -> float:
    most = float(per_phase.max())
    if most <= 0 or not np.isfinite(most):
        return 0.0
    if per_phase.size == 4 and _has_alpha(per_phase):
        per_phase = per_phase[:3]  # an alpha plane is cheap, and says nothing of the others
    return float((per_phase.max() - per_phase.min()) / most)


def _without_twins(found: list[Coded]) -> list[Coded]:
    """Drop signed types than which their unsigned twins are likelier: the pixels are the same."""
    totals = {(coded.dtype.str, coded.phase): coded.total for coded in found}

    def is_twin(coded: Coded) -> bool:
        twin = totals.get((coded.dtype.str.replace("i", "u"), coded.phase))
        return coded.dtype.kind == "i" and twin is not None and twin <= coded.total

    return [coded for coded in found if not is_twin(coded)]
