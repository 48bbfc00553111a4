"""Downsampling: exact values on odd sizes and for every type."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_ferry.codecs.zarr.saving import downsampling
from napari_ferry.codecs.zarr.saving.downsampling import halve

DTYPES = (
    *("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)


def windows(pixels: NDArray[Any], halved: tuple[bool, ...]) -> Any:
    """Yield the index of each new sample, and the samples that it is made of."""
    counts = [-(-n // 2) if half else n for n, half in zip(pixels.shape, halved, strict=True)]
    for index in itertools.product(*map(range, counts)):
        inside = tuple(
            slice(2 * i, 2 * i + 2) if half else slice(i, i + 1)
            for i, half in zip(index, halved, strict=True)
        )
        yield index, pixels[inside].ravel()


def mean_of(samples: NDArray[Any]) -> Any:
    """Return the mean, rounded half up for integers."""
    if samples.dtype.kind in "biu":
        total, n = sum(map(int, samples)), len(samples)
        return samples.dtype.type((2 * total + n) // (2 * n))
    wide = np.complex128 if samples.dtype.kind == "c" else np.float64
    return samples.astype(wide).mean().astype(samples.dtype)


@st.composite
def arrays(draw: Any) -> tuple[NDArray[Any], tuple[bool, ...]]:
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(st.lists(st.integers(1, 7), min_size=2, max_size=4))
    halved = tuple(draw(st.booleans()) for _ in shape[:-2]) + tuple(
        draw(st.sampled_from([(True, True), (True, False), (False, True)]))
    )
    seed = draw(st.integers(0, 2**32 - 1))
    raw = np.random.default_rng(seed).bytes(int(np.prod(shape)) * dtype.itemsize)
    if dtype.kind in "iu":
        return np.frombuffer(raw, dtype).reshape(shape), halved
    numbers = np.random.default_rng(seed).normal(0, 100, shape)
    pixels = numbers > 0 if dtype.kind == "b" else numbers.astype(dtype)
    return pixels, halved


@given(arrays())
def test_the_mean_is_rounded_and_the_last_one_of_what_is_there(
    case: tuple[NDArray[Any], tuple[bool, ...]],
) -> None:
    pixels, halved = case
    found = halve(pixels, halved, "mean")
    assert found.dtype == pixels.dtype
    for index, samples in windows(pixels, halved):
        if pixels.dtype.kind in "biu":
            assert found[index] == mean_of(samples)
        else:
            np.testing.assert_allclose(
                found[index],
                mean_of(samples),
                rtol=2e-2 if pixels.itemsize == 2 else 1e-5,
                atol=0.2 if pixels.itemsize == 2 else 1e-4,
            )


@given(arrays())
def test_the_nearest_is_the_first_and_the_mode_the_most_frequent(
    case: tuple[NDArray[Any], tuple[bool, ...]],
) -> None:
    pixels, halved = case
    pixels = (pixels.real > 0).astype(np.int32) + (pixels.imag > 1)
    nearest, mode = halve(pixels, halved, "nearest"), halve(pixels, halved, "mode")
    for index, samples in windows(pixels, halved):
        assert nearest[index] == samples[0]
        counts = Counter(samples.tolist())
        assert counts[int(mode[index])] == max(counts.values())


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint64", "int64"])
def test_the_largest_numbers_do_not_overflow(dtype: str) -> None:
    info = np.iinfo(dtype)
    pixels = np.array([[info.max, info.max, info.min], [info.max, info.max - 1, info.min]], dtype)
    assert halve(pixels, (True, True), "mean").tolist() == [[info.max, info.min]]


def test_large_floats_do_not_overflow_and_nan_remains() -> None:
    largest = np.finfo(np.float32).max
    pixels = np.array([[largest, largest, np.nan], [largest, largest, 1]], np.float32)
    found = halve(pixels, (True, True), "mean")
    assert found[0, 0] == largest
    assert np.isnan(found[0, 1])


def test_many_rows_are_halved_in_steps() -> None:
    pixels = np.random.default_rng(0).integers(0, 1 << 16, (3, 517, 301), np.uint16)
    found = halve(pixels, (False, True, True), "mean")
    whole = np.pad(pixels, ((0, 0), (0, 1), (0, 1)), "edge").astype(np.int64)
    expected = (whole.reshape(3, 259, 2, 151, 2).sum((2, 4)) + 2) >> 2
    assert np.array_equal(found, expected)


def test_the_mean_of_both_infinities_is_nan() -> None:
    pixels = np.array([[np.inf, -np.inf], [1, 2]], np.float32)
    assert np.isnan(halve(pixels, (True, True), "mean")).all()


def test_axes_after_those_of_planes_take_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    before = downsampling._mean_pairs

    def mean_pairs(pixels: NDArray[Any], halved: tuple[bool, ...]) -> NDArray[Any]:
        calls.append(pixels.size)
        return before(pixels, halved)

    monkeypatch.setattr(downsampling, "_mean_pairs", mean_pairs)
    pixels = np.arange(256 * 20 * 2, dtype=np.uint16).reshape(256, 20, 2)
    result = halve(pixels, (True, True, False), "mean")
    assert len(calls) == 4
    for k in range(2):
        plane = np.ascontiguousarray(pixels[..., k])
        assert np.array_equal(result[..., k], halve(plane, (True, True), "mean"))
