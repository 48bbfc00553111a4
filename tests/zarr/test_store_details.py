"""Sentences about the resolutions and files of a planned store."""

from pathlib import Path

import numpy as np

from napari_ferry import Image, imsave, plan


def count_chunk_files(store: Path) -> int:
    """Return the number of files in a store that are not metadata."""
    return sum(each.is_file() and each.name != "zarr.json" for each in store.rglob("*"))


def test_resolutions_and_files_are_told_before_saving(tmp_path: Path):
    image = Image.from_array(np.zeros((3, 1500, 1800), np.uint16), "zyx", name="cells")
    planned = plan(image, tmp_path / "a.ome.zarr")
    assert planned.details[0] == (
        "3 resolutions (3 x 1500 x 1800, 3 x 750 x 900, 3 x 375 x 450 pixels)."
    )
    assert planned.details[1].endswith("each of at most 2.097 MB of pixels.")
    imsave(image, tmp_path / "a.ome.zarr")
    count = count_chunk_files(tmp_path / "a.ome.zarr")
    assert planned.details[1].startswith(f"{count} files")


def test_labels_are_named(tmp_path: Path):
    pixels = np.zeros((64, 80), np.uint16)
    images = [
        Image.from_array(pixels, "yx", name="cells"),
        Image.from_array(pixels, "yx", name="nuclei", kind="labels"),
    ]
    planned = plan(images, tmp_path / "a.ome.zarr", shards=True)
    assert planned.details == (
        "cells: 1 resolution (64 x 80 pixels).",
        "nuclei: 1 resolution (64 x 80 pixels).",
        "2 files, each of at most 10.24 kB of pixels.",
    )


def test_the_text_of_a_plan_has_no_pixels(tmp_path: Path):
    planned = plan(np.zeros((3, 64, 80), np.uint16), tmp_path / "a.tif")
    assert repr(planned).startswith("Plan(a.tif, 1 file, 3")
    assert "array" not in repr(planned)
    assert len(repr(planned)) < 300
