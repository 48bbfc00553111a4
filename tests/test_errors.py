"""Warnings that are collected: those of one piece of work, whatever other threads do meanwhile."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from napari_ferry.errors import FerryWarning, collecting_warnings, share_collector, warn


def test_each_of_two_works_at_once_collects_its_own_warnings() -> None:
    outer: list[str] = []
    inner: list[str] = []
    with ThreadPoolExecutor(1) as thread:
        first = collecting_warnings(outer)
        second = collecting_warnings(inner)
        with first:
            thread.submit(second.__enter__).result()
            warn("The first one.")
        # the first ends before the second does
        thread.submit(warn, "The second one.").result()
        thread.submit(second.__exit__, None, None, None).result()
    assert (outer, inner) == (["The first one."], ["The second one."])
    with pytest.warns(FerryWarning, match="Issued"):
        warn("Issued as usual.")


def test_the_filters_of_the_process_stay_as_they_are() -> None:
    before, show = [*warnings.filters], warnings.showwarning
    with collecting_warnings([]):
        assert [*warnings.filters] == before
        assert warnings.showwarning is show


def test_threads_of_a_pool_belong_to_the_work_that_starts_them() -> None:
    found: list[str] = []
    with collecting_warnings(found), ThreadPoolExecutor(2, "any", share_collector()) as pool:
        for future in [pool.submit(warn, f"Frame {k}.") for k in range(3)]:
            future.result()
    assert sorted(found) == ["Frame 0.", "Frame 1.", "Frame 2."]
