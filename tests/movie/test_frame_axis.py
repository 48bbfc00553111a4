"""Frame axis of a movie, and the position on its other axes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_ferry
from helpers import make_full_image, make_image, make_unreadable
from napari_ferry import InvalidImageError, imload

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)
plan = partial(napari_ferry.plan, as_seen=False)


@pytest.mark.parametrize(
    ("axes", "options", "word"),
    [
        ("tzyx", {}, "z=0"),
        ("tczyx", {"position": "z=1"}, "c=0"),
        ("zcyx", {}, "axis='z'"),
        ("tyx", {"axis": "z"}, "frame axis is 'z'"),
        ("tzyx", {"position": "z=4"}, "from 0 to 3"),
        ("tzyx", {"position": "z=-1"}, "from 0 to 3"),
        ("tzyx", {"position": "p=1"}, "names the axis p"),
        ("tzyx", {"position": "z=1 z=2"}, "twice"),
        ("tzyx", {"position": "third"}, "such as 'z=3 c=0'"),
        ("tzyx", {"axis": "z", "position": "z=1 t=0"}, "also has a position"),
        ("xyt", {}, "y and x come last"),
    ],
)
def test_an_ambiguous_frame_axis_or_position_is_refused(
    axes: str, options: Any, word: str, tmp_path: Path
) -> None:
    image = replace(make_image(axes), levels=(make_unreadable(make_image(axes).shape),))
    with pytest.raises(InvalidImageError, match=word):
        plan(image, tmp_path / "a.mp4", **options)


def test_any_axis_can_be_the_frame_axis(tmp_path: Path) -> None:
    image = make_full_image("tczyx", "uint16")
    (path,) = imsave(image, tmp_path / "a.mkv", axis="z", position="t=2 c=1")
    (found,) = imload(path)
    np.testing.assert_array_equal(found.array, np.asarray(image.array)[2, 1])
    assert found.axes == image.axes[2:]
    assert found.metadata["position"] == {"t": 2, "c": 1}
    assert found.display == {"blending": "additive"}
