"""What layout a raw file has."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.raw_layout.candidates import Candidate, find_candidates
from napari_ferry.raw_layout.codes import Coded, anchor_of, find_dtypes
from napari_ferry.raw_layout.layout import Known, Layout, parse_known
from napari_ferry.raw_layout.periods import Periods, find_periods
from napari_ferry.raw_layout.rank import base_features, probabilities, shortlist
from napari_ferry.raw_layout.rows import find_rows
from napari_ferry.raw_layout.seams import Seams
from napari_ferry.raw_layout.source import Source, open_source

WINDOW_SAMPLES = 1 << 21
WINDOW_BYTES = 6 << 20


def judge(source: Source, known: Known) -> list[Candidate]:
    """Return the layouts that a file may have, with all evidence for and against each."""
    types = find_dtypes(source, known)
    periods: dict[tuple[int, bool], Periods] = {}
    looks: dict[str, Seams] = {}
    every: list[Candidate] = []
    for coded in types:
        start, window = _window(source, coded, known)
        if window.size < 256:
            continue
        kind = (coded.dtype.itemsize, coded.end)
        if kind not in periods:
            periods[kind] = find_periods(window)
        look = looks[coded.dtype.str + str(coded.end)] = Seams(source, coded.dtype, start, window)
        for row in find_rows(window, periods[kind], source.size, known):
            changes = look.changes(row.length) if known.offset is None else {}
            for one in find_candidates(source.size, coded, row, periods[kind], changes, known):
                one.features |= base_features(one, coded, types[0])
                every.append(one)
    kept = shortlist(every)
    for one in kept:
        one.features |= looks[one.coded.dtype.str + str(one.coded.end)].features(one)
    return kept


def _window(source: Source, coded: Coded, known: Known) -> tuple[int, npt.NDArray[Any]]:
    """Return a run of consecutive samples about the middle of the body, and where it begins."""
    itemsize = coded.dtype.itemsize
    first = source.body if known.offset is None else known.offset
    count = min(WINDOW_SAMPLES, WINDOW_BYTES // itemsize, (source.size - first) // itemsize)
    start = first + (source.size - first - count * itemsize) // 2
    start += (anchor_of(source.size, known, end=coded.end) - start) % itemsize
    return start, source.values(start, count, coded.dtype)
