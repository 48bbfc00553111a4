"""Patches of lazy arrays, as read by CAREamics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import SHARED, Entry, entry_id, make_image, read_golden, sha256
from lazy_arrays import counted
from napari_ferry import imload
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image

PATCHES = read_golden("careamics", lambda entry: "patches" in entry and "tiff" in entry["id"])
"""The real classes read a channel of a file by its own index, samples with t fastest."""


def cases() -> Iterator[tuple[Entry, Entry]]:
    for entry in PATCHES:
        for patch in entry["patches"]:
            yield entry, patch


@pytest.mark.usefixtures("shared_data")
def test_there_are_patches_of_careamics() -> None:
    assert len(list(cases())) > 150


@pytest.mark.filterwarnings("ignore:.*planes of each page")  # tifffile's default tags
@pytest.mark.parametrize("entry", PATCHES, ids=entry_id)
@pytest.mark.parametrize("is_loaded", [False, True])
def test_patches_are_those_of_careamics(entry: Entry, is_loaded: bool) -> None:
    path = SHARED / "earlier-systems" / "careamics" / entry["open"]
    (image,) = imload(path, axes=entry["axes"])
    if is_loaded:
        image.load()
    for patch in entry["patches"]:
        asked = (patch[key] for key in ("sample_idx", "channels", "coords", "patch_size"))
        found = image.extract_patch(*asked)
        assert list(found.shape) == patch["shape"]
        assert found.dtype == patch["dtype"]
        assert sha256(found) == patch["sha256_c_order"], patch


@settings(max_examples=100)
@given(
    st.permutations("czyx"),
    st.tuples(st.integers(-4, 6), st.integers(-4, 7), st.integers(-4, 9)),
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9)),
)
def test_a_patch_is_cut_out_of_zeros(
    axes: list[str], coords: tuple[int, ...], size: tuple[int, ...]
) -> None:
    image = make_image("".join(axes))
    padded = np.pad(
        np.asarray(image.array).transpose([axes.index(a) for a in "czyx"]),
        [(0, 0), *[(10, 20)] * 3],
    )
    cut = tuple(slice(10 + start, 10 + start + n) for start, n in zip(coords, size, strict=True))
    found = image.extract_patch(0, None, coords, size, dtype=None)
    np.testing.assert_array_equal(found, padded[:, *cut])
    assert found.dtype == image.dtype


def test_a_patch_reads_no_more_than_its_frames() -> None:
    frames, read = counted(100)
    Image.from_array(frames, "tyx").extract_patch(42, None, (0, 0), (2, 2))
    assert read == [42]


@pytest.mark.parametrize(
    ("axes", "expected"), [("yxs", (3, 2, 2)), ("cyxs", (2, 2, 2)), ("tyxs", (3, 2, 2))]
)
def test_samples_of_a_color_are_channels_if_there_are_no_others(
    axes: str, expected: tuple[int, ...]
) -> None:
    assert make_image(axes).extract_patch(0, None, (0, 0), (2, 2)).shape == expected


@pytest.mark.parametrize(
    "asked",
    [
        (3, None, (0, 0), (2, 2)),
        (-1, None, (0, 0), (2, 2)),
        (0, [2], (0, 0), (2, 2)),
        (0, [], (0, 0), (2, 2)),
        (0, None, (0, 0, 0), (2, 2, 2)),
        (0, None, (0,), (2, 2)),
    ],
)
def test_a_patch_outside_the_image_is_refused(asked: Any) -> None:
    with pytest.raises(InvalidImageError):
        make_image("tcyx").extract_patch(*asked)
