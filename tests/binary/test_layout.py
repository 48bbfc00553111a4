"""Layouts of raw files, and their known fields."""

from __future__ import annotations

import numpy as np
import pytest

import napari_ferry
from napari_ferry import InvalidImageError, Layout, find_layouts
from napari_ferry.codecs.binary.layout import find
from napari_ferry.plugin.samples import raw_recording
from raw_files import brief, more, scene, stored, write


@pytest.mark.parametrize("known", [("y", "x", "channels"), ("channels",), ("offset",), ("frames",)])
def test_sizes_larger_than_the_file_are_not_searched(tmp_path, known):
    path, _ = raw_recording(tmp_path, frames=10, size=64)
    assert find_layouts(path, **dict.fromkeys(known, 2**48 - 1)) == []


KNOWN = (
    {"dtype": ">u2"},
    {"dtype": "u1", "channels": 2},
    {"x": 66},
    {"y": 45},
    {"frames": 6},
    {"offset": 1},
    {"dtype": "f2"},
    {"frames": 3, "y": 7, "x": 11, "dtype": "u2"},
)
MORE_KNOWN = (
    {"dtype": "u2"},
    {"byte_order": "big"},
    {"channels": 3},
    {"offset": 264},
    {"dtype": np.float32, "y": 90},
    {"dtype": "i8"},
)


@pytest.mark.sample(3)
@pytest.mark.parametrize("known", [*KNOWN, *more(MORE_KNOWN)], ids=str)
def test_known_fields_are_never_overruled(tmp_path, known):
    found = find_layouts(write(tmp_path / "a.raw", stored("<u2", scene())), **known)
    assert found
    for layout in found:
        if layout.dtype.itemsize > 1:
            assert layout.byte_order == known.get("byte_order", layout.byte_order)
        for name in ("frames", "y", "x", "channels", "offset"):
            assert getattr(layout, name) == known.get(name, getattr(layout, name))
        if "dtype" in known:
            assert layout.dtype.newbyteorder("=") == np.dtype(known["dtype"]).newbyteorder("=")
        if str(known.get("dtype")).startswith(">"):
            assert layout.byte_order == "big"


def test_layouts_are_ranked_distinct_and_inside_the_file(tmp_path):
    path = write(tmp_path / "a.raw", stored("<u2", scene()))
    found = find_layouts(path, limit=50)
    confidences = [layout.confidence for layout in found]
    assert confidences == sorted(confidences, reverse=True)
    assert len({brief(layout) for layout in found}) == len(found) > 10
    assert all(layout.offset + layout.nbytes <= path.stat().st_size for layout in found)
    assert find_layouts(path, limit=3) == found[:3]


def test_planes_are_channels_if_these_are_known(tmp_path):
    path = write(tmp_path / "a.raw", stored("<u2", scene()))
    best = find_layouts(path, channels=3, y=90, x=132)[0]
    assert (best.interleaving, best.shape) == ("plane", (4, 3, 90, 132))


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"dtype": "U3"}, "integers or floating point"),
        ({"dtype": "complex64"}, "integers or floating point"),
        ({"dtype": "no type"}, "type of numbers"),
        ({"dtype": ">u2", "byte_order": "little"}, "contradict"),
        ({"byte_order": "middle"}, "'little' or 'big'"),
        ({"frames": 0}, "frames is 0"),
        ({"x": 2.5}, "x is 2.5"),
        ({"y": True}, "y is True"),
        ({"offset": -1}, "offset is -1"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_invalid_known_fields_are_refused(tmp_path, known, message):
    path = write(tmp_path / "a.raw", np.zeros(100, "u1"))
    with pytest.raises(InvalidImageError, match=message):
        find_layouts(path, **known)


def test_names_are_public():
    assert napari_ferry.find_layouts is find.find_layouts
    assert napari_ferry.Layout is Layout
