"""Signals of rows and repeats in few samples."""

from __future__ import annotations

import numpy as np

from napari_ferry.codecs.binary.layout.signals.autocorrelation import find_periods
from napari_ferry.codecs.binary.layout.signals.code_length import RowCoder, code_cost
from napari_ferry.codecs.binary.layout.signals.similarity import find_repeat

NOISE = np.random.default_rng(0).integers(0, 999, 5000, np.uint16)


def test_a_row_longer_than_the_samples_has_no_code() -> None:
    coder = RowCoder(NOISE)
    assert np.isfinite(coder.code(100, 1))
    assert coder.code(5000, 1) == np.inf
    assert RowCoder(NOISE[:100]).pixel_period is None


def test_samples_without_differences_have_no_asymmetry() -> None:
    for count in (4000, 50):  # the second are too few for a code length
        _, asymmetry = code_cost(np.zeros((4, count), np.float32), 1.0, 1)
        assert asymmetry == 0


def test_a_period_longer_than_all_lags_has_no_score() -> None:
    periods = find_periods(np.tile(NOISE[:50], 100))
    assert periods.comb(50) > 4
    assert periods.comb(10**6) == 0


def test_a_repeat_that_does_not_fit_is_not_found() -> None:
    samples = np.random.default_rng(1).standard_normal(3 << 16).astype(np.float32)
    samples[100_000 : 100_000 + (1 << 16)] = samples[: 1 << 16]

    def read(start: int, count: int) -> np.ndarray:
        return samples[start : start + count]

    assert find_repeat(read, 50_000, 120_000)[0] == 100_000
    assert find_repeat(read, 190_000, 200_000) == (0, 0.0)
